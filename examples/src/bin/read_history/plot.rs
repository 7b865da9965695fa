//! The history as a plot: peers above, announces below.

use std::error::Error;
use std::fs;
use std::ops::Range;
use std::path::Path;

use examples::terminal::grouped;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint};
use plotters::prelude::*;
use tracker_store::{Columns, Point};

use crate::table::moment;

const SIZE: (u32, u32) = (1000, 640);
/// Points of a line; of more, several are put together.
const FINE: usize = 1000;
const DAY: f64 = 86_400.0;
/// Seconds between two times that are written below.
const STEPS: [f64; 10] =
    [600.0, 1800.0, 3600.0, 3.0 * 3600.0, 6.0 * 3600.0, DAY, 2.0 * DAY, 7.0 * DAY, 30.0 * DAY, 90.0 * DAY];
const LONGEST_STEP: f64 = 365.0 * DAY;
const TICKS: f64 = 9.0;
const INK: RGBColor = RGBColor(60, 60, 60);
const FAINT: RGBColor = RGBColor(225, 225, 225);

/// What is drawn.
struct Curve {
    name: &'static str,
    colour: RGBColor,
    value: fn(&Point) -> f64,
}

const PEERS: [Curve; 3] = [
    Curve { name: "peers", colour: RGBColor(40, 40, 40), value: |point| point.peers as f64 },
    Curve { name: "seeders", colour: RGBColor(0, 114, 178), value: |point| point.seeders as f64 },
    Curve { name: "leechers", colour: RGBColor(213, 94, 0), value: |point| point.leechers as f64 },
];
const REQUESTS: [Curve; 2] = [
    Curve { name: "announces", colour: RGBColor(0, 158, 115), value: |point| point.announces as f64 },
    Curve { name: "scrapes", colour: RGBColor(204, 121, 167), value: |point| point.scrapes as f64 },
];

/// Writes it as SVG.
pub(crate) fn write(path: &Path, columns: &Columns) -> Result<(), Box<dyn Error>> {
    Ok(fs::write(path, svg(columns)?)?)
}

fn svg(columns: &Columns) -> Result<String, Box<dyn Error>> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let (above, below) = area.split_vertically(SIZE.1 * 3 / 5);
        panel(&above, columns, "peers", &PEERS, 1.0)?;
        // a minute is easier to grasp than an hour, and the same for both groupings
        let minutes = columns.grouping.step() as f64 / 60.0;
        panel(&below, &whole(columns), "requests a minute (UTC)", &REQUESTS, minutes)?;
        area.present()?;
    }
    Ok(text)
}

fn panel<B: DrawingBackend>(
    area: &DrawingArea<B, plotters::coord::Shift>,
    columns: &Columns,
    title: &str,
    curves: &[Curve],
    divisor: f64,
) -> Result<(), Box<dyn Error>>
where
    B::ErrorType: 'static,
{
    let lines: Vec<_> = curves.iter().map(|curve| (curve, segments(columns, curve.value, divisor))).collect();
    let highest = lines.iter().flat_map(|(_, segments)| segments.iter().flatten()).map(|&(_, value)| value);
    let top = highest.fold(1.0_f64, f64::max) * 1.3; // room for the names
    let span = span(columns);
    let step = STEPS.into_iter().find(|step| (span.end - span.start) / step <= TICKS).unwrap_or(LONGEST_STEP);
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 18).into_font().color(&INK))
        .margin(12)
        .x_label_area_size(28)
        .y_label_area_size(80)
        .build_cartesian_2d(Times { ticks: ticks(&span, step), span }, 0.0..top)?;
    // the day, or the time of day
    let date = |time: &f64| moment(*time as u64)[if step < DAY { 11..16 } else { 5..10 }].to_owned();
    let mut mesh = chart.configure_mesh();
    mesh.disable_x_mesh().light_line_style(TRANSPARENT).bold_line_style(FAINT).axis_style(INK);
    mesh.x_labels(TICKS as usize + 1).y_labels(6).label_style(("sans-serif", 13).into_font().color(&INK));
    mesh.x_label_formatter(&date).y_label_formatter(&|value| grouped(*value as u64)).draw()?;
    for (curve, segments) in lines {
        let style = curve.colour.stroke_width(2);
        let mut segments = segments.into_iter();
        let first = segments.next().unwrap_or_default();
        chart
            .draw_series(LineSeries::new(first, style))?
            .label(curve.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        for segment in segments {
            chart.draw_series(LineSeries::new(segment, style))?;
        }
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .label_font(("sans-serif", 13).into_font().color(&INK))
        .draw()?;
    Ok(())
}

/// Without what is counted in the last bucket, which is not over yet.
fn whole(columns: &Columns) -> Columns {
    let mut whole = columns.clone();
    if let Some(last) = whole.points.last_mut() {
        *last = None;
    }
    whole
}

fn span(columns: &Columns) -> Range<f64> {
    let first = columns.times.first().copied().unwrap_or(0) as f64;
    let last = columns.times.last().copied().unwrap_or(0) as f64;
    first..last.max(first + 60.0)
}

/// The axis of time, with ticks at round times.
struct Times {
    span: Range<f64>,
    ticks: Vec<f64>,
}

impl Ranged for Times {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, time: &f64, (left, right): (i32, i32)) -> i32 {
        let share = (time - self.span.start) / (self.span.end - self.span.start);
        left + (f64::from(right - left) * share).round() as i32
    }

    fn key_points<H: KeyPointHint>(&self, _: H) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.span.clone()
    }
}

/// The multiples of `step`, which is in seconds.
fn ticks(span: &Range<f64>, step: f64) -> Vec<f64> {
    let first = (span.start / step).ceil();
    let count = ((span.end / step).floor() - first) as usize;
    (0..=count).map(|n| (first + n as f64) * step).collect()
}

/// The line's pieces between gaps.
fn segments(columns: &Columns, value: fn(&Point) -> f64, divisor: f64) -> Vec<Vec<(f64, f64)>> {
    let together = columns.times.len().div_ceil(FINE).max(1);
    let mut segments = vec![Vec::new()];
    for (times, points) in columns.times.chunks(together).zip(columns.points.chunks(together)) {
        let known: Vec<f64> = points.iter().flatten().map(value).collect();
        if known.is_empty() {
            segments.push(Vec::new());
        } else if let Some(segment) = segments.last_mut() {
            let mean = known.iter().sum::<f64>() / known.len() as f64 / divisor;
            segment.push((times[0] as f64, mean));
        }
    }
    segments.retain(|segment| !segment.is_empty());
    segments
}

#[cfg(test)]
mod tests {
    use tracker_store::Grouping;

    use super::*;

    #[test]
    fn lines_end_at_gaps_and_are_not_too_fine() {
        let points =
            (0..5000_u64).map(|n| (n / 1000 != 2).then(|| Point { peers: n, ..Point::default() })).collect();
        let columns =
            Columns { grouping: Grouping::Minute, times: (0..5000).map(|n| n * 60).collect(), points };
        let pieces = segments(&columns, |point| point.peers as f64, 1.0);
        assert_eq!(pieces.iter().map(Vec::len).collect::<Vec<_>>(), [400, 400]);
        assert_eq!(pieces[1][0], (3000.0 * 60.0, 3002.0));
        let svg = svg(&columns).unwrap();
        assert!(svg.starts_with("<svg") && svg.contains("seeders") && svg.matches("<polyline").count() >= 10);
        let empty = Columns { grouping: Grouping::Hour, times: vec![0], points: vec![None] };
        assert!(super::svg(&empty).unwrap().contains("</svg>"));
    }
}
