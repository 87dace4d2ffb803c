//! Tables and their columns get other names: structured references follow. And how a person writes such references becomes
//! how a file holds them.

use std::ops::Range;

use crate::{StructuredReference, Token, TokenKind, lex};

/// The formula after the table `from` was renamed; `None` if it does not mention it.
pub fn rename_table(formula: &str, from: &str, to: &str) -> Option<String> {
    let folded = from.to_lowercase();
    rewritten(formula, |token| {
        let name = table_of(token)?;
        (name.to_lowercase() == folded).then(|| format!("{to}{}", &token.text[name.len()..]))
    })
}

/// The formula after a column of a table was renamed; `None` if it does not mention it. References that do not name their
/// table stay: see [`qualify`].
pub fn rename_table_column(formula: &str, table: &str, from: &str, to: &str) -> Option<String> {
    let (table, from) = (table.to_lowercase(), from.to_lowercase());
    rewritten(formula, |token| {
        let name = table_of(token).filter(|_| token.kind == TokenKind::Structured)?;
        if name.to_lowercase() != table {
            return None;
        }
        let mut out = String::new();
        let mut copied = 0;
        for span in column_spans(token.text) {
            let written = &token.text[span.clone()];
            if unescaped(written).to_lowercase() != from {
                continue;
            }
            out.push_str(&token.text[copied..span.start]);
            // Between brackets of its own a name may have any character.
            let is_bare = !token.text[..span.start].ends_with('[') || name.len() + 1 == span.start;
            match is_bare && !is_simple(to) {
                true => out.push_str(&format!("[{}]", escaped(to))),
                false => out.push_str(&escaped(to)),
            }
            copied = span.end;
        }
        (copied > 0).then(|| out + &token.text[copied..])
    })
}

/// The formula as files hold it: `[@Amount]` and `Sales[@Amount]` become `Sales[[#This Row],[Amount]]`. `home` is the table
/// that the formula stands in; without one, references that name no table stay. `None` if nothing changes.
pub fn qualify(formula: &str, home: Option<&str>) -> Option<String> {
    rewritten(formula, |token| {
        if token.kind != TokenKind::Structured || token.prefix_len > 0 {
            return None;
        }
        let reference = StructuredReference::parse(token.prefix(), token.body());
        let specifier = &token.text[reference.table.map_or(0, str::len)..];
        let has_at = specifier.trim_start_matches('[').trim_start().starts_with('@');
        if reference.table.is_some() && !has_at {
            return None;
        }
        let table = reference.table.or(home)?;
        if !has_at {
            return Some(format!("{table}{specifier}"));
        }
        Some(match &reference.columns {
            None => format!("{table}[#This Row]"),
            Some((first, last)) if first == last => format!("{table}[[#This Row],[{}]]", escaped(first)),
            Some((first, last)) => format!("{table}[[#This Row],[{}]:[{}]]", escaped(first), escaped(last)),
        })
    })
}

/// The table that a token names in this workbook.
fn table_of<'a>(token: &Token<'a>) -> Option<&'a str> {
    if token.prefix_len > 0 {
        return None;
    }
    match token.kind {
        TokenKind::Name => Some(token.text),
        TokenKind::Structured => token.text.split('[').next().filter(|name| !name.is_empty()),
        _ => None,
    }
}

/// Where the names of columns stand in a structured reference, without their brackets.
fn column_spans(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let (Some(open), true) = (text.find('['), text.ends_with(']')) else { return Vec::new() };
    let (mut at, end) = (open + 1, text.len() - 1);
    if at >= end {
        return Vec::new();
    }
    let skipped = |at: usize| at + (text[at..end].len() - text[at..end].trim_start().len());
    let has_at = bytes.get(skipped(at)) == Some(&b'@');
    if has_at {
        at = skipped(at) + 1;
    }
    if bytes.get(skipped(at)) != Some(&b'[') {
        let is_column = at < end && bytes.get(skipped(at)) != Some(&b'#');
        return if is_column { std::iter::once(at..end).collect() } else { Vec::new() };
    }
    let mut spans = Vec::new();
    while at < end {
        let is_separator = matches!(bytes[at], b',' | b':' | b' ' | b'\t' | b'\n' | b'\r');
        if is_separator {
            at += 1;
            continue;
        }
        // Some programs leave the brackets out: `Sales[[#This Row],Amount]`.
        let is_bracketed = bytes[at] == b'[';
        let start = at + usize::from(is_bracketed);
        let mut close = start;
        let ends = |byte: u8| if is_bracketed { byte == b']' } else { matches!(byte, b',' | b':') };
        while close < end && !ends(bytes[close]) {
            close += if bytes[close] == b'\'' { 2 } else { 1 };
        }
        let close = close.min(end);
        let Some(item) = text.get(start..close) else { break };
        if !item.trim_start().starts_with('#') {
            spans.push(start..close);
        }
        at = close + 1;
    }
    spans
}

/// Whether a name needs no brackets of its own.
fn is_simple(name: &str) -> bool {
    name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ' ' | '.')) && name.trim() == name
}

fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for character in name.chars() {
        if matches!(character, '[' | ']' | '#' | '\'' | '@') {
            out.push('\'');
        }
        out.push(character);
    }
    out
}

fn unescaped(written: &str) -> String {
    let mut name = String::with_capacity(written.len());
    let mut chars = written.chars();
    while let Some(char) = chars.next() {
        if char == '\'' { name.extend(chars.next()) } else { name.push(char) }
    }
    name
}

/// The formula with tokens written anew; `None` if none is.
fn rewritten(formula: &str, change: impl Fn(&Token<'_>) -> Option<String>) -> Option<String> {
    let mut out = String::new();
    let mut copied = None;
    for token in lex(formula) {
        if let Some(new) = change(&token) {
            out.push_str(&formula[copied.unwrap_or(0)..token.start]);
            out.push_str(&new);
            copied = Some(token.span().end);
        }
    }
    copied.map(|copied| out + &formula[copied..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_renamed_wherever_they_are_named() {
        let check = |formula: &str, expected: &str| {
            let found = rename_table(formula, "Sales", "Orders_1");
            assert_eq!(found.as_deref().unwrap_or(formula), expected);
        };
        check(
            "SUM(Sales[Amount])+SALES[[#This Row],[a]]*ROWS(Sales)",
            "SUM(Orders_1[Amount])+Orders_1[[#This Row],[a]]*ROWS(Orders_1)",
        );
        check(
            "[@Sales]+\"Sales\"+Sales!A1+Sales2[a]+SALES(1)",
            "[@Sales]+\"Sales\"+Sales!A1+Sales2[a]+SALES(1)",
        );
    }

    #[test]
    fn columns_are_renamed_within_their_table() {
        let check = |formula: &str, to: &str, expected: &str| {
            let found = rename_table_column(formula, "Sales", "Net #1", to);
            assert_eq!(found.as_deref().unwrap_or(formula), expected);
        };
        check(
            "SUM(Sales[Net '#1])+Sales[[#Totals],[net '#1]:[b]]+Other[Net '#1]",
            "Gross",
            "SUM(Sales[Gross])+Sales[[#Totals],[Gross]:[b]]+Other[Net '#1]",
        );
        check("Sales[[#This Row],Net '#1]", "x", "Sales[[#This Row],x]");
        check("Sales[Net '#1]+Sales[@[Net '#1]]", "a,[b]", "Sales[[a,'[b']]]+Sales[@[a,'[b']]]");
        check(
            "Sales[#All]+Sales[]+Sales+Sales[[#Headers],[b]]",
            "x",
            "Sales[#All]+Sales[]+Sales+Sales[[#Headers],[b]]",
        );
    }

    #[test]
    fn references_are_written_as_files_hold_them() {
        let check = |formula: &str, expected: &str| {
            assert_eq!(qualify(formula, Some("T")).as_deref().unwrap_or(formula), expected);
        };
        check(
            "[@Qty]*[@[Unit Price]]+S[@x]",
            "T[[#This Row],[Qty]]*T[[#This Row],[Unit Price]]+S[[#This Row],[x]]",
        );
        check(
            "SUM([Qty])+ROW([@])+SUM(T[@[a]:[b]])",
            "SUM(T[Qty])+ROW(T[#This Row])+SUM(T[[#This Row],[a]:[b]])",
        );
        check("SUM(S[a])+S[[#This Row],[b]]+[1]A!B2", "SUM(S[a])+S[[#This Row],[b]]+[1]A!B2");
        assert_eq!(qualify("[@a]", None), None);
    }
}
