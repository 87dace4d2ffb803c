//! The part of a reference before its `!`.

use std::borrow::Cow;
use std::ops::Range;

use grid::unquote;

/// Where a reference or a name points: workbook and sheets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetPrefix<'a> {
    /// Another workbook: the number of an external link (`1` of `[1]Sheet1!A1`), or its path without the brackets.
    /// A sheet-less prefix that is no path (`Book.xlsx!Rate`) can't be told from a sheet's and is read as one.
    pub book: Option<Cow<'a, str>>,
    /// The sheets.
    pub sheets: Sheets<'a>,
}

/// The sheets a prefix names, unquoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sheets<'a> {
    /// None is named: the formula's own sheet, or the workbook as a whole for a name in another one.
    Current,
    /// `Sheet1!`.
    One(Cow<'a, str>),
    /// `Sheet1:Sheet3!`: the sheets between these two in tab order, both included.
    Span(Cow<'a, str>, Cow<'a, str>),
    /// `#REF!A1`: the sheet is deleted.
    Lost,
}

impl<'a> SheetPrefix<'a> {
    /// Neither a workbook nor a sheet.
    pub const NONE: SheetPrefix<'static> = SheetPrefix { book: None, sheets: Sheets::Current };

    /// The number of the external link this goes through, 1 for the workbook's first; 0 is the workbook itself.
    pub fn book_index(&self) -> Option<u32> {
        self.book.as_deref()?.parse().ok()
    }

    /// Whether it points out of the formula's workbook.
    pub fn is_other_book(&self) -> bool {
        self.book.is_some() && self.book_index() != Some(0)
    }

    /// Reads a prefix as the lexer cut it, its `!` included.
    pub(crate) fn parse(written: &'a str) -> SheetPrefix<'a> {
        if written.eq_ignore_ascii_case("#REF!") {
            return SheetPrefix { book: None, sheets: Sheets::Lost };
        }
        let place = unquote(written.strip_suffix('!').unwrap_or(written));
        // Neither brackets nor slashes may be part of a sheet's name.
        let (book, sheets_at) = if let Some(close) = place.rfind(']') {
            (Some(book_name(&place, close)), close + 1)
        } else if place.contains(['\\', '/']) {
            (Some(place.clone()), place.len())
        } else {
            (None, 0)
        };
        let sheets = match place[sheets_at..].find(':') {
            _ if sheets_at == place.len() => Sheets::Current,
            Some(colon) => Sheets::Span(
                part(&place, sheets_at..sheets_at + colon),
                part(&place, sheets_at + colon + 1..place.len()),
            ),
            None => Sheets::One(part(&place, sheets_at..place.len())),
        };
        SheetPrefix { book, sheets }
    }
}

/// `C:\dir\b.xlsx` of `C:\dir\[b.xlsx]Sheet`.
fn book_name<'a>(place: &Cow<'a, str>, close: usize) -> Cow<'a, str> {
    match place[..close].find('[') {
        Some(0) => part(place, 1..close),
        Some(open) => Cow::Owned([&place[..open], &place[open + 1..close]].concat()),
        None => part(place, 0..close),
    }
}

fn part<'a>(whole: &Cow<'a, str>, range: Range<usize>) -> Cow<'a, str> {
    match whole {
        Cow::Borrowed(text) => Cow::Borrowed(&text[range]),
        Cow::Owned(text) => Cow::Owned(text[range].to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(written: &str, book: Option<&str>, sheets: &[&str]) {
        let prefix = SheetPrefix::parse(written);
        assert_eq!(prefix.book.as_deref(), book, "{written}");
        let found: Vec<&str> = match &prefix.sheets {
            Sheets::Current => vec![],
            Sheets::One(sheet) => vec![sheet],
            Sheets::Span(first, last) => vec![first, last],
            Sheets::Lost => vec!["#REF!"],
        };
        assert_eq!(found, sheets, "{written}");
    }

    #[test]
    fn places() {
        check("", None, &[]);
        check("!", None, &[]);
        check("Sheet1!", None, &["Sheet1"]);
        check("'It''s [not] it'!", Some("It's not"), &[" it"]);
        check("'It''s: all'!", None, &["It's", " all"]);
        check("Jan:Mar!", None, &["Jan", "Mar"]);
        check("'Q 1:Q 4'!", None, &["Q 1", "Q 4"]);
        check("[1]Sheet1!", Some("1"), &["Sheet1"]);
        check("[1]Jan:Mar!", Some("1"), &["Jan", "Mar"]);
        check("[1]!", Some("1"), &[]);
        check("'[2]a b'!", Some("2"), &["a b"]);
        check(r"'C:\dir\[b.xlsx]S'!", Some(r"C:\dir\b.xlsx"), &["S"]);
        check(r"'C:\dir\b.xlsx'!", Some(r"C:\dir\b.xlsx"), &[]);
        check("'https://h/[b.xlsx]S'!", Some("https://h/b.xlsx"), &["S"]);
        check("#REF!", None, &["#REF!"]);
        assert_eq!(SheetPrefix::parse("[12]S!").book_index(), Some(12));
        assert_eq!(SheetPrefix::parse("[b.xlsx]S!").book_index(), None);
    }
}
