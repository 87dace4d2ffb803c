//! Sheet names as formulas and addresses write them.

use std::borrow::Cow;

use crate::CellRef;

/// Whether a sheet name has to stand in quotes before `!`.
///
/// Follows what Excel writes: anything but letters, digits, `_` and `.`, a leading digit, or a name that could be
/// taken for a cell (`Q1`, `R1C1`) or a boolean.
pub fn needs_quotes(name: &str) -> bool {
    let Some(first) = name.chars().next() else { return true };
    if first.is_ascii_digit() || first == '.' {
        return true;
    }
    if !name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.') {
        return true;
    }
    looks_like_cell(name) || name.eq_ignore_ascii_case("true") || name.eq_ignore_ascii_case("false")
}

fn looks_like_cell(name: &str) -> bool {
    if CellRef::parse_a1(name.as_bytes()).is_some() {
        return true;
    }
    let upper = name.to_ascii_uppercase();
    let Some(rest) = upper.strip_prefix('R').or_else(|| upper.strip_prefix('C')) else { return false };
    let after_row = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let after_col = after_row.strip_prefix('C').unwrap_or(after_row);
    after_col.trim_start_matches(|c: char| c.is_ascii_digit()).is_empty()
}

/// The name as it stands before `!`: quoted, with quotes doubled, where that is needed.
pub fn quote(name: &str) -> Cow<'_, str> {
    if needs_quotes(name) {
        Cow::Owned(format!("'{}'", name.replace('\'', "''")))
    } else {
        Cow::Borrowed(name)
    }
}

/// The name behind its written form: outer quotes removed and doubled ones halved.
pub fn unquote(written: &str) -> Cow<'_, str> {
    match written.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(inner) if inner.contains("''") => Cow::Owned(inner.replace("''", "'")),
        Some(inner) => Cow::Borrowed(inner),
        None => Cow::Borrowed(written),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_where_needed() {
        for (name, written) in [
            ("Data", "Data"),
            ("Q1 Actuals", "'Q1 Actuals'"),
            ("Q1", "'Q1'"),
            ("R1C1", "'R1C1'"),
            ("R", "'R'"),
            ("Revenue", "Revenue"),
            ("2024", "'2024'"),
            ("It's", "'It''s'"),
            ("Übersicht", "Übersicht"),
            ("TRUE", "'TRUE'"),
        ] {
            assert_eq!(quote(name), written);
            assert_eq!(unquote(&quote(name)), name);
        }
    }
}
