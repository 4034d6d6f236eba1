//! The faults still to come, in order.

use std::collections::{HashMap, VecDeque};

use super::{Fault, Operation};

/// One queue for each operation, one for all of them, and what applies when the queues have
/// nothing.
#[derive(Default)]
pub(super) struct Script {
    any: Queue,
    by_operation: HashMap<Operation, Queue>,
}

#[derive(Default)]
struct Queue {
    next: VecDeque<Fault>,
    always: Option<Fault>,
}

impl Script {
    pub(super) fn push(&mut self, operation: Option<Operation>, fault: Fault) {
        self.queue(operation).next.push_back(fault);
    }

    pub(super) fn always(&mut self, operation: Option<Operation>, fault: Fault) {
        self.queue(operation).always = Some(fault);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn pending(&self) -> usize {
        let queues = std::iter::once(&self.any).chain(self.by_operation.values());
        queues.flat_map(|queue| &queue.next).map(|fault| fault.times).sum()
    }

    /// The fault for a request: the operation's own queue first, then the common one, then what is
    /// always so.
    pub(super) fn take(&mut self, operation: Operation, reused: bool) -> Option<Fault> {
        let own = self.by_operation.get_mut(&operation);
        let queued = own.and_then(|queue| queue.take(reused)).or_else(|| self.any.take(reused));
        queued
            .or_else(|| self.by_operation.get(&operation).and_then(|queue| queue.standing(reused)))
            .or_else(|| self.any.standing(reused))
    }

    fn queue(&mut self, operation: Option<Operation>) -> &mut Queue {
        match operation {
            Some(operation) => self.by_operation.entry(operation).or_default(),
            None => &mut self.any,
        }
    }
}

impl Queue {
    fn take(&mut self, reused: bool) -> Option<Fault> {
        while self.next.front().is_some_and(|fault| fault.times == 0) {
            self.next.pop_front();
        }
        let next = self.next.front_mut().filter(|fault| fault.applies(reused))?;
        next.times -= 1;
        Some(next.clone())
    }

    fn standing(&self, reused: bool) -> Option<Fault> {
        self.always.clone().filter(|fault| fault.applies(reused))
    }
}

impl Fault {
    fn applies(&self, reused: bool) -> bool {
        reused || !self.only_reused
    }
}
