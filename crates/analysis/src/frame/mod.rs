//! A table as columns: which cells hold it ([`TableView`]), and filters, order and pages over it ([`Query`]).
//!
//! Nothing is copied out of the model: a query scans the columns it filters or sorts by, chunk by chunk, and answers
//! with row numbers; values are read when asked for. A page of an unfiltered, unsorted table costs its own cells
//! only, whatever the table's size.

pub(crate) mod condition;
mod order;
mod query;
pub(crate) mod scan;
mod selection;
mod view;

pub use condition::{Condition, Scalar};
pub use query::{Filter, Query, QueryError, Rows, Sample, SortKey, run};
pub(crate) use scan::slices;
pub use view::{NoSuchColumn, TableView, ViewColumn};
