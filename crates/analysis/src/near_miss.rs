//! What a caller may have meant by a name that does not exist.

/// How many near misses are offered.
const OFFERED: usize = 5;

/// Names that resemble less are not offered.
const ALIKE: f64 = 0.75;

/// The known names that `wanted` may have meant, best first: those that resemble it or contain it.
pub fn near_misses<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let mut scored: Vec<(f64, &str)> = known
        .into_iter()
        .map(|name| (resemblance(&wanted, &name.to_lowercase()), name))
        .filter(|(score, _)| *score >= ALIKE)
        .collect();
    scored.sort_by(|(left_score, left), (right_score, right)| {
        right_score.total_cmp(left_score).then_with(|| left.cmp(right))
    });
    scored.dedup_by(|(_, left), (_, right)| left == right);
    scored.into_iter().take(OFFERED).map(|(_, name)| name.to_owned()).collect()
}

/// From 0 (nothing in common) to 1 (equal); a name that contains the other resembles it well. Both in lower case.
pub(crate) fn resemblance(wanted: &str, name: &str) -> f64 {
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
        check("SALES", &["Sales 2024", "Costs", "Sales 2024"], &["Sales 2024"]);
        check("zzz", &["workbook", "range"], &[]);
    }
}
