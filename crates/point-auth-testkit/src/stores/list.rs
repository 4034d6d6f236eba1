//! The one list of all checks, by group, and the macros that make tests of it.

/// Hands the checks of a group to a macro: `__store_list!(group, [the macro], (what else it
/// wants))`.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_list {
    (values, [$($then:tt)*], $args:tt) => { $($then)* ! { $args values {
        a_missing_value_is_none, what_was_written_is_read, every_byte_is_kept,
        values_of_many_sizes_are_kept, a_value_of_no_bytes_is_a_value, names_that_differ_do_not_mix,
        every_handle_has_the_names_of_the_others,
    } } };
    (swap, [$($then:tt)*], $args:tt) => { $($then)* ! { $args swap {
        none_is_expected_only_of_what_is_missing, a_wrong_expected_value_changes_nothing,
        a_value_is_not_expected_of_what_is_missing, of_many_that_expect_one_value_one_is_done,
        of_many_that_create_a_value_one_is_done, no_write_is_lost_under_contention,
    } } };
    (fresh, [$($then:tt)*], $args:tt) => { $($then)* ! { $args fresh {
        a_swap_is_seen_by_every_handle_at_once, no_reader_falls_behind_a_swap_that_is_done,
    } } };
    (clock, [$($then:tt)*], $args:tt) => { $($then)* ! { $args clock {
        every_handle_has_the_time_of_the_others, time_does_not_go_back,
        time_passes_as_fast_as_here,
    } } };
    (kept, [$($then:tt)*], $args:tt) => { $($then)* ! { $args kept {
        a_value_stays_as_long_as_was_asked_for, a_value_without_a_time_stays_after_one_with_it,
        a_later_time_takes_the_place_of_an_earlier, a_swap_that_is_not_done_changes_no_time,
    } } };
    (repeat, [$($then:tt)*], $args:tt) => { $($then)* ! { $args repeat {
        a_swap_that_is_repeated_changes_nothing_more, a_swap_that_is_repeated_late_undoes_nothing,
    } } };
    (sealed, [$($then:tt)*], $args:tt) => { $($then)* ! { $args sealed {
        no_secret_can_be_read_in_the_store,
    } } };
    (fleet, [$($then:tt)*], $args:tt) => { $($then)* ! { $args fleet {
        one_process_exchanges_and_the_others_take_up_its_tokens,
        of_many_processes_at_once_one_is_granted, a_permit_outlives_its_exchange,
        a_late_settlement_changes_no_tokens, a_wrong_password_is_sent_once,
        a_late_denial_is_believed, a_reset_is_for_all_processes,
        ages_are_those_of_the_store, a_damaged_value_counts_as_no_tokens,
        a_value_of_another_alias_counts_as_no_tokens, a_reply_that_is_lost_does_no_harm,
    } } };
}

/// Makes a test of each check of a group, unless the group is left out; for
/// [`store_conformance!`](crate::store_conformance!).
#[doc(hidden)]
#[macro_export]
macro_rules! __store_group {
    ($group:ident, []) => { $crate::__store_list! { $group, [$crate::__store_tests], () } };
    ($group:ident, [$left_out:ident : $reason:literal, $($others:tt)*]) => {
        $crate::__store_group! { @same $group $left_out $reason [$($others)*] }
    };
    (@same values values $reason:literal $others:tt) => { $crate::__store_group! { @out values $reason } };
    (@same swap swap $reason:literal $others:tt) => { $crate::__store_group! { @out swap $reason } };
    (@same fresh fresh $reason:literal $others:tt) => { $crate::__store_group! { @out fresh $reason } };
    (@same clock clock $reason:literal $others:tt) => { $crate::__store_group! { @out clock $reason } };
    (@same kept kept $reason:literal $others:tt) => { $crate::__store_group! { @out kept $reason } };
    (@same repeat repeat $reason:literal $others:tt) => { $crate::__store_group! { @out repeat $reason } };
    (@same sealed sealed $reason:literal $others:tt) => { $crate::__store_group! { @out sealed $reason } };
    (@same fleet fleet $reason:literal $others:tt) => { $crate::__store_group! { @out fleet $reason } };
    (@same $group:ident $other:ident $reason:literal $others:tt) => {
        $crate::__store_group! { $group, $others }
    };
    (@out $group:ident $reason:literal) => {
        mod $group {
            /// Left out, for the reason in the code.
            #[test]
            fn is_left_out() {
                let reason: &str = $reason;
                assert!(reason.len() > 3, "a group is left out for a reason");
            }
        }
    };
}

/// Compiles for the name of a group and for no other; for
/// [`store_conformance!`](crate::store_conformance!).
#[doc(hidden)]
#[macro_export]
macro_rules! __store_is_group {
    (values) => {};
    (swap) => {};
    (fresh) => {};
    (clock) => {};
    (kept) => {};
    (repeat) => {};
    (sealed) => {};
    (fleet) => {};
}

/// Makes a test of each check; for [`store_conformance!`](crate::store_conformance!).
#[doc(hidden)]
#[macro_export]
macro_rules! __store_tests {
    (() $group:ident { $($name:ident),* $(,)? }) => {
        mod $group {
            $(
                #[test]
                fn $name() {
                    $crate::stores::run_test(
                        &super::candidate(),
                        stringify!($group),
                        stringify!($name),
                    );
                }
            )*
        }
    };
}

/// Makes values of the checks of a group.
macro_rules! collect {
    (($all:ident) $group:ident { $($name:ident),* $(,)? }) => {
        $all.extend([$(Check {
            group: stringify!($group),
            name: stringify!($name),
            rule: checks::$group::RULE,
            run: checks::$group::$name,
        },)*]);
    };
}
pub(super) use collect;
