//! The service that is watched, and the dashboard over what it records.

#[expect(dead_code, reason = "`main` is not called here")]
#[path = "../../observed_service.rs"]
mod service;

use std::collections::BTreeSet;

use serde_json::Value;

const METRICS: &str = include_str!("../../../docs/src/reference/metrics.md");
const WATCH: &str = include_str!("../../../docs/src/how-to/watch.md");
const DASHBOARD: &str = include_str!("../../../docs/src/how-to/dashboard.json");

/// The value of a line of the Prometheus page.
fn value(page: &str, line: &str) -> Option<f64> {
    page.lines().find_map(|one| one.strip_prefix(line)?.trim().parse().ok())
}

#[test]
fn a_day_of_the_service_is_seen_on_its_page() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let day = runtime.block_on(service::run()).unwrap();
    let page = &day.page;
    let count = |labels: &str| {
        value(page, &format!("point_auth_exchange_duration_count{{{labels},login=\"lender-a\"}}"))
    };
    let renewed = count(r#"kind="refresh",outcome="renewed""#).unwrap();
    assert!((15.0..35.0).contains(&renewed), "{page}");
    assert_eq!(
        count(r#"kind="sign_in",outcome="denied",error_type="denied""#),
        Some(1.0),
        "{page}"
    );
    assert!(page.contains(r#"error_type="503""#), "{page}");
    assert_eq!(value(page, r#"point_auth_token_rejected{login="lender-a"}"#), Some(1.0), "{page}");
    assert_eq!(value(page, r#"point_auth_denied{login="lender-a"}"#), Some(0.0), "{page}");
    assert!(day.record.contains("point_auth_denied{login=\"lender-a\"} 1 "), "{page}");
    assert!(day.calls == 720 && (60..150).contains(&day.failed_calls), "{}", day.failed_calls);
    for secret in ["user@example.com", "correct horse", "battery staple", "jane", "127.0.0.1"] {
        assert!(!day.record.contains(secret), "{secret}");
    }
}

/// The metrics of the reference page, as Prometheus names them, and whether each is a histogram.
fn metrics() -> Vec<(String, bool)> {
    let rows = METRICS.lines().filter_map(|line| line.strip_prefix("| `point_auth."));
    let metric = |row: &str| {
        let name = row.split('`').next().unwrap();
        (format!("point_auth_{}", name.replace('.', "_")), row.contains("| histogram |"))
    };
    rows.map(metric).collect()
}

/// The expressions of the alarms in the book.
fn alarms() -> Vec<String> {
    let rows = WATCH.lines().filter(|line| line.starts_with('|') && line.contains("point_auth_"));
    rows.map(|row| row.split('`').nth(1).unwrap().to_owned()).collect()
}

/// The queries of the dashboard.
fn queries() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect()
}

fn words(query: &str) -> impl Iterator<Item = &str> {
    query.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

#[test]
fn the_dashboard_asks_for_the_metrics_of_the_reference_page_and_for_no_others() {
    let metrics = metrics();
    assert_eq!(asked_for(&metrics, queries()).len(), metrics.len());
}

#[test]
fn the_alarms_ask_for_metrics_of_the_reference_page() {
    assert_eq!(alarms().len(), 4);
    assert_eq!(asked_for(&metrics(), alarms()).len(), 4);
}

/// Returns the metrics in these expressions, of which there must be no others.
fn asked_for(metrics: &[(String, bool)], expressions: Vec<String>) -> BTreeSet<&String> {
    let mut asked = BTreeSet::new();
    for query in expressions {
        for word in words(&query).filter(|word| word.starts_with("point_auth")) {
            let metric = metrics.iter().find(|(name, is_histogram)| match is_histogram {
                true => word
                    .strip_prefix(name.as_str())
                    .is_some_and(|rest| ["_bucket", "_count", "_sum"].contains(&rest)),
                false => word == name,
            });
            asked.insert(&metric.unwrap_or_else(|| panic!("{word} in {query}")).0);
        }
    }
    asked
}

#[test]
fn the_dashboard_groups_by_labels_of_the_reference_page() {
    let mut labels = 0;
    for query in queries() {
        for (_, rest) in query.match_indices("by (").map(|(at, by)| query.split_at(at + by.len())) {
            let (list, _) = rest.split_once(')').unwrap();
            for label in list.split(',').map(str::trim) {
                let is_known = ["le", "login"].contains(&label)
                    || METRICS.contains(&format!("| `{}` |", label.replace('_', ".")))
                    || METRICS.contains(&format!("| `{label}` |"));
                assert!(is_known, "{label} in {query}");
                labels += 1;
            }
        }
    }
    assert!(labels > 5, "{labels} labels");
}
