//! Functions of ours in place of those of the library.
//!
//! Which ones, and why, is in `table`. Most are computed by IronCalc, one call at a time, on a sheet of its own (`scratch`); where
//! that differs from Excel as well, by code of ours (`exact`, and the tables of `join`, `operators`, `dates`, `referring`).

mod adjusted;
mod arguments;
mod convert;
mod dates;
mod delegate;
mod exact;
mod faults;
mod higher;
mod join;
mod operators;
mod r1c1;
mod referring;
mod scalar;
mod scratch;
mod spread;
mod suits;
mod table;
mod texts;
mod whole;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use formualizer_eval::function::Function;
use formualizer_eval::function_registry;

use crate::formualizer::intersect::bare_name;
use crate::formualizer::overrides::adjusted::{Lines, Replacing};
use crate::formualizer::overrides::delegate::Delegate;
use crate::formualizer::overrides::higher::Higher;
use crate::formualizer::overrides::join::Join;
use crate::formualizer::overrides::referring::Referring;
use crate::formualizer::overrides::scalar::Scalar;
use crate::formualizer::overrides::table::Rule;

pub(super) use faults::WATCHED;
pub(super) use higher::SPREAD;
pub(super) use join::OPERATOR as CONCATENATION;
pub(super) use r1c1::BY_LETTERS;
pub(super) use table::{FEW_COUNTIFS, SMALL_CELLS};

/// Which functions are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overrides {
    /// Those that Excel was seen to compute otherwise.
    #[default]
    Ours,
    /// None: the library as it comes.
    None,
}

impl Overrides {
    pub(super) fn get(self, name: &str) -> Option<Arc<dyn Function>> {
        match self {
            Overrides::Ours => {
                let ours = ours();
                ours.get(name).or_else(|| ours.get(bare_name(name).as_str())).cloned()
            }
            Overrides::None => None,
        }
    }

    /// Whether the library's own function is not to be used either.
    pub(super) fn refuses(self, name: &str) -> bool {
        let is_it = |refused: &&str| {
            let before = name.len().checked_sub(refused.len());
            before.is_some_and(|before| {
                let (prefix, rest) = name.as_bytes().split_at(before);
                rest.eq_ignore_ascii_case(refused.as_bytes()) && (prefix.is_empty() || prefix.ends_with(b"."))
            })
        };
        self == Overrides::Ours && table::REFUSED.iter().any(is_it)
    }
}

fn ours() -> &'static HashMap<&'static str, Arc<dyn Function>> {
    static OURS: OnceLock<HashMap<&'static str, Arc<dyn Function>>> = OnceLock::new();
    OURS.get_or_init(|| {
        formualizer_eval::builtins::load_builtins();
        let delegate = |(name, rule)| {
            let delegate: Arc<dyn Function> =
                Arc::new(Delegate::new(name, rule, function_registry::get("", name)));
            (name, delegate)
        };
        let mut ours: HashMap<&'static str, Arc<dyn Function>> = table::rules().map(delegate).collect();
        let own = function_registry::get("", "COUNTIFS");
        let few = Delegate::new("COUNTIFS", Rule::WhenSmall, own).without_index();
        ours.insert(FEW_COUNTIFS, Arc::new(few));
        ours.insert(WATCHED, Arc::new(faults::Watched));
        for name in higher::NAMES {
            ours.insert(name, Arc::new(Higher(name)));
        }
        for name in join::NAMES {
            ours.insert(name, Arc::new(Join(name)));
        }
        for (name, compute) in operators::OPERATORS.iter().chain(dates::PARTS).copied() {
            ours.insert(name, Arc::new(Scalar { name, compute, own: function_registry::get("", name) }));
        }
        let by_letters = Scalar { name: BY_LETTERS, compute: r1c1::by_letters, own: None };
        ours.insert(BY_LETTERS, Arc::new(by_letters));
        for name in referring::NAMES {
            if let Some(own) = function_registry::get("", name) {
                ours.insert(name, Arc::new(Referring { name, own }));
            }
        }
        for name in ["IFERROR", "IFNA"] {
            if let Some(own) = function_registry::get("", name) {
                ours.insert(name, Arc::new(Replacing { name, own }));
            }
        }
        for name in ["ROW", "COLUMN"] {
            if let Some(own) = function_registry::get("", name) {
                ours.insert(name, Arc::new(Lines { name, own }));
            }
        }
        ours
    })
}
