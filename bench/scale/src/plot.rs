//! The plot of cost against size.

use std::error::Error;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::sizes::{Line, Measured, NUMWANTS, Spread, Who};

const FONT: &str = "Helvetica, Arial, sans-serif";
const INK: RGBColor = RGBColor(51, 51, 51);
const GREY: RGBColor = RGBColor(128, 128, 128);
const PALE: RGBColor = RGBColor(232, 232, 232);
const WIDTH: u32 = 940;
const HEIGHT: u32 = 800;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn Error>>;

/// Okabe and Ito's colours, which everybody can tell apart.
fn colour(spread: Spread) -> RGBColor {
    match spread {
        Spread::One => RGBColor(0, 114, 178),
        Spread::Twenty => RGBColor(213, 94, 0),
        Spread::Zipf => RGBColor(0, 158, 115),
        Spread::Alone => RGBColor(204, 121, 167),
    }
}

/// A panel for each `numwant`, and for who announces.
pub(crate) fn draw(measured: &Measured, path: &Path) -> Drawn {
    let root = SVGBackend::new(path, (WIDTH, HEIGHT)).into_drawing_area();
    root.fill(&WHITE)?;
    let panels = root.split_evenly((Who::ALL.len(), NUMWANTS.len()));
    let kinds = Who::ALL.into_iter().flat_map(|who| NUMWANTS.map(|numwant| (who, numwant)));
    for (at, ((who, numwant), area)) in kinds.zip(&panels).enumerate() {
        panel(measured, who, numwant, at == 0, area)?;
    }
    root.present()?;
    Ok(())
}

fn panel(measured: &Measured, who: Who, numwant: u32, has_legend: bool, area: &Area<'_>) -> Drawn {
    let most = measured.reads.last().map_or(1e4, |(peers, _)| *peers as f64);
    let asks = if numwant == 0 { "nobody".to_owned() } else { format!("{numwant} peers") };
    let title = format!(
        "{}, for {asks}",
        if who == Who::Few { "The same thousand announce" } else { "Any peer announces" }
    );
    let mut chart = ChartBuilder::on(area)
        .caption(title, (FONT, 17).into_font().color(&INK))
        .margin(12)
        .set_label_area_size(LabelAreaPosition::Left, 64)
        .set_label_area_size(LabelAreaPosition::Bottom, 44)
        .build_cartesian_2d((1e3..most).log_scale(), (1.0..1e4).log_scale())?;
    chart
        .configure_mesh()
        .bold_line_style(PALE)
        .light_line_style(TRANSPARENT)
        .axis_style(GREY)
        .x_desc("peers in the tracker")
        .y_desc("nanoseconds of CPU")
        .x_label_formatter(&|peers| round(*peers))
        .y_label_formatter(&|nanos| format!("{nanos:.0}"))
        .label_style((FONT, 13).into_font().color(&INK))
        .axis_desc_style((FONT, 14).into_font().color(&INK))
        .draw()?;
    let shown = |line: &&Line| line.who == who && line.numwant == numwant;
    for Line { spread, points, .. } in measured.lines.iter().filter(shown) {
        let style = colour(*spread).stroke_width(2);
        let points: Vec<_> = points.iter().map(|point| (point.peers as f64, point.nanos)).collect();
        chart.draw_series(points.iter().map(|&at| Circle::new(at, 3, style.filled())))?;
        chart
            .draw_series(LineSeries::new(points, style))?
            .label(spread.name())
            .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 22, y)], style));
    }
    let reads = measured.reads.iter().map(|&(peers, nanos)| (peers as f64, nanos)).collect::<Vec<_>>();
    chart
        .draw_series(DashedLineSeries::new(reads, 3, 4, GREY.stroke_width(2)))?
        .label("one read of as much memory")
        .legend(|(x, y)| PathElement::new(vec![(x, y), (x + 22, y)], GREY.stroke_width(1)));
    if has_legend {
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.85))
            .border_style(TRANSPARENT)
            .legend_area_size(28)
            .label_font((FONT, 13).into_font().color(&INK))
            .draw()?;
    }
    Ok(())
}

fn round(peers: f64) -> String {
    match peers {
        ..1e6 => format!("{:.0} k", peers / 1e3),
        _ => format!("{:.0} M", peers / 1e6),
    }
}
