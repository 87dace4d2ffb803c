//! Page setup, print areas and titles, and defined names.

use expect_test::{Expect, expect};
use rust_xlsxwriter::Workbook as Writer;

use crate::support::{self, apply, around, draft_of, edits, element, part, refusal};
use workbook::edit::ExplicitPlaces;

const SHEET: &str = "xl/worksheets/sheet1.xml";

/// `Data` and `It's`, with a name for the workbook and one for each sheet.
fn book() -> Vec<u8> {
    let mut writer = Writer::new();
    writer.add_worksheet().set_name("Data").unwrap().write_number(0, 0, 1).unwrap();
    writer.add_worksheet().set_name("It's").unwrap().write_formula(0, 0, "=Rate*2").unwrap();
    writer.define_name("Rate", "=0.19").unwrap();
    writer.define_name("'Data'!Local", "=Data!$A$1").unwrap();
    writer.save_to_buffer().unwrap()
}

#[track_caller]
fn check(json: &str, expected: Expect) {
    support::check(book(), json, around, &expected);
}

#[test]
fn pages_are_set_up_and_the_rest_stays() {
    let mut draft = draft_of(book());
    apply(
        &mut draft,
        r#"[{"op": "page_setup", "sheet": "Data", "orientation": "landscape", "paper_size": "A4", "fit_to_width": 1, "fit_to_height": 0,
             "margins": {"left": 0.5}, "header": {"center": "Profit & loss", "right": "&D"}, "footer": {"left": "&P of &N"},
             "center_horizontally": true, "gridlines": true}]"#,
    );
    expect![[r#"
        <?xml version="1.0" encoding="UTF-8" standalone="yes"?>
        <worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheetPr><pageSetUpPr fitToPage="1"/></sheetPr><dimension ref="A1"/><sheetViews><sheetView tabSelected="1" workbookViewId="0"/></sheetViews><sheetFormatPr defaultRowHeight="15"/><sheetData><row r="1" spans="1:1"><c r="A1"><v>1</v></c></row></sheetData><printOptions horizontalCentered="1" gridLines="1"/><pageMargins left="0.5" right="0.7" top="0.75" bottom="0.75" header="0.3" footer="0.3"/><pageSetup paperSize="9" fitToWidth="1" fitToHeight="0" orientation="landscape"/><headerFooter><oddHeader>&amp;CProfit &amp; loss&amp;R&amp;D</oddHeader><oddFooter>&amp;L&amp;P of &amp;N</oddFooter></headerFooter></worksheet>"#]].assert_eq(&part(&draft, SHEET));
    apply(
        &mut draft,
        r#"[{"op": "page_setup", "sheet": "Data", "scale": 80, "header": {}, "gridlines": false, "margins": {"top": 1}}]"#,
    );
    expect![[r#"
        <?xml version="1.0" encoding="UTF-8" standalone="yes"?>
        <worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheetPr><pageSetUpPr/></sheetPr><dimension ref="A1"/><sheetViews><sheetView tabSelected="1" workbookViewId="0"/></sheetViews><sheetFormatPr defaultRowHeight="15"/><sheetData><row r="1" spans="1:1"><c r="A1"><v>1</v></c></row></sheetData><printOptions horizontalCentered="1"/><pageMargins left="0.5" right="0.7" top="1" bottom="0.75" header="0.3" footer="0.3"/><pageSetup paperSize="9" fitToWidth="1" fitToHeight="0" orientation="landscape" scale="80"/><headerFooter><oddFooter>&amp;L&amp;P of &amp;N</oddFooter></headerFooter></worksheet>"#]].assert_eq(&part(&draft, SHEET));
}

#[test]
fn print_areas_and_titles_are_names() {
    check(
        r#"[{"op": "print_area", "range": "Data!A1:D9"}, {"op": "print_area", "range": "'It''s'!B:C"},
            {"op": "print_titles", "sheet": "It's", "rows": "1:2", "columns": "A:A"}, {"op": "print_titles", "sheet": "Data", "rows": "3:3"},
            {"op": "print_area", "sheet": "Data"}, {"op": "print_area", "range": "'It''s'!B2"}]"#,
        expect![[r#"
            name Local Some(SheetId(0)) =Data!$A$1 hidden false None
            name Rate None =0.19 hidden false None
            name _xlnm.Print_Area Some(SheetId(1)) ='It''s'!$B$2 hidden false None
            name _xlnm.Print_Titles Some(SheetId(1)) ='It''s'!$A:$A,'It''s'!$1:$2 hidden false None
            name _xlnm.Print_Titles Some(SheetId(0)) =Data!$3:$3 hidden false None
        "#]],
    );
}

#[test]
fn names_come_change_and_go() {
    check(
        r#"[{"op": "define_name", "name": "Area", "refers_to": "Data!A1:B9", "comment": "all of it"},
            {"op": "define_name", "name": "rate", "refers_to": "=0.2", "hidden": true},
            {"op": "define_name", "name": "Local", "refers_to": "=Data!$A$2", "sheet": "Data"},
            {"op": "define_name", "name": "Local", "refers_to": "='It''s'!5:5", "sheet": "It's"},
            {"op": "define_name", "name": "Total", "refers_to": "=SUM(Area)"}]"#,
        expect![[r#"
            name Local Some(SheetId(0)) =Data!$A$2 hidden false None
            name Rate None =0.2 hidden true None
            name Area None =Data!$A$1:$B$9 hidden false Some("all of it")
            name Local Some(SheetId(1)) ='It''s'!$5:$5 hidden false None
            name Total None =SUM(Area) hidden false None
        "#]],
    );
    check(
        r#"[{"op": "delete_name", "name": "RATE"}, {"op": "delete_name", "name": "local", "sheet": "Data"}]"#,
        expect![[r#""#]],
    );
    let mut draft = draft_of(book());
    apply(&mut draft, r#"[{"op": "define_name", "name": "New", "refers_to": "1"}]"#);
    expect![[r#"<definedNames><definedName name="Local" localSheetId="0">Data!$A$1</definedName><definedName name="Rate">0.19</definedName><definedName name="New">1</definedName></definedNames>"#]].assert_eq(&element(&draft, "xl/workbook.xml", "definedNames"));
}

#[test]
fn what_the_log_keeps_is_explicit() {
    let mut draft = draft_of(book());
    let edits = edits(r#"[{"op": "define_name", "name": "Area", "refers_to": "data!B9:A1"}]"#);
    let explicit = draft.apply(&edits, &ExplicitPlaces).unwrap();
    let json = serde_json::to_string(&explicit).unwrap();
    assert_eq!(json, r#"[{"op":"define_name","name":"Area","refers_to":"=Data!$A$1:$B$9"}]"#);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut draft = draft_of(book());
    let mut check = |json: &str, expected: &str| {
        let told = refusal(&mut draft, json);
        assert!(told.contains(expected), "{told}");
        assert!(!draft.is_changed());
    };
    check(r#"[{"op": "define_name", "name": "B2", "refers_to": "1"}]"#, "is how a cell is written");
    check(r#"[{"op": "define_name", "name": "a b", "refers_to": "1"}]"#, "start with a letter");
    check(r#"[{"op": "define_name", "name": "ab", "refers_to": "="}]"#, "stands for nothing");
    check(r#"[{"op": "define_name", "name": "ab", "refers_to": "Nope!A1"}]"#, "there is no sheet \"Nope\"");
    check(r#"[{"op": "define_name", "name": "_xlnm.Print_Area", "refers_to": "1"}]"#, "use print_area");
    check(r#"[{"op": "delete_name", "name": "Local"}]"#, "it belongs to a sheet; add sheet: \"Data\"");
    check(r#"[{"op": "delete_name", "name": "Rate", "sheet": "Data"}]"#, "leave sheet out");
    check(r#"[{"op": "page_setup", "sheet": "Data"}]"#, "nothing is given to set");
    check(r#"[{"op": "page_setup", "sheet": "Data", "paper_size": "A99"}]"#, "write one of letter");
    check(r#"[{"op": "page_setup", "sheet": "Data", "scale": 5}]"#, "write 10 to 400");
    check(r#"[{"op": "page_setup", "sheet": "Data", "margins": {"left": -1}}]"#, "write 0 to 49");
    check(r#"[{"op": "print_area"}]"#, "either a range or a sheet is to be given");
    check(r#"[{"op": "print_titles", "sheet": "Data", "rows": "A:B"}]"#, "write rows as 1:2");
}
