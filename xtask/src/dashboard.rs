//! `cargo xtask dashboard`: draws the dashboard of the book from what the example
//! `observed_service` records. A real Prometheus reads the record and answers the queries.

mod chart;

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::run::{self, Failure, Report, cargo};
use crate::workspace::Workspace;
use chart::{Panel, Series};

/// The distance of two samples in the record, in seconds.
pub(crate) const STEP: u64 = 120;

pub(crate) fn draw() -> Report {
    if !run::succeeds("promtool", &["--version"]) {
        return Err(Failure::new(
            "this needs `prometheus` and `promtool`, as Debian packages them",
        ));
    }
    let workspace = Workspace::load()?;
    let folder = workspace.target.join("dashboard");
    // What an earlier run has left.
    let _removed = fs::remove_dir_all(&folder);
    let failed = |error| Failure::new(format!("{}: {error}", folder.display()));
    fs::create_dir_all(&folder).map_err(failed)?;
    let record = folder.join("record.txt");
    let example = ["run", "--package", "point-auth-examples", "--example", "observed_service"];
    run::output(cargo(example).args(["--", "--record"]).arg(&record))?;
    let data = folder.join("data");
    let blocks = ["tsdb", "create-blocks-from", "openmetrics"];
    run::run(Command::new("promtool").args(blocks).arg(&record).arg(&data))?;

    let text = fs::read_to_string(&record).map_err(failed)?;
    let prometheus = Prometheus::start(&folder, &data)?;
    let book = workspace.root.join("docs").join("src");
    let dashboard = book.join("how-to").join("dashboard.json");
    let panels = panels(&dashboard, &text, &prometheus)?;
    let picture = book.join("images").join("dashboard.svg");
    fs::write(picture, chart::svg(&panels)).map_err(failed)?;
    Ok(Vec::new())
}

/// Asks the queries of the dashboard.
fn panels(dashboard: &Path, record: &str, server: &Prometheus) -> Result<Vec<Panel>, Failure> {
    let failed = |what: String| Failure::new(format!("{}: {what}", dashboard.display()));
    let text = fs::read_to_string(dashboard).map_err(|error| failed(error.to_string()))?;
    let dashboard: Value =
        serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
    let seconds = |line: &str| line.rsplit(' ').next().and_then(|time| time.parse::<u64>().ok());
    let times: Vec<u64> = record.lines().filter_map(seconds).collect();
    let (Some(&start), Some(&end)) = (times.iter().min(), times.iter().max()) else {
        return Err(Failure::new("nothing was recorded"));
    };
    let list = |value: &Value, key: &str| {
        value.get(key).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let word = |value: &Value, key: &str| {
        value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let mut panels = Vec::new();
    for panel in list(&dashboard, "panels") {
        let mut series = Vec::new();
        for target in list(&panel, "targets") {
            let query = word(&target, "expr").replace("$login", ".*");
            let query = query.replace("$__rate_interval", &format!("{}s", 5 * STEP));
            for result in server.range(&query, start, end)? {
                series.push(one(&result, &word(&target, "legendFormat"), start));
            }
        }
        let unit = panel.pointer("/fieldConfig/defaults/unit").and_then(Value::as_str);
        panels.push(Panel { title: word(&panel, "title"), is_seconds: unit == Some("s"), series });
    }
    Ok(panels)
}

fn one(result: &Value, legend: &str, start: u64) -> Series {
    let metric = result.get("metric").cloned().unwrap_or_default();
    let labels: BTreeMap<String, String> = serde_json::from_value(metric).unwrap_or_default();
    let name = labels.iter().fold(legend.to_owned(), |name, (label, value)| {
        name.replace(&format!("{{{{{label}}}}}"), value)
    });
    let point = |pair: &Value| {
        let time = pair.get(0)?.as_f64()? - start as f64;
        let value: f64 = pair.get(1)?.as_str()?.parse().ok()?;
        value.is_finite().then_some((time, value))
    };
    let values = result.get("values").and_then(Value::as_array);
    Series { name, points: values.into_iter().flatten().filter_map(point).collect() }
}

/// A server over the record. It ends with this value.
struct Prometheus {
    process: Child,
    url: String,
}

impl Prometheus {
    fn start(folder: &Path, data: &Path) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::new(format!("prometheus: {error}"));
        let config = folder.join("prometheus.yml");
        fs::write(&config, "global: {}\n").map_err(failed)?;
        let free = TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr());
        let address = free.map_err(failed)?;
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let server = Self { process, url: format!("http://{address}") };
        let limit = Instant::now() + Duration::from_secs(60);
        while !run::succeeds("promtool", &["query", "instant", &server.url, "vector(1)"]) {
            if Instant::now() > limit {
                return Err(Failure::new("prometheus does not answer"));
            }
            thread::sleep(Duration::from_millis(200));
        }
        Ok(server)
    }

    fn range(&self, query: &str, start: u64, end: u64) -> Result<Vec<Value>, Failure> {
        let (start, end) = (format!("--start={start}"), format!("--end={end}"));
        let step = format!("--step={STEP}s");
        let mut promtool = Command::new("promtool");
        promtool.args(["query", "range", "--format=json", &start, &end, &step, &self.url, query]);
        let answer = run::output(&mut promtool)?;
        serde_json::from_str(&answer).map_err(|error| Failure::new(format!("{query}: {error}")))
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ended = self.process.kill().and_then(|()| self.process.wait());
    }
}
