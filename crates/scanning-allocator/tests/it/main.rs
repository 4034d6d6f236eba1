//! The scanner finds copies that were left behind, and nothing else.

use std::hint::black_box;
use std::thread;

use scanning_allocator::ScanningAllocator;

#[global_allocator]
static ALLOCATOR: ScanningAllocator = ScanningAllocator::new();

#[test]
fn a_freed_copy_is_found() {
    let watch = ScanningAllocator::watch("canary-of-a-freed-copy");
    let copy = String::from("canary-of-a-freed-copy");
    assert_eq!(watch.freed_blocks(), 0, "it is not freed yet");
    drop(copy);
    assert_eq!(watch.freed_blocks(), 1);
    assert_eq!(watch.sizes(), ["canary-of-a-freed-copy".len()]);
}

#[test]
fn a_wiped_copy_is_not_found() {
    let watch = ScanningAllocator::watch("canary-of-a-wiped-copy");
    let mut copy = Vec::from("canary-of-a-wiped-copy");
    copy.fill(0);
    drop(black_box(copy));
    assert_eq!(watch.freed_blocks(), 0);
}

#[test]
fn a_copy_behind_other_bytes_is_found() {
    let watch = ScanningAllocator::watch("ccanary-behind-others");
    drop(black_box(Vec::from("cc ccanary-ccanary-behind-others")));
    assert_eq!(watch.freed_blocks(), 1);
}

#[test]
fn a_block_that_grows_leaves_its_old_place_behind() {
    let watch = ScanningAllocator::watch("canary-that-grows");
    let mut copy = Vec::from("canary-that-grows");
    copy.reserve(10_000);
    assert_eq!(watch.freed_blocks(), 1);
    copy.fill(0);
    drop(black_box(copy));
    assert_eq!(watch.freed_blocks(), 1);
}

#[test]
fn a_block_that_shrinks_leaves_its_old_place_behind() {
    let watch = ScanningAllocator::watch("canary-that-shrinks");
    let mut copy = Vec::with_capacity(10_000);
    copy.extend_from_slice(b"canary-that-shrinks");
    copy.shrink_to_fit();
    assert_eq!(watch.freed_blocks(), 1);
    copy.fill(0);
    drop(black_box(copy));
    assert_eq!(watch.freed_blocks(), 1);
}

#[test]
fn what_is_behind_the_end_of_a_vector_is_found_too() {
    let watch = ScanningAllocator::watch("canary-in-spare-capacity");
    let mut copy = Vec::from("canary-in-spare-capacity");
    copy.clear();
    drop(black_box(copy));
    assert_eq!(watch.freed_blocks(), 1);
}

#[test]
fn memory_that_is_handed_out_again_is_not_counted_again() {
    let watch = ScanningAllocator::watch("canary-once-only-please");
    drop(black_box(String::from("canary-once-only-please")));
    for _ in 0..1000 {
        drop(black_box(Vec::<u8>::with_capacity("canary-once-only-please".len())));
    }
    assert_eq!(watch.freed_blocks(), 1);
}

#[test]
fn other_threads_are_watched_too() {
    let watch = ScanningAllocator::watch("canary-of-another-thread");
    thread::spawn(|| drop(black_box(String::from("canary-of-another-thread")))).join().unwrap();
    assert_eq!(watch.freed_blocks(), 1);
}

#[test]
fn two_watches_count_for_themselves() {
    let (one, two) = (
        ScanningAllocator::watch("canary-number-one"),
        ScanningAllocator::watch("canary-number-two"),
    );
    drop(black_box(String::from("canary-number-two")));
    assert_eq!((one.freed_blocks(), two.freed_blocks()), (0, 1));
}
