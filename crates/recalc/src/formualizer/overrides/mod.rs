//! Functions of ours in place of those of the library.

use std::sync::Arc;

use formualizer_eval::function::Function;

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
    pub(super) fn get(self, _name: &str) -> Option<Arc<dyn Function>> {
        None
    }
}
