//! From the text of a formula to what the engine takes: a tree in which names stand no more, only what they stand for.

use std::borrow::Cow;
use std::collections::HashMap;

use analysis::formulas::Places;
use formualizer_common::{ExcelError, ExcelErrorKind, LiteralValue};
use formualizer_parse::parser::{ASTNode, ASTNodeType, BinaryOperator, ReferenceType, parse};
use grid::{CellRef, MAX_COLS, MAX_ROWS};
use workbook::{FileFormat, SheetId};

use crate::engine::{Refusal, Source};
use crate::formualizer::context::Surroundings;
use crate::formualizer::corrected::{correct, is_enclosed};
use crate::formualizer::intersect::{bare_name, intersect, single};
use crate::formualizer::lambdas::write_out;
use crate::formualizer::overrides::Overrides;
use crate::formualizer::signature::Signatures;
use crate::formualizer::spans::{has_span, spelled_out};
use crate::linked::Linked;
use crate::outside::reaches_outside;
use crate::tables::addressed;
use crate::unknown::Unknown;

/// Names within names that are followed.
const MAX_NAME_DEPTH: usize = 16;
/// Nodes that the names of one formula may add to it.
const MAX_NAMED_NODES: usize = 20_000;

/// A formula as the engine takes it.
pub(super) struct Prepared {
    pub(super) tree: ASTNode,
    /// Whether the tree has the references of the text, in their order.
    pub(super) is_verbatim: bool,
}

/// Why a formula is not computed, and the function at fault.
pub(super) type Fault = (Refusal, Option<Box<str>>);

/// Prepares the formulas of one workbook.
pub(super) struct Preparer<'a> {
    pub(super) places: Places<'a>,
    surroundings: Surroundings,
    signatures: Signatures,
    /// Whether every name of the file is known, so that another one is an error for sure.
    knows_all_names: bool,
    functions: HashMap<String, bool>,
    unknown: Unknown<'a>,
    linked: Linked<'a>,
}

impl<'a> Preparer<'a> {
    pub(super) fn new(source: Source<'a>, surroundings: Surroundings) -> Preparer<'a> {
        Preparer {
            places: Places::new(source.book, source.sheets),
            surroundings,
            signatures: Signatures::new(),
            knows_all_names: matches!(
                source.book.format,
                FileFormat::Xlsx | FileFormat::Xlsm | FileFormat::Xltx | FileFormat::Xltm
            ),
            functions: HashMap::new(),
            unknown: Unknown::new(source),
            linked: Linked::new(source.book),
        }
    }

    /// Prepares the formula of a cell. `text` starts with `=`; `is_array` says that it was entered as an array formula, or that
    /// it spills.
    pub(super) fn prepare(
        &mut self,
        sheet: SheetId,
        at: CellRef,
        text: &str,
        is_array: bool,
    ) -> Result<Prepared, Fault> {
        let text = self.linked.written(text);
        let is_borrowed = matches!(text, Cow::Borrowed(_));
        if let Some(function) = reaches_outside(&text) {
            return Err((Refusal::Outside, function));
        }
        let written = addressed(&self.places, sheet, at, &text);
        let mut tree = parse(written.as_ref()).map_err(|_| (Refusal::Syntax, None))?;
        let mut names = Naming { preparer: self, sheet, at, depth: 0, added: 0, has_changed: false };
        names.walk(&mut tree)?;
        if has_span(&tree) {
            return Err((Refusal::Unsupported, None));
        }
        let mut is_verbatim = !names.has_changed && is_borrowed && matches!(written, Cow::Borrowed(_));
        is_verbatim &= !write_out(&mut tree)?;
        if !is_array {
            is_verbatim &= !intersect(&mut tree, at, &mut self.signatures);
        }
        if self.surroundings.overrides == Overrides::Ours {
            is_verbatim &= !correct(&mut tree, is_enclosed(&text), &mut self.signatures);
        }
        Ok(Prepared { tree, is_verbatim })
    }

    /// The copies of cells of other workbooks.
    pub(super) fn linked(&self) -> &Linked<'a> {
        &self.linked
    }

    fn knows(&mut self, name: &str) -> bool {
        if let Some(known) = self.functions.get(name) {
            return *known;
        }
        let known = self.surroundings.knows(name);
        self.functions.insert(name.to_owned(), known);
        known
    }
}

/// Replaces names within one formula.
struct Naming<'p, 'a> {
    preparer: &'p mut Preparer<'a>,
    sheet: SheetId,
    at: CellRef,
    depth: usize,
    added: usize,
    has_changed: bool,
}

impl Naming<'_, '_> {
    fn walk(&mut self, node: &mut ASTNode) -> Result<(), Fault> {
        match &mut node.node_type {
            ASTNodeType::Literal(_) | ASTNodeType::Omitted => Ok(()),
            ASTNodeType::Reference { reference: ReferenceType::NamedRange(name), .. } => {
                let name = name.clone();
                self.name(node, &name)
            }
            ASTNodeType::Reference { reference: ReferenceType::External(_), .. } => {
                Err((Refusal::Outside, None))
            }
            ASTNodeType::Reference { reference: ReferenceType::Table(table), .. } => {
                let name = table.name.clone();
                match table.specifier {
                    None => self.name(node, &name),
                    Some(_) => Err((Refusal::Syntax, None)),
                }
            }
            ASTNodeType::Reference { .. } => Ok(()),
            ASTNodeType::UnaryOp { expr, .. } => self.walk(expr),
            ASTNodeType::BinaryOp { op, left, right } => {
                self.walk(left)?;
                self.walk(right)?;
                if *op == BinaryOperator::Intersection
                    && let Some(common) = common_cells(left, right)
                {
                    node.node_type = common;
                    self.has_changed = true;
                }
                Ok(())
            }
            ASTNodeType::Call { callee, args } => {
                self.walk(callee)?;
                args.iter_mut().try_for_each(|arg| self.walk(arg))
            }
            ASTNodeType::Array(rows) => rows.iter_mut().flatten().try_for_each(|item| self.walk(item)),
            ASTNodeType::Function { .. } => self.call(node),
        }
    }

    fn call(&mut self, node: &mut ASTNode) -> Result<(), Fault> {
        let ASTNodeType::Function { name, args } = &mut node.node_type else { return Ok(()) };
        let bare = bare_name(name);
        eta(&bare, args);
        args.iter_mut().try_for_each(|arg| self.walk(arg))?;
        self.has_changed |= spelled_out(&bare, args, &self.preparer.places);
        if bare == "SINGLE" && args.len() == 1 {
            self.has_changed = true;
            *node = args.remove(0);
            single(node);
            return Ok(());
        }
        if bare.starts_with("_XLPM.") || self.preparer.knows(&bare) {
            return Ok(());
        }
        // A name that stands for a function of the workbook's own.
        if self.preparer.places.defined_name(self.sheet, name).is_some() {
            let args = std::mem::take(args);
            let written = name.clone();
            let mut callee = ASTNode::new(ASTNodeType::Omitted, None);
            self.name(&mut callee, &written)?;
            node.node_type = ASTNodeType::Call { callee: Box::new(callee), args };
            return Ok(());
        }
        if name.eq_ignore_ascii_case(&bare) && self.preparer.unknown.is_none(&bare) {
            self.has_changed = true;
            node.node_type = ASTNodeType::Literal(LiteralValue::Error(ExcelError::new(ExcelErrorKind::Name)));
            return Ok(());
        }
        Err((Refusal::UnknownFunction, Some(bare.into())))
    }

    /// Puts what a name stands for in place of it.
    fn name(&mut self, node: &mut ASTNode, written: &str) -> Result<(), Fault> {
        let is_parameter =
            |mark: &str| written.get(..mark.len()).is_some_and(|head| head.eq_ignore_ascii_case(mark));
        if is_parameter("_xlpm.") || is_parameter("_xlop.") {
            return Ok(());
        }
        let (sheet, name) = match written.rsplit_once('!') {
            None => (self.sheet, written),
            Some((prefix, name)) => match self.preparer.places.sheet_id(&grid::unquote(prefix)) {
                Some(sheet) => (sheet, name),
                None => return Err((Refusal::Outside, None)),
            },
        };
        self.has_changed = true;
        if let Some(defined) = self.preparer.places.defined_name(sheet, name) {
            let text = format!("={}", defined.refers_to.trim_start_matches('='));
            return self.inline(node, &text);
        }
        if let Some((home, table)) = self.preparer.places.table(name) {
            let area =
                analysis::formulas::Area { sheet: home, range: table.data_range().unwrap_or(table.range) };
            let text = format!("={}", absolute(&self.preparer.places.address(area)));
            return self.inline(node, &text);
        }
        if !self.preparer.knows_all_names {
            return Err((Refusal::Syntax, None));
        }
        node.node_type = ASTNodeType::Literal(LiteralValue::Error(ExcelError::new(ExcelErrorKind::Name)));
        Ok(())
    }

    fn inline(&mut self, node: &mut ASTNode, text: &str) -> Result<(), Fault> {
        if self.depth >= MAX_NAME_DEPTH {
            return Err((Refusal::Unsupported, None));
        }
        let text = self.preparer.linked.written(text);
        if let Some(function) = reaches_outside(&text) {
            return Err((Refusal::Outside, function));
        }
        let written = addressed(&self.preparer.places, self.sheet, self.at, &text);
        let mut tree = parse(written.as_ref()).map_err(|_| (Refusal::Syntax, None))?;
        self.added += relocated(&mut tree, self.at);
        if self.added > MAX_NAMED_NODES {
            return Err((Refusal::Unsupported, None));
        }
        self.depth += 1;
        self.walk(&mut tree)?;
        self.depth -= 1;
        *node = tree;
        Ok(())
    }
}

/// What two ranges of one sheet have in common, or `#NULL!`; `None` for what are no ranges.
fn common_cells(left: &ASTNode, right: &ASTNode) -> Option<ASTNodeType> {
    let bounds = |node: &ASTNode| match &node.node_type {
        ASTNodeType::Reference { reference: ReferenceType::Cell { sheet, row, col, .. }, .. } => {
            Some((sheet.clone(), (*row, *row), (*col, *col)))
        }
        ASTNodeType::Reference {
            reference: ReferenceType::Range { sheet, start_row, start_col, end_row, end_col, .. },
            ..
        } => {
            let rows = (start_row.unwrap_or(1), end_row.unwrap_or(MAX_ROWS));
            let cols = (start_col.unwrap_or(1), end_col.unwrap_or(MAX_COLS));
            Some((
                sheet.clone(),
                (rows.0.min(rows.1), rows.0.max(rows.1)),
                (cols.0.min(cols.1), cols.0.max(cols.1)),
            ))
        }
        _ => None,
    };
    let ((sheet, rows, cols), (other, other_rows, other_cols)) = (bounds(left)?, bounds(right)?);
    if sheet != other {
        return None;
    }
    let (top, bottom) = (rows.0.max(other_rows.0), rows.1.min(other_rows.1));
    let (first, last) = (cols.0.max(other_cols.0), cols.1.min(other_cols.1));
    if top > bottom || first > last {
        return Some(ASTNodeType::Literal(LiteralValue::Error(ExcelError::new(ExcelErrorKind::Null))));
    }
    let reference = match top == bottom && first == last {
        true => ReferenceType::cell_with_abs(sheet, top, first, true, true),
        false => ReferenceType::range_with_abs(
            sheet,
            Some(top),
            Some(first),
            Some(bottom),
            Some(last),
            true,
            true,
            true,
            true,
        ),
    };
    Some(ASTNodeType::Reference { original: reference.to_excel_string(), reference })
}

/// The address with `$` before every part, as a name's would be.
fn absolute(address: &str) -> String {
    let (sheet, cells) = address.rsplit_once('!').unwrap_or(("", address));
    let fixed = cells.split(':').filter_map(|corner| corner.parse::<CellRef>().ok());
    let fixed: Vec<String> =
        fixed.map(|corner| format!("${}${}", grid::column_letters(corner.col()), corner.row() + 1)).collect();
    format!("{sheet}!{}", fixed.join(":"))
}

/// Moves the relative references of a name to the cell that uses it: names count them from A1. Returns the size of the tree.
fn relocated(node: &mut ASTNode, at: CellRef) -> usize {
    let (rows, cols) = (at.row(), at.col());
    let row = |row: &mut u32, is_absolute: bool| {
        if !is_absolute {
            *row = (*row - 1 + rows) % MAX_ROWS + 1;
        }
    };
    let col = |col: &mut u32, is_absolute: bool| {
        if !is_absolute {
            *col = (*col - 1 + cols) % MAX_COLS + 1;
        }
    };
    let mut nodes = 1;
    match &mut node.node_type {
        ASTNodeType::Literal(_) | ASTNodeType::Omitted => {}
        ASTNodeType::Reference { reference, .. } => match reference {
            ReferenceType::Cell { row: r, col: c, row_abs, col_abs, .. }
            | ReferenceType::Cell3D { row: r, col: c, row_abs, col_abs, .. } => {
                row(r, *row_abs);
                col(c, *col_abs);
            }
            ReferenceType::Range {
                start_row,
                start_col,
                end_row,
                end_col,
                start_row_abs,
                start_col_abs,
                end_row_abs,
                end_col_abs,
                ..
            }
            | ReferenceType::Range3D {
                start_row,
                start_col,
                end_row,
                end_col,
                start_row_abs,
                start_col_abs,
                end_row_abs,
                end_col_abs,
                ..
            } => {
                for (value, is_absolute) in [(start_row, *start_row_abs), (end_row, *end_row_abs)] {
                    if let Some(value) = value {
                        row(value, is_absolute);
                    }
                }
                for (value, is_absolute) in [(start_col, *start_col_abs), (end_col, *end_col_abs)] {
                    if let Some(value) = value {
                        col(value, is_absolute);
                    }
                }
            }
            _ => {}
        },
        ASTNodeType::UnaryOp { expr, .. } => nodes += relocated(expr, at),
        ASTNodeType::BinaryOp { left, right, .. } => nodes += relocated(left, at) + relocated(right, at),
        ASTNodeType::Function { args, .. } => {
            nodes += args.iter_mut().map(|arg| relocated(arg, at)).sum::<usize>();
        }
        ASTNodeType::Call { callee, args } => {
            nodes += relocated(callee, at) + args.iter_mut().map(|arg| relocated(arg, at)).sum::<usize>();
        }
        ASTNodeType::Array(rows) => {
            nodes += rows.iter_mut().flatten().map(|item| relocated(item, at)).sum::<usize>();
        }
    }
    nodes
}

/// Writes functions that are handed over by name (`BYROW(A1:B9,SUM)`, stored as `_xleta.SUM`) as the `LAMBDA` that they stand for.
fn eta(name: &str, args: &mut [ASTNode]) {
    let parameters = match name {
        "REDUCE" | "SCAN" | "MAKEARRAY" => 2,
        "MAP" => args.len().saturating_sub(1),
        _ => 1,
    };
    for arg in args {
        let ASTNodeType::Reference { original, reference: ReferenceType::NamedRange(_) } = &arg.node_type
        else {
            continue;
        };
        let Some(function) = original.get(7..).filter(|_| original[..7].eq_ignore_ascii_case("_xleta."))
        else {
            continue;
        };
        let parameter = |index: usize| {
            let name = format!("_xlpm.eta{index}");
            let reference = ReferenceType::NamedRange(name.clone());
            ASTNode::new(ASTNodeType::Reference { original: name, reference }, None)
        };
        let names: Vec<ASTNode> = (0..parameters).map(parameter).collect();
        let body = ASTNodeType::Function { name: function.to_owned(), args: names.clone() };
        let args = names.into_iter().chain([ASTNode::new(body, None)]).collect();
        arg.node_type = ASTNodeType::Function { name: "LAMBDA".to_owned(), args };
    }
}
