//! Secrets in freed memory after an exchange over each adapter: how many freed blocks hold one.
//!
//! None of them is core's, which has its own test. They belong to the HTTP client and the TLS
//! library, and are counted here and compared with the security chapter.
//!
//! This is a separate binary, because its allocator searches every block that is freed. The server
//! is another process of this program, so that its freed memory does not count.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it has measured"
)]

mod exchange;
mod server;
mod table;

use scanning_allocator::ScanningAllocator;

use crate::exchange::{Adapter, Left, measure};
use crate::table::{CEILINGS, Row};

#[global_allocator]
static ALLOCATOR: ScanningAllocator = ScanningAllocator::new();

/// Measures every row of an adapter, and reports all that are too high at once.
fn stays_within(adapter: Adapter) {
    let mut complaints = Vec::new();
    let mut rows = 0;
    for row in CEILINGS.iter().filter(|row| row.adapter == adapter) {
        let found = measure(adapter, row.wire, row.way);
        println!(
            "{:<8} {:<6} {:<10} {found}",
            format!("{adapter:?}"),
            format!("{:?}", row.wire),
            format!("{:?}", row.way)
        );
        if !found.is_within(&row.ceiling) {
            complaints
                .push(format!("{:?} {:?}: {found}, more than {}", row.wire, row.way, row.ceiling));
        }
        rows += 1;
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
    assert!(rows > 10, "{rows} rows");
}

#[test]
fn an_exchange_over_reqwest_leaves_no_more_than_is_said() {
    stays_within(Adapter::Reqwest);
}

#[test]
fn an_exchange_over_hyper_leaves_no_more_than_is_said() {
    stays_within(Adapter::Hyper);
}

#[test]
fn an_exchange_over_ureq_leaves_no_more_than_is_said() {
    stays_within(Adapter::Ureq);
}

/// Without this, ceilings of 0 might come from a scanner that finds nothing.
#[test]
fn the_scanner_sees_what_a_careless_program_leaves() {
    let watch = ScanningAllocator::watch("careless-password-canary");
    drop(std::hint::black_box(String::from("careless-password-canary")));
    assert_eq!(watch.freed_blocks(), 1);
    let some = CEILINGS.iter().filter(|row: &&Row| row.ceiling != Left::default()).count();
    assert!(some > 0);
}

#[test]
fn a_password_file_leaves_nothing() {
    let watch = ScanningAllocator::watch("password-file-canary");
    let path = std::env::temp_dir().join(format!("point-auth-residue-{}", std::process::id()));
    let source = point_auth::PasswordFile::new("user@example.com", &path).unwrap();
    // A valid password, one that is not Unicode, and one that is too long.
    for behind in [b"\r\n".as_slice(), b"\xFF", &[b'x'; 5000]] {
        let mut file = std::fs::File::create(&path).unwrap();
        std::io::Write::write_all(&mut file, b"password-file-canary").unwrap();
        std::io::Write::write_all(&mut file, behind).unwrap();
        drop(file);
        assert_eq!(source.read().is_ok(), behind == b"\r\n");
    }
    std::fs::remove_file(&path).unwrap();
    assert_eq!(watch.freed_blocks(), 0);
}
