//! What follows a change of structure in ways of its own: shared formulas, rules of later editions, columns of tables.

use std::io::Cursor;

use expect_test::{Expect, expect};
use ooxml::{Changes, Limits as PackageLimits, Package};
use rust_xlsxwriter::{Formula, Table, TableColumn, Workbook as Writer};

use crate::support::{apply, draft_of, listing, reopened, saved};

/// A workbook whose first sheet has other XML than its writer gives it.
fn with_sheet_xml(writer: &mut Writer, change: impl FnOnce(String) -> String) -> Vec<u8> {
    const PART: &str = "xl/worksheets/sheet1.xml";
    let bytes = writer.save_to_buffer().unwrap();
    let package = Package::open(bytes.into(), &PackageLimits::default()).unwrap();
    let xml = String::from_utf8(package.part(PART).unwrap().to_vec()).unwrap();
    let changed = change(xml.clone());
    assert_ne!(changed, xml);
    let mut changes = Changes::default();
    changes.put(PART, changed.into_bytes());
    let mut out = Cursor::new(Vec::new());
    package.save(&changes, &mut out).unwrap();
    out.into_inner()
}

/// The pieces of the saved sheet's XML that start and end so.
fn pieces(bytes: Vec<u8>, start: &str, end: &str) -> String {
    let package = Package::open(bytes.into(), &PackageLimits::default()).unwrap();
    let xml = String::from_utf8(package.part("xl/worksheets/sheet1.xml").unwrap().to_vec()).unwrap();
    let found = xml.match_indices(start).map(|(at, _)| {
        let rest = &xml[at..];
        format!("{}\n", &rest[..rest.find(end).unwrap() + end.len()])
    });
    found.collect()
}

#[track_caller]
fn check(book: Vec<u8>, json: &str, (start, end): (&str, &str), expected: Expect) {
    let mut draft = draft_of(book);
    apply(&mut draft, json);
    expected.assert_eq(&pieces(saved(&draft), start, end));
}

/// The text of a shared formula that refers to nothing stays, but not the cells that it is for.
#[test]
fn shared_formulas_without_references_say_where_they_are() {
    let mut writer = Writer::new();
    let sheet = writer.add_worksheet();
    for row in 0..3 {
        sheet.write_formula(row, 2, Formula::new("=RAND()").set_result("0")).unwrap();
    }
    let book = with_sheet_xml(&mut writer, |xml| {
        let shared = xml.replacen("<f>RAND()</f>", "<f t=\"shared\" ref=\"C1:C3\" si=\"0\">RAND()</f>", 1);
        shared.replace("<f>RAND()</f>", "<f t=\"shared\" si=\"0\"/>")
    });
    check(
        book,
        r#"[{"op": "insert_columns", "range": "Sheet1!B:B"}]"#,
        ("<c ", "</c>"),
        expect![[r#"
            <c r="D1"><f t="shared" si="0" ref="D1:D3">RAND()</f><v>0</v></c>
            <c r="D2"><f t="shared" si="0"/><v>0</v></c>
            <c r="D3"><f t="shared" si="0"/><v>0</v></c>
        "#]],
    );
}

/// Rules that look at other sheets are in a list of their own, with an element more around their formulas.
#[test]
fn rules_of_later_editions_keep_their_elements() {
    let list = "<extLst><ext uri=\"{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}\" \
                xmlns:x14=\"http://schemas.microsoft.com/office/spreadsheetml/2009/9/main\"><x14:dataValidations \
                xmlns:xm=\"http://schemas.microsoft.com/office/excel/2006/main\" count=\"1\"><x14:dataValidation \
                type=\"list\"><x14:formula1><xm:f>Lists!$A$2:$A$9</xm:f></x14:formula1><xm:sqref>B2:B5</xm:sqref>\
                </x14:dataValidation></x14:dataValidations></ext></extLst></worksheet>";
    let mut writer = Writer::new();
    writer.add_worksheet();
    writer.add_worksheet().set_name("Lists").unwrap();
    let book = with_sheet_xml(&mut writer, |xml| xml.replace("</worksheet>", list));
    check(
        book,
        r#"[{"op": "insert_rows", "range": "Lists!3:4"}, {"op": "rename_sheet", "sheet": "Lists", "name": "A & B"},
            {"op": "insert_columns", "range": "Sheet1!A:A"}]"#,
        ("<x14:formula1>", "</xm:sqref>"),
        expect![[r#"
            <x14:formula1><xm:f>'A &amp; B'!$A$2:$A$11</xm:f></x14:formula1><xm:sqref>C2:C5</xm:sqref>
        "#]],
    );
}

/// Whole columns are written by their corners, as every program reads them.
#[test]
fn rules_over_whole_columns() {
    let mut writer = Writer::new();
    writer.add_worksheet();
    let book = with_sheet_xml(&mut writer, |xml| {
        let rule = "<conditionalFormatting sqref=\"B1:B1048576 D2\"><cfRule type=\"expression\" priority=\"1\">\
                    <formula>B1&gt;1</formula></cfRule></conditionalFormatting><pageMargins";
        xml.replace("<pageMargins", rule)
    });
    check(
        book,
        r#"[{"op": "insert_columns", "range": "Sheet1!A:A"}, {"op": "insert_rows", "range": "Sheet1!1:1"}]"#,
        ("<conditionalFormatting ", ">"),
        expect![[r#"
            <conditionalFormatting sqref="C1:C1048576 E3">
        "#]],
    );
}

/// Structured references to a column that goes are lost, wherever they are.
#[test]
fn columns_of_tables_are_lost() {
    let mut writer = Writer::new();
    let sheet = writer.add_worksheet().set_name("Data").unwrap();
    let columns = ["Key", "Net", "Gross"].map(|name| TableColumn::new().set_header(name));
    sheet.add_table(0, 0, 2, 2, &Table::new().set_name("Sales").set_columns(&columns)).unwrap();
    sheet.write_formula(0, 5, Formula::new("=SUM(Sales[Net])").set_result("0")).unwrap();
    sheet.write_formula(1, 5, Formula::new("=SUM(Sales[[Net]:[Gross]])").set_result("0")).unwrap();
    sheet.write_formula(2, 5, Formula::new("=SUM(Sales[Gross])").set_result("0")).unwrap();
    writer.define_name("Nets", "=Sales[Net]").unwrap();
    let mut draft = draft_of(writer.save_to_buffer().unwrap());
    apply(&mut draft, r#"[{"op": "delete_columns", "range": "Data!B:B"}]"#);
    let told = |book: &workbook::Workbook| {
        let names: String =
            book.names.iter().map(|name| format!("{} ={}\n", name.name, name.refers_to)).collect();
        let formulas = listing(book)
            .lines()
            .filter(|line| line.contains('='))
            .map(|line| format!("{line}\n"))
            .collect::<String>();
        formulas + &names
    };
    let live = told(draft.book());
    assert_eq!(told(&reopened(&draft)), live);
    expect![[r#"
        Data!E1 0 =SUM(#REF!)
        Data!E2 0 =SUM(Sales[Gross])
        Data!E3 0 =SUM(Sales[Gross])
        Nets =#REF!
    "#]]
    .assert_eq(&live);
}
