//! References through several sheets (`Jan:Mar!A1`), which the library does not compute: written out, sheet by sheet.

use analysis::formulas::Places;
use formualizer_parse::parser::{ASTNode, ASTNodeType, ReferenceType};
use workbook::SheetId;

/// Functions that take any number of references, to which several are the same as one through several sheets.
const TAKE_LISTS: &[&str] = &[
    "AVEDEV", "AVERAGE", "AVERAGEA", "CONCAT", "COUNT", "COUNTA", "DEVSQ", "GEOMEAN", "HARMEAN", "KURT",
    "MAX", "MAXA", "MEDIAN", "MIN", "MINA", "PRODUCT", "SKEW", "STDEV", "STDEV.P", "STDEV.S", "STDEVA",
    "STDEVP", "STDEVPA", "SUM", "SUMSQ", "VAR", "VAR.P", "VAR.S", "VARA", "VARP", "VARPA",
];

/// Functions that ask for the sheets alone.
const OF_SHEETS: &[&str] = &["SHEET", "SHEETS"];

/// Arguments that the references of a call may become.
const MAX_ARGUMENTS: usize = 1024;

/// Writes the arguments of a call that reach through several sheets as one for each of these. Returns whether there was such a one.
pub(super) fn spelled_out(name: &str, args: &mut Vec<ASTNode>, places: &Places<'_>) -> bool {
    if !args.iter().any(is_span) || !TAKE_LISTS.contains(&name) {
        return false;
    }
    let spelled: Option<Vec<Vec<ASTNode>>> = args.iter().map(|arg| each(arg, places)).collect();
    match spelled {
        Some(spelled) if spelled.iter().map(Vec::len).sum::<usize>() <= MAX_ARGUMENTS => {
            *args = spelled.into_iter().flatten().collect();
            true
        }
        // It is refused then.
        _ => false,
    }
}

/// Whether a reference through several sheets is left anywhere.
pub(super) fn has_span(node: &ASTNode) -> bool {
    match &node.node_type {
        ASTNodeType::Literal(_) | ASTNodeType::Omitted => false,
        ASTNodeType::Reference { .. } => is_span(node),
        ASTNodeType::UnaryOp { expr, .. } => has_span(expr),
        ASTNodeType::BinaryOp { left, right, .. } => has_span(left) || has_span(right),
        ASTNodeType::Array(rows) => rows.iter().flatten().any(has_span),
        ASTNodeType::Call { callee, args } => has_span(callee) || args.iter().any(has_span),
        ASTNodeType::Function { name, args } => {
            let asks_for_sheets = OF_SHEETS.iter().any(|known| name.to_ascii_uppercase().ends_with(known));
            args.iter().any(|arg| has_span(arg) && !(asks_for_sheets && is_span(arg)))
        }
    }
}

fn is_span(node: &ASTNode) -> bool {
    matches!(
        &node.node_type,
        ASTNodeType::Reference {
            reference: ReferenceType::Cell3D { .. } | ReferenceType::Range3D { .. },
            ..
        }
    )
}

/// An argument, or one for each sheet that it reaches through; `None` where a sheet is missing.
fn each(arg: &ASTNode, places: &Places<'_>) -> Option<Vec<ASTNode>> {
    let ASTNodeType::Reference { reference, .. } = &arg.node_type else { return Some(vec![arg.clone()]) };
    let (ReferenceType::Cell3D { sheet_first, sheet_last, .. }
    | ReferenceType::Range3D { sheet_first, sheet_last, .. }) = reference
    else {
        return Some(vec![arg.clone()]);
    };
    let (one, other) = (places.sheet_id(sheet_first)?, places.sheet_id(sheet_last)?);
    let on_each = (one.min(other).0..=one.max(other).0).map(|sheet| {
        let reference = on(reference, places.sheet_name(SheetId(sheet)));
        ASTNode::new(ASTNodeType::Reference { original: reference.to_excel_string(), reference }, None)
    });
    Some(on_each.collect())
}

/// The same cells on one sheet.
fn on(reference: &ReferenceType, sheet: &str) -> ReferenceType {
    let sheet = Some(sheet.to_owned());
    match reference.clone() {
        ReferenceType::Cell3D { row, col, row_abs, col_abs, .. } => {
            ReferenceType::cell_with_abs(sheet, row, col, row_abs, col_abs)
        }
        ReferenceType::Range3D {
            start_row,
            start_col,
            end_row,
            end_col,
            start_row_abs,
            start_col_abs,
            end_row_abs,
            end_col_abs,
            ..
        } => ReferenceType::range_with_abs(
            sheet,
            start_row,
            start_col,
            end_row,
            end_col,
            start_row_abs,
            start_col_abs,
            end_row_abs,
            end_col_abs,
        ),
        other => other,
    }
}
