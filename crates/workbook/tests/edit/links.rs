//! Merged cells, filters and hyperlinks, in the draft and in the file that it is saved as.

use expect_test::{Expect, expect};
use rust_xlsxwriter::{FilterCondition, Format, Table, Url, Workbook as Writer};

use crate::support::{apply, around, draft_of, listing, part, refusal, reopened};

const RELS: &str = "xl/worksheets/_rels/sheet1.xml.rels";

/// `Data`: a header over numbers with a filter that hides two rows, a merged range, links, a table; `Other`.
fn book() -> Vec<u8> {
    let mut writer = Writer::new();
    let sheet = writer.add_worksheet().set_name("Data").unwrap();
    for (col, name) in ["a", "b"].into_iter().enumerate() {
        sheet.write_string(0, col as u16, name).unwrap();
        for row in 1..5 {
            sheet.write_number(row, col as u16, row).unwrap();
        }
    }
    sheet.autofilter(0, 0, 4, 1).unwrap();
    sheet.filter_column(0, &FilterCondition::new().add_list_filter(1).add_list_filter(2)).unwrap();
    sheet.merge_range(9, 0, 10, 1, "merged", &Format::new()).unwrap();
    sheet.write_url(0, 4, Url::new("https://example.com/a").set_text("a")).unwrap();
    sheet.write_url(1, 4, "internal:Other!A1").unwrap();
    sheet.add_table(0, 7, 3, 8, &Table::new()).unwrap();
    writer.add_worksheet().set_name("Other").unwrap();
    writer.save_to_buffer().unwrap()
}

#[track_caller]
fn check(json: &str, expected: Expect) {
    let mut draft = draft_of(book());
    apply(&mut draft, json);
    let live = around(draft.book());
    let again = reopened(&draft);
    assert_eq!(around(&again), live, "saved and opened again");
    assert_eq!(listing(&again), listing(draft.book()));
    expected.assert_eq(&live);
}

#[test]
fn cells_are_merged_and_parted() {
    check(
        r#"[{"op": "unmerge", "range": "Data!B11"}, {"op": "merge", "range": "Data!A20:C21"}, {"op": "merge", "range": "Other!A1:B3", "across": true}]"#,
        expect![[r#"
            Data row 4 None hidden true level 0
            Data row 5 None hidden true level 0
            Data merge A20:C21
            Data filter A1:B5 [FilterColumn { column: 0, criteria: "1, 2" }]
            Data link E1 External("https://example.com/a") None
            Data link E2 Internal("Other!A1") None
            Other merge A1:B1
            Other merge A2:B2
            Other merge A3:B3
            name _xlnm._FilterDatabase Some(SheetId(0)) =Data!$A$1:$B$5 hidden true None
        "#]],
    );
    let mut draft = draft_of(book());
    apply(&mut draft, r#"[{"op": "merge", "range": "Data!A2:B3", "discard": true}]"#);
    let cells = listing(draft.book());
    assert!(
        cells.contains("Data!A2 1\nData!E2 Other!A1\nData!A4 3\n"),
        "what else was in A2:B3 is gone: {cells}"
    );
    assert_eq!(listing(&reopened(&draft)), cells);
}

#[test]
fn filters_come_and_go_and_show_what_they_hid() {
    check(
        r#"[{"op": "auto_filter", "range": "Data!A1:B4"}]"#,
        expect![[r#"
        Data merge A10:B11
        Data filter A1:B4 []
        Data link E1 External("https://example.com/a") None
        Data link E2 Internal("Other!A1") None
        name _xlnm._FilterDatabase Some(SheetId(0)) =Data!$A$1:$B$4 hidden true None
    "#]],
    );
    check(
        r#"[{"op": "auto_filter", "sheet": "Data"}, {"op": "auto_filter", "range": "Other!A1:C1"}]"#,
        expect![[r#"
            Data merge A10:B11
            Data link E1 External("https://example.com/a") None
            Data link E2 Internal("Other!A1") None
            Other filter A1:C1 []
            name _xlnm._FilterDatabase Some(SheetId(1)) =Other!$A$1:$C$1 hidden true None
        "#]],
    );
}

#[test]
fn links_lead_outside_and_inside() {
    check(
        r#"[{"op": "hyperlink", "range": "Data!D1:F1", "url": "https://example.com/b c?x=1&y=2#top", "tooltip": "there"},
            {"op": "hyperlink", "range": "Data!A9", "place": "other!b2", "text": "go"},
            {"op": "hyperlink", "range": "Other!A1", "url": "mailto:someone@example.com"}]"#,
        expect![[r#"
            Data row 4 None hidden true level 0
            Data row 5 None hidden true level 0
            Data merge A10:B11
            Data filter A1:B5 [FilterColumn { column: 0, criteria: "1, 2" }]
            Data link E2 Internal("Other!A1") None
            Data link D1:F1 External("https://example.com/b%20c?x=1&y=2#top") Some("there")
            Data link A9 Internal("Other!B2") None
            Other link A1 External("mailto:someone@example.com") None
            name _xlnm._FilterDatabase Some(SheetId(0)) =Data!$A$1:$B$5 hidden true None
        "#]],
    );
    let mut draft = draft_of(book());
    apply(&mut draft, r#"[{"op": "hyperlink", "range": "Data!D1:E3", "url": "https://example.com/b"}]"#);
    expect![[r#"
        <?xml version="1.0" encoding="UTF-8" standalone="yes"?>
        <Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/table" Target="../tables/table1.xml"/><Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink" Target="https://example.com/b" TargetMode="External"/></Relationships>"#]].assert_eq(&part(&draft, RELS));
}

#[test]
fn links_are_cleared_with_their_relationships() {
    let mut draft = draft_of(book());
    apply(
        &mut draft,
        r#"[{"op": "hyperlink", "range": "Data!D10:F12", "url": "https://example.com/b"}, {"op": "clear_hyperlinks", "range": "Data!E11"},
            {"op": "clear_hyperlinks", "range": "Data!E1"}]"#,
    );
    let live = around(draft.book());
    assert_eq!(around(&reopened(&draft)), live);
    expect![[r#"
        Data row 4 None hidden true level 0
        Data row 5 None hidden true level 0
        Data merge A10:B11
        Data filter A1:B5 [FilterColumn { column: 0, criteria: "1, 2" }]
        Data link E2 Internal("Other!A1") None
        Data link D10:F10 External("https://example.com/b") None
        Data link D11 External("https://example.com/b") None
        Data link F11 External("https://example.com/b") None
        Data link D12:F12 External("https://example.com/b") None
        name _xlnm._FilterDatabase Some(SheetId(0)) =Data!$A$1:$B$5 hidden true None
    "#]]
    .assert_eq(&live);
    let rels = part(&draft, RELS);
    assert!(!rels.contains("example.com/a") && rels.contains("example.com/b"), "{rels}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut draft = draft_of(book());
    let mut check = |json: &str, expected: &str| {
        let told = refusal(&mut draft, json);
        assert!(told.contains(expected), "{told}");
        assert!(!draft.is_changed());
    };
    check(r#"[{"op": "merge", "range": "Data!A1:B2"}]"#, "what is in B1 and 2 other cells would be lost");
    check(
        r#"[{"op": "merge", "range": "Data!A11:D11"}]"#,
        "the cells meet the merged range A10:B11; unmerge it first",
    );
    check(r#"[{"op": "merge", "range": "Data!G1:H1"}]"#, "the cells meet the table \"Table1\" in H1:I4");
    check(r#"[{"op": "merge", "range": "Data!C3"}]"#, "only one cell");
    check(r#"[{"op": "merge", "range": "Data!C:D", "across": true}]"#, "at most 10000 rows");
    check(r#"[{"op": "unmerge", "range": "Data!C3"}]"#, "nothing is merged there");
    check(r#"[{"op": "auto_filter", "range": "Data!F1:H9"}]"#, "which has a filter of its own");
    check(r#"[{"op": "auto_filter"}]"#, "either a range or a sheet");
    check(r#"[{"op": "hyperlink", "range": "Data!C3"}]"#, "either a url or a place");
    check(
        r#"[{"op": "hyperlink", "range": "Data!C3", "url": "javascript:alert(1)"}]"#,
        "is of no kind that is linked to",
    );
    check(r#"[{"op": "hyperlink", "range": "Data!C3", "url": " https://a"}]"#, "without them");
    check(r#"[{"op": "hyperlink", "range": "Data!C3", "place": "Nope!A1"}]"#, "there is no sheet");
}
