//! What the engine asks of its surroundings: functions. Cells, names and tables are all its own.

use std::sync::Arc;

use formualizer_common::{ExcelError, ExcelErrorKind, LiteralValue};
use formualizer_eval::function::Function;
use formualizer_eval::function_registry;
use formualizer_eval::traits::{
    EvaluationContext, FunctionProvider, NamedRangeResolver, Range, RangeResolver, ReferenceResolver,
    Resolver, SourceResolver, Table, TableResolver,
};
use formualizer_parse::parser::TableReference;

use crate::formualizer::overrides::Overrides;

/// Where functions come from: ours before those of the library.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings {
    pub(super) overrides: Overrides,
}

impl Surroundings {
    /// Whether a function exists, by its name in capitals and without marks.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.get_function("", name).is_some()
    }
}

impl FunctionProvider for Surroundings {
    fn get_function(&self, namespace: &str, name: &str) -> Option<Arc<dyn Function>> {
        let own = || match self.overrides.refuses(name) {
            true => None,
            false => function_registry::get(namespace, name),
        };
        self.overrides.get(name).or_else(own)
    }

    fn get_function_for_planning(&self, namespace: &str, name: &str) -> Option<Arc<dyn Function>> {
        self.overrides.get(name).or_else(|| function_registry::get_for_planning(namespace, name))
    }

    fn planning_semantic_revision(&self) -> Option<u64> {
        Some(0)
    }
}

fn missing<T>() -> Result<T, ExcelError> {
    Err(ExcelError::new(ExcelErrorKind::Ref))
}

impl ReferenceResolver for Surroundings {
    fn resolve_cell_reference(&self, _: Option<&str>, _: u32, _: u32) -> Result<LiteralValue, ExcelError> {
        missing()
    }
}

impl RangeResolver for Surroundings {
    fn resolve_range_reference(
        &self,
        _: Option<&str>,
        _: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
    ) -> Result<Box<dyn Range>, ExcelError> {
        missing()
    }
}

impl NamedRangeResolver for Surroundings {
    fn resolve_named_range_reference(&self, _: &str) -> Result<Vec<Vec<LiteralValue>>, ExcelError> {
        Err(ExcelError::new(ExcelErrorKind::Name))
    }
}

impl TableResolver for Surroundings {
    fn resolve_table_reference(&self, _: &TableReference) -> Result<Box<dyn Table>, ExcelError> {
        missing()
    }
}

impl SourceResolver for Surroundings {}
impl Resolver for Surroundings {}
impl EvaluationContext for Surroundings {}
