//! What a file would cost before `calamine` builds its dense ranges from it.
//!
//! A `calamine` range holds every cell between the first and the last one, so that two cells in opposite corners of
//! a sheet cost gigabytes. Both scans here look at positions alone and cost one pass over the bytes.

use std::io::{Cursor, Read};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::error::OpenError;
use crate::limits::Limits;

/// Bytes of one cell of a `calamine` range.
const DENSE_CELL_BYTES: u64 = size_of::<calamine::Data>() as u64;

/// The rectangle that a sheet's cells span, as it grows.
#[derive(Default)]
struct Extent {
    bounds: Option<(u64, u64, u64, u64)>,
}

impl Extent {
    fn add(&mut self, row: u64, col: u64) {
        let (top, left, bottom, right) = self.bounds.unwrap_or((row, col, row, col));
        self.bounds = Some((top.min(row), left.min(col), bottom.max(row), right.max(col)));
    }

    fn area(&self) -> u64 {
        self.bounds.map_or(0, |(top, left, bottom, right)| (bottom - top + 1) * (right - left + 1))
    }
}

fn check_area(area: u64, limits: &Limits) -> Result<(), OpenError> {
    if area.saturating_mul(DENSE_CELL_BYTES) > limits.max_sheet_bytes {
        return Err(OpenError::OverBudget {
            what: "bytes of one sheet (cells far apart cost their whole rectangle in this format; save it as .xlsx)".to_owned(),
            limit: limits.max_sheet_bytes,
            option: "SPREADSHEET_MCP_MAX_SHEET_BYTES",
        });
    }
    Ok(())
}

/// Looks at the positions of all cell records of a BIFF8 workbook stream (MS-XLS §2.3.2).
pub(super) fn check_xls(bytes: &[u8], limits: &Limits) -> Result<(), OpenError> {
    const BOF: u16 = 0x0809;
    const CELL_RECORDS: [u16; 8] = [0x0006, 0x00BD, 0x00D6, 0x00FD, 0x0203, 0x0204, 0x0205, 0x027E];
    let Some(stream) = workbook_stream(bytes) else { return Ok(()) };
    let mut extent = Extent::default();
    let mut at = 0;
    while let Some(header) = stream.get(at..at + 4) {
        let kind = u16::from_le_bytes([header[0], header[1]]);
        let length = usize::from(u16::from_le_bytes([header[2], header[3]]));
        let body = stream.get(at + 4..at + 4 + length).unwrap_or_default();
        if kind == BOF {
            check_area(extent.area(), limits)?;
            extent = Extent::default();
        }
        if CELL_RECORDS.contains(&kind) && body.len() >= 4 {
            let row = u64::from(u16::from_le_bytes([body[0], body[1]]));
            let col = u64::from(u16::from_le_bytes([body[2], body[3]]));
            extent.add(row, col);
        }
        at += 4 + length;
    }
    check_area(extent.area(), limits)
}

fn workbook_stream(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut file = cfb::CompoundFile::open(Cursor::new(bytes)).ok()?;
    let mut stream = Vec::new();
    for name in ["/Workbook", "/Book", "/WORKBOOK", "/BOOK"] {
        if let Ok(mut opened) = file.open_stream(name) {
            opened.read_to_end(&mut stream).ok()?;
            return Some(stream);
        }
    }
    None
}

/// Adds up what the repetitions in an OpenDocument `content.xml` expand to (ODF 1.3 Part 3 §19.675, §19.677), and makes
/// sure that every element ends: `calamine` waits forever for the end of a table that has none.
pub(crate) fn check_ods(content: impl std::io::BufRead, limits: &Limits) -> Result<(), OpenError> {
    let mut reader = Reader::from_reader(content);
    let mut buffer = Vec::new();
    let mut extent = Extent::default();
    let (mut row, mut col, mut row_repeats) = (0u64, 0u64, 1u64);
    let mut depth = 0u64;
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer).map_err(|error| broken(&error.to_string()))?;
        let (element, is_empty) = match &event {
            Event::Eof if depth > 0 => return Err(broken("it is cut off within its elements")),
            Event::Eof => return check_area(extent.area(), limits),
            Event::Start(element) => {
                depth += 1;
                (element, false)
            }
            Event::Empty(element) => (element, true),
            Event::End(element) => {
                // The reader has refused an end without a start.
                depth = depth.saturating_sub(1);
                if element.local_name().as_ref() == "table-row" {
                    row = row.saturating_add(row_repeats);
                }
                continue;
            }
            _ => continue,
        };
        match element.local_name().as_ref() {
            "table" => {
                check_area(extent.area(), limits)?;
                extent = Extent::default();
                row = 0;
            }
            "table-row" => {
                row_repeats = repeats(element, "number-rows-repeated");
                col = 0;
                if is_empty {
                    row = row.saturating_add(row_repeats);
                }
            }
            "table-cell" | "covered-table-cell" => {
                let repeats = repeats(element, "number-columns-repeated");
                let has_content = !is_empty
                    || element
                        .attributes()
                        .flatten()
                        .any(|a| matches!(a.key.local_name().as_ref(), "value-type" | "formula"));
                if has_content {
                    extent.add(row, col);
                    extent.add(row + row_repeats - 1, col + repeats - 1);
                    check_area(extent.area(), limits)?;
                }
                col = col.saturating_add(repeats);
            }
            _ => {}
        }
    }
}

fn broken(problem: &str) -> OpenError {
    OpenError::Damaged { part: "content.xml".to_owned(), problem: problem.to_owned() }
}

/// A repetition count, at least 1 and at most what a grid holds.
fn repeats(element: &BytesStart<'_>, name: &str) -> u64 {
    element
        .attributes()
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == name)
        .and_then(|attribute| attribute.value.parse::<u64>().ok())
        .map_or(1, |count| count.clamp(1, u64::from(grid::MAX_ROWS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rows: &str, is_within: bool) {
        let xml = format!("<doc><table:table xmlns:table='t'>{rows}</table:table></doc>");
        let limits = Limits { max_sheet_bytes: 1000 * DENSE_CELL_BYTES, ..Limits::default() };
        assert_eq!(check_ods(xml.as_bytes(), &limits).is_ok(), is_within, "{rows}");
    }

    #[test]
    fn repetitions_are_added_up() {
        check("<table:table-row><table:table-cell table:value-type='float'/></table:table-row>", true);
        check(
            "<table:table-row table:number-rows-repeated='1001'><table:table-cell><p/></table:table-cell></table:table-row>",
            false,
        );
        check(
            "<table:table-row table:number-rows-repeated='1000000'><table:table-cell/></table:table-row>\
             <table:table-row><table:table-cell><p/></table:table-cell></table:table-row>",
            true,
        );
        check(
            "<table:table-row><table:table-cell><p/></table:table-cell><table:table-cell table:number-columns-repeated='999'/>\
             <table:table-cell><p/></table:table-cell></table:table-row>",
            false,
        );
    }

    #[test]
    fn every_element_has_to_end() {
        for content in ["<doc><table:table>", "<doc><table:table></table:tabme></doc>", "<doc></doc></doc>"] {
            let refused = check_ods(content.as_bytes(), &Limits::default());
            assert!(matches!(refused, Err(OpenError::Damaged { .. })), "{content}: {refused:?}");
        }
    }
}
