//! What all plots share: colours, letters, titles, axes and legends.

use std::error::Error;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::coord::types::RangedCoordf64;
use plotters::element::DashedPathElement;
use plotters::prelude::*;

use crate::model::Policy;

/// Okabe and Ito's colours, which everybody can tell apart.
pub(crate) const BLUE: RGBColor = RGBColor(0, 114, 178);
pub(crate) const ORANGE: RGBColor = RGBColor(230, 159, 0);
pub(crate) const RED: RGBColor = RGBColor(213, 94, 0);
pub(crate) const GREEN: RGBColor = RGBColor(0, 158, 115);
pub(crate) const INK: RGBColor = RGBColor(51, 51, 51);
pub(crate) const GREY: RGBColor = RGBColor(128, 128, 128);
pub(crate) const PALE: RGBColor = RGBColor(232, 232, 232);

pub(crate) const WIDTH: u32 = 860;
pub(crate) const FONT: &str = "Helvetica, Arial, sans-serif";

pub(crate) type Done = Result<(), Box<dyn Error>>;
pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

pub(crate) fn colour(policy: Policy) -> RGBColor {
    match policy {
        Policy::Uniform => BLUE,
        Policy::NearFirst => ORANGE,
        Policy::Broken => RED,
    }
}

/// A title above a plot, with a line that says more.
pub(crate) fn titled<'a>(area: &Area<'a>, title: &str, more: &str) -> Result<Area<'a>, Box<dyn Error>> {
    let (head, rest) = area.split_vertically(66);
    head.draw(&Text::new(
        title.to_string(),
        (20, 14),
        (FONT, 22).into_font().style(FontStyle::Bold).color(&INK),
    ))?;
    head.draw(&Text::new(more.to_string(), (20, 42), (FONT, 15).into_font().color(&GREY)))?;
    Ok(rest)
}

/// What is written beside an axis, and how its values are.
type Axis<'a, T> = (&'a str, &'a dyn Fn(&T) -> String);

/// Axes and a light grid.
pub(crate) fn axes<'a, X, Y>(
    chart: &mut ChartContext<'a, SVGBackend<'a>, Cartesian2d<X, Y>>,
    x: Axis<'_, X::ValueType>,
    y: Axis<'_, Y::ValueType>,
) -> Done
where
    X: Ranged + ValueFormatter<X::ValueType> + 'a,
    Y: Ranged + ValueFormatter<Y::ValueType> + 'a,
{
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(PALE)
        .light_line_style(TRANSPARENT)
        .axis_style(GREY)
        .x_desc(x.0)
        .y_desc(y.0)
        .x_label_formatter(x.1)
        .y_label_formatter(y.1)
        .label_style((FONT, 14).into_font().color(&INK))
        .axis_desc_style((FONT, 15).into_font().color(&INK))
        .draw()?;
    Ok(())
}

type Chart<'a, X, Y> = ChartContext<
    'a,
    SVGBackend<'a>,
    Cartesian2d<<X as AsRangedCoord>::CoordDescType, <Y as AsRangedCoord>::CoordDescType>,
>;

pub(crate) fn chart<'a, X: AsRangedCoord, Y: AsRangedCoord>(
    area: &Area<'a>,
    x: X,
    y: Y,
) -> Result<Chart<'a, X, Y>, Box<dyn Error>> {
    Ok(ChartBuilder::on(area)
        .margin_left(14)
        .margin_right(30)
        .margin_bottom(8)
        .set_label_area_size(LabelAreaPosition::Left, 74)
        .set_label_area_size(LabelAreaPosition::Bottom, 50)
        .build_cartesian_2d(x, y)?)
}

pub(crate) fn legend<'a, X: Ranged + 'a, Y: Ranged + 'a>(
    chart: &mut ChartContext<'a, SVGBackend<'a>, Cartesian2d<X, Y>>,
    position: SeriesLabelPosition,
) -> Done {
    chart
        .configure_series_labels()
        .position(position)
        .background_style(WHITE.mix(0.85))
        .border_style(TRANSPARENT)
        .margin(14)
        .legend_area_size(34)
        .label_font((FONT, 15).into_font().color(&INK))
        .draw()?;
    Ok(())
}

/// A line's sign in a legend.
pub(crate) fn sign(colour: RGBColor) -> impl Fn((i32, i32)) -> PathElement<(i32, i32)> {
    move |(x, y)| PathElement::new(vec![(x, y), (x + 28, y)], colour.stroke_width(3))
}

pub(crate) fn square(colour: RGBColor) -> impl Fn((i32, i32)) -> Rectangle<(i32, i32)> {
    move |(x, y)| Rectangle::new([(x + 6, y - 7), (x + 22, y + 7)], colour.filled())
}

/// Draws a policy's line. Where policies do not differ one lies upon the other, so the others than the uniform are dashed.
pub(crate) fn draw_policy<'a>(
    chart: &mut ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>,
    policy: Policy,
    points: impl IntoIterator<Item = (f64, f64)>,
) -> Done {
    let colour = colour(policy);
    let style = colour.stroke_width(3);
    let points = points.into_iter().collect::<Vec<_>>().into_iter();
    if policy == Policy::Uniform {
        chart.draw_series(LineSeries::new(points, style))?.label(policy.name()).legend(sign(colour));
    } else {
        let dashes = DashedLineSeries::new(points, 8, 6, style);
        chart.draw_series(dashes)?.label(policy.name()).legend(dashed_sign(colour, 3));
    }
    Ok(())
}

/// Draws what policies are compared with.
pub(crate) fn draw_dotted<'a>(
    chart: &mut ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>,
    name: &str,
    points: impl IntoIterator<Item = (f64, f64)>,
) -> Done {
    let points = points.into_iter().collect::<Vec<_>>().into_iter();
    let dots = DashedLineSeries::new(points, 3, 4, GREY.stroke_width(2));
    chart.draw_series(dots)?.label(name).legend(dashed_sign(GREY, 2));
    Ok(())
}

type Dashes = DashedPathElement<std::vec::IntoIter<(i32, i32)>, i32>;

fn dashed_sign(colour: RGBColor, width: u32) -> impl Fn((i32, i32)) -> Dashes {
    move |(x, y)| {
        let line = vec![(x, y), (x + 28, y)];
        DashedPathElement::new(line, 3 * width as i32 - 1, 4, colour.stroke_width(width))
    }
}
