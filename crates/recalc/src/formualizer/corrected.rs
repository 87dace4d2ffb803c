//! What a formula says, written so that the library computes it as Excel does: operators whose results differ become calls of
//! functions of ours, and conditions of `SUMIFS` and its like that are arrays are taken one by one.

use formualizer_common::{ExcelError, ExcelErrorKind, LiteralValue};
use formualizer_parse::parser::{ASTNode, ASTNodeType, BinaryOperator, ReferenceType, UnaryOperator};
use formula::TokenKind;
use grid::{MAX_COLS, MAX_ROWS};

use crate::formualizer::intersect::bare_name;
use crate::formualizer::overrides::{BY_LETTERS, CONCATENATION, FEW_COUNTIFS, SMALL_CELLS, SPREAD, WATCHED};
use crate::formualizer::signature::{Meant, Signatures};

/// Corrects a formula, which `is_enclosed` in parentheses or not. Returns whether its references are others, or in another order, than
/// they were.
pub(super) fn correct(tree: &mut ASTNode, is_enclosed: bool, signatures: &mut Signatures) -> bool {
    let mut walk = Walk { signatures, spread: 0, has_moved: false };
    walk.node(tree);
    if !is_enclosed {
        close_to_zero(tree);
    }
    watch(tree);
    walk.has_moved
}

struct Walk<'a> {
    signatures: &'a mut Signatures,
    /// Conditions that were taken apart so far.
    spread: usize,
    has_moved: bool,
}

impl Walk<'_> {
    fn node(&mut self, node: &mut ASTNode) {
        match &mut node.node_type {
            ASTNodeType::Literal(_) | ASTNodeType::Omitted | ASTNodeType::Reference { .. } => {}
            ASTNodeType::UnaryOp { expr, .. } => self.node(expr),
            ASTNodeType::BinaryOp { left, right, .. } => {
                self.node(left);
                self.node(right);
                operator(node);
            }
            ASTNodeType::Array(rows) => rows.iter_mut().flatten().for_each(|item| self.node(item)),
            ASTNodeType::Call { callee, args } => {
                self.node(callee);
                args.iter_mut().for_each(|arg| self.node(arg));
            }
            ASTNodeType::Function { name, args } => {
                args.iter_mut().for_each(|arg| self.node(arg));
                let name = bare_name(name);
                if OF_ANY_CELLS.contains(&name.as_str()) {
                    self.has_moved |= apart(args);
                }
                if name == "IF"
                    && let Some(condition) = args.first_mut()
                {
                    truth(condition);
                }
                match name.as_str() {
                    "INDIRECT" => by_letters(args),
                    // A row or column before the first.
                    "INDEX" if args.iter().skip(1).any(is_negative) => {
                        self.fault(node);
                        return;
                    }
                    _ => {}
                }
                if let Some(conditions) = conditions(&name, args.len()) {
                    self.conditions(node, &name, conditions);
                }
            }
        }
    }

    fn fault(&mut self, node: &mut ASTNode) {
        node.node_type = ASTNodeType::Literal(LiteralValue::Error(ExcelError::new(ExcelErrorKind::Value)));
        self.has_moved = true;
    }

    /// Refuses ranges of different sizes, and takes conditions that are arrays one by one.
    fn conditions(&mut self, node: &mut ASTNode, name: &str, conditions: Vec<usize>) {
        let ASTNodeType::Function { name: written, args } = &mut node.node_type else { return };
        if name.ends_with("IFS") {
            let ranges = (0..args.len()).filter(|index| !conditions.contains(index));
            let mut sizes = ranges.filter_map(|index| size(&args[index]));
            let first = sizes.next();
            if sizes.any(|size| Some(size) != first) {
                return self.fault(node);
            }
        }
        if name == "COUNTIFS" && has_few_cells(args, &conditions) {
            FEW_COUNTIFS.clone_into(written);
        }
        let mut arrays = Vec::new();
        let mut names = Vec::new();
        for index in conditions {
            if self.may_be_several(&args[index]) {
                self.spread += 1;
                let name = format!("_xlpm.condition~{}", self.spread);
                let reference = ReferenceType::NamedRange(name.clone());
                let parameter = ASTNode::new(ASTNodeType::Reference { original: name, reference }, None);
                arrays.push(std::mem::replace(&mut args[index], parameter.clone()));
                names.push(parameter);
            }
        }
        if arrays.is_empty() {
            return;
        }
        self.has_moved = true;
        let inner = std::mem::replace(node, ASTNode::new(ASTNodeType::Omitted, None));
        node.contains_volatile = inner.contains_volatile;
        let args = arrays.into_iter().chain(names).chain([inner]).collect();
        node.node_type = ASTNodeType::Function { name: SPREAD.to_owned(), args };
    }

    /// Whether a node may yield several values.
    fn may_be_several(&mut self, node: &ASTNode) -> bool {
        match &node.node_type {
            ASTNodeType::Literal(LiteralValue::Array(_)) | ASTNodeType::Array(_) => true,
            ASTNodeType::Literal(_) | ASTNodeType::Omitted => false,
            // What a parameter stands for is not known here.
            ASTNodeType::Reference { reference, .. } => !matches!(reference, ReferenceType::Cell { .. }),
            ASTNodeType::UnaryOp { op: UnaryOperator::ImplicitIntersection, .. } => false,
            ASTNodeType::UnaryOp { op: UnaryOperator::Spill, .. } | ASTNodeType::Call { .. } => true,
            ASTNodeType::UnaryOp { expr, .. } => self.may_be_several(expr),
            ASTNodeType::BinaryOp {
                op: BinaryOperator::Range | BinaryOperator::Union | BinaryOperator::Intersection,
                ..
            } => true,
            ASTNodeType::BinaryOp { left, right, .. } => {
                self.may_be_several(left) || self.may_be_several(right)
            }
            ASTNodeType::Function { name, args } => {
                let name = bare_name(name);
                if name == CONCATENATION || matches!(name.as_str(), "IF" | "IFERROR" | "IFNA" | "^") {
                    return args.iter().any(|arg| self.may_be_several(arg));
                }
                let signature = self.signatures.of(&name, args.len());
                signature.yields_many
                    || args
                        .iter()
                        .zip(&signature.arguments)
                        .any(|(arg, meant)| *meant == Meant::Value && self.may_be_several(arg))
            }
        }
    }
}

/// Which arguments of a function are conditions; `None` for a function without any.
pub(super) fn conditions(name: &str, arguments: usize) -> Option<Vec<usize>> {
    match name {
        "COUNTIF" | "SUMIF" | "AVERAGEIF" if arguments > 1 => Some(vec![1]),
        "COUNTIFS" => Some((1..arguments).step_by(2).collect()),
        "SUMIFS" | "AVERAGEIFS" | "MAXIFS" | "MINIFS" => Some((2..arguments).step_by(2).collect()),
        _ => None,
    }
}

/// Whether the ranges that conditions are about have so few cells that no index of them pays.
fn has_few_cells(args: &[ASTNode], conditions: &[usize]) -> bool {
    let ranges = (0..args.len()).filter(|index| !conditions.contains(index));
    let cells = ranges.map(|index| size(&args[index]).map(|(rows, cols)| u64::from(rows) * u64::from(cols)));
    cells.sum::<Option<u64>>().is_some_and(|cells| cells < SMALL_CELLS)
}

/// Lets the library index the ranges of `SUMIF` and its like only as long as the cells that are added up have no errors.
fn watch(tree: &mut ASTNode) {
    let ASTNodeType::Function { name, args } = &mut tree.node_type else { return };
    let (added, condition) = match (bare_name(name).as_str(), args.len()) {
        ("SUMIF" | "AVERAGEIF", 2) => (0, 1),
        ("SUMIF" | "AVERAGEIF", 3) => (2, 1),
        ("SUMIFS" | "AVERAGEIFS", 3..) => (0, 2),
        _ => return,
    };
    // Others than columns that are the same for all formulas it does not index.
    let ASTNodeType::Reference {
        reference:
            ReferenceType::Range {
                sheet,
                start_row,
                start_col: Some(first),
                end_row,
                end_col: Some(last),
                start_row_abs,
                start_col_abs: true,
                end_row_abs,
                end_col_abs: true,
            },
        ..
    } = &args[added].node_type
    else {
        return;
    };
    let is_fixed = (start_row.is_none() || *start_row_abs) && (end_row.is_none() || *end_row_abs);
    if !is_fixed || first != last {
        return;
    }
    let literal = |value: LiteralValue| ASTNode::new(ASTNodeType::Literal(value), None);
    let lines = [start_row.unwrap_or(0), *first, end_row.unwrap_or(0), *last];
    let sheet = literal(LiteralValue::Text(sheet.clone().unwrap_or_default()));
    let watched = std::mem::replace(&mut args[condition], ASTNode::new(ASTNodeType::Omitted, None));
    let contains_volatile = watched.contains_volatile;
    let lines = lines.into_iter().map(|line| literal(LiteralValue::Number(f64::from(line))));
    let arguments = [watched].into_iter().chain(lines).chain([sheet]).collect();
    args[condition].contains_volatile = contains_volatile;
    args[condition].node_type = ASTNodeType::Function { name: WATCHED.to_owned(), args: arguments };
}

/// The rows and columns of a reference, as far as it is one.
fn size(node: &ASTNode) -> Option<(u32, u32)> {
    let ASTNodeType::Reference { reference, .. } = &node.node_type else { return None };
    match reference {
        ReferenceType::Cell { .. } => Some((1, 1)),
        ReferenceType::Range { start_row, start_col, end_row, end_col, .. } => {
            let along = |first: &Option<u32>, last: &Option<u32>, all: u32| {
                first.unwrap_or(1).abs_diff(last.unwrap_or(all)) + 1
            };
            Some((along(start_row, end_row, MAX_ROWS), along(start_col, end_col, MAX_COLS)))
        }
        _ => None,
    }
}

/// Takes a condition that is written as a text for the boolean.
fn truth(condition: &mut ASTNode) {
    if let ASTNodeType::Literal(value) = &mut condition.node_type
        && let LiteralValue::Text(text) = value
    {
        for (written, truth) in [("true", true), ("false", false)] {
            if text.eq_ignore_ascii_case(written) {
                *value = LiteralValue::Boolean(truth);
                return;
            }
        }
    }
}

/// Lets `INDIRECT` have the address by letters, whichever it is written in: the library knows these alone.
fn by_letters(args: &mut Vec<ASTNode>) {
    let truth = ASTNode::new(ASTNodeType::Literal(LiteralValue::Boolean(true)), None);
    match args.as_slice() {
        [_] => args.push(truth),
        [_, _] => {}
        _ => return,
    }
    let call = |name: &str, args: Vec<ASTNode>| {
        ASTNode::new(ASTNodeType::Function { name: name.to_owned(), args }, None)
    };
    // What is written by numbers may count them from the formula's own cell.
    let address = args.drain(..).chain([call("ROW", Vec::new()), call("COLUMN", Vec::new())]).collect();
    args.push(call(BY_LETTERS, address));
}

/// Functions that take any number of ranges, so that several in parentheses mean the same as several arguments.
const OF_ANY_CELLS: &[&str] = &[
    "AVERAGE", "AVERAGEA", "COUNT", "COUNTA", "DEVSQ", "GEOMEAN", "HARMEAN", "KURT", "MAX", "MAXA", "MEDIAN",
    "MIN", "MINA", "PRODUCT", "SKEW", "STDEV", "STDEV.P", "STDEV.S", "STDEVP", "SUM", "SUMSQ", "VAR",
    "VAR.P", "VAR.S", "VARP",
];

/// Takes ranges in parentheses (`SUM((A1:A2,C1))`) apart. Returns whether there were some.
fn apart(args: &mut Vec<ASTNode>) -> bool {
    fn take(node: ASTNode, into: &mut Vec<ASTNode>) {
        match node.node_type {
            ASTNodeType::BinaryOp { op: BinaryOperator::Union, left, right } => {
                take(*left, into);
                take(*right, into);
            }
            _ => into.push(node),
        }
    }
    let is_union =
        |arg: &ASTNode| matches!(arg.node_type, ASTNodeType::BinaryOp { op: BinaryOperator::Union, .. });
    if !args.iter().any(is_union) {
        return false;
    }
    let before = std::mem::take(args);
    before.into_iter().for_each(|arg| take(arg, args));
    true
}

/// Makes a call of an operator that the library computes otherwise.
fn operator(node: &mut ASTNode) {
    let ASTNodeType::BinaryOp { op, left, right } = &mut node.node_type else { return };
    let is_beyond_ascii = |node: &ASTNode| matches!(&node.node_type, ASTNodeType::Literal(LiteralValue::Text(text)) if !text.is_ascii());
    let name = match op {
        BinaryOperator::Concat => CONCATENATION,
        BinaryOperator::Power if !(is_nonzero(left) || is_positive(right)) => "^",
        BinaryOperator::Equal
        | BinaryOperator::NotEqual
        | BinaryOperator::Less
        | BinaryOperator::Greater
        | BinaryOperator::LessEqual
        | BinaryOperator::GreaterEqual
            if is_beyond_ascii(left)
                || is_beyond_ascii(right)
                || is_inexact(left) && !is_exact(right)
                || is_inexact(right) && !is_exact(left) =>
        {
            op.as_str()
        }
        _ => return,
    };
    let take = |node: &mut ASTNode| std::mem::replace(node, ASTNode::new(ASTNodeType::Omitted, None));
    let (left, right) = (take(left), take(right));
    // What is joined to what was joined is one call.
    let args = match left.node_type {
        ASTNodeType::Function { name: before, mut args } if name == CONCATENATION && before == name => {
            args.push(right);
            args
        }
        _ => vec![left, right],
    };
    node.node_type = ASTNodeType::Function { name: name.to_owned(), args };
}

/// Whether parentheses enclose all of a formula.
pub(super) fn is_enclosed(text: &str) -> bool {
    let text = text.trim_start_matches('=').trim();
    if !text.starts_with('(') || !text.ends_with(')') {
        return false;
    }
    let mut depth = 0u32;
    for token in formula::lex(text) {
        match token.kind {
            TokenKind::OpenParen => depth += 1,
            TokenKind::CloseParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return token.span().end == text.len();
        }
    }
    false
}

/// Lets a formula that ends with an addition or a subtraction yield 0 where its operands cancel each other in the digits that Excel
/// has.
fn close_to_zero(tree: &mut ASTNode) {
    let ASTNodeType::BinaryOp { op, left, right } = &mut tree.node_type else { return };
    match op {
        // What counts on does not cancel.
        BinaryOperator::Add if is_positive(left) || is_positive(right) => return,
        BinaryOperator::Add | BinaryOperator::Subtract => {}
        _ => return,
    }
    let take = |node: &mut ASTNode| std::mem::replace(node, ASTNode::new(ASTNodeType::Omitted, None));
    let (name, args) = (op.as_str().to_owned(), vec![take(left), take(right)]);
    tree.node_type = ASTNodeType::Function { name, args };
}

/// Whether a node yields one number that may differ from what it is compared with beyond the digits that Excel has: a cell's, or one
/// that is worked out on the spot.
fn is_inexact(node: &ASTNode) -> bool {
    match &node.node_type {
        ASTNodeType::BinaryOp { op, .. } => matches!(
            op,
            BinaryOperator::Add
                | BinaryOperator::Subtract
                | BinaryOperator::Multiply
                | BinaryOperator::Divide
        ),
        ASTNodeType::Reference { reference, .. } => matches!(reference, ReferenceType::Cell { .. }),
        ASTNodeType::Function { .. } | ASTNodeType::UnaryOp { .. } => true,
        _ => false,
    }
}

/// Whether nothing is the same as a node but what is equal to it: a text, a boolean, nothing.
fn is_exact(node: &ASTNode) -> bool {
    match &node.node_type {
        ASTNodeType::Literal(LiteralValue::Text(_) | LiteralValue::Boolean(_)) => true,
        ASTNodeType::Literal(LiteralValue::Number(number)) => *number == 0.0,
        ASTNodeType::Literal(LiteralValue::Int(number)) => *number == 0,
        // Many cells at once are the library's own.
        ASTNodeType::Reference { reference, .. } => !matches!(reference, ReferenceType::Cell { .. }),
        _ => false,
    }
}

fn is_negative(node: &ASTNode) -> bool {
    match &node.node_type {
        ASTNodeType::Literal(LiteralValue::Number(number)) => *number < 0.0,
        ASTNodeType::Literal(LiteralValue::Int(number)) => *number < 0,
        ASTNodeType::UnaryOp { op: UnaryOperator::Minus, expr } => is_positive(expr),
        _ => false,
    }
}

fn is_positive(node: &ASTNode) -> bool {
    match &node.node_type {
        ASTNodeType::Literal(LiteralValue::Number(number)) => *number > 0.0,
        ASTNodeType::Literal(LiteralValue::Int(number)) => *number > 0,
        _ => false,
    }
}

fn is_nonzero(node: &ASTNode) -> bool {
    match &node.node_type {
        ASTNodeType::UnaryOp { op: UnaryOperator::Minus, expr } => is_nonzero(expr),
        _ => is_positive(node),
    }
}
