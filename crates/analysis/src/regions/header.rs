//! How many of a rectangle's first rows name its columns.

use grid::CellRange;

use crate::regions::look::{Kind, Looks};
use crate::regions::sample::{MAX_HEADER_ROWS, Profile, Sample};
use crate::regions::words::{is_header_word, is_period, is_unit};

/// What was found out about the first rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Header {
    pub(crate) rows: u32,
    /// Whether the columns are periods: years, months, quarters, dates.
    pub(crate) periods: bool,
    /// How sure it is that `rows` is right, 0 to 1.
    pub(crate) strength: f32,
    pub(crate) evidence: Vec<&'static str>,
}

/// What speaks for one row being a header of the rows from `body` on.
#[derive(Debug, Clone, Copy, Default)]
struct Signs {
    filled: usize,
    data: usize,
    periods: bool,
    /// Columns with a name over data, of those with data below and something in this row.
    contrast: f32,
    data_columns: usize,
    /// Whether the first column holds no number.
    has_corner: bool,
    /// Share of the cells that no cell below looks like.
    style: f32,
    bold_or_filled: bool,
    /// How much the texts read like names rather than like the texts below.
    wording: f32,
    unique: bool,
    /// Whether the rows below scroll and this one does not.
    frozen: bool,
    /// Whether most cells are merged downwards, and those below are not.
    merged: bool,
}

impl Signs {
    fn is_clean(&self) -> bool {
        let is_set_off = self.style >= 0.8 && self.bold_or_filled && self.has_corner;
        self.filled > 0 && (self.data == 0 || self.periods || is_set_off)
    }

    fn is_strong(&self) -> bool {
        let by_wording = self.unique && self.filled > 1 && self.wording >= 0.3;
        self.is_clean() && (self.is_beyond_wording() || by_wording)
    }

    /// Whether more than the texts' wording says that this is a header.
    fn is_beyond_wording(&self) -> bool {
        let by_type = self.data_columns > 0 && self.contrast >= 0.5;
        let is_set_off = self.bold_or_filled || self.data_columns > 0 || self.wording > 0.0;
        let by_style = self.style >= 0.6 && is_set_off && self.unique;
        self.is_clean()
            && (self.frozen && self.filled > 1 || by_type || by_style || self.merged && self.unique)
    }

    /// Whether a row above a header row may be part of it: groups over its names, or formatted as it is.
    fn leads(&self, header: &Signs) -> bool {
        let is_sparse = self.filled * 10 < header.filled * 7;
        self.is_clean() && (is_sparse || self.periods || self.style >= 0.6 || header.frozen)
            || self.filled == 0
    }

    /// The stronger of each sign.
    fn or(self, other: &Signs) -> Signs {
        Signs {
            contrast: self.contrast.max(other.contrast),
            data_columns: self.data_columns.max(other.data_columns),
            style: self.style.max(other.style),
            frozen: self.frozen || other.frozen,
            merged: self.merged || other.merged,
            wording: self.wording.max(other.wording),
            ..self
        }
    }
}

/// Finds the header rows of a rectangle: down to the first row that is one beyond doubt, and the rows below it that
/// go on naming.
pub(crate) fn find(looks: &Looks<'_>, sample: &Sample) -> Header {
    let most = MAX_HEADER_ROWS.min(sample.rows.len().saturating_sub(1));
    let examine = |rows: usize| {
        let profiles: Vec<Profile> = (0..sample.width()).map(|col| sample.profile(col, rows)).collect();
        signs(looks, sample, rows - 1, rows, &profiles)
    };
    let mut seen: Vec<Signs> = Vec::new();
    let mut found: Option<usize> = None;
    for rows in 1..=most {
        let row = examine(rows);
        let is_section =
            rows > 1 && sample.width() > 1 && row.filled == 1 && sample.row(rows - 1)[0].kind != Kind::Blank;
        let is_header = match (found, seen.last()) {
            _ if is_section => false,
            (Some(_), Some(before)) => row.is_strong() && goes_on(looks, sample, rows - 1, before, &row),
            (_, None) => row.is_strong(),
            (None, _) => row.is_beyond_wording() && seen.iter().all(|above| above.leads(&row)),
        };
        let is_data = !row.is_clean() && row.filled > 0;
        seen.push(row);
        if is_header {
            found = Some(rows);
        } else if found.is_some() || is_data {
            break;
        }
    }
    let Some(rows) = found else { return Header::default() };
    let rows = down_to_merges(looks, sample, rows).min(most);
    let header = &seen[..rows.min(seen.len())];
    let strongest = header.iter().fold(header[header.len() - 1], Signs::or);
    described(rows, Signs { periods: header.iter().any(|row| row.periods), ..strongest })
}

/// The header rows down to the end of what is merged with them.
fn down_to_merges(looks: &Looks<'_>, sample: &Sample, rows: usize) -> usize {
    let first = sample.range.start().row();
    let merges = sample.rows[..rows].iter().flat_map(|row| looks.merges_from(*row));
    let ends = merges.filter(|merge| sample.range.contains_range(**merge)).map(|merge| merge.end().row());
    let end = ends.map(|end| (end - first + 1) as usize).max().unwrap_or(0);
    if end <= MAX_HEADER_ROWS { end.max(rows) } else { rows }
}

/// Whether a row below a header row is part of the header: formatted alike, units, or names under the groups above.
fn goes_on(looks: &Looks<'_>, sample: &Sample, row: usize, before: &Signs, signs: &Signs) -> bool {
    let at = sample.rows[row];
    let first_col = sample.range.start().col();
    let cells = || {
        let pairs = sample.row(row).iter().zip(sample.row(row - 1));
        (first_col..).zip(pairs).filter(|(_, (look, _))| look.kind != Kind::Blank)
    };
    let alike = cells().filter(|(_, (look, above))| {
        (look.traits.bold, look.traits.fill) == (above.traits.bold, above.traits.fill)
    });
    let is_alike = signs.style >= 0.6 && alike.count() * 5 >= signs.filled * 3;
    let are_units = cells().all(|(col, _)| looks.text(at, col).is_some_and(is_unit));
    let mut merges = looks.merges_from(sample.rows[row - 1]).iter();
    let is_grouped = merges.any(|merge| merge.width() > 1 && sample.range.contains_range(*merge));
    let is_under_groups = is_grouped || before.filled * 10 < signs.filled * 7;
    signs.frozen
        || is_alike
        || are_units
        || is_under_groups && signs.unique
        || is_grouped && signs.is_beyond_wording()
}

/// The header of a rectangle of which it is known where its data starts.
pub(crate) fn pinned(looks: &Looks<'_>, sample: &Sample, rows: u32) -> Header {
    let rows = (rows as usize).min(MAX_HEADER_ROWS);
    let profiles: Vec<Profile> = (0..sample.width()).map(|col| sample.profile(col, rows)).collect();
    let mut header = described(rows, signs(looks, sample, rows - 1, rows, &profiles));
    header.strength = header.strength.max(0.9);
    header.evidence.insert(0, "the filter starts here");
    header
}

fn described(rows: usize, signs: Signs) -> Header {
    let mut strength: f32 = 0.3;
    let mut evidence = Vec::new();
    let mut adds = |holds: bool, weight: f32, what: &'static str| {
        if holds {
            strength = 1.0 - (1.0 - strength) * (1.0 - weight);
            evidence.push(what);
        }
    };
    adds(signs.data_columns > 0 && signs.contrast >= 0.5, 0.6, "texts over other types");
    adds(signs.periods, 0.5, "periods in sequence");
    adds(signs.frozen, 0.5, "stays when the sheet scrolls");
    adds(signs.merged, 0.5, "merged unlike the rows below");
    adds(signs.style >= 0.6, 0.5, "formatted unlike the rows below");
    adds(signs.unique, 0.3, "names are unique");
    adds(signs.wording >= 0.3, 0.3, "texts read like names");
    adds(rows > 1, 0.1, "several header rows");
    Header { rows: rows as u32, periods: signs.periods, strength, evidence }
}

/// Whether a rectangle of a row or two could name the columns of what is below: texts, or periods.
pub(crate) fn is_names(looks: &Looks<'_>, sample: &Sample) -> bool {
    let profiles = vec![Profile { filled: 0, texts: 0, main: Kind::Blank, share: 0.0 }; sample.width()];
    (0..sample.rows.len()).all(|row| signs(looks, sample, row, sample.rows.len(), &profiles).is_clean())
}

fn signs(looks: &Looks<'_>, sample: &Sample, row: usize, body: usize, profiles: &[Profile]) -> Signs {
    let cells = sample.row(row);
    let at = sample.rows[row];
    let first_col = sample.range.start().col();
    let mut signs = Signs { unique: true, frozen: looks.frozen == Some(at), ..Signs::default() };
    let mut contrasts = 0;
    let mut styled = 0;
    let mut wording = 0.0;
    let mut names: Vec<&str> = Vec::new();
    signs.periods = has_periods(looks, sample, row, profiles);
    signs.has_corner = !cells[0].kind.is_data();
    for (col, (look, profile)) in cells.iter().zip(profiles).enumerate() {
        if look.kind == Kind::Blank {
            continue;
        }
        let text = looks.text(at, first_col + col as u32).unwrap_or_default();
        let is_name = look.kind == Kind::Text && !text.is_empty();
        if look.kind == Kind::Text && !is_name {
            continue;
        }
        signs.filled += 1;
        if look.kind.is_data() {
            signs.data += 1;
        }
        if profile.is_data() {
            signs.data_columns += 1;
            if is_name || signs.periods {
                contrasts += 1;
            }
        }
        let alike =
            sample.column(col, body).filter(|below| below.kind != Kind::Blank && below.traits == look.traits);
        if profile.filled > 0 && alike.count() * 6 <= profile.filled {
            styled += 1;
            signs.bold_or_filled |= look.traits.bold || look.traits.fill != 0;
        }
        if is_name {
            signs.unique &= !names.contains(&text);
            names.push(text);
            wording += wording_of(looks, sample, text, col, body);
        }
    }
    let is_tall = |merge: &&CellRange| merge.height() > 1 && sample.range.contains_range(**merge);
    let tall = looks.merges_from(at).iter().filter(is_tall);
    let end = tall.clone().map(|merge| merge.end().row()).max().unwrap_or(at);
    let below = looks.merges_from(end + 1).iter().filter(is_tall).count();
    signs.merged = signs.filled > 1 && tall.count() * 5 >= signs.filled * 3 && below == 0;
    let share = |part: f32| if signs.filled == 0 { 0.0 } else { part / signs.filled as f32 };
    signs.style = share(styled as f32);
    signs.wording = share(wording);
    signs.contrast = if signs.data_columns == 0 { 0.0 } else { contrasts as f32 / signs.data_columns as f32 };
    signs
}

/// How much a text over texts reads like their name: -1 to 1.
fn wording_of(looks: &Looks<'_>, sample: &Sample, name: &str, col: usize, body: usize) -> f32 {
    let sheet_col = sample.range.start().col() + col as u32;
    let texts: Vec<&str> = sample.rows[body..]
        .iter()
        .filter_map(|row| looks.text(*row, sheet_col))
        .filter(|text| !text.is_empty())
        .collect();
    if texts.iter().any(|text| text.eq_ignore_ascii_case(name)) {
        return -1.0;
    }
    if is_header_word(name) {
        return 1.0;
    }
    if texts.len() < 3 {
        return 0.0;
    }
    let share = |test: &dyn Fn(&str) -> bool| {
        texts.iter().filter(|text| test(text)).count() as f32 / texts.len() as f32
    };
    let has_digit = |text: &str| text.bytes().any(|byte| byte.is_ascii_digit());
    let length = |text: &str| text.chars().count();
    let mut points: f32 = 0.0;
    if !has_digit(name) && share(&has_digit) >= 0.8 {
        points += 0.6;
    }
    if length(name) != length(texts[0]) && share(&|text| length(text) == length(texts[0])) == 1.0 {
        points += 0.4;
    }
    if share(&|text| length(text) >= 3 * length(name)) >= 0.7 {
        points += 0.4;
    }
    let mut distinct = texts.clone();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() * 2 <= texts.len() {
        points += 0.4;
    }
    points.min(1.0)
}

/// Whether the cells other than texts are years, dates or numbers in sequence over data of other sorts.
fn has_periods(looks: &Looks<'_>, sample: &Sample, row: usize, profiles: &[Profile]) -> bool {
    let at = sample.rows[row];
    let first_col = sample.range.start().col();
    let mut numbers: Vec<f64> = Vec::new();
    let mut named = 0;
    let mut clashes = 0;
    for ((look, profile), col) in sample.row(row).iter().zip(profiles).zip(first_col..) {
        match look.kind {
            Kind::Number | Kind::Date => {
                numbers.extend(looks.number(at, col));
                if look.kind == Kind::Date && profile.main == Kind::Date {
                    clashes += 1;
                }
            }
            Kind::Text if looks.text(at, col).is_some_and(is_period) => named += 1,
            Kind::Bool | Kind::Error => return false,
            Kind::Blank | Kind::Text => {}
        }
    }
    if clashes > 0 || numbers.len() + named < 2 {
        return false;
    }
    if numbers.is_empty() {
        return true;
    }
    let are_dates = sample.row(row).iter().all(|look| look.kind != Kind::Number);
    let are_years = numbers.iter().all(|number| number.fract() == 0.0 && (1900.0..=2100.0).contains(number));
    let step = numbers.get(1).map_or(1.0, |second| second - numbers[0]);
    let even = numbers.windows(2).all(|pair| pair[1] - pair[0] == step);
    let rising = step != 0.0 && numbers.windows(2).all(|pair| (pair[1] - pair[0]).signum() == step.signum());
    let has_corner = !sample.row(row)[0].kind.is_data();
    let counted =
        has_corner && numbers.len() >= 3 && even && step == 1.0 && (0.0..=1.0).contains(&numbers[0]);
    are_dates && rising || are_years && even && step.abs() <= 10.0 && step != 0.0 || counted
}
