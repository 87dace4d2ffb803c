//! Formula text, as it stands in the `<f>` elements of a sheet (en-US syntax, ECMA-376 Part 1 §18.17): lexing it
//! without loss, moving its references, comparing formulas by their R1C1 form, and listing what they refer to.
//!
//! One leading `=` is accepted everywhere and kept where text is given back.
//!
//! **Invariants.** [`lex`] is total and lossless: it never fails on any input, and its tokens put end to end are
//! the input. It takes linear time and no recursion, so a hostile nesting costs nothing. Every reference that it
//! recognises lies inside the grid; what only looks like one is a name.
//!
//! **What this crate must never know:** workbooks, whether a sheet, a name or a table exists, what a formula
//! evaluates to.

mod constants;
mod future;
mod group;
mod grow;
mod lexer;
mod mention;
mod prefix;
mod r1c1;
mod reach;
mod reference;
mod relocate;
mod restructure;
mod shared;
mod slot;
mod spill;
mod structured;
mod survey;
mod syntax;
mod table_columns;
mod table_names;
mod token;

pub use constants::{Constant, hardcoded_constants};
pub use future::{is_marked, to_stored};
pub use group::stays_shared;
pub use grow::grow_ranges;
pub use lexer::{Lexer, lex};
pub use mention::{Mention, Mentions, NamedReference, Target, references};
pub use prefix::{SheetPrefix, Sheets};
pub use r1c1::{PatternKey, pattern_key, to_r1c1};
pub use reach::{REACHING, Reach, reaches_out};
pub use reference::{Axis, Corner, RefKind, Reference};
pub use relocate::{Relocation, lose_sheet, relocate};
pub use restructure::{Change, Resize, rename_sheet, resize};
pub use shared::{SharedFormula, shift};
pub use slot::Direction;
pub use spill::spills;
pub use structured::{StructuredReference, TableRows};
pub use survey::{FunctionCall, Shape, functions, has_lost_reference, is_volatile, reads_other_book, shape};
pub use syntax::{SyntaxError, check_syntax};
pub use table_columns::{LostColumns, lose_columns};
pub use table_names::{qualify, rename_table, rename_table_column};
pub use token::{Operator, Separator, Token, TokenKind};
