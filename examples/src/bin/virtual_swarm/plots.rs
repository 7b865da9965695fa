//! The plots, as SVG: figures that are read in a document, so with few lines and large letters.

use std::error::Error;
use std::fs;
use std::path::Path;

use examples::terminal::grouped;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::canvas::{
    Area, BLUE, Done, FONT, GREEN, GREY, INK, ORANGE, RED, WIDTH, axes, chart, colour, draw_dotted,
    draw_policy, legend, sign, square, titled,
};
use crate::figures::Figure;
use crate::meanings;
use crate::model::{Arrivals, Model};
use crate::study::{self, Dead, Outcome, Study, TIMEOUTS};
use crate::tally::Moment;

/// Writes every plot that these results can be shown in; returns their names.
pub(crate) fn draw(dir: &Path, studies: &[Study], grid: &[Dead]) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    let mut plot = |name: &str, height: u32, draw: &dyn Fn(&Area<'_>) -> Done| -> Done {
        let mut svg = String::new();
        {
            let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
            area.fill(&WHITE)?;
            draw(&area)?;
            area.present()?;
        }
        fs::write(dir.join(name), svg)?;
        names.push(name.to_string());
        Ok(())
    };
    let is_comparison = studies.iter().any(|study| study.policies.len() > 1);
    let flash = studies.iter().find(|study| study.model.arrivals == Arrivals::Flash);
    if let (false, Some(study)) = (is_comparison, studies.first()) {
        plot("selection-day.svg", 680, &|area| day(area, study))?;
    }
    if let (true, Some(study)) = (is_comparison, flash.or(studies.first())) {
        plot("selection-crowd.svg", 420, &|area| crowd(area, study))?;
        plot("selection-degree.svg", 420, &|area| degrees(area, study))?;
        plot("selection-locality.svg", 420, &|area| locality(area, studies))?;
    }
    if let (false, Some(study)) = (grid.is_empty(), studies.first()) {
        plot("selection-dead.svg", 420, &|area| dead(area, &study.model, grid))?;
    }
    Ok(names)
}

/// Peers and announces over a day.
fn day(area: &Area<'_>, study: &Study) -> Done {
    let peers = study.model.peers;
    let title = match peers {
        1_000_000 => "A day of a million peers".into(),
        _ => format!("{} peers in {} hours", grouped(peers.into()), study.model.hours),
    };
    let more = "simulated from midnight, with only publishers there; dead: gone without a word, and not yet forgotten";
    let rest = titled(area, &title, more)?;
    let end = study.model.hours;
    let hour = |at: u32| f64::from(at) / 3_600_000.0;
    let moments = || study.runs[0][0].tally.series.iter().filter(|moment| hour(moment.at) <= end);
    let points = |of: &dyn Fn(&Moment) -> f64| moments().map(|it| (hour(it.at), of(it))).collect::<Vec<_>>();
    let look = f64::from(study.model.look()) / 1000.0;
    let few = [
        ("dead", RED, points(&|it| f64::from(it.ghosts) / 1e3)),
        ("leechers", GREEN, points(&|it| f64::from(it.leechers) / 1e3)),
    ];
    let panels = rest.split_evenly((3, 1));
    for (panel, unit, lines) in [
        (0, "thousands", &[("seeders", BLUE, points(&|it| f64::from(it.seeders) / 1e3))][..]),
        (1, "thousands", &few[..]),
        (2, "a second", &[("announces", INK, points(&|it| it.announces as f64 / look))][..]),
    ] {
        let most = lines.iter().flat_map(|line| &line.2).map(|point| point.1).fold(0.1, f64::max);
        let step = if end > 12.0 { 3.0 } else { 1.0 };
        let mut chart = chart(&panels[panel], (0.0..end).step(step), 0.0..most * 1.15)?;
        let x = if panel == 2 { "hour of the day" } else { "" };
        let digits = usize::from(most < 4.0);
        axes(&mut chart, (x, &|hour| format!("{hour:.0}")), (unit, &|value| format!("{value:.digits$}")))?;
        for (name, colour, points) in lines {
            let line = LineSeries::new(points.iter().copied(), colour.stroke_width(3));
            chart.draw_series(line)?.label(*name).legend(sign(*colour));
        }
        legend(&mut chart, SeriesLabelPosition::UpperLeft)?;
    }
    Ok(())
}

/// How a flash crowd completes.
fn crowd(area: &Area<'_>, study: &Study) -> Done {
    let peers = grouped(study.model.peers.into());
    let more =
        format!("{peers} peers want one torrent of 1 GiB that has one seeder; thin lines: single seeds");
    let rest = titled(area, "How fast a flash crowd completes", &more)?;
    let end = study.runs.iter().flatten().map(|outcome| outcome.done[97]).fold(60.0, f64::max) / 60.0;
    let mut chart = chart(&rest, 0.0..end, 0.0..100.0_f64)?;
    let minutes = "minutes since the first arrival";
    axes(
        &mut chart,
        (minutes, &|minute| format!("{minute:.0}")),
        ("of the crowd", &|share| format!("{share:.0} %")),
    )?;
    if study.model.arrivals == Arrivals::Flash {
        let arrived = |minute: f64| 100.0 * (1.0 - (-minute * 60.0 / study.model.flash_decay).exp());
        let times = (0..=200).map(|step| end * f64::from(step) / 200.0);
        draw_dotted(&mut chart, "arrived", times.map(|minute| (minute, arrived(minute))))?;
    }
    for (&policy, runs) in study.policies.iter().zip(&study.runs) {
        let of = |time: &dyn Fn(usize) -> f64| {
            (0..=100)
                .map(|at| (time(at) / 60.0, at as f64))
                .filter(|point| point.0 <= end)
                .collect::<Vec<_>>()
        };
        for run in runs {
            chart.draw_series(LineSeries::new(of(&|at| run.done[at]), colour(policy).mix(0.3)))?;
        }
        let mean = |at: usize| runs.iter().map(|run| run.done[at]).sum::<f64>() / runs.len() as f64;
        draw_policy(&mut chart, policy, of(&mean))?;
    }
    legend(&mut chart, SeriesLabelPosition::LowerRight)
}

/// Connections in the overlay, beside a random graph.
fn degrees(area: &Area<'_>, study: &Study) -> Done {
    let title = "Connections of a peer in the flash crowd";
    let more = "five minutes after the first arrival, all seeds together; random graph: every pair equally likely to be connected";
    let rest = titled(area, title, more)?;
    let limit = study.model.connections as usize;
    let share = |runs: &Vec<Outcome>| -> Vec<f64> {
        let mut counts = vec![0.0; limit + 1];
        for degree in runs.iter().flat_map(|run| &run.shapes.overlay.degrees) {
            counts[(*degree as usize).min(limit)] += 1.0;
        }
        let all: f64 = counts.iter().sum::<f64>().max(1.0);
        counts.into_iter().map(|count| count / all * 100.0).collect()
    };
    let shares: Vec<Vec<f64>> = study.runs.iter().map(share).collect();
    let mean: f64 = shares[0].iter().enumerate().map(|(degree, share)| degree as f64 * share / 100.0).sum();
    let mut poisson = vec![100.0 * (-mean).exp()];
    for degree in 1..=limit {
        poisson.push(poisson[degree - 1] * mean / degree as f64);
    }
    let most = shares.iter().chain([&poisson]).flatten().copied().fold(1.0, f64::max);
    let mut chart = chart(&rest, 0.0..limit as f64, 0.0..most * 1.08)?;
    let peers = ("of all peers", &(|share: &f64| format!("{share:.0} %")) as &dyn Fn(&f64) -> String);
    axes(&mut chart, ("connections", &|degree| format!("{degree:.0}")), peers)?;
    let points = |shares: &[f64]| {
        shares.iter().enumerate().map(|(degree, &share)| (degree as f64, share)).collect::<Vec<_>>()
    };
    draw_dotted(&mut chart, "random graph", points(&poisson))?;
    for (&policy, share) in study.policies.iter().zip(&shares) {
        draw_policy(&mut chart, policy, points(share))?;
    }
    legend(&mut chart, SeriesLabelPosition::UpperLeft)
}

/// Bytes that stay near.
fn locality(area: &Area<'_>, studies: &[Study]) -> Done {
    let more = "share of all bytes whose sender and receiver are in the same place; means over the seeds";
    let rest = titled(area, "Bytes that stay near", more)?;
    for (panel, meaning, title) in [
        (0, meanings::SUBNET_BYTES, "within a /24"),
        (1, meanings::NETWORK_BYTES, "within a network (autonomous system)"),
    ] {
        let area = &rest.split_evenly((1, 2))[panel];
        let (head, area) = area.split_vertically(28);
        head.draw(&Text::new(title, (80, 6), (FONT, 16).into_font().color(&INK)))?;
        let mean = |runs: &[Outcome], of: &dyn Fn(&Figure) -> f64| {
            let figures = runs.iter().flat_map(|run| &run.figures);
            let of_it = figures.filter(|figure| figure.meaning.name == meaning.name);
            of_it.map(of).sum::<f64>() / runs.len() as f64 * 100.0
        };
        let mut bars = Vec::new();
        for (group, study) in studies.iter().enumerate() {
            let width = 0.76 / (study.policies.len() + 1) as f64;
            let mut values: Vec<(f64, RGBColor)> = Vec::new();
            for (&policy, runs) in study.policies.iter().zip(&study.runs) {
                values.push((mean(runs, &|figure| figure.value), colour(policy)));
            }
            values.push((mean(&study.runs[0], &|figure| figure.reference.unwrap_or(0.0)), GREY));
            for (at, (value, colour)) in values.into_iter().enumerate() {
                bars.push((group as f64 + 0.12 + at as f64 * width, width, value, colour));
            }
        }
        let most = bars.iter().map(|bar| bar.2).fold(0.001, f64::max);
        let mut chart = ChartBuilder::on(&area)
            .margin_right(16)
            .margin_bottom(8)
            .set_label_area_size(LabelAreaPosition::Left, 66)
            .set_label_area_size(LabelAreaPosition::Bottom, 34)
            .build_cartesian_2d((0.0..studies.len() as f64).step(0.5), 0.0..most * 1.25)?;
        let group = |x: &f64| {
            let is_middle = (x.fract() - 0.5).abs() < 0.01;
            studies
                .get(*x as usize)
                .filter(|_| is_middle)
                .map_or("", |study| place(study.model.arrivals))
                .into()
        };
        let digits = usize::from(most < 2.0);
        axes(&mut chart, ("", &group), ("", &|share| format!("{share:.digits$} %")))?;
        for (at, width, share, colour) in bars {
            chart.draw_series([Rectangle::new([(at, 0.0), (at + width * 0.94, share)], colour.filled())])?;
            let digits = if share < 0.1 { 3 } else { 1 + usize::from(share < 1.0) };
            let style =
                TextStyle::from((FONT, 13).into_font()).color(&INK).pos(Pos::new(HPos::Center, VPos::Bottom));
            let above = (at + width * 0.47, share + most * 0.015);
            chart.draw_series([Text::new(format!("{share:.digits$}"), above, style)])?;
        }
        if panel == 0 {
            let mut name = |name: &str, colour: RGBColor| -> Done {
                let nothing = std::iter::empty::<Circle<(f64, f64), i32>>();
                chart.draw_series(nothing)?.label(name).legend(square(colour));
                Ok(())
            };
            for &policy in &studies[0].policies {
                name(policy.name(), colour(policy))?;
            }
            name("uniform, calculated", GREY)?;
            legend(&mut chart, SeriesLabelPosition::UpperLeft)?;
        }
    }
    Ok(())
}

fn place(arrivals: Arrivals) -> &'static str {
    match arrivals {
        Arrivals::Daily => "a day, many torrents",
        Arrivals::Steady => "many torrents",
        Arrivals::Flash => "a flash crowd",
    }
}

/// Dead addresses over the share of peers that vanish.
fn dead(area: &Area<'_>, model: &Model, grid: &[Dead]) -> Done {
    let more = "dots: simulated; lines: calculated; the timeout is one and a half announce intervals";
    let rest = titled(area, "Dead addresses in answers", more)?;
    let most = grid.iter().map(|dead| dead.measured.max(dead.calculated)).fold(0.01, f64::max) * 100.0;
    let mut chart = chart(&rest, 0.0..103.0_f64, 0.0..most * 1.08)?;
    let percent = |share: &f64| format!("{share:.0} %");
    axes(&mut chart, ("peers that vanish without a word", &percent), ("of all addresses", &percent))?;
    for (timeout, colour) in TIMEOUTS.into_iter().zip([BLUE, ORANGE, RED]).rev() {
        let name = format!("timeout {:.1} min", f64::from(timeout) / 60.0).replace(".0 ", " ");
        let calculated = |vanish: f64| study::calculated_dead(&study::at(model, timeout, vanish)) * 100.0;
        let line =
            (0..=50).map(|step| f64::from(step) * 2.0).map(|vanish| (vanish, calculated(vanish / 100.0)));
        chart.draw_series(LineSeries::new(line, colour.stroke_width(2)))?.label(name).legend(sign(colour));
        let of_timeout = grid.iter().filter(|dead| dead.peer_timeout == timeout);
        let dot = |dead: &Dead| Circle::new((dead.vanish * 100.0, dead.measured * 100.0), 6, colour.filled());
        chart.draw_series(of_timeout.map(dot))?;
    }
    legend(&mut chart, SeriesLabelPosition::UpperLeft)
}
