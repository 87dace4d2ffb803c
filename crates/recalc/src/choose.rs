//! Which engine computes a workbook: the fastest of those that are known to reproduce Excel in all that it uses.

use crate::survey::Survey;

/// Reads that an engine without an index may take: about a second.
const MAX_READS: u64 = 20_000_000;

/// An engine within the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Native {
    /// With an index of dependencies: fast on large workbooks, and where little changes.
    Formualizer,
    /// Closest to Excel; computes everything, reads every cell.
    IronCalc,
}

impl Native {
    /// Its name, as answers tell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Native::Formualizer => "formualizer",
            Native::IronCalc => "ironcalc",
        }
    }

    /// The one that may compute what this one can't.
    pub const fn other(self) -> Native {
        match self {
            Native::Formualizer => Native::IronCalc,
            Native::IronCalc => Native::Formualizer,
        }
    }
}

/// An engine, and what is not known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The engine.
    pub engine: Native,
    /// Functions of the workbook that it is not known to compute as Excel does.
    pub unverified: Vec<Box<str>>,
}

impl Survey {
    /// An engine, with what is not known of it. `is_verified` is as for [`choose`].
    pub fn choice(&self, engine: Native, is_verified: &dyn Fn(Native, &str) -> bool) -> Choice {
        let unverified = self.functions.keys().filter(|name| !is_verified(engine, name)).cloned().collect();
        Choice { engine, unverified }
    }
}

/// Chooses. `is_verified` tells of an engine and a function whether it reproduces Excel.
pub fn choose(survey: &Survey, is_verified: &dyn Fn(Native, &str) -> bool) -> Choice {
    let fast = survey.choice(Native::Formualizer, is_verified);
    // It knows neither 1904 nor iterations, and looks at every cell of every range.
    let suits_exact = survey.reads <= MAX_READS && !survey.counts_from_1904 && !survey.iterates;
    if fast.unverified.is_empty() || !suits_exact {
        return fast;
    }
    let exact = survey.choice(Native::IronCalc, is_verified);
    let weight =
        |choice: &Choice| choice.unverified.iter().map(|name| survey.functions[name].max(1)).sum::<u64>();
    if weight(&exact) < weight(&fast) { exact } else { fast }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(functions: &[&str], change: impl Fn(&mut Survey), engine: Native, unverified: &[&str]) {
        let functions = functions.iter().map(|name| ((*name).into(), 1)).collect();
        let mut survey = Survey { functions, formulas: 1, ..Survey::default() };
        change(&mut survey);
        let verified = |engine: Native, name: &str| match engine {
            Native::Formualizer => name == "SUM",
            Native::IronCalc => matches!(name, "SUM" | "ROMAN"),
        };
        let choice = choose(&survey, &verified);
        let told: Vec<&str> = choice.unverified.iter().map(AsRef::as_ref).collect();
        assert_eq!((choice.engine, &told[..]), (engine, unverified));
    }

    #[test]
    fn the_fastest_engine_that_is_known_to_be_right() {
        check(&["SUM"], |_| (), Native::Formualizer, &[]);
        check(&["SUM", "ROMAN"], |_| (), Native::IronCalc, &[]);
        check(&["SUM", "ROMAN"], |survey| survey.reads = u64::MAX, Native::Formualizer, &["ROMAN"]);
        check(&["ROMAN"], |survey| survey.counts_from_1904 = true, Native::Formualizer, &["ROMAN"]);
        check(&["OTHER"], |_| (), Native::Formualizer, &["OTHER"]);
    }
}
