//! What a caller may have meant by a name that does not exist.

/// How many near misses an error offers.
const OFFERED: usize = 5;

/// Names that resemble less are not offered.
const ALIKE: f64 = 0.75;

/// The known names that `wanted` may have meant, best first: those that resemble it or contain it.
pub fn near_misses<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    ranked(wanted, known.into_iter().map(|name| (name, name)))
}

/// As [`near_misses`], for paths: folders and extensions are left out of the comparison.
pub fn near_paths<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    ranked(file_stem(wanted), known.into_iter().map(|path| (file_stem(path), path)))
}

fn file_stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

fn ranked<'a>(wanted: &str, known: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let wanted_folded = wanted.to_lowercase();
    let mut scored: Vec<(f64, &str)> = known
        .map(|(compared, name)| (resemblance(&wanted_folded, &compared.to_lowercase()), name))
        .filter(|(score, _)| *score >= ALIKE)
        .collect();
    scored.sort_by(|(left_score, left), (right_score, right)| {
        right_score.total_cmp(left_score).then_with(|| left.cmp(right))
    });
    scored.into_iter().take(OFFERED).map(|(_, name)| name.to_owned()).collect()
}

/// From 0 (nothing in common) to 1 (equal); a name that contains the other resembles it well.
fn resemblance(wanted: &str, name: &str) -> f64 {
    let spelled_alike = strsim::jaro_winkler(wanted, name);
    let contained = wanted.len() >= 3 && (name.contains(wanted) || wanted.contains(name) && name.len() >= 3);
    if contained { spelled_alike.max(0.9) } else { spelled_alike }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(wanted: &str, known: &[&str], expected: &[&str]) {
        assert_eq!(near_misses(wanted, known.iter().copied()), expected);
    }

    #[test]
    fn misspelled_partial_and_unrelated_names() {
        check("workbok", &["workbook", "range", "limit"], &["workbook"]);
        check("SALES", &["Sales 2024", "Costs"], &["Sales 2024"]);
        check("ledger", &["reports/ledger.xlsx", "model.xlsx"], &["reports/ledger.xlsx"]);
        check("zzz", &["workbook", "range"], &[]);
        let paths = ["model.xlsx", "reports/ledger.xlsx"];
        assert_eq!(near_paths("leger.xlsx", paths), ["reports/ledger.xlsx"]);
    }
}
