//! One table of promises, kept by every middleware that puts the token on requests: over tower,
//! over reqwest-middleware and over ureq, with real sockets.

mod asynchronous;
mod over_reqwest;
mod over_tower;
mod over_ureq;
mod redirects;
mod rows;
mod subject;

/// Makes a test of each row for each middleware.
macro_rules! table {
    ($($table:ident::$row:ident,)*) => {
        table!(tower = super::over_tower::TOWER; $($table::$row,)*);
        table!(reqwest = super::over_reqwest::REQWEST; $($table::$row,)*);
        table!(ureq = super::over_ureq::UREQ; $($table::$row,)*);
        table!(ureq_with_redirects = super::over_ureq::UREQ_WITH_REDIRECTS; $($table::$row,)*);
    };
    ($name:ident = $kind:expr; $($table:ident::$row:ident,)*) => {
        mod $name {
            $(
                #[test]
                fn $row() {
                    super::$table::$row(&$kind);
                }
            )*
        }
    };
}

table! {
    rows::a_good_token_is_put_on,
    rows::an_expired_token_is_replaced_before_it_is_sent,
    rows::a_401_is_followed_by_one_more_attempt_with_another_token,
    rows::a_second_401_is_returned_and_its_token_given_up,
    rows::nothing_is_sent_after_a_denied_sign_in,
    rows::each_request_gets_the_token_of_its_alias,
    rows::a_request_without_an_alias_gets_no_token_of_many,
    rows::a_request_with_another_alias_gets_no_token_of_one_session,
    rows::another_origin_is_not_shown_the_token,
    rows::a_host_that_differs_from_the_url_is_not_shown_the_token,
    rows::an_origin_that_was_added_gets_the_token,
    rows::an_authorization_of_the_users_own_stays,
    rows::a_user_name_in_the_url_counts_as_an_authorization,
    rows::an_authorization_is_replaced_where_the_user_says_so,
    rows::a_streaming_body_is_sent_once,
    rows::a_caller_that_gives_up_costs_no_second_sign_in,
    rows::a_request_that_fails_shows_and_costs_no_token,
    redirects::a_redirect_within_the_api,
    redirects::a_redirect_to_another_port,
    redirects::a_redirect_to_another_host,
    redirects::a_redirect_to_another_server_and_within_that,
    redirects::a_401_of_another_server_costs_no_token,
}
