//! The table of sign-ins over loopback.

use std::path::Path;

use super::{Failure, counted};
use crate::figures::{Chart, Table, number};
use crate::loopback::{Server, pairs};

pub(super) fn tables(_: &Path) -> Result<Vec<Table>, Failure> {
    let server = Server::start(&["serve"])?;
    let counts = counted(&["loopback", server.base_url()])?;
    let head = [
        "",
        "CPU by hand, µs",
        "point-auth",
        "more",
        "allocations by hand",
        "point-auth",
        "more",
        "a second by hand",
        "point-auth",
    ];
    let mut table = Table::new("One sign-in over HTTP/1.1 on loopback, one after another", &head);
    let mut bars = Vec::new();
    for pair in pairs(server.base_url()) {
        let (by_hand, ours, ratio) = pair.cost();
        let [theirs, _] = counts[&format!("{}, by hand", pair.name)];
        let [mine, _] = counts[&format!("{}, ours", pair.name)];
        table.push([
            pair.name.to_owned(),
            format!("{:.1}", by_hand.cpu),
            format!("{:.1}", ours.cpu),
            format!("{:+.1} %", (ratio - 1.0) * 100.0),
            format!("{theirs:.1}"),
            format!("{mine:.1}"),
            format!("{:+.1}", mine - theirs),
            number(1e6 / by_hand.wall),
            number(1e6 / ours.wall),
        ]);
        bars.push((format!("{}, by hand", pair.name), by_hand.cpu));
        bars.push((format!("point-auth over {}", pair.name), ours.cpu));
    }
    table.chart = Some(Chart {
        file: "loopback".to_owned(),
        title: "One sign-in over loopback, microseconds of the client's CPU".to_owned(),
        bars,
    });
    Ok(vec![table])
}
