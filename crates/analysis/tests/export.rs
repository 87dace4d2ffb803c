//! Small sheets as text files.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use analysis::export::{
    Cells, Delimited, ExportError, Exported, InjectionPolicy, Values, delimited, json_records, json_rows,
};
use analysis::frame::TableView;
use support::{book, grid, sheet};
use workbook::{Sheet, SheetId, Workbook};

const CSV: Delimited = Delimited { delimiter: b',', values: Values::Raw, injection: InjectionPolicy::Escape };

const LEDGER: &str = "
    Day              | Region     | Share   | Paid  | Code
    2026-01-30       | a, b       | -2.5    | TRUE  | text 007
    2026-01-31T08:30 | say \"x\"  | 0.1     | FALSE | #N/A
                     |            | 1e21    |       | 12
";

fn ledger() -> (Workbook, Sheet) {
    (book(&[]), sheet("Data", &grid(LEDGER)))
}

fn cells_of(range: &str) -> Cells<'static> {
    range.parse::<grid::CellRange>().unwrap().into()
}

/// What is written of a range, and how many texts were escaped.
fn written(cells: &str, range: &str, options: Delimited) -> Result<(String, Exported), ExportError> {
    let mut out = Vec::new();
    let sheet = sheet("Data", cells);
    let exported = delimited(&book(&[]), &sheet, cells_of(range), options, &mut out, &|| false)?;
    Ok((String::from_utf8(out).unwrap(), exported))
}

#[track_caller]
fn check(cells: &str, range: &str, options: Delimited, expected: &str, escaped: u64) {
    let (text, exported) = written(cells, range, options).unwrap();
    assert_eq!((text.as_str(), exported.escaped), (expected, escaped));
}

#[test]
fn values_are_exact_and_fields_quoted_where_they_need_it() {
    check(
        &grid(LEDGER),
        "A1:E4",
        CSV,
        "Day,Region,Share,Paid,Code\r\n\
         2026-01-30,\"a, b\",-2.5,TRUE,007\r\n\
         2026-01-31T08:30:00,\"say \"\"x\"\"\",0.1,FALSE,#N/A\r\n\
         ,,1e+21,,12\r\n",
        0,
    );
    check(
        "A1 0.30000000000000004\nB1 123456789012345",
        "A1:B1",
        CSV,
        "0.30000000000000004,123456789012345\r\n",
        0,
    );
    check("B2 percent -0.5", "A1:C3", CSV, ",,\r\n,-0.5,\r\n,,\r\n", 0);
}

#[test]
fn values_are_shown_where_that_is_asked_for() {
    let shown = Delimited { values: Values::Formatted, ..CSV };
    check(
        "A1 percent -0.5\nB1 date 46053\nC1 TRUE\nD1 #N/A\nE1 7",
        "A1:E1",
        shown,
        "-50%,2026-01-31,TRUE,#N/A,7\r\n",
        0,
    );
}

#[test]
fn tabs_between_fields() {
    let tabs = Delimited { delimiter: b'\t', ..CSV };
    check("A1 a,b\nB1 c d\nA2 1", "A1:B2", tabs, "a,b\tc d\r\n1\t\r\n", 0);
}

#[test]
fn a_row_of_one_empty_field_is_a_line() {
    check("A1 x\nA3 y", "A1:A3", CSV, "x\r\n\"\"\r\ny\r\n", 0);
}

#[test]
fn texts_that_look_like_formulas() {
    let cells = "A1 text =1+1\nB1 text -5\nC1 -5\nA2 text @x\nB2 text a=b\nC2 text +49 30";
    check(cells, "A1:C2", CSV, "'=1+1,'-5,-5\r\n'@x,a=b,'+49 30\r\n", 4);
    let keep = Delimited { injection: InjectionPolicy::Keep, ..CSV };
    check(cells, "A1:C2", keep, "=1+1,-5,-5\r\n@x,a=b,+49 30\r\n", 0);
    let refuse = Delimited { injection: InjectionPolicy::Refuse, ..CSV };
    check(cells, "C1:C1", refuse, "-5\r\n", 0);
    match written(cells, "A2:C2", refuse) {
        Err(ExportError::LooksLikeFormula(at)) => assert_eq!(at.to_string(), "A2"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn results_are_written_and_missing_ones_counted() {
    let (text, exported) = written("A1 2\nA2 =A1*2 -> 4\nA3 =A1*3", "A1:A3", CSV).unwrap();
    assert_eq!(text, "2\r\n4\r\n\"\"\r\n");
    assert_eq!((exported.formulas, exported.without_result), (2, 1));
}

#[track_caller]
fn json(
    write: impl FnOnce(&Workbook, &Sheet, &mut Vec<u8>) -> Result<Exported, ExportError>,
) -> (String, Exported) {
    let ((book, sheet), mut out) = (ledger(), Vec::new());
    let exported = write(&book, &sheet, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    serde_json::from_str::<serde_json::Value>(&text).unwrap();
    (text, exported)
}

#[test]
fn rows_as_lists() {
    let (text, exported) =
        json(|book, sheet, out| json_rows(book, sheet, cells_of("B2:E4"), Values::Raw, out, &|| false));
    let expected = "[\n[\"a, b\",-2.5,true,\"007\"],\n[\"say \\\"x\\\"\",0.1,false,\"#N/A\"],\n[null,1e+21,null,12]\n]\n";
    assert_eq!((text.as_str(), exported.rows, exported.columns), (expected, 3, 4));
}

#[test]
fn rows_as_objects() {
    let (text, exported) = json(|book, sheet, out| {
        let mut view = TableView::of_range(book, SheetId(0), sheet, "A1:E3".parse().unwrap(), 1);
        view.columns.remove(1);
        json_records(book, sheet, &view, Values::Formatted, out, &|| false)
    });
    let expected = "[\n{\"Day\":\"2026-01-30\",\"Share\":\"-2.5\",\"Paid\":\"TRUE\",\"Code\":\"007\"},\n\
                    {\"Day\":\"2026-01-31\",\"Share\":\"0.1\",\"Paid\":\"FALSE\",\"Code\":\"#N/A\"}\n]\n";
    assert_eq!((text.as_str(), exported.rows, exported.columns), (expected, 2, 4));
}

#[test]
fn a_header_comes_first() {
    let header = ["Share".to_owned(), "=Paid".to_owned()];
    let cells = Cells { header: &header, ..cells_of("C2:D2") };
    let (text, _) = json(|book, sheet, out| json_rows(book, sheet, cells, Values::Raw, out, &|| false));
    assert_eq!(text, "[\n[\"Share\",\"=Paid\"],\n[-2.5,true]\n]\n");
    let ((book, sheet), mut out) = (ledger(), Vec::new());
    let exported = delimited(&book, &sheet, cells, CSV, &mut out, &|| false).unwrap();
    assert_eq!((out.as_slice(), exported.escaped), (b"Share,'=Paid\r\n-2.5,TRUE\r\n".as_slice(), 1));
    let refuse = Delimited { injection: InjectionPolicy::Refuse, ..CSV };
    match delimited(&book, &sheet, cells, refuse, Vec::new(), &|| false) {
        Err(ExportError::LooksLikeFormula(at)) => assert_eq!(at.to_string(), "D1"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_empty_sheet_is_an_empty_file() {
    let ((book, sheet), mut out) = (ledger(), Vec::new());
    delimited(&book, &sheet, Cells::default(), CSV, &mut out, &|| false).unwrap();
    assert!(out.is_empty());
    json_rows(&book, &sheet, Cells::default(), Values::Raw, &mut out, &|| false).unwrap();
    assert_eq!(out, b"[\n]\n");
}

#[test]
fn a_table_without_rows_is_an_empty_list() {
    let (text, exported) = json(|book, sheet, out| {
        let view = TableView::of_range(book, SheetId(0), sheet, "A1:B1".parse().unwrap(), 1);
        json_records(book, sheet, &view, Values::Raw, out, &|| false)
    });
    assert_eq!((text.as_str(), exported.rows), ("[\n]\n", 0));
}

#[test]
fn a_stopped_export_and_a_full_disk_are_errors() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let ((book, sheet), range) = (ledger(), cells_of("A1:E4"));
    assert!(matches!(
        delimited(&book, &sheet, range, CSV, Vec::new(), &|| true),
        Err(ExportError::Cancelled(_))
    ));
    let full = delimited(&book, &sheet, range, CSV, Full, &|| false);
    assert!(
        matches!(full, Err(ExportError::Write(error)) if error.kind() == std::io::ErrorKind::StorageFull)
    );
}
