//! Charts and pictures that are made, led elsewhere and taken away.

use expect_test::{Expect, expect};
use rust_xlsxwriter::{Chart, ChartType, Workbook as Writer};
use workbook::Workbook;

use crate::support::{apply, draft_of, part, refusal, reopened};

/// One red pixel.
pub(crate) const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

/// `Data`: years and two columns of numbers, with a chart `Old` over the first; `Bare`: empty.
fn book() -> Vec<u8> {
    let mut writer = Writer::new();
    let sheet = writer.add_worksheet().set_name("Q 1").unwrap();
    for (col, header) in ["Year", "North <1>", "South"].into_iter().enumerate() {
        sheet.write_string(0, col as u16, header).unwrap();
    }
    for row in 1..4_u32 {
        sheet.write_string(row, 0, format!("{}", 2023 + row)).unwrap();
        sheet.write_number(row, 1, row * 10).unwrap();
        sheet.write_number(row, 2, f64::from(row) / 4.0).unwrap();
    }
    let mut chart = Chart::new(ChartType::Line);
    chart
        .set_name("Old")
        .add_series()
        .set_categories("'Q 1'!A2:A4")
        .set_values("'Q 1'!B2:B4")
        .set_name("'Q 1'!B1");
    sheet.insert_chart(9, 0, &chart).unwrap();
    writer.add_worksheet().set_name("Bare").unwrap();
    writer.save_to_buffer().unwrap()
}

fn objects(book: &Workbook) -> String {
    let mut lines = String::new();
    for id in book.sheet_ids() {
        let sheet = book.sheet(id, &()).unwrap();
        for it in &sheet.charts {
            let series: Vec<String> = (it.series.iter())
                .map(|it| {
                    format!("{:?} {:?} {:?}", it.name, it.categories, it.values)
                        .replace("Some", "")
                        .replace('"', "")
                })
                .collect();
            lines.push_str(&format!(
                "{} chart {} {:?} {:?} {:?} {:?}: {}\n",
                sheet.name,
                it.name,
                it.kinds,
                it.title,
                it.axis_titles,
                it.anchor,
                series.join("; ")
            ));
        }
        for it in &sheet.images {
            lines.push_str(&format!(
                "{} image {} {:?} {:?} {} {:?}\n",
                sheet.name, it.name, it.description, it.anchor, it.part, it.media_type
            ));
        }
        assert!(sheet.notes.is_empty(), "{:?}", sheet.notes);
    }
    lines
}

#[track_caller]
fn check(json: &str, expected: Expect) {
    let mut draft = draft_of(book());
    apply(&mut draft, json);
    let live = objects(draft.book());
    assert_eq!(objects(&reopened(&draft)), live, "saved and opened again");
    expected.assert_eq(&live);
}

#[test]
fn charts_are_made_over_blocks_and_series() {
    check(
        r#"[{"op": "create_chart", "sheet": "Q 1", "kind": "column", "data": "'Q 1'!A1:C4", "anchor": "E2:L20", "title": "A & B", "x_title": "x", "y_title": "y"},
            {"op": "create_chart", "sheet": "Bare", "kind": "scatter", "series": [{"name": "one", "values": "'Q 1'!C2:C4", "categories": "'Q 1'!B2:B4"},
             {"name": "='Q 1'!B1", "values": "'Q 1'!B2:B4"}], "anchor": "A1:H9", "name": "Dots"},
            {"op": "create_chart", "sheet": "Bare", "kind": "pie", "data": "'Q 1'!A1:B4", "anchor": "A11:H19"},
            {"op": "create_chart", "sheet": "Bare", "kind": "bar", "data": "'Q 1'!A1:B4", "anchor": "A21:H29"},
            {"op": "create_chart", "sheet": "Bare", "kind": "line", "data": "'Q 1'!A1:B4", "anchor": "A31:H39"},
            {"op": "create_chart", "sheet": "Bare", "kind": "area", "data": "'Q 1'!B1:B4", "anchor": "A41:H49"}]"#,
        expect![[r#"
            Q 1 chart Old ["line"] None [] Some(Cells(CellRange { start: CellRef { row: 9, col: 0 }, end: CellRef { row: 23, col: 7 } })): ('Q 1'!$B$1) ('Q 1'!$A$2:$A$4) ('Q 1'!$B$2:$B$4)
            Q 1 chart Chart 1 ["column"] Some("A & B") ["x", "y"] Some(Cells(CellRange { start: CellRef { row: 1, col: 4 }, end: CellRef { row: 20, col: 12 } })): ('Q 1'!$B$1) ('Q 1'!$A$2:$A$4) ('Q 1'!$B$2:$B$4); ('Q 1'!$C$1) ('Q 1'!$A$2:$A$4) ('Q 1'!$C$2:$C$4)
            Bare chart Dots ["scatter"] None [] Some(Cells(CellRange { start: CellRef { row: 0, col: 0 }, end: CellRef { row: 9, col: 8 } })): (one) ('Q 1'!$B$2:$B$4) ('Q 1'!$C$2:$C$4); ('Q 1'!$B$1) None ('Q 1'!$B$2:$B$4)
            Bare chart Chart 1 ["pie"] None [] Some(Cells(CellRange { start: CellRef { row: 10, col: 0 }, end: CellRef { row: 19, col: 8 } })): ('Q 1'!$B$1) ('Q 1'!$A$2:$A$4) ('Q 1'!$B$2:$B$4)
            Bare chart Chart 2 ["bar"] None [] Some(Cells(CellRange { start: CellRef { row: 20, col: 0 }, end: CellRef { row: 29, col: 8 } })): ('Q 1'!$B$1) ('Q 1'!$A$2:$A$4) ('Q 1'!$B$2:$B$4)
            Bare chart Chart 3 ["line"] None [] Some(Cells(CellRange { start: CellRef { row: 30, col: 0 }, end: CellRef { row: 39, col: 8 } })): ('Q 1'!$B$1) ('Q 1'!$A$2:$A$4) ('Q 1'!$B$2:$B$4)
            Bare chart Chart 4 ["area"] None [] Some(Cells(CellRange { start: CellRef { row: 40, col: 0 }, end: CellRef { row: 49, col: 8 } })): ('Q 1'!$B$1) None ('Q 1'!$B$2:$B$4)
        "#]],
    );
}

#[test]
fn a_new_chart_knows_what_it_shows() {
    let mut draft = draft_of(book());
    apply(
        &mut draft,
        r#"[{"op": "create_chart", "sheet": "Bare", "kind": "line", "data": "'Q 1'!A1:B4", "anchor": "A1:H9"}]"#,
    );
    let xml = part(&draft, "xl/charts/chart2.xml");
    let (from, to) = (xml.find("<c:tx>").unwrap(), xml.find("<c:smooth").unwrap());
    expect![[r#"<c:tx><c:strRef><c:f>'Q 1'!$B$1</c:f><c:strCache><c:ptCount val="1"/><c:pt idx="0"><c:v>North &lt;1&gt;</c:v></c:pt></c:strCache></c:strRef></c:tx><c:marker><c:symbol val="none"/></c:marker><c:cat><c:strRef><c:f>'Q 1'!$A$2:$A$4</c:f><c:strCache><c:ptCount val="3"/><c:pt idx="0"><c:v>2024</c:v></c:pt><c:pt idx="1"><c:v>2025</c:v></c:pt><c:pt idx="2"><c:v>2026</c:v></c:pt></c:strCache></c:strRef></c:cat><c:val><c:numRef><c:f>'Q 1'!$B$2:$B$4</c:f><c:numCache><c:formatCode>General</c:formatCode><c:ptCount val="3"/><c:pt idx="0"><c:v>10</c:v></c:pt><c:pt idx="1"><c:v>20</c:v></c:pt><c:pt idx="2"><c:v>30</c:v></c:pt></c:numCache></c:numRef></c:val>"#]].assert_eq(&xml[from..to]);
    assert!(part(&draft, "[Content_Types].xml").contains("/xl/charts/chart2.xml"));
}

#[test]
fn charts_are_led_to_other_cells() {
    check(
        r#"[{"op": "retarget_chart", "chart": "old", "data": "'Q 1'!A1:C3"},
            {"op": "retarget_chart", "sheet": "Q 1", "chart": "1", "series": [{"name": "n", "values": "'Q 1'!C2:C4"}, {"values": "'Q 1'!B2:B3"}]}]"#,
        expect![[r#"
            Q 1 chart Old ["line"] None [] Some(Cells(CellRange { start: CellRef { row: 9, col: 0 }, end: CellRef { row: 23, col: 7 } })): (n) None ('Q 1'!$C$2:$C$4); None None ('Q 1'!$B$2:$B$3)
        "#]],
    );
}

#[test]
fn pictures_are_placed_and_share_their_bytes() {
    check(
        &r#"[{"op": "place_image", "sheet": "Bare", "anchor": "B2", "data": "PNG", "alt_text": "a \"red\" dot"},
            {"op": "place_image", "sheet": "Q 1", "anchor": "E2:F9", "data": "PNG", "name": "Dot"}]"#
            .replace("PNG", PNG),
        expect![[r#"
            Q 1 chart Old ["line"] None [] Some(Cells(CellRange { start: CellRef { row: 9, col: 0 }, end: CellRef { row: 23, col: 7 } })): ('Q 1'!$B$1) ('Q 1'!$A$2:$A$4) ('Q 1'!$B$2:$B$4)
            Q 1 image Dot None Some(Cells(CellRange { start: CellRef { row: 1, col: 4 }, end: CellRef { row: 9, col: 6 } })) xl/media/image1.png Some("image/png")
            Bare image Picture 1 Some("a \"red\" dot") Some(Cell(CellRef { row: 1, col: 1 })) xl/media/image1.png Some("image/png")
        "#]],
    );
}

#[test]
fn objects_are_taken_away() {
    let mut draft = draft_of(book());
    apply(
        &mut draft,
        &r#"[{"op": "place_image", "sheet": "Q 1", "anchor": "B2", "data": "PNG"}]"#.replace("PNG", PNG),
    );
    apply(&mut draft, r#"[{"op": "delete_object", "name": "old"}]"#);
    expect![[r#"
        Q 1 image Picture 1 None Some(Cell(CellRef { row: 1, col: 1 })) xl/media/image1.png Some("image/png")
    "#]]
    .assert_eq(&objects(&reopened(&draft)));
    let names = |draft: &workbook::edit::Draft| {
        let package =
            ooxml::Package::open(crate::support::saved(draft).into(), &ooxml::Limits::default()).unwrap();
        package.names().map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(!names(&draft).iter().any(|name| name.contains("charts/")));
    apply(&mut draft, r#"[{"op": "delete_object", "sheet": "Q 1", "name": "Picture 1"}]"#);
    assert!(!names(&draft).iter().any(|name| name.contains("drawings/")));
    assert!(!part(&draft, "xl/worksheets/sheet1.xml").contains("<drawing"));
}

#[test]
fn what_cannot_be_shown_is_refused() {
    let mut draft = draft_of(book());
    let mut told = String::new();
    for json in [
        r#"[{"op": "create_chart", "sheet": "Bare", "kind": "line", "anchor": "A1:B2"}]"#,
        r#"[{"op": "create_chart", "sheet": "Bare", "kind": "line", "data": "Bare!A1:B1", "anchor": "A1:B2"}]"#,
        r#"[{"op": "create_chart", "sheet": "Bare", "kind": "pie", "data": "'Q 1'!A1:C4", "anchor": "A1:B2"}]"#,
        r#"[{"op": "create_chart", "sheet": "Bare", "kind": "line", "series": [{"values": "'Q 1'!A1:C4"}], "anchor": "A1:B2"}]"#,
        r#"[{"op": "create_chart", "sheet": "Bare", "kind": "line", "data": "'Q 1'!A1:C4", "anchor": "'Q 1'!A1:B2"}]"#,
        r#"[{"op": "create_chart", "sheet": "Q 1", "kind": "line", "data": "'Q 1'!A1:C4", "anchor": "A1:B2", "name": "OLD"}]"#,
        r#"[{"op": "retarget_chart", "chart": "x", "data": "'Q 1'!A1:C3"}]"#,
        r#"[{"op": "place_image", "sheet": "Bare", "anchor": "A1", "data": "Qk0="}]"#,
        r#"[{"op": "place_image", "sheet": "Bare", "anchor": "A1", "data": "?"}]"#,
        r#"[{"op": "delete_object", "name": "x"}]"#,
    ] {
        told.push_str(&format!("{}\n", refusal(&mut draft, json)));
    }
    expect![[r#"
        ops[0] (create_chart): a chart has series or data; give one of them: data: "Data!A1:C9", or series: [{values: …}]
        ops[0] (create_chart) at Bare!A1:B1: there is no row below the headers; give header and data
        ops[0] (create_chart): a pie shows one series; give one, or another kind of chart
        ops[0] (create_chart) at 'Q 1'!A1:C4: the cells are no series; give a part of one row or column, of at most 32000 cells
        ops[0] (create_chart): "'Q 1'!A1:B2" is no range of the sheet "Bare"; write the cells to cover: E2:L20
        ops[0] (create_chart): there is an object "OLD" on the sheet already; take another name
        ops[0] (retarget_chart): there is no chart "x"; there are: Q 1!Old
        ops[0] (place_image): data is no sound PNG, JPEG or GIF file; give the bytes of such a file in Base64
        ops[0] (place_image): data is not Base64: Invalid symbol 63, offset 0.; give the file's bytes in Base64
        ops[0] (delete_object): there is no object "x"; see the charts, images and shapes of the sheets
    "#]].assert_eq(&told);
    assert!(!draft.is_changed());
}
