//! Bar charts as SVG.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::figures::{Chart, number};

const WIDTH: u32 = 760;
const LINE: i32 = 26;
const TOP: i32 = 44;
const NAMES: i32 = 250;
const VALUES: i32 = 80;

const OURS: RGBColor = RGBColor(0x2b, 0x6c, 0xb0);
const OTHERS: RGBColor = RGBColor(0xa0, 0xae, 0xc0);

/// Draws the chart into a file.
///
/// # Errors
/// When the file cannot be written.
pub fn draw(chart: &Chart, file: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let lines = i32::try_from(chart.bars.len())?;
    let height = u32::try_from(TOP + lines * LINE + 10)?;
    let area = SVGBackend::new(file, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    let text = |size: i32| ("sans-serif", size).into_font().color(&BLACK);
    area.draw_text(&chart.title, &text(16).pos(Pos::new(HPos::Left, VPos::Top)), (10, 12))?;

    let most = chart.bars.iter().map(|(_, value)| *value).fold(f64::MIN_POSITIVE, f64::max);
    let room = f64::from(i32::try_from(WIDTH)? - NAMES - VALUES);
    for ((name, value), line) in chart.bars.iter().zip(0..) {
        let top = TOP + line * LINE;
        let middle = top + LINE / 2;
        let end = NAMES + ((value / most * room) as i32).max(1);
        let color = if name.starts_with("point-auth") { OURS } else { OTHERS };
        area.draw(&Rectangle::new([(NAMES, top + 4), (end, top + LINE - 4)], color.filled()))?;
        area.draw_text(
            name,
            &text(13).pos(Pos::new(HPos::Right, VPos::Center)),
            (NAMES - 8, middle),
        )?;
        let value = number(*value);
        area.draw_text(
            &value,
            &text(13).pos(Pos::new(HPos::Left, VPos::Center)),
            (end + 6, middle),
        )?;
    }
    area.present()?;
    Ok(())
}
