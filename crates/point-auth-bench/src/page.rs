//! The book's page about performance, with the figures and their explanation.

use std::path::Path;

use crate::figures::Figures;
use crate::machine;

const HEAD: &str = "\
<!-- Written by `cargo xtask bench`. Change crates/point-auth-bench/src/page.rs instead. -->

# Performance

What point-auth costs, beside what people use today: the same work, in the same process, in the same run. Every figure of this
page is made by one command, `cargo xtask bench`, which writes the page. Ratios are worth more than times: all rows of a table take
turns, so that whatever else the machine was doing befell all of them.

- **ns** is the median of 151 batches. **Allocations** count blocks of the heap, those that are moved once more; **bytes** are
  theirs. **Instructions** are callgrind's, and the same in every run.
- The access token has 900 bytes and the refresh token 200, as the API's have.
";

const SECTIONS: [(&str, &str, &str); 6] = [
    (
        "core",
        "Core",
        "\
The reference is a sign-in by hand: `http` and `serde_json`, derived types, a URI that is parsed once, strings of one's own.
It wipes nothing, checks no token, and keeps whatever text the server sends. point-auth's figures include the wiping of the request and
of both tokens. What it takes longer to read is its checks: each byte of a token is looked at by us and once more by `http`, as a header's
value; and the texts of a denial are searched for the password before they are kept.

In the last table each gets a copy of the answer of its own, since oauth2 wants one. oauth2 is `exchange_password` with a closure
for a client. io-oauth has no password grant; its refresh also writes and reads the lines of HTTP/1.1. Half of what oauth2 takes is
about what it takes by hand, so that is as far down as this can go.
",
    ),
    (
        "reading",
        "Reading a token that is good",
        "\
What happens before every request of a service. The hand-rolled ones keep a token and its end behind an `ArcSwap` or an `RwLock`, and
read the same two clocks as we do: either may say that a token is over. The peers are set up by their public interfaces, over a source
in this process; google-cloud-auth takes none, so its source is an HTTP server on loopback, which a read does not ask. Futures
are polled once and are ready.

A session whose runtime was set by the program asks that runtime for the time, through a trait object, which takes about 90
instructions more.
",
    ),
    (
        "stampede",
        "A stampede",
        "\
Many tasks ask an empty cache for a token at the same moment, on one thread; getting one takes 50 ms.
",
    ),
    (
        "fleet",
        "A fleet with one login",
        "\
Workers on many machines with one login, in virtual time: a discrete simulation, so that the figures are counts and the same on every
machine, but for the random moments at which workers refresh. point-auth's workers are whole sessions over a store in memory whose
commands take a millisecond. The lock by hand is the usual one over Redis: `SET NX PX 10000` before the exchange and a plain `DEL` after it.
It looks for a newer token before and after it locks, asks again every 200 ms, and its workers refresh at moments of their own, like ours.

A server that takes longer than the lock lasts gets a second exchange while the first is in flight, and the first worker's `DEL` then releases
the second one's lock. With refresh tokens that can be used once, one of the two ends the login. A permit of point-auth outlasts the
exchange that it is for.

In steady use a worker takes up new tokens when its own time to refresh comes, up to two and a half minutes after they are there: the old
token is good until then, and no caller waits. When all come at once, those that wait ask the store again after 0.1 to 2 seconds.
",
    ),
    (
        "loopback",
        "Over loopback",
        "\
Whole sign-ins against the emulator in another process, with each adapter and with the same client driven by hand: no redirects, the
same time limits and TLS settings, the body read whole. They take turns of 250 sign-ins, or of 25 where each makes a TLS connection; CPU
is that of the client's process, user and system; and **more** is the median of the turns' ratios.

A sign-in is needed once an hour, when no connection is left from the last: that is the second table. TLS is resumed there, on both sides
of the pair, as it is after an hour; a full handshake costs both some more. The first table has what is never seen
outside of a test: a plain connection that is kept, where next to nothing is left to measure us against. By callgrind, what we do more
than by hand are some 7,500 instructions, with reqwest and with hyper: about 2,000 check the tokens and the answer, 1,000 copy it into memory
that is wiped, 1,000 measure the request's JSON before it is written (so that no outgrown buffer is left behind), 1,300 are for the
deadline and for a body that cannot be sent twice, and 1,000 are the allocator's.

ureq, given a time limit, looks the host's name up before every request, in a thread of its own, even where the connection is
already there. Our adapter looks it up when it connects. Over TLS it says that it speaks HTTP/1.1, which ureq does not say.
",
    ),
    (
        "weight",
        "Weight",
        "\
A small program that signs in over each client, by hand and with point-auth, with the same trust store and TLS library: rustls with
ring. Builds are clean, with `--release`; their time is the CPU's.

The crates are four of ours and those that they stand on: async-trait, arc-swap, futures-timer, httpdate, secrecy and thiserror, each with
what it brings; ureq's program has pollster and slab too. The time is our four crates' for the most part (`cargo build --timings`: 10 of 13
seconds with ureq), sessions and all, which these programs do not use. Of hyper's bytes a quarter are functions of our crates, a fifth is for
unwinding, and the rest is what hyper, http and the standard library are made into for what the program by hand does without: proxies with
exceptions and credentials, settings of TLS, limits of time and size, and dates.
",
    ),
];

const TAIL: &str = "\
## How to run it again

```text
cargo xtask bench            # everything but the weight; about five minutes
cargo xtask bench reading    # one section
cargo xtask bench weight     # builds six programs from nothing
cargo xtask budget           # what is the same in every run, against crates/point-auth-bench/budget.toml
```

The peers live in a workspace of their own, `crates/point-auth-bench`, with a `Cargo.lock` of its own. Instructions need valgrind;
without it the column stays empty. What must not get worse unseen (allocations, bytes of a waiting task, instructions, crates) is a
step of `cargo xtask ci`; times never are.
";

/// Renders the page.
pub fn render(figures: &Figures, workspace: &Path) -> String {
    let mut page = String::from(HEAD);
    for (name, title, about) in SECTIONS {
        let Some(section) = figures.get(name) else { continue };
        page += &format!("\n## {title}\n\n{about}");
        for table in &section.tables {
            page += &format!("\n**{}**\n\n{}", table.title, table.markdown());
            if let Some(chart) = &table.chart {
                page += &format!("\n![{}](performance/{}.svg)\n", chart.title, chart.file);
            }
        }
        page += &format!("\nMeasured on {}.\n", section.machine);
    }
    let versions = machine::versions(workspace);
    let versions: Vec<String> =
        versions.into_iter().map(|(name, version)| format!("{name} {version}")).collect();
    page += &format!("\n## Versions\n\n{}.\n\n{TAIL}", versions.join(", "));
    page
}
