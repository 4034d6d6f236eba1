//! The table of the size of a program that signs in.

use std::path::Path;

use super::Failure;
use crate::figures::{Table, number};
use crate::weight::{tidy_up, weigh};

pub(super) fn tables(workspace: &Path) -> Result<Vec<Table>, Failure> {
    const KIB: f64 = 1024.0;
    let head = [
        "client",
        "crates by hand",
        "point-auth",
        "more",
        "build by hand, CPU s",
        "point-auth",
        "more",
        "size by hand, KiB",
        "point-auth",
        "more",
    ];
    let mut table =
        Table::new("A program that signs in: crates, clean release build, stripped size", &head);
    for client in ["hyper", "reqwest", "ureq"] {
        let by_hand = weigh(workspace, "by-hand", client)?;
        let ours = weigh(workspace, "with-point-auth", client)?;
        let (small, large) = (by_hand.size as f64 / KIB, ours.size as f64 / KIB);
        table.push([
            client.to_owned(),
            by_hand.crates.to_string(),
            ours.crates.to_string(),
            format!("{:+}", ours.crates as f64 - by_hand.crates as f64),
            format!("{:.1}", by_hand.build),
            format!("{:.1}", ours.build),
            format!("{:+.0} %", (ours.build / by_hand.build - 1.0) * 100.0),
            number(small),
            number(large),
            format!("{:+.0}", large - small),
        ]);
    }
    tidy_up();
    Ok(vec![table])
}
