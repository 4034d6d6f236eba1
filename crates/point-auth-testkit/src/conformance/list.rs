//! The one list of all checks, by group, and the macro that makes tests of it.

/// Hands the checks of a group to a macro: `__conformance_list!(group, [the macro], (what else it
/// wants))`.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_list {
    (plain, $then:tt, $args:tt) => { $crate::__conformance_list! { @http1 $then, $args, plain {
        leaks { the_transport_shows_nothing, a_proxy_url_that_is_refused_is_not_quoted }
    } } };
    (tls, $then:tt, $args:tt) => { $crate::__conformance_list! { @http1 $then, $args, tls {
        redirects { a_redirect_to_the_other_scheme_is_handed_back }
        once { nothing_is_sent_before_the_handshake_is_over }
        deadline {
            a_tls_handshake_that_hangs_meets_the_connect_limit, what_was_not_sent_is_not_sent_later,
            a_server_that_stops_reading_a_large_request_meets_the_deadline,
        }
        kinds {
            an_unknown_name_is_connect, plain_http_to_a_tls_port_is_protocol, tls_to_a_plain_port_is_tls,
            a_handshake_that_breaks_off_was_not_sent,
        }
        certificates {
            an_expired_certificate_is_refused, a_certificate_that_is_not_valid_yet_is_refused,
            a_certificate_for_another_host_is_refused, a_self_signed_certificate_is_refused,
            a_certificate_of_an_unknown_authority_is_refused, a_certificate_without_its_key_is_refused,
            a_transport_that_was_refused_once_is_still_refused,
        }
        sweep {
            a_cut_after_any_byte_of_a_kept_connection_is_an_error_or_a_whole_answer,
            silence_in_an_exchange_on_a_kept_connection_meets_the_deadline,
        }
    } } };
    (http2, $then:tt, $args:tt) => { $crate::__conformance_list! { @each $then, $args, http2 {
        redirects { a_redirect_to_the_other_scheme_is_handed_back }
        once {
            a_goaway_that_says_nothing_was_processed_is_not_believed, a_refused_stream_is_not_tried_again,
            a_stream_that_wants_http_1_is_not_tried_again, nothing_is_sent_before_the_handshake_is_over,
        }
        deadline {
            what_was_not_sent_is_not_sent_later,
            a_server_that_stops_reading_a_large_request_meets_the_deadline,
        }
        idle { a_connection_that_has_gone_dead_is_given_up }
        leaks { a_server_that_repeats_the_password_over_http_2_is_not_quoted }
        sweep {
            a_cut_after_any_byte_of_a_kept_connection_is_an_error_or_a_whole_answer,
            silence_in_an_exchange_on_a_kept_connection_meets_the_deadline,
        }
    } } };
    (large_request, $then:tt, $args:tt) => { $crate::__conformance_list! { @then $then, $args, large_request {
        deadline { a_server_that_stops_reading_a_large_request_meets_the_deadline }
    } } };
    (truncation, $then:tt, $args:tt) => { $crate::__conformance_list! { @then $then, $args, truncation {
        certificates { an_end_without_the_goodbye_of_tls_is_protocol }
    } } };
    (mutual_tls, $then:tt, $args:tt) => { $crate::__conformance_list! { @then $then, $args, mutual_tls {
        certificates {
            an_identity_is_shown_to_a_server_that_asks, no_identity_where_one_is_asked_for_is_an_error,
            an_identity_of_another_authority_is_refused, a_key_of_another_certificate_makes_no_transport,
        }
    } } };
    (proxy, $then:tt, $args:tt) => { $crate::__conformance_list! { @then $then, $args, proxy {
        proxies {
            a_proxy_tunnels_and_alone_knows_the_host, requests_of_other_kinds_go_through_the_proxy,
            a_proxy_that_wants_credentials_gets_them,
            wrong_credentials_for_the_proxy_are_connect, no_credentials_for_the_proxy_are_connect,
            what_no_proxy_lists_is_reached_without, what_no_proxy_does_not_list_is_proxied,
            loopback_is_never_proxied, a_proxy_that_is_down_is_connect, a_proxy_that_refuses_is_connect,
            a_proxy_that_talks_nonsense_is_an_error_and_not_sent, a_proxy_that_is_silent_meets_the_connect_limit,
            a_proxy_is_no_authority_on_certificates, no_failure_of_the_proxy_leads_around_it,
        }
    } } };
    (environment, $then:tt, $args:tt) => { $crate::__conformance_list! { @then $then, $args, environment {
        environment {
            the_environment_names_the_proxy, the_environment_names_what_is_reached_without,
            the_environment_has_no_say_in_loopback, a_proxy_in_the_environment_that_cannot_be_used_is_refused,
        }
    } } };
    (keep_alive, $then:tt, $args:tt) => { $crate::__conformance_list! { @then $then, $args, keep_alive {
        exchange { two_quick_requests_share_a_connection }
        sweep {
            a_cut_after_any_byte_of_a_kept_connection_is_an_error_or_a_whole_answer,
            silence_in_an_exchange_on_a_kept_connection_meets_the_deadline,
        }
    } } };
    (idle, $then:tt, $args:tt) => { $crate::__conformance_list! { @then $then, $args, idle {
        idle { a_connection_that_was_idle_for_more_than_5_s_is_not_used_again }
    } } };
    (cancellation, $then:tt, $args:tt) => { $crate::__conformance_list! { @then $then, $args, cancellation {
        exchange { an_exchange_that_is_given_up_does_not_poison_the_next }
    } } };

    // What is so for HTTP/1.1.
    (@http1 $then:tt, $args:tt, $group:ident { $($own:tt)* }) => { $crate::__conformance_list! { @each $then, $args, $group {
        $($own)*
        exchange { interim_responses_are_passed_over, what_follows_an_answer_is_not_the_next_answer }
        deadline { interim_responses_without_end_are_an_error, nothing_goes_on_after_a_timeout }
        size { an_endless_body_up_to_the_end_of_the_connection_is_too_large, headers_without_end_are_an_error }
        leaks { a_server_that_repeats_the_password_in_garbage_is_not_quoted }
    } } };
    // What is so for every wire.
    (@each $then:tt, $args:tt, $group:ident { $($own:tt)* }) => { $crate::__conformance_list! { @then $then, $args, $group {
        $($own)*
        exchange {
            a_sign_in_a_refresh_and_a_request_with_the_token_work, a_request_arrives_exactly_as_it_was_built,
            requests_of_other_kinds_arrive_exactly_as_they_were_built, a_body_of_several_mib_arrives_whole,
            an_ipv6_literal_is_a_host_like_any_other, a_path_prefix_is_kept, localhost_is_a_host_like_any_other, a_server_of_both_versions_is_spoken_to,
            headers_and_body_of_the_response_are_handed_back_as_they_came,
            thirty_two_requests_at_once_are_all_answered, nothing_of_an_exchange_is_in_the_next,
            a_failed_exchange_does_not_poison_the_next,
        }
        redirects {
            a_redirect_to_the_same_host_is_handed_back, a_redirect_to_the_same_url_is_handed_back,
            a_redirect_to_another_port_is_handed_back, a_redirect_to_another_host_is_handed_back,
            a_redirect_to_no_url_is_handed_back, a_redirect_of_a_request_of_another_kind_is_handed_back,
        }
        once {
            a_pooled_connection_that_closes_under_the_request_ends_it,
            a_connection_closed_while_idle_carries_no_second_request, a_connection_that_says_close_is_not_used_again,
            a_request_without_an_answer_is_sent_once, a_request_that_is_answered_by_a_reset_is_sent_once,
            a_request_of_another_kind_is_sent_once, no_status_makes_it_send_again,
            no_retry_after_makes_it_send_again,
        }
        size {
            a_gibibyte_is_too_large, a_gibibyte_without_a_length_is_too_large, an_endless_body_is_too_large,
            an_endless_error_page_is_too_large, an_endless_answer_to_a_get_is_too_large,
            a_tebibyte_that_is_only_announced_costs_nothing,
            a_body_of_exactly_the_limit_is_a_response, one_byte_more_than_the_limit_is_too_large,
            a_limit_of_nothing_lets_an_empty_body_pass, no_limit_is_a_limit_like_any_other, gzip_is_not_decoded,
            no_other_encoding_is_decoded, a_bomb_does_not_go_off, reading_stops_at_the_limit,
            the_first_byte_over_the_limit_is_enough, a_length_that_is_only_announced_reserves_nothing,
        }
        deadline {
            a_server_that_never_says_a_word_meets_the_deadline, a_request_that_is_never_answered_meets_the_deadline,
            a_get_that_is_never_answered_meets_the_deadline,
            headers_that_drip_meet_the_deadline, a_body_that_drips_meets_the_deadline,
            a_body_that_stops_meets_the_deadline, a_body_that_never_ends_meets_the_deadline,
            the_connect_limit_is_not_for_the_answer, no_time_at_all_is_a_timeout, all_the_time_there_is_does_no_harm,
        }
        statuses {
            every_status_is_a_response, a_status_without_a_body_is_a_response, a_denial_is_a_response,
            a_page_of_a_gateway_is_a_response,
        }
        kinds {
            a_refused_port_is_connect, a_target_that_is_no_url_is_an_error_and_not_sent,
            an_answer_that_is_not_http_is_protocol, an_end_before_the_answer_is_protocol,
            a_cut_in_the_headers_is_protocol, a_cut_in_the_body_is_protocol, a_body_shorter_than_announced_is_protocol,
            a_server_that_hangs_up_at_once_is_an_error,
        }
        leaks {
            a_body_that_repeats_the_password_is_not_shown, a_failed_request_with_tokens_shows_none,
            a_request_that_cannot_be_sent_shows_nothing,
        }
        sweep {
            a_cut_after_any_byte_is_an_error_or_a_whole_answer, silence_in_an_exchange_meets_the_deadline,
        }
    } } };
    (@then [$($then:tt)*], $args:tt, $group:ident { $($checks:tt)* }) => { $($then)* ! { $args $group { $($checks)* } } };
}

/// Makes a test of each check of a group, unless it or the group is left out; for
/// [`conformance!`](crate::conformance!). The last list is of the checks of this group that are.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_group {
    ($group:ident, [], $checks:tt) => {
        $crate::__conformance_list! { $group, [$crate::__conformance_tests], ($checks) }
    };
    ($group:ident, [$left_out:ident : $reason:literal, $($others:tt)*], $checks:tt) => {
        macro_rules! point_auth_conformance_group {
            ($left_out) => {
                mod $group {
                    /// Left out, for the reason in the code.
                    #[test]
                    fn is_left_out() {
                        $crate::conformance::print_left_out(module_path!(), $reason);
                    }
                }
            };
            ($other:ident) => { $crate::__conformance_group! { $other, [$($others)*], $checks } };
        }
        point_auth_conformance_group! { $group }
    };
    (
        $group:ident,
        [$of:ident :: $check:ident : $reason:literal, $($others:tt)*],
        [$($checks:tt)*]
    ) => {
        macro_rules! point_auth_conformance_group {
            ($of) => {
                $crate::__conformance_group! {
                    $group, [$($others)*], [$($checks)* $check : $reason,]
                }
            };
            ($other:ident) => {
                $crate::__conformance_group! { $other, [$($others)*], [$($checks)*] }
            };
        }
        point_auth_conformance_group! { $group }
    };
}

/// Leaves out a group; for [`conformance!`](crate::conformance!).
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_without {
    ($candidate:ident, $group:ident) => {
        $candidate.without(stringify!($group))
    };
    ($candidate:ident, $group:ident :: $check:ident) => {{
        $crate::conformance::assert_is_check(stringify!($group), stringify!($check));
        $candidate
    }};
}

/// Compiles for the name of a group and for no other; for [`conformance!`](crate::conformance!).
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_is_group {
    (plain) => {};
    (tls) => {};
    (http2) => {};
    (large_request) => {};
    (truncation) => {};
    (mutual_tls) => {};
    (proxy) => {};
    (environment) => {};
    (keep_alive) => {};
    (idle) => {};
    (cancellation) => {};
}

/// Makes a test of each check; for [`conformance!`](crate::conformance!).
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    (($left_out:tt) $group:ident { $($module:ident { $($name:ident),* $(,)? })* }) => {
        mod $group {
            $($($crate::__conformance_test! { $group $name $left_out })*)*
        }
    };
}

/// Makes a test of a check, unless it is among those that are left out; for
/// [`conformance!`](crate::conformance!).
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_test {
    ($group:ident $name:ident []) => {
        #[test]
        fn $name() {
            $crate::conformance::run_test(
                &super::candidate(),
                stringify!($group),
                stringify!($name),
                module_path!(),
            );
        }
    };
    ($group:ident $name:ident [$left_out:ident : $reason:literal, $($others:tt)*]) => {
        macro_rules! point_auth_conformance_test {
            ($left_out) => {
                mod $name {
                    /// Left out, for the reason in the code.
                    #[test]
                    fn is_left_out() {
                        $crate::conformance::print_left_out(module_path!(), $reason);
                    }
                }
            };
            ($other:ident) => { $crate::__conformance_test! { $group $other [$($others)*] } };
        }
        point_auth_conformance_test! { $name }
    };
}

/// Makes values of the checks of a group.
macro_rules! collect {
    (($all:ident, $wire:expr) $group:ident { $($module:ident { $($name:ident),* $(,)? })* }) => {
        $all.extend([$($(Check {
            group: stringify!($group),
            name: stringify!($name),
            wire: $wire,
            rule: checks::$module::RULE,
            run: checks::$module::$name,
        },)*)*]);
    };
}
pub(super) use collect;
