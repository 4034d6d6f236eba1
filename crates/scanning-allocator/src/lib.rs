//! A global allocator for tests that finds secrets in freed memory.
//!
//! Every block is searched for the watched bytes before it goes back to the system. A block with
//! them was freed without being wiped, and its secret may stay there for as long as the process
//! lives. A block that moves when it grows or shrinks counts too. Here it always moves, so that the
//! count does not depend on the system allocator.
//!
//! The allocator sees only the heap, and no copy in a block that is never freed.
//!
//! ```
//! use scanning_allocator::ScanningAllocator;
//!
//! #[global_allocator]
//! static ALLOCATOR: ScanningAllocator = ScanningAllocator::new();
//!
//! let watch = ScanningAllocator::watch("hunter2-canary");
//! drop(String::from("hunter2-canary"));
//! assert_eq!(watch.freed_blocks(), 1);
//! ```

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

/// The allocator: make it the `#[global_allocator]` of a test binary.
///
/// Memory comes from the system and is zeroed, so that a secret counts where it was freed, and not
/// again when that memory is freed the next time.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ScanningAllocator;

/// Counts the freed blocks that hold its canary, on all threads, until it is dropped.
#[derive(Debug)]
#[must_use = "nothing is counted once it is dropped"]
pub struct Watch {
    canary: &'static Canary,
    slot: &'static AtomicPtr<Canary>,
}

/// The canary, and where it was found. Leaked, because another thread may be reading it.
#[derive(Debug)]
struct Canary {
    bytes: &'static [u8],
    freed_blocks: AtomicUsize,
    /// The sizes of the first blocks.
    sizes: [AtomicUsize; KEPT_SIZES],
}

const KEPT_SIZES: usize = 16;
/// The maximum number of concurrent watches in a process.
const SLOTS: usize = 64;

static CANARIES: [AtomicPtr<Canary>; SLOTS] = [const { AtomicPtr::new(ptr::null_mut()) }; SLOTS];
static WATCHES: AtomicUsize = AtomicUsize::new(0);

impl ScanningAllocator {
    /// Creates the value for the `#[global_allocator]`.
    pub const fn new() -> Self {
        Self
    }

    /// Starts to count the freed blocks that hold `canary`.
    ///
    /// Use a different canary in each test of a binary, and take care that the test frees no copies
    /// of its own.
    ///
    /// # Panics
    /// When `canary` has less than 8 bytes, which would be found by chance, or when there are more
    /// than 64 watches.
    /// than 64 watches.
    pub fn watch(canary: &'static str) -> Watch {
        assert!(canary.len() >= 8, "a canary of less than 8 bytes is found by chance");
        let canary: &'static mut Canary = Box::leak(Box::new(Canary {
            bytes: canary.as_bytes(),
            freed_blocks: AtomicUsize::new(0),
            sizes: [const { AtomicUsize::new(0) }; KEPT_SIZES],
        }));
        let pointer = ptr::from_mut(canary);
        let free = |slot: &&AtomicPtr<Canary>| {
            slot.compare_exchange(ptr::null_mut(), pointer, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
        };
        let slot = CANARIES.iter().find(free);
        assert!(slot.is_some(), "more than {SLOTS} watches");
        let slot = slot.unwrap_or(&CANARIES[0]);
        WATCHES.fetch_add(1, Ordering::AcqRel);
        // SAFETY: the pointer comes from a leaked box, so it is valid for ever, and from here on
        // only shared references to it exist: the exclusive one was given up when `pointer` was
        // made of it.
        let canary = unsafe { &*pointer };
        Watch { canary, slot }
    }
}

impl Watch {
    /// Returns the number of blocks that were freed with the canary in them.
    pub fn freed_blocks(&self) -> usize {
        self.canary.freed_blocks.load(Ordering::Acquire)
    }

    /// Returns the sizes in bytes of the first 16 such blocks, to help identify them.
    pub fn sizes(&self) -> Vec<usize> {
        let found = self.freed_blocks().min(KEPT_SIZES);
        self.canary.sizes.iter().take(found).map(|size| size.load(Ordering::Acquire)).collect()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.slot.store(ptr::null_mut(), Ordering::Release);
        WATCHES.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Canary {
    fn look_into(&self, block: &[u8]) {
        if contains(block, self.bytes) {
            let nth = self.freed_blocks.fetch_add(1, Ordering::AcqRel);
            if let Some(size) = self.sizes.get(nth) {
                size.store(block.len(), Ordering::Release);
            }
        }
    }
}

/// Returns whether `needle` is in `block`. Allocates nothing.
fn contains(block: &[u8], needle: &[u8]) -> bool {
    let Some(first) = needle.first() else { return false };
    let mut rest = block;
    while let Some(at) = rest.iter().position(|byte| byte == first) {
        let (_, from) = rest.split_at(at);
        if from.starts_with(needle) {
            return true;
        }
        rest = from.get(1..).unwrap_or_default();
    }
    false
}

// SAFETY: every block comes from `System` and goes back to it with the layout it came with. Nothing
// here unwinds: scanning neither allocates nor panics. `realloc` is the trait's own, which
// allocates, copies and frees by the two methods below.
unsafe impl GlobalAlloc for ScanningAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller vouches for a layout of more than zero bytes, which is all that is
        // asked here too.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if WATCHES.load(Ordering::Acquire) > 0 {
            // SAFETY: the caller vouches that the block is live, has the layout's size and is given
            // up to us alone. All of it was zeroed when it was handed out, so no byte has never
            // been written. (A typed copy with padding may make bytes indeterminate for the
            // abstract machine; behind the opaque allocation calls that is no bytes read at random,
            // and this is for tests only.)
            let bytes = unsafe { slice::from_raw_parts(block, layout.size()) };
            for canary in &CANARIES {
                let canary = canary.load(Ordering::Acquire);
                // SAFETY: it is null or comes from a box that was leaked, and only shared
                // references are made of it.
                if let Some(canary) = unsafe { canary.as_ref() } {
                    canary.look_into(bytes);
                }
            }
        }
        // SAFETY: the block came from `System` with this layout, and is not used any more.
        unsafe { System.dealloc(block, layout) };
    }
}
