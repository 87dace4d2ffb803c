//! Delimited text: encoding, delimiter and types are inferred, and what was inferred is told.

use std::sync::Arc;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use grid::{CellRef, DateSystem, MAX_COLS, MAX_ROWS};

use crate::error::OpenError;
use crate::foreign::{temporal, workbook_of};
use crate::iso8601;
use crate::limits::Limits;
use crate::model::{FileFormat, Oddity, RawCell, RawValue, SheetBuilder, StyleId, Watch, Workbook};

/// Bytes that decide upon the delimiter.
const SAMPLE_BYTES: usize = 64 << 10;
/// Rows between two looks at the watch.
const WATCH_ROWS: u32 = 8192;

/// Reads delimited text. `sheet_name` names its only sheet.
pub(crate) fn open(
    bytes: &[u8],
    sheet_name: &str,
    limits: &Limits,
    watch: &dyn Watch,
) -> Result<Workbook, OpenError> {
    let mut oddities = Vec::new();
    let mut tell = |what: String| oddities.push(Oddity { place: sheet_name.to_owned(), what });
    let (encoding, bytes) = detect_encoding(bytes);
    let (text, has_malformed) = encoding.decode_without_bom_handling(bytes);
    if encoding != UTF_8 {
        tell(format!("read as {}", encoding.name()));
    }
    if has_malformed {
        tell("some bytes fit no character of the encoding and were replaced".to_owned());
    }
    let delimiter = detect_delimiter(&text);
    if delimiter != b',' && delimiter != b'\t' {
        tell(format!("fields are separated by {:?}", char::from(delimiter)));
    }
    let notation = Notation::of(delimiter);

    let mut builder = SheetBuilder::new(sheet_name, Arc::default(), limits);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut record = csv::ByteRecord::new();
    let mut row = 0u32;
    loop {
        let has_record = reader.read_byte_record(&mut record).map_err(|error| OpenError::Damaged {
            part: format!("row {}", row + 1),
            problem: error.to_string(),
        })?;
        if !has_record {
            break;
        }
        // The csv crate skips blank lines; a sheet shows them.
        let line = record.position().map_or(u64::from(row) + 1, csv::Position::line);
        if row == 0 && line > 1 {
            row = u32::try_from(line - 1).unwrap_or(MAX_ROWS).min(MAX_ROWS);
        }
        if row >= MAX_ROWS {
            return Err(OpenError::OverBudget {
                what: "rows".to_owned(),
                limit: u64::from(MAX_ROWS),
                option: "nothing: split the file",
            });
        }
        for (col, field) in record.iter().enumerate() {
            if col >= MAX_COLS as usize {
                return Err(OpenError::OverBudget {
                    what: "columns".to_owned(),
                    limit: u64::from(MAX_COLS),
                    option: "nothing: split the file",
                });
            }
            if field.is_empty() {
                continue;
            }
            // The text was decoded above, so that its fields are UTF-8.
            let field = std::str::from_utf8(field).unwrap_or_default();
            let (value, style) = match infer(field, notation) {
                Some(inferred) => inferred,
                None => (builder.text(field)?, temporal::PLAIN),
            };
            builder.set(CellRef::clamped(row, col as u32), RawCell { value, style, formula: None })?;
        }
        row += 1;
        if row.is_multiple_of(WATCH_ROWS)
            && watch.progress(reader.position().byte(), text.len() as u64).is_break()
        {
            return Err(OpenError::Cancelled);
        }
    }
    let format = if delimiter == b'\t' { FileFormat::Tsv } else { FileFormat::Csv };
    Ok(workbook_of(format, DateSystem::Date1900, vec![builder.finish()], oddities))
}

/// By byte order mark; else UTF-8 if it is valid; else the encoding that older programs write.
fn detect_encoding(bytes: &[u8]) -> (&'static Encoding, &[u8]) {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        return (encoding, &bytes[length..]);
    }
    if std::str::from_utf8(bytes).is_ok() { (UTF_8, bytes) } else { (WINDOWS_1252, bytes) }
}

/// The delimiter that cuts the first rows into the most equal numbers of fields.
fn detect_delimiter(text: &str) -> u8 {
    let end = text.floor_char_boundary(SAMPLE_BYTES);
    // An incomplete last line would count as a row of its own.
    let sample = match text[..end].rfind('\n') {
        Some(last) if end < text.len() => &text[..last],
        _ => &text[..end],
    };
    let score = |delimiter: u8| {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(sample.as_bytes());
        let counts: Vec<usize> = reader.byte_records().flatten().map(|record| record.len()).collect();
        let mut sorted = counts.clone();
        sorted.sort_unstable();
        let typical = sorted.get(sorted.len() / 2).copied().unwrap_or(1);
        let agreeing = counts.iter().filter(|count| **count == typical).count();
        if typical < 2 { (0, 0) } else { (agreeing * 100 / counts.len(), typical) }
    };
    let best = [b',', b';', b'\t', b'|'].into_iter().rev().max_by_key(|delimiter| score(*delimiter));
    best.filter(|delimiter| score(*delimiter).0 > 0).unwrap_or(b',')
}

/// A number, boolean or ISO date where the text can be nothing else; `None` means text.
///
/// `007`, `+49301234`, `1-2` and numbers of more than 15 digits stay texts: turning them into numbers loses something.
fn infer(field: &str, notation: Notation) -> Option<(RawValue, StyleId)> {
    let text = field.trim();
    if let Some(number) = number(text, notation) {
        return Some((RawValue::Number(number), temporal::PLAIN));
    }
    if text.eq_ignore_ascii_case("true") {
        return Some((RawValue::Bool(true), temporal::PLAIN));
    }
    if text.eq_ignore_ascii_case("false") {
        return Some((RawValue::Bool(false), temporal::PLAIN));
    }
    let serial = iso8601::date_serial(text, DateSystem::Date1900)?;
    Some((RawValue::Number(serial), temporal::of_serial(serial)))
}

/// How a file writes its numbers.
#[derive(Debug, Clone, Copy)]
struct Notation {
    decimal: char,
    group: char,
    /// Whether `1,000` can only be a thousand.
    groups_are_certain: bool,
}

impl Notation {
    /// Where commas do not separate fields, they separate decimals; where they do, a field that has one was quoted.
    fn of(delimiter: u8) -> Notation {
        let (decimal, group) = if delimiter == b';' { (',', '.') } else { ('.', ',') };
        Notation { decimal, group, groups_are_certain: delimiter == b',' }
    }

    /// A number as Rust writes it: `1,234.5` without its groups, and with a decimal point.
    fn plain(self, text: &str) -> Option<String> {
        let (whole, fraction) = match text.split_once(self.decimal) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (text, None),
        };
        let mut groups = whole.trim_start_matches('-').split(self.group);
        let first = groups.next().unwrap_or_default();
        let rest: Vec<&str> = groups.collect();
        let is_certain = fraction.is_some() || rest.len() > 1 || self.groups_are_certain;
        let are_groups = !rest.is_empty()
            && (1..=3).contains(&first.len())
            && rest.iter().all(|group| group.len() == 3 && group.bytes().all(|b| b.is_ascii_digit()));
        match (rest.is_empty(), are_groups && is_certain) {
            (true, _) => Some(text.replace(self.decimal, ".")),
            (false, true) => Some(text.replace(self.group, "").replace(self.decimal, ".")),
            // `1.5` where decimals have commas.
            (false, false) if fraction.is_none() && self.group == '.' && rest.len() == 1 => {
                Some(text.to_owned())
            }
            _ => None,
        }
    }
}

fn number(text: &str, notation: Notation) -> Option<f64> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.' || c == notation.decimal) {
        return None;
    }
    let has_leading_zero =
        unsigned.len() > 1 && unsigned.starts_with('0') && unsigned.as_bytes()[1].is_ascii_digit();
    let digits =
        unsigned.bytes().take_while(|b| !matches!(b, b'e' | b'E')).filter(u8::is_ascii_digit).count();
    if has_leading_zero || digits > 15 {
        return None;
    }
    let parsed: f64 = notation.plain(text)?.parse().ok()?;
    parsed.is_finite().then_some(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SheetId;

    /// The cells as `value` texts, row by row, with the number format where it is not `General`.
    fn check(bytes: &[u8], expected: &str) {
        let book = open(bytes, "data", &Limits::default(), &()).unwrap();
        let sheet = book.sheet(SheetId(0), &()).unwrap();
        let mut lines: Vec<String> = Vec::new();
        for (at, cell) in sheet.cells_by_row(grid::CellRange::ALL) {
            let code = book.styles.number_format_code(cell.style);
            let format = if code == "General" { String::new() } else { format!(" [{code}]") };
            lines.push(format!("{at} {:?}{format}", cell.value));
        }
        lines.extend(book.oddities.iter().map(|oddity| oddity.what.clone()));
        assert_eq!(lines.join("\n"), expected);
    }

    #[test]
    fn types() {
        check(
            b"id,when,ok\n007,2026-01-31,TRUE\n-1.5e3,x y,+49\n",
            "A1 Text(\"id\")\nB1 Text(\"when\")\nC1 Text(\"ok\")\nA2 Text(\"007\")\nB2 Number(46053.0) [yyyy-mm-dd]\n\
             C2 Bool(true)\nA3 Number(-1500.0)\nB3 Text(\"x y\")\nC3 Text(\"+49\")",
        );
    }

    #[test]
    fn semicolons_come_with_decimal_commas() {
        check(
            b"a;b\n1,5;2\n1.234,50;1.5\n",
            "A1 Text(\"a\")\nB1 Text(\"b\")\nA2 Number(1.5)\nB2 Number(2.0)\nA3 Number(1234.5)\nB3 Number(1.5)\n\
             fields are separated by ';'",
        );
    }

    #[test]
    fn thousands_may_be_separated() {
        let read = |text: &str, delimiter: u8| number(text, Notation::of(delimiter));
        for (text, delimiter, expected) in [
            ("1,000", b',', Some(1000.0)),
            ("-1,234,567.5", b',', Some(-1_234_567.5)),
            ("1,000.5", b'\t', Some(1000.5)),
            ("1,000", b'\t', None),
            ("1,00", b',', None),
            ("12,34,567", b',', None),
            (",5", b',', None),
            ("1.234.567", b';', Some(1_234_567.0)),
            ("1.234,5", b';', Some(1234.5)),
            ("1.2.3", b';', None),
            ("1,5,2", b';', None),
            ("1e3", b',', Some(1000.0)),
        ] {
            assert_eq!(read(text, delimiter), expected, "{text}");
        }
    }

    #[test]
    fn encodings() {
        check(b"\xef\xbb\xbfn\xc3\xa9,1\n", "A1 Text(\"né\")\nB1 Number(1.0)");
        check(b"n\xe9,1\n", "A1 Text(\"né\")\nB1 Number(1.0)\nread as windows-1252");
        check(b"\xff\xfea\0\t\x001\0\n\0", "A1 Text(\"a\")\nB1 Number(1.0)\nread as UTF-16LE");
    }

    #[test]
    fn quotes_and_line_breaks() {
        check(b"\"a,\"\"b\"\"\nc\",2\n", "A1 Text(\"a,\\\"b\\\"\\nc\")\nB1 Number(2.0)");
    }

    #[test]
    fn too_many_columns() {
        let wide = vec![b','; 20_000];
        let wide: Vec<u8> = wide.iter().flat_map(|comma| [b'1', *comma]).collect();
        assert!(matches!(open(&wide, "data", &Limits::default(), &()), Err(OpenError::OverBudget { .. })));
    }
}
