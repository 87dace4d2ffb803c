//! Addresses as callers write them: a range with its sheet, a name, or a structured reference.

use std::fmt;
use std::str::FromStr;

use crate::{CellRange, RefError, quote, unquote};

/// A place in a workbook as one string says it, before a workbook resolves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// `Data!A1:C50`, `'Q1 Actuals'!B:B`, or `A1:C50` where the sheet is left open.
    Range {
        /// The sheet's name, unquoted.
        sheet: Option<String>,
        /// The cells.
        range: CellRange,
    },
    /// A defined name or a table's name, perhaps scoped to a sheet: `TaxRate`, `Data!Total`.
    Name {
        /// The sheet whose scope the name belongs to, unquoted.
        sheet: Option<String>,
        /// The name as written.
        name: String,
    },
    /// A structured reference into a table: `Sales[Amount]`, `Sales[#All]`, `Sales[[#Totals],[Amount]]`.
    Structured {
        /// The table's name.
        table: String,
        /// What stands between the outer brackets.
        specifier: String,
    },
}

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Nothing was given.
    #[error("the address is empty; write for example Data!A1:C50, a defined name, or Table[Column]")]
    Empty,
    /// The part behind `!` points outside of the grid.
    #[error(transparent)]
    Ref(#[from] RefError),
    /// The text follows none of the notations.
    #[error(
        "{0:?} is not an address; write for example Data!A1:C50, 'My Sheet'!B:B, a defined name, or Table[Column]"
    )]
    Syntax(String),
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Address, AddressError> {
        let text = text.trim();
        let text = text.strip_prefix('=').unwrap_or(text);
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        let (sheet, rest) = match split_sheet(text) {
            Some((sheet, rest)) => (Some(unquote(sheet).into_owned()), rest),
            None => (None, text),
        };
        if sheet.as_deref() == Some("") {
            return Err(AddressError::Syntax(text.to_owned()));
        }
        match rest.parse::<CellRange>() {
            Ok(range) => return Ok(Address::Range { sheet, range }),
            Err(RefError::OutOfGrid(written))
                if written.contains(':') || sheet.is_some() && !has_long_word(&written) =>
            {
                return Err(RefError::OutOfGrid(written).into());
            }
            Err(_) => {}
        }
        if sheet.is_none()
            && let Some((table, specifier)) = split_structured(rest)
        {
            return Ok(Address::Structured { table: table.to_owned(), specifier: specifier.to_owned() });
        }
        if is_name(rest) {
            return Ok(Address::Name { sheet, name: rest.to_owned() });
        }
        Err(AddressError::Syntax(text.to_owned()))
    }
}

/// Splits at the `!` behind a sheet name, quoted or not.
fn split_sheet(text: &str) -> Option<(&str, &str)> {
    if !text.starts_with('\'') {
        return text.split_once('!').filter(|(sheet, _)| !sheet.contains('['));
    }
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        if bytes[at] == b'\'' {
            if bytes.get(at + 1) == Some(&b'\'') {
                at += 2;
                continue;
            }
            return (bytes.get(at + 1) == Some(&b'!')).then(|| (&text[..=at], &text[at + 2..]));
        }
        at += 1;
    }
    None
}

fn split_structured(text: &str) -> Option<(&str, &str)> {
    let open = text.find('[')?;
    let specifier = text[open + 1..].strip_suffix(']')?;
    is_name(&text[..open]).then_some((&text[..open], specifier))
}

/// Whether more letters come first than any column has: `Total1` is a name, `ZZZ1` a slip.
fn has_long_word(text: &str) -> bool {
    text.bytes().take_while(u8::is_ascii_alphabetic).count() > 3
}

/// Names follow ECMA-376 Part 1 §18.2.5: a letter, `_` or `\` first, then also digits, `.` and `?`.
fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return false };
    (first.is_alphabetic() || first == '_' || first == '\\')
        && chars.all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '\\' | '?'))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sheet = match self {
            Address::Range { sheet, .. } | Address::Name { sheet, .. } => sheet.as_deref(),
            Address::Structured { .. } => None,
        };
        if let Some(sheet) = sheet {
            write!(f, "{}!", quote(sheet))?;
        }
        match self {
            Address::Range { range, .. } => range.fmt(f),
            Address::Name { name, .. } => f.write_str(name),
            Address::Structured { table, specifier } => write!(f, "{table}[{specifier}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, printed: &str) {
        assert_eq!(text.parse::<Address>().unwrap().to_string(), printed);
    }

    #[test]
    fn notations() {
        check("Data!A1:C50", "Data!A1:C50");
        check("'Q1 Actuals'!b:b", "'Q1 Actuals'!B:B");
        check("'It''s'!$A$1", "'It''s'!A1");
        check("=TaxRate", "TaxRate");
        check("Data!Total", "Data!Total");
        check("Data!Total1", "Data!Total1");
        check("Sales[Amount]", "Sales[Amount]");
        check("Sales[[#Totals],[Amount]]", "Sales[[#Totals],[Amount]]");
        check("A1", "A1");
        check("'a!b'!A1", "'a!b'!A1");
    }

    #[test]
    fn refused() {
        for text in
            ["", " ", "!A1", "''!A1", "'open!A1", "Data!", "1+2", "Data!A1:XFE2", "Data!A0", "Data!ZZZ1"]
        {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
