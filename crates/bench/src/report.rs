//! What was measured, against what it may be.

use std::time::{Duration, Instant};

use anyhow::Result;

/// One line of the report.
struct Line {
    what: String,
    measured: String,
    bound: String,
    holds: bool,
}

impl Line {
    fn limit(&self) -> String {
        match self.bound.starts_with("at least") {
            true => self.bound.clone(),
            false => format!("at most {}", self.bound),
        }
    }
}

/// What was measured so far.
#[derive(Default)]
pub(crate) struct Report {
    lines: Vec<Line>,
}

impl Report {
    /// A time that is at most `most` times another one of the same run.
    pub(crate) fn ratio(&mut self, what: &str, time: Duration, other: (&str, Duration), most: Option<f64>) {
        let ratio = time.as_secs_f64() / other.1.as_secs_f64();
        self.lines.push(Line {
            what: what.to_owned(),
            measured: format!("{} = {ratio:.2}x {} ({})", show(time), other.0, show(other.1)),
            bound: most.map_or_else(String::new, |most| format!("{most:.2}x")),
            holds: most.is_none_or(|most| ratio <= most),
        });
    }

    /// A time that is at most `most`.
    pub(crate) fn time(&mut self, what: &str, time: Duration, most: Option<Duration>) {
        self.lines.push(Line {
            what: what.to_owned(),
            measured: show(time),
            bound: most.map_or_else(String::new, show),
            holds: most.is_none_or(|most| time <= most),
        });
    }

    /// A rate that is at least a share of another one of the same run.
    pub(crate) fn share(&mut self, what: &str, rate: f64, other: (&str, f64), least: f64) {
        let share = rate / other.1;
        self.lines.push(Line {
            what: what.to_owned(),
            measured: format!("{rate:.0} = {share:.2}x {} ({:.0})", other.0, other.1),
            bound: format!("at least {least:.2}x"),
            holds: share >= least,
        });
    }

    /// A number with its unit, which may be none, that is at most `most`.
    pub(crate) fn figure(&mut self, what: &str, number: f64, unit: &str, most: Option<f64>) {
        let with_unit = |number: f64| format!("{} {unit}", short(number)).trim_end().to_owned();
        self.lines.push(Line {
            what: what.to_owned(),
            measured: with_unit(number),
            bound: most.map_or_else(String::new, with_unit),
            holds: most.is_none_or(|most| number <= most),
        });
    }

    /// A figure that is what another one is, which a word tells apart, up to a share of it.
    pub(crate) fn drift(&mut self, what: &str, figure: f64, other: (&str, f64), most: f64) {
        let drift = figure / other.1 - 1.0;
        self.lines.push(Line {
            what: what.to_owned(),
            measured: format!("{:+.1} % ({} {} {})", 100.0 * drift, short(figure), other.0, short(other.1)),
            bound: format!("{:.0} %", 100.0 * most),
            holds: drift.abs() <= most,
        });
    }

    /// An amount of memory that is at most `most`.
    pub(crate) fn memory(&mut self, what: &str, bytes: u64, most: u64) {
        let megabytes = |bytes: u64| format!("{:.0} MB", bytes as f64 / 1e6);
        self.lines.push(Line {
            what: what.to_owned(),
            measured: megabytes(bytes),
            bound: megabytes(most),
            holds: bytes <= most,
        });
    }

    /// Prints everything; answers whether every bound holds.
    pub(crate) fn print(&self) -> bool {
        let width =
            |of: fn(&Line) -> &str| self.lines.iter().map(|line| of(line).chars().count()).max().unwrap_or(0);
        let (what, measured) = (width(|line| &line.what), width(|line| &line.measured));
        for line in &self.lines {
            let verdict = match (line.bound.is_empty(), line.holds) {
                (true, _) => String::new(),
                (false, true) => format!("  {}", line.limit()),
                (false, false) => format!("  MISSED: {}", line.limit()),
            };
            println!("{:what$}  {:measured$}{verdict}", line.what, line.measured);
        }
        self.lines.iter().all(|line| line.holds)
    }
}

impl Report {
    /// The same as a page of documentation.
    pub(crate) fn markdown(&self) -> String {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let mut page = format!(
            "# Benchmarks\n\n<!-- Generated: make bench REPORT=docs/benchmarks.md -->\n\nThe release binary on a machine of \
             {cores} cores, spoken to as clients do, over workbooks that `make bench` generates:\n`mixed-500k.xlsx` has \
             500,000 × 10 mixed cells (34 MB, 194 MB of XML), `lookups-50k.xlsx` 50,000 × 12 cells and\n5,000 formulas, \
             `chain-100k.xlsx` a chain of 100,000, `small.xlsx` 21 formulas. Floors and peers were measured in the same run. Replicas share the\ncores with their clients and their database: their figures say what replicas cost each other, not how they scale.\n\n\
             | what | measured | at most, unless it says at least |\n|---|---|---|\n"
        );
        for line in &self.lines {
            let measured = line.measured.replace('|', "\\|");
            page.push_str(&format!("| {} | {measured} | {} |\n", line.what, line.bound));
        }
        page
    }
}

/// Three digits, or all of those before the point.
fn short(number: f64) -> String {
    match number.abs() {
        size if size.fract() == 0.0 || size >= 100.0 => format!("{number:.0}"),
        size if size >= 10.0 => format!("{number:.1}"),
        size if size >= 1.0 => format!("{number:.2}"),
        _ => format!("{number:.3}"),
    }
}

fn show(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds >= 1.0 => format!("{seconds:.2} s"),
        seconds => format!("{:.2} ms", seconds * 1e3),
    }
}

/// How long it takes.
pub(crate) fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(Duration, T)> {
    let start = Instant::now();
    let done = work()?;
    Ok((start.elapsed(), done))
}

/// The median time of `rounds`, after one that does not count.
pub(crate) fn median<T>(rounds: usize, mut work: impl FnMut() -> Result<T>) -> Result<Duration> {
    work()?;
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        times.push(timed(&mut work)?.0);
    }
    times.sort_unstable();
    Ok(times[rounds / 2])
}
