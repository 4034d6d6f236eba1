//! The tables of sign-ins over loopback.

use std::path::Path;

use super::{Failure, counted};
use crate::figures::{Chart, Table, number};
use crate::loopback::{Server, pairs};

pub(super) fn tables(_: &Path) -> Result<Vec<Table>, Failure> {
    let kept = "One sign-in over HTTP/1.1, on a plain connection that is kept";
    let chart = ("loopback", "One sign-in over loopback, microseconds of the client's CPU");
    let each = "One sign-in over HTTP/1.1, with a new TLS connection, as a service needs it that signs in once an hour";
    let chart_of_tls =
        ("loopback-tls", "One sign-in over a new TLS connection, microseconds of the client's CPU");
    Ok(vec![table(kept, false, chart)?, table(each, true, chart_of_tls)?])
}

fn table(title: &str, tls: bool, (file, of): (&str, &str)) -> Result<Table, Failure> {
    let server = Server::start(tls)?;
    let target = server.target();
    let arguments = ["loopback", &target.base_url].into_iter().chain(target.authority.as_deref());
    let counts = counted(&arguments.collect::<Vec<_>>())?;
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
    let mut table = Table::new(title, &head);
    let mut bars = Vec::new();
    for pair in pairs(target) {
        let (by_hand, ours, ratio) = pair.cost(target);
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
    table.chart = Some(Chart { file: file.to_owned(), title: of.to_owned(), bars });
    Ok(table)
}
