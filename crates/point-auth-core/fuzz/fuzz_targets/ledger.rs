//! The target `ledger`. Its body is in the library.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| point_auth_core_fuzz::ledger(data));

/// Runs the files that it is given: to see what a fuzzer has found, without one.
#[cfg(not(fuzzing))]
fn main() {
    point_auth_core_fuzz::run_files(point_auth_core_fuzz::ledger);
}
