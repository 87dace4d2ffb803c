//! Functions of conditions (`COUNTIF` and its like), which IronCalc lets test ranges only.

use ironcalc_base::expressions::parser::Node;

/// Writes single cells that such functions test or add up as ranges of one cell, and picks the condition of `SUMIF` from several
/// cells where the formula is no array formula: IronCalc would yield several sums.
pub(super) fn conditions_of_cells(node: &mut Node, is_array: bool) {
    match node {
        Node::OpRangeKind { left, right }
        | Node::OpConcatenateKind { left, right }
        | Node::OpSumKind { left, right, .. }
        | Node::OpProductKind { left, right, .. }
        | Node::OpPowerKind { left, right }
        | Node::CompareKind { left, right, .. } => {
            conditions_of_cells(left, is_array);
            conditions_of_cells(right, is_array);
        }
        Node::FunctionKind { kind, args } => {
            args.iter_mut().for_each(|arg| conditions_of_cells(arg, is_array));
            let name = format!("{kind:?}");
            let is_range = |index: usize| match name.as_str() {
                "Countif" | "Sumif" | "Averageif" => index != 1,
                "Countifs" => index.is_multiple_of(2),
                "Sumifs" | "Averageifs" | "Maxifs" | "Minifs" => index == 0 || index % 2 == 1,
                _ => false,
            };
            let ranges = args.iter_mut().enumerate().filter(|(index, _)| is_range(*index));
            ranges.for_each(|(_, arg)| range(arg));
            if name == "Sumif"
                && !is_array
                && let Some(condition @ Node::RangeKind { .. }) = args.get_mut(1)
            {
                let child = Box::new(std::mem::replace(condition, Node::EmptyArgKind));
                *condition = Node::ImplicitIntersection { automatic: false, child };
            }
        }
        Node::NamedFunctionKind { args, .. } => {
            args.iter_mut().for_each(|arg| conditions_of_cells(arg, is_array));
        }
        Node::LambdaDefKind { body, .. } => conditions_of_cells(body, is_array),
        Node::LambdaCallKind { lambda, args } => {
            conditions_of_cells(lambda, is_array);
            args.iter_mut().for_each(|arg| conditions_of_cells(arg, is_array));
        }
        Node::ImplicitIntersection { child, .. } | Node::SpillRangeOperator { child } => {
            conditions_of_cells(child, is_array);
        }
        Node::UnaryKind { right, .. } => conditions_of_cells(right, is_array),
        _ => {}
    }
}

/// A cell as a range of it.
fn range(node: &mut Node) {
    if let Node::ReferenceKind { sheet_name, sheet_index, absolute_row, absolute_column, row, column } = node
    {
        *node = Node::RangeKind {
            sheet_name: sheet_name.take(),
            sheet_index: *sheet_index,
            absolute_row1: *absolute_row,
            absolute_column1: *absolute_column,
            row1: *row,
            column1: *column,
            absolute_row2: *absolute_row,
            absolute_column2: *absolute_column,
            row2: *row,
            column2: *column,
        };
    }
}
