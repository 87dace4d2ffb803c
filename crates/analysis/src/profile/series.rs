//! The distribution of numbers.

use grid::CellRef;

use crate::profile::ProfileOptions;

/// How far beyond the quartiles an outlier is, in interquartile ranges: Tukey's "far out".
const FAR_OUT: f64 = 3.0;
/// Fewer values than these have no outliers.
const MIN_VALUES: usize = 8;

/// How the numbers of a column are distributed.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the fields are their names")]
pub struct SeriesProfile {
    pub min: f64,
    pub max: f64,
    pub sum: f64,
    pub mean: f64,
    /// Of the sample, as `STDEV.S`; 0 for a single value.
    pub standard_deviation: f64,
    /// The 5th, 25th, 50th, 75th and 95th percentile, as `PERCENTILE.INC`.
    pub quantiles: [f64; 5],
    /// Values far from the others, if there are any.
    pub outliers: Option<Outliers>,
}

/// Values more than three interquartile ranges beyond the quartiles.
#[derive(Debug, Clone, PartialEq)]
pub struct Outliers {
    /// How many.
    pub count: u64,
    /// The least and greatest value that is none.
    pub bounds: (f64, f64),
    /// The cells of the most extreme ones, with their values.
    pub cells: Vec<(CellRef, f64)>,
}

/// Equal values in a column.
#[derive(Default)]
pub(super) struct Repeats {
    pub(super) distinct: u64,
    /// The most frequent values.
    pub(super) top: Vec<(f64, u64)>,
}

/// Profiles numbers with the rows that they stand in.
pub(super) fn profile(
    mut values: Vec<(f64, u32)>,
    options: &ProfileOptions,
    at: impl Fn(u32) -> CellRef,
) -> (Option<SeriesProfile>, Repeats) {
    if values.is_empty() {
        return (None, Repeats::default());
    }
    values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let count = values.len() as f64;
    let sum: f64 = values.iter().map(|(value, _)| value).sum();
    let mean = sum / count;
    let squares: f64 = values.iter().map(|(value, _)| (value - mean).powi(2)).sum();
    let quantiles = [0.05, 0.25, 0.5, 0.75, 0.95].map(|share| quantile(&values, share));
    let series = SeriesProfile {
        min: values[0].0,
        max: values[values.len() - 1].0,
        sum,
        mean,
        standard_deviation: if values.len() < 2 { 0.0 } else { (squares / (count - 1.0)).sqrt() },
        quantiles,
        outliers: outliers(&values, quantiles[1], quantiles[3], options, at),
    };
    (Some(series), repeats(&values, options))
}

/// Linear interpolation between the closest ranks.
fn quantile(sorted: &[(f64, u32)], share: f64) -> f64 {
    let rank = share * (sorted.len() - 1) as f64;
    let (low, high) = (rank.floor() as usize, rank.ceil() as usize);
    sorted[low].0 + (sorted[high].0 - sorted[low].0) * rank.fract()
}

fn outliers(
    sorted: &[(f64, u32)],
    first_quartile: f64,
    third_quartile: f64,
    options: &ProfileOptions,
    at: impl Fn(u32) -> CellRef,
) -> Option<Outliers> {
    let reach = FAR_OUT * (third_quartile - first_quartile);
    // Half of the values being equal says nothing about how far the others may be.
    if sorted.len() < MIN_VALUES || reach <= 0.0 {
        return None;
    }
    let (low, high) = (first_quartile - reach, third_quartile + reach);
    let below = sorted.partition_point(|(value, _)| *value < low);
    let above = sorted.partition_point(|(value, _)| *value <= high);
    let count = below + sorted.len() - above;
    if count == 0 {
        return None;
    }
    let mut extreme: Vec<(f64, u32)> = sorted[..below].iter().chain(&sorted[above..]).copied().collect();
    let distance = |value: f64| (low - value).max(value - high);
    extreme.sort_by(|a, b| distance(b.0).total_cmp(&distance(a.0)).then(a.1.cmp(&b.1)));
    let cells = extreme.iter().take(options.max_outliers).map(|(value, row)| (at(*row), *value)).collect();
    let bounds = (sorted[below].0, sorted[above - 1].0);
    Some(Outliers { count: count as u64, bounds, cells })
}

fn repeats(sorted: &[(f64, u32)], options: &ProfileOptions) -> Repeats {
    let mut found = Repeats::default();
    for run in sorted.chunk_by(|a, b| a.0 == b.0) {
        found.distinct += 1;
        let count = run.len() as u64;
        let is_full = found.top.len() >= options.max_top;
        if count < 2 || is_full && found.top.last().is_none_or(|(_, least)| *least >= count) {
            continue;
        }
        let place = found.top.partition_point(|(_, more)| *more >= count);
        found.top.insert(place, (run[0].0, count));
        found.top.truncate(options.max_top);
    }
    found
}
