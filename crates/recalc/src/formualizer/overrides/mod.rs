//! Functions of ours in place of those of the library.
//!
//! Which ones, and why, is in `table`. They are computed by IronCalc, one call at a time, on a sheet of its own (`scratch`).

mod adjusted;
mod arguments;
mod delegate;
mod higher;
mod scratch;
mod table;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use formualizer_eval::function::Function;
use formualizer_eval::function_registry;

use crate::formualizer::intersect::bare_name;
use crate::formualizer::overrides::adjusted::{Lines, Replacing};
use crate::formualizer::overrides::delegate::Delegate;
use crate::formualizer::overrides::higher::Higher;

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
        for name in higher::NAMES {
            ours.insert(name, Arc::new(Higher(name)));
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
