//! What a caller may have meant by a path that does not exist.

pub use analysis::near_miss::near_misses;

/// As [`near_misses`], for paths: folders and extensions are left out of the comparison.
pub fn near_paths<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let known: Vec<&str> = known.into_iter().collect();
    let stems = near_misses(file_stem(wanted), known.iter().map(|path| file_stem(path)));
    let paths = |stem: &String| {
        known.iter().filter(|path| file_stem(path) == stem).map(ToString::to_string).collect()
    };
    stems.iter().flat_map(|stem| -> Vec<String> { paths(stem) }).take(OFFERED).collect()
}

/// How many paths are offered.
const OFFERED: usize = 5;

fn file_stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_compared_by_their_file_names() {
        let paths = ["model.xlsx", "reports/ledger.xlsx", "ledger.csv"];
        assert_eq!(near_paths("leger.xlsx", paths), ["reports/ledger.xlsx", "ledger.csv"]);
        assert!(near_paths("zzz.xlsx", paths).is_empty());
    }
}
