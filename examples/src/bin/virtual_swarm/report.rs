//! The results as text: for the terminal, and as Markdown.

use std::fmt::Write;

use examples::terminal::grouped;

use crate::check::Check;
use crate::compare::{Range, Row, Verdict};
use crate::meanings::{Unit, write};
use crate::model::Model;
use crate::parameters::parameters;
use crate::study::{Dead, Study};

/// A table's cells; the first row is the head.
type Cells = Vec<Vec<String>>;

/// What the column beside the policies means.
const BY_CHANCE: &str = "- **by chance**: for the overlay, a random graph in which every peer has as many connections as \
here, and no seeder one to a seeder; for bytes, the calculated chance that two peers who know nothing of networks share one.
- **difference**: of the means over the seeds; \"none\" if it is not larger than the spread, from the least to the most, that \
the seeds of either policy have.
";

/// What was simulated, in one line.
pub(crate) fn title(study: &Study) -> String {
    let Model { peers, hours, arrivals, torrents, .. } = study.model;
    let outcomes = &study.runs[0];
    let seeds = match (outcomes.first(), outcomes.last()) {
        (Some(first), Some(last)) if first.seed != last.seed => {
            format!("seeds {} to {}", first.seed, last.seed)
        }
        (Some(first), _) => format!("seed {}", first.seed),
        _ => String::new(),
    };
    let torrents =
        if torrents == 1 { "one torrent".into() } else { format!("{} torrents", grouped(torrents.into())) };
    let (peers, name) = (grouped(peers.into()), arrivals.name());
    format!("{peers} peers in {hours} hours, {torrents}, arrivals {name}, {seeds}")
}

/// The results for a terminal.
pub(crate) fn terminal(study: &Study) -> String {
    let mut text = format!("\n{}\n\n", title(study));
    text += &aligned(&cells(study, false));
    let online = study.runs[0][0].tally.series.iter().map(|moment| moment.seeders + moment.leechers);
    let mean = online.clone().map(f64::from).sum::<f64>() / online.clone().count().max(1) as f64;
    let _ = writeln!(
        text,
        "\n{} announces, {} addresses handed out; {} peers at a time on average, {} at the most",
        grouped(study.sum(|tally| tally.announces)),
        grouped(study.sum(|tally| tally.addresses)),
        grouped(mean as u64),
        grouped(online.max().unwrap_or(0).into()),
    );
    text
}

/// The checks for a terminal.
pub(crate) fn checked(checks: &[Check]) -> String {
    let rows = checks.iter().map(|check| {
        let word = if check.holds { "ok" } else { "WRONG" };
        vec![word.into(), check.sentence.into(), check.seen.clone()]
    });
    format!("\n{}", aligned(&rows.collect()))
}

/// Everything as Markdown.
pub(crate) fn markdown(studies: &[Study], grid: &[Dead]) -> String {
    let mut text = String::from("<!-- written by virtual_swarm -->\n");
    let mut was_defined = Vec::new();
    for study in studies {
        let _ = writeln!(text, "\n### {}\n\n{}", title(study), piped(&cells(study, true)));
        for row in study.rows() {
            let meaning = row.meaning;
            if !was_defined.iter().any(|&(name, _)| name == meaning.name) {
                was_defined.push((meaning.name, meaning.definition));
            }
        }
    }
    if !grid.is_empty() {
        let head =
            ["peer_timeout", "vanish", "dead, simulated", "dead, calculated"].map(String::from).to_vec();
        let rows = grid.iter().map(|dead| {
            let percent = |value| write(value, Unit::Percent);
            let timeout = format!("{:.1} min", f64::from(dead.peer_timeout) / 60.0);
            vec![timeout, percent(dead.vanish), percent(dead.measured), percent(dead.calculated)]
        });
        let _ =
            writeln!(text, "\n### Dead addresses\n\n{}", piped(&std::iter::once(head).chain(rows).collect()));
    }
    text += "\n### What the rows mean\n\n";
    for (name, definition) in was_defined {
        let _ = writeln!(text, "- **{name}**: {definition}");
    }
    text += BY_CHANCE;
    text += "\n### Parameters\n\n";
    let head = vec!["parameter".into(), "value".into(), "source or reason".into()];
    let parameters = studies.first().map(|study| parameters(&study.model)).unwrap_or_default();
    let rows = parameters.into_iter().map(|it| vec![format!("`{}`", it.name), it.value, it.reason.into()]);
    text += &piped(&std::iter::once(head).chain(rows).collect());
    text
}

/// The table of a study: a row for each figure, a column for each policy, what is beside it, and the verdict.
fn cells(study: &Study, is_markdown: bool) -> Cells {
    let rows = study.rows();
    let has_seeds = study.runs[0].len() > 1;
    let mut head = vec![String::new()];
    head.extend(study.policies.iter().map(|policy| policy.name().into()));
    head.push("by chance".into());
    if has_seeds {
        head.extend(study.policies[1..].iter().map(|policy| format!("{}: difference", policy.name())));
    }
    let mut cells = vec![head];
    for row in rows {
        let mut line = vec![format!("{} {}", row.meaning.name, row.of).trim().to_string()];
        line.extend(row.values.iter().map(|&value| range(value, row.meaning.unit)));
        line.push(row.reference.map_or(String::new(), |value| range(value, row.meaning.unit)));
        if has_seeds {
            line.extend((1..study.policies.len()).map(|at| difference(&row, at, is_markdown)));
        }
        cells.push(line);
    }
    cells
}

/// The mean, and in brackets from where to where the seeds go.
fn range(range: Range, unit: Unit) -> String {
    let (mean, least, most) = (write(range.mean, unit), write(range.least, unit), write(range.most, unit));
    if least == most { mean } else { format!("{mean} ({least} to {most})") }
}

fn difference(row: &Row, at: usize, is_markdown: bool) -> String {
    let verdict = row.verdict(at);
    let by = row.values[at].mean / row.values[0].mean;
    let mut text = match verdict {
        Verdict::None => return verdict.word().into(),
        _ if !by.is_finite() => verdict.word().into(),
        _ if by >= 2.0 => format!("{}, {by:.1} times", verdict.word()),
        _ => format!("{}, {:+.1} %", verdict.word(), (by - 1.0) * 100.0),
    };
    if !is_markdown {
        text = text.replace('*', "");
    }
    text
}

/// Columns of equal width, two spaces apart.
fn aligned(cells: &Cells) -> String {
    let mut widths = Vec::new();
    for row in cells {
        for (at, cell) in row.iter().enumerate() {
            widths.resize(widths.len().max(at + 1), 0);
            widths[at] = cell.chars().count().max(widths[at]);
        }
    }
    let mut text = String::new();
    for row in cells {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:<width$}  ");
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

fn piped(cells: &Cells) -> String {
    let mut text = String::new();
    for (at, row) in cells.iter().enumerate() {
        let _ = writeln!(text, "| {} |", row.join(" | "));
        if at == 0 {
            let _ = writeln!(text, "|{}", " --- |".repeat(row.len()));
        }
    }
    text
}
