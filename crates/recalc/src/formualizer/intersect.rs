//! Implicit intersection: what a formula means that was not entered as an array formula.
//!
//! Before dynamic arrays, `=A1:A9*2` in row 3 meant `=A3*2`, and files still mean that wherever a formula is not stored as an
//! array formula. The engine computes arrays unless told otherwise, so the operator `@` is put where Excel would show it.

use formualizer_common::{ExcelError, ExcelErrorKind, LiteralValue};
use formualizer_parse::parser::{ASTNode, ASTNodeType, BinaryOperator, ReferenceType, UnaryOperator};

use grid::{CellRef, MAX_COLS, MAX_ROWS};

use crate::formualizer::signature::{Meant, Signatures};

/// Puts `@` wherever several cells stand in place of one. Returns whether there was such a place.
pub(super) fn intersect(node: &mut ASTNode, at: CellRef, signatures: &mut Signatures) -> bool {
    let mut walk = Walk { signatures, at, has_changed: false };
    if walk.meant(node, Meant::Value) {
        single(node);
        walk.has_changed = true;
    }
    walk.has_changed
}

/// The name of a function in capitals, without the marks of newer ones.
pub(super) fn bare_name(written: &str) -> String {
    let mut name = written.to_ascii_uppercase();
    while let Some(rest) =
        ["_XLFN.", "_XLWS.", "_XLUDF.", "_XLL."].iter().find_map(|mark| name.strip_prefix(mark))
    {
        name = rest.to_owned();
    }
    name
}

/// Puts `@` before a node.
pub(super) fn single(node: &mut ASTNode) {
    let inner = std::mem::replace(node, ASTNode::new(ASTNodeType::Omitted, None));
    node.contains_volatile = inner.contains_volatile;
    node.node_type = ASTNodeType::UnaryOp { op: UnaryOperator::ImplicitIntersection, expr: Box::new(inner) };
}

struct Walk<'a> {
    signatures: &'a mut Signatures,
    /// Where the formula is.
    at: CellRef,
    has_changed: bool,
}

impl Walk<'_> {
    /// Takes a node as it is meant. Returns whether it still may yield several values.
    fn meant(&mut self, node: &mut ASTNode, meant: Meant) -> bool {
        let is_cells = match &mut node.node_type {
            ASTNodeType::Literal(LiteralValue::Array(_)) | ASTNodeType::Array(_) => return true,
            ASTNodeType::Literal(_) | ASTNodeType::Omitted => return false,
            ASTNodeType::Reference { reference, .. } => {
                matches!(reference, ReferenceType::Range { .. } | ReferenceType::Table(_))
            }
            ASTNodeType::UnaryOp { op: UnaryOperator::Spill, .. } => true,
            ASTNodeType::UnaryOp { op: UnaryOperator::ImplicitIntersection, expr } => {
                self.meant(expr, Meant::Cells);
                return false;
            }
            ASTNodeType::UnaryOp { expr, .. } => return self.meant(expr, within(meant)),
            ASTNodeType::BinaryOp { op, left, right } => match op {
                BinaryOperator::Range | BinaryOperator::Union | BinaryOperator::Intersection => {
                    self.meant(left, Meant::Cells);
                    self.meant(right, Meant::Cells);
                    // Areas are no cells that could be picked from.
                    *op != BinaryOperator::Union
                }
                _ => {
                    let left = self.meant(left, within(meant));
                    return self.meant(right, within(meant)) || left;
                }
            },
            ASTNodeType::Function { name, args } => {
                let name = bare_name(name);
                return match self.call(&name, args, meant) {
                    Yield::One => false,
                    Yield::Array => true,
                    Yield::Cells if meant == Meant::Value => {
                        single(node);
                        self.has_changed = true;
                        false
                    }
                    Yield::Cells => true,
                };
            }
            ASTNodeType::Call { .. } => return true,
        };
        if is_cells && meant == Meant::Value {
            self.has_changed = true;
            match beside(node, self.at) {
                Some(cell) => node.node_type = cell,
                None => single(node),
            }
            return false;
        }
        is_cells
    }

    fn call(&mut self, name: &str, args: &mut [ASTNode], meant: Meant) -> Yield {
        // What they are about are parameters; no formula of old has them.
        if matches!(name, "LET" | "LAMBDA" | "MAKEARRAY" | "MAP" | "REDUCE" | "SCAN" | "BYROW" | "BYCOL") {
            return if name == "REDUCE" { Yield::One } else { Yield::Array };
        }
        if let Some(first_result) = results_from(name) {
            let mut is_many = false;
            for (index, arg) in args.iter_mut().enumerate() {
                let is_result = index >= first_result
                    && (name != "IFS" || index % 2 == 1)
                    && (name != "SWITCH" || index % 2 == 0);
                match is_result {
                    true => is_many |= self.meant(arg, meant),
                    false => is_many |= self.meant(arg, Meant::Value),
                }
            }
            return if is_many { Yield::Array } else { Yield::One };
        }
        let signature = self.signatures.of(name, args.len());
        let mut is_many = false;
        for (arg, wanted) in args.iter_mut().zip(&signature.arguments) {
            let wanted = match (*wanted, meant) {
                (Meant::Value, Meant::Array) => Meant::Array,
                (wanted, _) => wanted,
            };
            is_many |= self.meant(arg, wanted) && wanted != Meant::Cells;
        }
        match signature.yields_many {
            true => Yield::Cells,
            // Its values are computed one by one where an array was handed in for one.
            false if is_many && signature.arguments.contains(&Meant::Value) => Yield::Array,
            false => Yield::One,
        }
    }
}

/// The cell of a range that is beside the formula, or `#VALUE!`; `None` for what is no range.
fn beside(node: &ASTNode, at: CellRef) -> Option<ASTNodeType> {
    let ASTNodeType::Reference { reference, .. } = &node.node_type else { return None };
    let ReferenceType::Range {
        sheet,
        start_row,
        start_col,
        end_row,
        end_col,
        start_row_abs,
        start_col_abs,
        end_row_abs,
        end_col_abs,
    } = reference
    else {
        return None;
    };
    let along = |first: Option<u32>, last: Option<u32>, is_fixed: (bool, bool), own: u32, size: u32| {
        let (first, last) = (first.unwrap_or(1), last.unwrap_or(size));
        let (low, high) = (first.min(last), first.max(last));
        match low == high {
            true => Some((low, is_fixed.0 && is_fixed.1)),
            false => (low..=high).contains(&own).then_some((own, false)),
        }
    };
    let row = along(*start_row, *end_row, (*start_row_abs, *end_row_abs), at.row() + 1, MAX_ROWS);
    let col = along(*start_col, *end_col, (*start_col_abs, *end_col_abs), at.col() + 1, MAX_COLS);
    let (Some((row, row_abs)), Some((col, col_abs))) = (row, col) else {
        return Some(ASTNodeType::Literal(LiteralValue::Error(ExcelError::new(ExcelErrorKind::Value))));
    };
    let cell = ReferenceType::Cell { sheet: sheet.clone(), row, col, row_abs, col_abs };
    Some(ASTNodeType::Reference { original: cell.to_excel_string(), reference: cell })
}

/// What a call yields.
enum Yield {
    One,
    Array,
    Cells,
}

/// How operands are meant where the operation is meant so.
fn within(meant: Meant) -> Meant {
    if meant == Meant::Array { Meant::Array } else { Meant::Value }
}

/// The first argument that the function may yield as it is.
fn results_from(name: &str) -> Option<usize> {
    match name {
        "IF" | "CHOOSE" | "IFS" => Some(1),
        "IFERROR" | "IFNA" => Some(0),
        "SWITCH" => Some(2),
        _ => None,
    }
}
