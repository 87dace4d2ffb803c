//! Edits of cells, in the draft and in the file that it is saved as.

use expect_test::{Expect, expect};
use rust_xlsxwriter::{Format, Formula, Workbook as Writer};

use workbook::edit::Draft;

use crate::support::{self, apply, draft_of, listing, refusal, reopened};

/// `Data`: names, numbers, a sum and a shared look; `Other`: empty.
fn book() -> Vec<u8> {
    let mut writer = Writer::new();
    let sheet = writer.add_worksheet().set_name("Data").unwrap();
    let money = Format::new().set_num_format("0.00");
    for (row, (name, number)) in [("North", 10.5), ("South", 20.0), ("East", 30.25)].into_iter().enumerate() {
        sheet.write_string(row as u32, 0, name).unwrap();
        sheet.write_number_with_format(row as u32, 1, number, &money).unwrap();
    }
    sheet.write_formula(3, 1, Formula::new("=SUM(B1:B3)").set_result("60.75")).unwrap();
    writer.add_worksheet().set_name("Other").unwrap();
    writer.save_to_buffer().unwrap()
}

/// After the edits the draft reads as expected, and so does what it is saved as.
#[track_caller]
fn check(json: &str, expected: Expect) {
    support::check(book(), json, listing, &expected);
}

#[test]
fn values_are_set_as_they_are_typed() {
    check(
        r##"[{"op": "set", "range": "Data!C1", "values": [["007", true], [null, "=B1*2"], [{"date": "2026-01-31"}, {"error": "#N/A"}]]}]"##,
        expect![[r#"
            Data!A1 North
            Data!B1 10.50 [0.00]
            Data!C1 007
            Data!D1 TRUE
            Data!A2 South
            Data!B2 20.00 [0.00]
            Data!D2  =B1*2
            Data!A3 East
            Data!B3 30.25 [0.00]
            Data!C3 2026-01-31 [yyyy-mm-dd]
            Data!D3 #N/A
            Data!B4 60.75 =SUM(B1:B3)
        "#]],
    );
}

#[test]
fn one_value_fills_a_range_and_keeps_its_formats() {
    check(
        r#"[{"op": "set", "range": "Data!B1:B3", "values": [[1]]}, {"op": "set", "range": "Data!C1:C3", "values": [["=A1&B$4"]]},
            {"op": "set", "range": "Other!XFD1048576", "values": [["the last  \n <cell> & _x0041_ "]]}]"#,
        expect![[r#"
            Data!A1 North
            Data!B1 1.00 [0.00]
            Data!C1  =A1&B$4
            Data!A2 South
            Data!B2 1.00 [0.00]
            Data!C2  =A2&B$4
            Data!A3 East
            Data!B3 1.00 [0.00]
            Data!C3  =A3&B$4
            Data!B4 60.75 =SUM(B1:B3)
            Other!XFD1048576 the last  
             <cell> & _x0041_ 
        "#]],
    );
}

#[test]
fn cells_are_cleared_filled_copied_and_replaced() {
    check(
        r#"[{"op": "fill", "range": "Data!B2:B6", "from": "Data!B2:B3"},
            {"op": "clear", "range": "Data!A1:A3", "what": ["values"]},
            {"op": "copy", "range": "Data!B4", "to": "Other!B9:C9"},
            {"op": "paste", "range": "Other!A1", "csv": "a,\"b,c\"\n1,50%\n"},
            {"op": "replace", "range": "Other!A:XFD", "find": "b", "with": "x"},
            {"op": "replace", "range": "Other!A:XFD", "find": "SUM\\((\\w+)", "with": "MAX($1", "regex": true, "formulas": true}]"#,
        expect![[r#"
            Data!B1 10.50 [0.00]
            Data!B2 20.00 [0.00]
            Data!B3 30.25 [0.00]
            Data!B4 40.50 [0.00]
            Data!B5 50.75 [0.00]
            Data!B6 61.00 [0.00]
            Other!A1 a
            Other!B1 x,c
            Other!A2 1
            Other!B2 0.5
            Other!B9 40.50 [0.00]
            Other!C9 40.50 [0.00]
        "#]],
    );
}

#[test]
fn formats_are_merged() {
    let mut draft = draft_of(book());
    apply(
        &mut draft,
        r##"[{"op": "style", "range": "Data!A1:B2", "format": {"font": {"bold": true, "color": "#FF0000"}, "fill": {"color": "theme:4:0.5"},
             "border": {"outline": {"style": "medium"}, "inside": {"style": "hair", "color": "#00FF00"}}}},
            {"op": "style", "range": "Data!A1", "format": {"number_format": "0%", "alignment": {"horizontal": "center", "rotation": -45}}},
            {"op": "style", "range": "Other!C3", "format": {"protection": {"locked": false}}}]"##,
    );
    for book in [draft.book().clone(), reopened(&draft)] {
        let sheet = book.sheet(workbook::SheetId(0), &()).unwrap();
        let format = |at: &str| book.styles.format(sheet.cell(at.parse().unwrap()).style).unwrap().clone();
        let corner = format("A1");
        assert!(book.styles.fonts[corner.font].bold);
        assert_eq!(book.styles.fonts[corner.font].color, Some(workbook::Color::Rgb(0xFF0000)));
        assert_eq!(book.styles.number_formats[corner.number_format].code, "0%");
        assert_eq!(corner.alignment.unwrap().rotation, 135);
        let border = &book.styles.borders[corner.border];
        assert_eq!(border.left.as_ref().unwrap().style, "medium");
        assert_eq!(border.right.as_ref().unwrap().style, "hair");
        assert_eq!(book.styles.number_format_code(sheet.cell("B2".parse().unwrap()).style), "0.00");
        let other = book.sheet(workbook::SheetId(1), &()).unwrap();
        let unlocked = other.cell("C3".parse().unwrap()).style;
        assert!(!book.styles.format(unlocked).unwrap().locked);
    }
}

#[test]
fn a_refused_edit_leaves_everything_as_it_was() {
    let mut draft = draft_of(book());
    let before = listing(draft.book());
    let mut check = |json: &str, expected: &str| {
        let told = refusal(&mut draft, json);
        assert!(told.contains(expected), "{told}");
        assert_eq!(listing(draft.book()), before);
        assert!(!draft.is_changed());
    };
    check(
        r#"[{"op": "set", "range": "Data!A1", "values": [[1]]}, {"op": "set", "range": "Nope!A1", "values": [[1]]}]"#,
        "ops[1] (set) at Nope!A1: there is no sheet \"Nope\"",
    );
    check(r#"[{"op": "set", "range": "Data!A1", "values": [[1, 2], [3]]}]"#, "row 2 of values has 1 cells");
    check(
        r#"[{"op": "set", "range": "Data!A1:B9", "values": [[1, 2]]}]"#,
        "give one cell, or as many values",
    );
    check(r#"[{"op": "set", "range": "Data!XFD1", "values": [[1, 2]]}]"#, "beyond the sheet");
    check(r#"[{"op": "set", "range": "A1", "values": [[1]]}]"#, "write the range with its sheet");
    check(r#"[{"op": "set", "range": "Data!A:C", "values": [[1]]}]"#, "at most 2000000 cells");
    check(
        r##"[{"op": "style", "range": "Data!A1", "format": {"border": {"all": {"style": "bold"}}}}]"##,
        "write one of none, thin",
    );
}

#[test]
fn formulas_are_checked_and_stored_as_files_have_them() {
    let mut draft = draft_of(book());
    apply(
        &mut draft,
        r#"[{"op": "set", "range": "Data!D1:D2", "values": [["=XLOOKUP(1,B:B,A:A)"], ["=LET(x,B1,x*2)"]]},
            {"op": "replace", "range": "Data!B4", "find": "SUM", "with": "STDEV.S", "formulas": true}]"#,
    );
    expect![[r#"
        Data!D1  =_xlfn.XLOOKUP(1,B:B,A:A)
        Data!D2  =_xlfn.LET(_xlpm.x,B1,_xlpm.x*2)
        Data!B4  =_xlfn.STDEV.S(B1:B3)
    "#]]
    .assert_eq(&formulas(&draft));
    assert_eq!(
        refusal(&mut draft, r#"[{"op": "set", "range": "Data!A1:A2", "values": [[1], ["=SUM(B1:"]]}]"#),
        "ops[0] (set) at Data!A2: =SUM(B1: is no formula: \"(\" is not closed by \")\", at character 4 behind the \"=\"; put it right; \
         formulas are in en-US syntax, and {\"text\": …} writes a text that starts with \"=\"",
    );
    for op in [
        r#"{"op": "set", "range": "Data!A1", "values": [["=SUM(1;2)"]]}"#,
        r#"{"op": "paste", "range": "Data!A1", "csv": "1,=2+"}"#,
        r#"{"op": "append", "range": "Data!A1:B4", "rows": [["=1 2", 1]], "footer_rows": 1}"#,
        r#"{"op": "replace", "range": "Data!B4", "find": ")", "with": "", "formulas": true}"#,
        r#"{"op": "define_name", "name": "Broken", "refers_to": "=SUM("}"#,
        r#"{"op": "validation", "range": "Data!A1", "type": "custom", "values": ["=A1>"]}"#,
        r#"{"op": "validation", "range": "Data!A1", "type": "list", "source": "=IF("}"#,
        r#"{"op": "conditional_format", "range": "Data!A1", "rule": {"type": "expression", "formula": "=A1>"}, "format": {"font": {"bold": true}}}"#,
    ] {
        let told = refusal(&mut draft, &format!("[{op}]"));
        assert!(told.contains("is no formula"), "{told}");
    }
}

fn formulas(draft: &Draft) -> String {
    listing(draft.book()).lines().filter(|line| line.contains(" =")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn formulas_that_spill_are_marked() {
    let mut draft = draft_of(book());
    apply(
        &mut draft,
        r#"[{"op": "set", "range": "Data!D1", "values": [["=SORT(A1:A3)"]]}, {"op": "set", "range": "Data!E1", "values": [["=SUM(D1#)"]]}]"#,
    );
    assert_eq!(listing(&support::reopened(&draft)), listing(draft.book()));
    expect![[r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" s="1"><v>10.5</v></c><c r="D1" cm="1"><f t="array" ref="D1">_xlfn._xlws.SORT(A1:A3)</f></c><c r="E1" cm="1"><f t="array" ref="E1">SUM(_xlfn.ANCHORARRAY(D1))</f></c></row><row r="2" spans="1:2"><c r="A2" t="s"><v>1</v></c><c r="B2" s="1"><v>20</v></c></row><row r="3" spans="1:2"><c r="A3" t="s"><v>2</v></c><c r="B3" s="1"><v>30.25</v></c></row><row r="4" spans="1:2"><c r="B4"><f>SUM(B1:B3)</f><v>60.75</v></c></row>"#]].assert_eq(&support::element(&draft, "xl/worksheets/sheet1.xml", "row"));
    expect![[r#"
        <?xml version="1.0" encoding="UTF-8" standalone="yes"?>
        <metadata xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><metadataTypes count="1"><metadataType name="XLDAPR" minSupportedVersion="120000" copy="1" pasteAll="1" pasteValues="1" merge="1" splitFirst="1" rowColShift="1" clearFormats="1" clearComments="1" assign="1" coerce="1" cellMeta="1"/></metadataTypes><futureMetadata name="XLDAPR" count="1"><bk><extLst><ext uri="{bdbb8cdc-fa1e-496e-a857-3c3f30c029c3}"><xda:dynamicArrayProperties xmlns:xda="http://schemas.microsoft.com/office/spreadsheetml/2017/dynamicarray" fDynamic="1" fCollapsed="0"/></ext></extLst></bk></futureMetadata><cellMetadata count="1"><bk><rc t="1" v="0"/></bk></cellMetadata></metadata>"#]].assert_eq(&support::part(&draft, "xl/metadata.xml"));
    // The mark is made once.
    let types = support::part(&draft, "[Content_Types].xml");
    assert_eq!(types.matches("sheetMetadata+xml").count(), 1, "{types}");
}

#[test]
fn texts_may_look_different_in_parts() {
    let mut draft = draft_of(book());
    apply(
        &mut draft,
        r##"[{"op": "set", "range": "Data!D1", "values": [[{"runs": [{"text": "Net ", "font": {"bold": true, "color": "#FF0000", "name": "Arial"}},
              {"text": "<of> tax"}]}]]},
            {"op": "copy", "range": "Data!D1", "to": "Other!A1"}, {"op": "move", "range": "Data!D1", "to": "Data!E2"},
            {"op": "set", "range": "Data!F1", "values": [["Net <of> tax"]]}]"##,
    );
    assert_eq!(listing(&support::reopened(&draft)), listing(draft.book()));
    expect![[r#"<si><t>North</t></si><si><t>South</t></si><si><t>East</t></si><si><t>Net &lt;of&gt; tax</t></si><si><r><rPr><rFont val="Arial"/><b/><color rgb="FFFF0000"/></rPr><t xml:space="preserve">Net </t></r><r><t>&lt;of&gt; tax</t></r></si>"#]].assert_eq(&support::element(&draft, "xl/sharedStrings.xml", "si"));
    assert!(support::part(&draft, "xl/worksheets/sheet2.xml").contains(r#"<c r="A1" t="s"><v>4</v></c>"#));
    apply(&mut draft, r#"[{"op": "replace", "range": "Data!E2", "find": "Net", "with": "Gross"}]"#);
    assert!(support::part(&draft, "xl/sharedStrings.xml").contains("<si><t>Gross &lt;of&gt; tax</t></si>"));
    for (runs, expected) in [
        ("[]", "there is no text"),
        (r#"[{"text": "a", "bold": true}]"#, "unknown field `bold`"),
        (r#"[{"text": "a", "font": {"size": 0}}]"#, "sizes are 1 to 409"),
    ] {
        let op = format!(r#"[{{"op": "set", "range": "Data!D1", "values": [[{{"runs": {runs}}}]]}}]"#);
        let told = match serde_json::from_str::<Vec<workbook::edit::Edit>>(&op) {
            Ok(_) => refusal(&mut draft, &op),
            Err(error) => error.to_string(),
        };
        assert!(told.contains(expected), "{told}");
    }
}
