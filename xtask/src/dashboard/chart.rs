//! Line charts as SVG, two in a row.

use std::fmt::Write;

use super::STEP;

pub(crate) struct Panel {
    pub(crate) title: String,
    pub(crate) is_seconds: bool,
    pub(crate) series: Vec<Series>,
}

pub(crate) struct Series {
    pub(crate) name: String,
    /// Seconds since the start of the day, and the value.
    pub(crate) points: Vec<(f64, f64)>,
}

const DAY: f64 = 24.0 * 3600.0;
/// The size of a panel, and of the chart in it.
const PANEL: (f64, f64) = (490.0, 250.0);
const CHART: (f64, f64) = (400.0, 140.0);
/// Where the chart begins in its panel.
const LEFT: f64 = 62.0;
const TOP: f64 = 40.0;
const COLORS: [&str; 7] =
    ["#2b6cb0", "#c4561d", "#2e7d4f", "#8b5a9e", "#b8860b", "#3b8b8b", "#8a8a86"];

pub(crate) fn svg(panels: &[Panel]) -> String {
    let rows = panels.len().div_ceil(2) as f64;
    let (width, height) = (2.0 * PANEL.0 + 20.0, rows * PANEL.1 + 20.0);
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-labelledby="title" font-family="system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif" font-size="12">
  <title id="title">A day of the service on the dashboard</title>
  <rect width="{width}" height="{height}" rx="8" fill="#fafaf7"/>
"##
    );
    for (position, panel) in panels.iter().enumerate() {
        let (column, row) = (position % 2, position / 2);
        let (x, y) = (10.0 + column as f64 * PANEL.0, 10.0 + row as f64 * PANEL.1);
        svg += &format!("  <g transform=\"translate({x} {y})\">\n{}  </g>\n", panel.draw());
    }
    svg + "</svg>\n"
}

impl Panel {
    fn draw(&self) -> String {
        let values = self.series.iter().flat_map(|series| &series.points).map(|point| point.1);
        let top = round_up(values.fold(0.0, f64::max));
        let mut svg = format!(
            "    <rect x=\"4\" y=\"4\" width=\"{}\" height=\"{}\" rx=\"6\" fill=\"#fff\" stroke=\"#c9c9c2\"/>\n    <text x=\"16\" y=\"26\" font-weight=\"600\" fill=\"#333\">{}</text>\n",
            PANEL.0 - 8.0,
            PANEL.1 - 8.0,
            escaped(&self.title)
        );
        for share in [0.0, 0.5, 1.0] {
            let y = TOP + CHART.1 * (1.0 - share);
            let label = self.label(top * share);
            svg += &format!(
                "    <path d=\"M{LEFT} {y}h{}\" stroke=\"#e4e4de\"/><text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"#666\">{label}</text>\n",
                CHART.0,
                LEFT - 6.0,
                y + 4.0
            );
        }
        for hour in [0, 6, 12, 18, 24] {
            let x = LEFT + CHART.0 * f64::from(hour) / 24.0;
            let y = TOP + CHART.1 + 16.0;
            svg += &format!(
                "    <text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\" fill=\"#666\">{hour}:00</text>\n"
            );
        }
        let mut x = LEFT;
        let mut y = TOP + CHART.1 + 34.0;
        for (series, color) in self.series.iter().zip(COLORS.iter().cycle()) {
            svg += &series.draw(top, color);
            let wide = 24.0 + 6.2 * series.name.chars().count() as f64;
            if x + wide > PANEL.0 - 10.0 {
                (x, y) = (LEFT, y + 15.0);
            }
            svg += &format!(
                "    <path d=\"M{x} {}h12\" stroke=\"{color}\" stroke-width=\"3\"/><text x=\"{}\" y=\"{y}\" fill=\"#333\" font-size=\"11\">{}</text>\n",
                y - 4.0,
                x + 16.0,
                escaped(&series.name)
            );
            x += wide;
        }
        svg
    }

    fn label(&self, value: f64) -> String {
        match self.is_seconds {
            true if value >= 120.0 => format!("{:.0} min", value / 60.0),
            true if value >= 1.0 || value == 0.0 => format!("{value:.0} s"),
            true => format!("{:.0} ms", value * 1000.0),
            false => format!("{}", (value * 100.0).round() / 100.0),
        }
    }
}

impl Series {
    /// A line that breaks where there is no value.
    fn draw(&self, top: f64, color: &str) -> String {
        let mut path = String::new();
        let mut before = f64::NEG_INFINITY;
        for (time, value) in &self.points {
            let x = LEFT + CHART.0 * time / DAY;
            let y = TOP + CHART.1 * (1.0 - value / top);
            // A round end makes a single value a dot.
            let step = if time - before > 1.5 * STEP as f64 { "M" } else { "L" };
            let dot = if step == "M" { "h0" } else { "" };
            // Writing to a string does not fail.
            let _written = write!(path, "{step}{x:.1} {y:.1}{dot}");
            before = *time;
        }
        format!(
            "    <path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\" stroke-linecap=\"round\" stroke-linejoin=\"round\"/>\n"
        )
    }
}

/// The least of 1, 2, 5, 10, 20 and so on that is not below, and minutes for longer times.
fn round_up(value: f64) -> f64 {
    if value > 60.0 {
        return (value / 600.0).ceil() * 600.0;
    }
    let power = 10_f64.powf(value.max(1e-3).log10().floor());
    let fits = |factor: &f64| factor * power >= value * 0.999;
    [1.0, 2.0, 5.0, 10.0].into_iter().find(fits).unwrap_or(10.0) * power
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
