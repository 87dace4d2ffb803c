//! Columns of tables that go: structured references to them are lost, spans of columns become narrower.

use std::ops::Range;

use crate::restructure::finish;
use crate::{StructuredReference, TableRows, TokenKind, lex};

/// Columns that go from a table.
#[derive(Debug, Clone, Copy)]
pub struct LostColumns<'a> {
    /// The table's name.
    pub table: &'a str,
    /// Its columns as they were, left to right.
    pub columns: &'a [String],
    /// The position of the first one that goes.
    pub first: usize,
    /// How many go.
    pub count: usize,
}

impl LostColumns<'_> {
    fn gone(&self) -> Range<usize> {
        self.first..self.first.saturating_add(self.count)
    }

    fn position(&self, name: &str) -> Option<usize> {
        let folded = name.to_lowercase();
        self.columns.iter().position(|column| column.to_lowercase() == folded)
    }
}

/// The formula after columns of a table went; `None` if it stays as it is.
pub fn lose_columns(formula: &str, lost: LostColumns<'_>) -> Option<String> {
    let mut out = String::new();
    let mut copied = 0;
    for token in lex(formula).filter(|token| token.kind == TokenKind::Structured) {
        let reference = StructuredReference::parse(token.prefix(), token.body());
        let is_meant = reference.prefix.book.is_none()
            && reference.table.is_some_and(|table| table.to_lowercase() == lost.table.to_lowercase());
        let columns = reference.columns.as_ref().filter(|_| is_meant);
        let Some((first, last)) =
            columns.and_then(|(first, last)| Some((lost.position(first)?, lost.position(last)?)))
        else {
            continue;
        };
        let mut left = (first.min(last)..=first.max(last)).filter(|column| !lost.gone().contains(column));
        let (new_first, new_last) = {
            let first = left.next();
            (first, left.next_back().or(first))
        };
        let (Some(new_first), Some(new_last)) = (new_first, new_last) else {
            out.push_str(&formula[copied..token.start]);
            out.push_str("#REF!");
            copied = token.span().end;
            continue;
        };
        if (new_first, new_last) == (first.min(last), first.max(last)) {
            continue;
        }
        let body_start = token.start + token.prefix_len;
        out.push_str(&formula[copied..body_start]);
        let names = (lost.columns[new_first].as_str(), lost.columns[new_last].as_str());
        out.push_str(&written(reference.table.unwrap_or_default(), reference.rows, names));
        copied = token.span().end;
    }
    finish(formula, out, copied)
}

fn written(table: &str, rows: TableRows, (first, last): (&str, &str)) -> String {
    let mut items: Vec<String> = Vec::new();
    if rows.headers && rows.data && rows.totals {
        items.push("[#All]".to_owned());
    } else {
        let named = [
            (rows.headers, "[#Headers]"),
            (rows.data && (rows.headers || rows.totals), "[#Data]"),
            (rows.totals, "[#Totals]"),
            (rows.this_row, "[#This Row]"),
        ];
        items.extend(named.iter().filter(|(is_meant, _)| *is_meant).map(|(_, name)| (*name).to_owned()));
    }
    match first == last {
        true => items.push(format!("[{}]", escape(first))),
        false => items.push(format!("[{}]:[{}]", escape(first), escape(last))),
    }
    match items.as_slice() {
        [one] if first == last => format!("{table}{one}"),
        items => format!("{table}[{}]", items.join(",")),
    }
}

/// A column's name with `'` before what means something else in brackets.
fn escape(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for char in name.chars() {
        if matches!(char, '[' | ']' | '#' | '\'' | '@') {
            escaped.push('\'');
        }
        escaped.push(char);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_to_lost_columns() {
        let columns = ["Key", "Net #", "Gross", "Note"].map(str::to_owned);
        let lost = LostColumns { table: "Sales", columns: &columns, first: 2, count: 1 };
        let check = |formula: &str, expected: &str| {
            assert_eq!(lose_columns(formula, lost).as_deref().unwrap_or(formula), expected, "{formula}");
        };
        check("SUM(Sales[Gross])+Sales[Key]", "SUM(#REF!)+Sales[Key]");
        check("sales[[#This Row],[GROSS]]*2", "#REF!*2");
        check("SUM(Sales[[Net '#]:[Gross]])", "SUM(Sales[Net '#])");
        check("SUM(Sales[[#Totals],[Gross]:[Note]])", "SUM(Sales[[#Totals],[Note]])");
        check("SUM(Sales[[Key]:[Note]],Sales[],Sales[#All])", "SUM(Sales[[Key]:[Note]],Sales[],Sales[#All])");
        check("Other[Gross]&\"Sales[Gross]\"", "Other[Gross]&\"Sales[Gross]\"");
        let two = LostColumns { first: 0, count: 2, ..lost };
        assert_eq!(lose_columns("Sales[[#All],[Key]:[Note]]", two).unwrap(), "Sales[[#All],[Gross]:[Note]]");
    }
}
