//! Structured references: the rows and columns of a table that `Sales[[#This Row],[Amount]]` means.

use std::borrow::Cow;

use crate::SheetPrefix;

/// A structured reference, read (\[MS-XLSX\] §2.2.2, `structure-reference`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StructuredReference<'a> {
    /// Another workbook, where one is named.
    pub prefix: SheetPrefix<'a>,
    /// The table; `None` in `[@Amount]`, which means the table that holds the formula.
    pub table: Option<&'a str>,
    /// Which of its rows.
    pub rows: TableRows,
    /// The first and the last column, unescaped and equal for a single one; `None` for all of them.
    pub columns: Option<(Cow<'a, str>, Cow<'a, str>)>,
}

/// The rows of a table that a structured reference means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct TableRows {
    /// `#Headers`, also of `#All`.
    pub headers: bool,
    /// `#Data`, also of `#All` and where nothing is said.
    pub data: bool,
    /// `#Totals`, also of `#All`.
    pub totals: bool,
    /// `#This Row` or `@`: of the data, the row that holds the formula.
    pub this_row: bool,
}

impl<'a> StructuredReference<'a> {
    /// Reads a structured reference without its prefix, with its outer brackets. What follows no rule inside of
    /// them is passed over.
    pub(crate) fn parse(prefix: SheetPrefix<'a>, body: &'a str) -> StructuredReference<'a> {
        let (table, bracketed) = body.split_at(body.find('[').unwrap_or(body.len()));
        let specifier =
            bracketed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(bracketed);
        let mut reference = StructuredReference {
            prefix,
            table: (!table.is_empty()).then_some(table),
            rows: TableRows::default(),
            columns: None,
        };
        let trimmed = specifier.trim();
        let rest = match trimmed.strip_prefix('@') {
            Some(rest) => {
                reference.rows.this_row = true;
                rest.trim_start()
            }
            None => trimmed,
        };
        if rest.starts_with('[') {
            for item in Items(rest) {
                reference.add(item);
            }
        } else if !rest.is_empty() {
            // A column name keeps its spaces: `Table[ a]`.
            reference.add(if reference.rows.this_row { rest } else { specifier });
        }
        if reference.rows == TableRows::default() {
            reference.rows.data = true;
        }
        reference
    }

    fn add(&mut self, item: &'a str) {
        let rows = &mut self.rows;
        match item.trim().strip_prefix('#') {
            None => {
                let column = unescape(item);
                let first = self.columns.take().map_or_else(|| column.clone(), |(first, _)| first);
                self.columns = Some((first, column));
            }
            Some(name) if name.eq_ignore_ascii_case("All") => {
                (rows.headers, rows.data, rows.totals) = (true, true, true);
            }
            Some(name) if name.eq_ignore_ascii_case("Headers") => rows.headers = true,
            Some(name) if name.eq_ignore_ascii_case("Data") => rows.data = true,
            Some(name) if name.eq_ignore_ascii_case("Totals") => rows.totals = true,
            Some(name) if name.eq_ignore_ascii_case("This Row") => rows.this_row = true,
            Some(_) => {}
        }
    }
}

/// The texts in brackets of `[#Headers],[a]:[b]`.
struct Items<'a>(&'a str);

impl<'a> Iterator for Items<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let start = self.0.find('[')? + 1;
        let bytes = self.0.as_bytes();
        let mut end = start;
        while end < bytes.len() && bytes[end] != b']' {
            end += if bytes[end] == b'\'' { 2 } else { 1 };
        }
        let item = self.0.get(start..end)?;
        self.0 = self.0.get(end + 1..).unwrap_or("");
        Some(item)
    }
}

/// A column's name without the `'` before `[`, `]`, `#`, `'` and `@`.
fn unescape(written: &str) -> Cow<'_, str> {
    if !written.contains('\'') {
        return Cow::Borrowed(written);
    }
    let mut name = String::with_capacity(written.len());
    let mut chars = written.chars();
    while let Some(char) = chars.next() {
        if char == '\'' { name.extend(chars.next()) } else { name.push(char) }
    }
    Cow::Owned(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: &str) {
        let found = StructuredReference::parse(SheetPrefix::NONE, body);
        let rows = [
            (found.rows.headers, " headers"),
            (found.rows.data, " data"),
            (found.rows.totals, " totals"),
            (found.rows.this_row, " this-row"),
        ];
        let rows: String = rows.iter().filter(|(is_meant, _)| *is_meant).map(|(_, name)| *name).collect();
        let columns = found.columns.map(|(first, last)| format!(" {first}..{last}")).unwrap_or_default();
        assert_eq!(format!("{}{rows}{columns}", found.table.unwrap_or("-")), expected, "{body}");
    }

    #[test]
    fn specifiers() {
        check("T[]", "T data");
        check("T[Net Sales]", "T data Net Sales..Net Sales");
        check("T[#All]", "T headers data totals");
        check("T[[#This Row],[Col]]", "T this-row Col..Col");
        check("T[@]", "T this-row");
        check("T[@Col]", "T this-row Col..Col");
        check("[@Col]", "- this-row Col..Col");
        check("[@[Net Sales]]", "- this-row Net Sales..Net Sales");
        check("[@[a]:[b c]]", "- this-row a..b c");
        check("T[[a]:[c]]", "T data a..c");
        check("T[[#Headers],[#Data],[a]]", "T headers data a..a");
        check("T[ [#Totals] , [a] : [b] ]", "T totals a..b");
        check("T[[#headers],[a'[b']]]", "T headers a[b]..a[b]");
        check("T['#no '@ '' é]", "T data #no @ ' é..#no @ ' é");
        check("T[[#Nonsense],[a]]", "T data a..a");
    }

    #[test]
    fn broken_ones_do_no_harm() {
        for body in ["", "[", "]", "T[[", "T[['", "T['", "T[[é'", "T[[']]", "[[é']"] {
            let _ = StructuredReference::parse(SheetPrefix::NONE, body);
        }
        check("T[['é]]", "T data é..é");
    }
}
