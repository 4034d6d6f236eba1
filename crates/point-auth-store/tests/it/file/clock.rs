//! The store's time over a boot, which a test pretends by the file of the clock.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use point_auth_store::FileStoreError;
use point_auth_store::blocking::TokenStore;

use super::scratch::Scratch;
use super::{load, name};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The name of the boot, and three times: of the system's clock, of the store's, of the last sweep.
fn read(scratch: &Scratch) -> (String, [u64; 3]) {
    let text = fs::read_to_string(scratch.path("store/clock")).unwrap();
    let parts: Vec<_> = text.split_whitespace().collect();
    let times = [1, 2, 3].map(|place| parts[place].parse().unwrap());
    (parts[0].to_owned(), times)
}

fn write(scratch: &Scratch, boot: &str, [since, store, swept]: [u64; 3]) {
    let text = format!("{boot} {since} {store} {swept}\n");
    fs::write(scratch.path("store/clock"), text).unwrap();
}

/// Moves the last sweep back, as if it had been more than a day ago.
pub(super) fn a_day_ago(scratch: &Scratch) {
    let (boot, [since, store, swept]) = read(scratch);
    write(scratch, &boot, [since, store, swept - millis(DAY + HOUR)]);
}

/// Moves the store's time on, for what is opened next.
pub(super) fn passes(scratch: &Scratch, time: Duration) {
    let (boot, [since, store, swept]) = read(scratch);
    write(scratch, &boot, [since, store + millis(time), swept]);
}

fn millis(time: Duration) -> u64 {
    time.as_millis().try_into().unwrap()
}

fn wall() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

fn time_of(scratch: &Scratch) -> Duration {
    let store = scratch.open();
    store.load(&name(&store, "jane")).unwrap().now
}

/// What the store's time shows after a boot, where the last one ended at `ended`.
fn after_a_boot_of(scratch: &Scratch, ended: Duration) -> Duration {
    let (_, [since, ..]) = read(scratch);
    write(scratch, "another-boot", [since, millis(ended), millis(ended)]);
    time_of(scratch)
}

#[test]
fn the_first_opening_takes_the_time_of_the_wall_clock() {
    let scratch = Scratch::new("clock-first");
    let time = time_of(&scratch);
    assert!(time.abs_diff(wall()) < HOUR, "{time:?}");
}

#[test]
fn all_openings_of_a_boot_have_one_time_whatever_the_wall_clock_does_since() {
    let scratch = Scratch::new("clock-one");
    scratch.open();
    let (boot, [since, store, swept]) = read(&scratch);
    // The wall clock was corrected by ten days after the clock had been started.
    let ten_days = millis(10 * DAY);
    write(&scratch, &boot, [since, store + ten_days, swept + ten_days]);
    for _ in 0..3 {
        let time = time_of(&scratch);
        assert!(time.abs_diff(wall() + 10 * DAY) < HOUR, "{time:?}");
    }
}

#[test]
fn the_process_that_starts_the_clock_has_the_time_of_those_that_read_it() {
    let scratch = Scratch::new("clock-start");
    let (one, other) = (scratch.open(), scratch.open());
    let name = name(&one, "jane");
    let mut last = Duration::ZERO;
    for store in [&one, &other].into_iter().cycle().take(1000) {
        let now = store.load(&name).unwrap().now;
        assert!(now >= last, "from {last:?} to {now:?}");
        last = now;
    }
}

#[test]
fn the_time_that_the_machine_was_off_counts() {
    let scratch = Scratch::new("clock-off");
    scratch.open();
    let time = after_a_boot_of(&scratch, wall() - 5 * HOUR);
    assert!(time.abs_diff(wall()) < HOUR, "{time:?}");
    assert_ne!(read(&scratch).0, "another-boot");
}

#[test]
fn no_token_survives_a_boot_after_which_the_wall_clock_is_behind() {
    let scratch = Scratch::new("clock-behind");
    scratch.open();
    // As it is written down.
    let ended = Duration::from_millis(millis(wall() + 2 * HOUR));
    let time = after_a_boot_of(&scratch, ended);
    assert!(time >= ended + 49 * HOUR, "{time:?}");
    // All processes of this boot agree.
    assert!(time_of(&scratch).abs_diff(time) < HOUR);
}

#[test]
fn the_last_value_that_was_written_counts_where_the_clock_is_lost() {
    let scratch = Scratch::new("clock-lost");
    let store = scratch.open();
    let name_of_jane = name(&store, "jane");
    let (boot, [since, time, _]) = read(&scratch);
    let later = time + millis(2 * HOUR);
    write(&scratch, &boot, [since, later, later]);
    scratch.open().swap(&name_of_jane, None, b"value", None).unwrap();
    fs::remove_file(scratch.path("store/clock")).unwrap();
    let found = time_of(&scratch);
    assert!(found >= Duration::from_millis(later) + 49 * HOUR, "{found:?}");
}

#[test]
fn no_time_is_before_that_of_the_value_it_comes_with() {
    let scratch = Scratch::new("clock-value");
    scratch.open();
    let (boot, [since, store, swept]) = read(&scratch);
    let hour = millis(HOUR);
    write(&scratch, &boot, [since, store + hour, swept + hour]);
    let ahead = scratch.open();
    let name = name(&ahead, "jane");
    let written = ahead.swap(&name, None, b"value", None).unwrap().now;
    write(&scratch, &boot, [since, store, swept]);
    let behind = scratch.open();
    let found = behind.load(&name).unwrap();
    assert!(found.now >= written - Duration::from_millis(1), "{:?}", found.now);
    let swapped = behind.swap(&name, Some(b"value"), b"next", None).unwrap();
    assert!(swapped.done && swapped.now >= written - Duration::from_millis(1));
    assert_eq!(load(&ahead, &name).unwrap(), b"next");
}

#[test]
fn a_clock_that_makes_no_sense_is_refused() {
    let scratch = Scratch::new("clock-damaged");
    scratch.open();
    for text in ["", "boot", "boot 1 2", "boot 1 2 x", "boot 1 2 3 4", "boot -1 2 3"] {
        fs::write(scratch.path("store/clock"), text).unwrap();
        let error = scratch.refusal("store/clock");
        assert!(matches!(error, FileStoreError::Damaged { .. }), "{text}: {error:?}");
    }
}
