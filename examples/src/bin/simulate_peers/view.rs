//! What is seen while it runs: on a terminal a picture that is drawn anew, otherwise a line every some seconds.

use std::io::{self, IsTerminal};
use std::time::Duration;

use examples::terminal::{grouped, tell};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::figures::Census;
use crate::simulation::{Phase, Simulation};

/// Between two pictures, and between two lines.
const REDRAW: Duration = Duration::from_millis(200);
const LINE: Duration = Duration::from_secs(5);
/// Over which time rates are taken.
const RATE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct View {
    bar: Option<ProgressBar>,
    drawn_at: Duration,
    marked_at: Duration,
    marked: u64,
    rate: f64,
    lag: Duration,
}

impl View {
    pub(crate) fn new(simulation: &Simulation<'_>) -> View {
        let times = simulation.times;
        let length = times.end.saturating_sub(times.begin);
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(
                Some(length.as_millis() as u64),
                ProgressDrawTarget::stderr_with_hz(10),
            );
            let style = ProgressStyle::with_template("\n  {bar:50.cyan/black.bright}  {prefix}\n\n{msg}\n");
            bar.set_style(style.expect("the template is a constant").progress_chars("━╸─"));
            bar
        });
        View { bar, drawn_at: times.begin, marked_at: times.begin, marked: 0, rate: 0.0, lag: Duration::ZERO }
    }

    /// Draws, if it is time.
    pub(crate) fn refresh(&mut self, simulation: &mut Simulation<'_>, in_flight: usize) {
        let now = simulation.clock.now();
        let every = if self.bar.is_some() { REDRAW } else { LINE };
        if now.saturating_sub(self.drawn_at) < every {
            return;
        }
        self.drawn_at = now;
        let since = now.saturating_sub(self.marked_at);
        if since >= RATE {
            let announces = simulation.figures.announces;
            self.rate = (announces - self.marked) as f64 / since.as_secs_f64();
            (self.marked, self.marked_at) = (announces, now);
            self.lag = simulation.figures.take_lag();
        }
        let elapsed = now.saturating_sub(simulation.times.begin);
        let length = simulation.times.end.saturating_sub(simulation.times.begin);
        match &self.bar {
            Some(bar) => {
                bar.set_position(elapsed.min(length).as_millis() as u64);
                bar.set_prefix(format!("{:.0} of {}", elapsed.as_secs_f64(), seconds(length)));
                bar.set_message(self.picture(simulation, in_flight));
            }
            None => self.line(simulation, elapsed),
        }
    }

    /// Takes the picture away.
    pub(crate) fn close(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn picture(&self, simulation: &Simulation<'_>, in_flight: usize) -> String {
        let figures = &simulation.figures;
        let census = Census::of(&simulation.peers);
        let phase = match simulation.phase {
            Phase::Crowd => "peers come and go",
            Phase::Farewell => "everybody leaves",
            Phase::Forgetting => "the tracker forgets those who vanished",
            Phase::LastScrape | Phase::Over => "what is left is scraped",
        };
        let failed = simulation.checks.failed();
        let failed = if failed.is_empty() { "none".to_owned() } else { red(&failed.join(", ")) };
        let behind = if self.lag > Duration::from_millis(500) {
            format!("   {:.1} s behind: too much for it or this machine", self.lag.as_secs_f64())
        } else {
            String::new()
        };
        let row = |name: &str, cells: &[(&str, String)]| {
            let cells: String = cells.iter().map(|(name, value)| format!("{value:>9} {name:<13}")).collect();
            format!("  {name:<10}{}\n", cells.trim_end())
        };
        let mut text = row(
            "peers",
            &[
                ("arrived", grouped(figures.arrived)),
                ("downloading", grouped(census.downloading + census.partial_seeds)),
                ("seeding", grouped(census.seeding)),
            ],
        );
        text += &row(
            "",
            &[
                ("completed", grouped(figures.completed)),
                ("left", grouped(census.left)),
                ("vanished", grouped(census.vanished)),
            ],
        );
        text += &row(
            "announces",
            &[
                ("answered", grouped(figures.announces)),
                ("a second", grouped(self.rate.round() as u64)),
                ("on the way", grouped(in_flight as u64)),
            ],
        );
        text += &row(
            "latency",
            &[
                ("ms median", millis(figures.percentile(50.0))),
                ("ms p99", millis(figures.percentile(99.0))),
                ("ms longest", millis(figures.percentile(100.0))),
            ],
        );
        text += &format!(
            "  {:<10}{:>9} errors        failed checks: {failed}\n",
            "found",
            grouped(figures.errors)
        );
        text + &format!("\n  {phase}{behind}")
    }

    fn line(&self, simulation: &Simulation<'_>, elapsed: Duration) {
        let figures = &simulation.figures;
        let census = Census::of(&simulation.peers);
        let failed = simulation.checks.failed();
        let failed =
            if failed.is_empty() { String::new() } else { format!(", FAILED: {}", failed.join(" ")) };
        let text = format!(
            "{:>5.0} s: {} arrived, {} downloading, {} seeding, {} left, {} vanished; {} announces a second, p99 {} ms, {} errors{failed}\n",
            elapsed.as_secs_f64(),
            grouped(figures.arrived),
            grouped(census.downloading + census.partial_seeds),
            grouped(census.seeding),
            grouped(census.left),
            grouped(census.vanished),
            grouped(self.rate.round() as u64),
            millis(figures.percentile(99.0)),
            grouped(figures.errors),
        );
        tell(&text);
    }
}

/// Milliseconds to two or three digits.
pub(crate) fn millis(millis: f64) -> String {
    if millis < 10.0 {
        format!("{millis:.2}")
    } else if millis < 100.0 {
        format!("{millis:.1}")
    } else {
        grouped(millis.round() as u64)
    }
}

/// `8 s`, `7.5 s`, `45 min`.
pub(crate) fn seconds(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds >= 120.0 {
        format!("{} min", (seconds / 6.0).round() / 10.0)
    } else {
        format!("{} s", (seconds * 10.0).round() / 10.0)
    }
}

fn red(text: &str) -> String {
    format!("\x1b[31m{text}\x1b[0m")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!([millis(0.214), millis(12.34), millis(1234.5)], ["0.21", "12.3", "1,235"]);
        let texts = [7.5, 8.0, 2700.0].map(|time| seconds(Duration::from_secs_f64(time)));
        assert_eq!(texts, ["7.5 s", "8 s", "45 min"]);
    }
}
