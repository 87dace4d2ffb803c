//! The byte scanner and the XML reader give the same answer for the same cells.

use std::fmt::Write as _;
use std::sync::Arc;

use expect_test::{Expect, expect};
use grid::{CellRange, DateSystem};
use ooxml::{XmlEvent, XmlReader};
use proptest::prelude::*;

use crate::error::OpenError;
use crate::limits::Limits;
use crate::model::{SheetBuilder, StringTable};
use crate::xlsx::cell_sink::{CellSink, Context};
use crate::xlsx::window::Window;
use crate::xlsx::{cells, cells_general};

/// Which way the cells are read.
#[derive(Clone, Copy)]
enum Way {
    /// By the scanner, the bytes coming in pieces of this size.
    Scanned(usize),
    General,
}

/// Everything that a reading leaves in the model, as text. `content` stands between the tags of `sheetData`.
fn read(content: &str, way: Way) -> Result<String, OpenError> {
    let mut strings = StringTable::default();
    for text in ["zero", "one", "two"] {
        strings.push(text);
    }
    let context = Context {
        part: "sheet1.xml".to_owned(),
        dates: DateSystem::Date1900,
        shared_strings: strings.len() as u32,
        dynamic_arrays: Arc::new(vec![true]),
        rich_errors: Arc::new(vec![Some(grid::ErrorValue::Calc), None]),
    };
    let mut builder = SheetBuilder::new("Data", Arc::new(strings), &Limits::default());
    let mut sink = CellSink::new(&context, &mut builder);
    let xml = format!("<sheetData>{content}</sheetData>");
    match way {
        Way::Scanned(size) => {
            let mut window = Window::of_pieces(xml.as_bytes(), size);
            window.find(b">")?;
            window.advance("<sheetData>".len());
            cells::scan(&mut window, &mut sink, 0, &())?;
        }
        Way::General => {
            let mut reader = XmlReader::new("sheet1.xml", xml.as_bytes(), 16);
            assert!(matches!(reader.next()?, Some(XmlEvent::Start(_))));
            cells_general::read(&mut reader, &mut sink)?;
        }
    }
    let oddities = sink.finish()?;
    let sheet = builder.finish();
    let mut told = String::new();
    for row in &sheet.rows {
        writeln!(told, "{row:?}").unwrap();
    }
    for (at, cell) in sheet.cells_by_row(CellRange::ALL) {
        write!(told, "{at} {:?}", cell.value).unwrap();
        if cell.style.0 > 0 {
            write!(told, " style {}", cell.style.0).unwrap();
        }
        if let Some(id) = cell.formula {
            write!(told, " ={} {:?}", sheet.formula_text(at, id), sheet.formulas().get(id).kind).unwrap();
        }
        told.push('\n');
    }
    for oddity in oddities {
        writeln!(told, "odd: {}: {}", oddity.place, oddity.what).unwrap();
    }
    Ok(told)
}

fn check(content: &str, expected: Expect) {
    let general = read(content, Way::General).unwrap();
    expected.assert_eq(&general);
    for size in [1, 7, 4096] {
        assert_eq!(read(content, Way::Scanned(size)).unwrap(), general, "in pieces of {size}");
    }
}

#[test]
fn values() {
    check(
        r#"<row r="1"><c r="A1"><v>1.5</v></c><c r="B1" t="s" s="3"><v>1</v></c><c r="C1" t="b"><v>1</v></c>
        <c r="D1" t="e"><v>#N/A</v></c><c r="E1" t="str"><v>a &amp; b</v></c><c r="F1" s="2"/>
        <c r="G1" t="d"><v>2026-01-31T12:00</v></c><c r="H1"><v></v></c><c r="I1" t="n"><v> 7 </v></c></row>"#,
        expect![[r#"
            A1 Number(1.5)
            B1 Text("one") style 3
            C1 Bool(true)
            D1 Error(NA)
            E1 Text("a & b")
            F1 Empty style 2
            G1 Number(46053.5)
            H1 Empty
            I1 Number(7.0)
        "#]],
    );
}

#[test]
fn texts() {
    check(
        r#"<row><c t="inlineStr"><is><t> kept? </t></is></c>
        <c t="inlineStr"><is><t xml:space="preserve"> kept </t></is></c>
        <c t="inlineStr"><is><r><rPr><b/></rPr><t>rich</t></r><r><t xml:space="preserve"> text</t></r>
            <rPh sb="0" eb="1"><t>phonetic</t></rPh></is></c>
        <c t="str"><v><![CDATA[<a>]]>&#x41;<!-- no -->B_x000D_</v></c>
        <c t="inlineStr"><is/></c><c t="str"><f>""</f></c></row>"#,
        expect![[r#"
            A1 Text("kept?")
            B1 Text(" kept ")
            C1 Text("rich text")
            D1 Text("<a>AB\r")
            E1 Text("")
            F1 Text("") ="" Normal
        "#]],
    );
}

#[test]
fn formulas() {
    check(
        r#"<row r="2"><c r="A2"><f t="shared" si="0"/><v>1</v></c>
        <c r="B2"><f t="shared" ref="A2:B3" si="0">A$1*2</f><v>2</v></c>
        <c r="C2"><f t="array" ref="C2:C3">{1;2}</f><v>1</v></c>
        <c r="D2" cm="1"><f t="array" ref="D2:D3">SEQUENCE(2)</f><v>1</v></c>
        <c r="E2"><f t="dataTable" ref="E2:F3" dt2D="1" dtr="1" r1="A1" r2="B1"/><v>1</v></c></row>
        <row r="3"><c r="A3"><f t="shared" si="0"></f><v>3</v></c><c r="B3"><f t="shared" si="9"/><v>4</v></c>
        <c r="G3"><f xml:space="preserve"> A1 &lt; 2</f></c></row>"#,
        expect![[r#"
            A2 Number(1.0) =XFD$1*2 Shared { master: CellRef { row: 1, col: 1 } }
            B2 Number(2.0) =A$1*2 Shared { master: CellRef { row: 1, col: 1 } }
            C2 Number(1.0) ={1;2} Array { range: CellRange { start: CellRef { row: 1, col: 2 }, end: CellRef { row: 2, col: 2 } }, dynamic: false }
            D2 Number(1.0) =SEQUENCE(2) Array { range: CellRange { start: CellRef { row: 1, col: 3 }, end: CellRef { row: 2, col: 3 } }, dynamic: true }
            E2 Number(1.0) =TABLE(A1,B1) DataTable { range: CellRange { start: CellRef { row: 1, col: 4 }, end: CellRef { row: 2, col: 5 } } }
            A3 Number(3.0) =XFD$1*2 Shared { master: CellRef { row: 1, col: 1 } }
            B3 Number(4.0)
            G3 Empty = A1 < 2 Normal
            odd: sheet1.xml B3: its shared formula is missing
        "#]],
    );
}

#[test]
fn positions() {
    check(
        r#"<row><c><v>1</v></c><c r="D1"><v>2</v></c><c><v>3</v></c></row>
        <row r="9" ht="30" customHeight="1" hidden="1"><c><v>4</v></c></row><row><c><v>5</v></c></row>
        <row r="2" s="4" customFormat="1" outlineLevel="2"><c r="B2"><v>6</v></c><c r="B2"><v>7</v></c></row>
        <row r="3"><c r="XFD3"><v>8</v></c><c><v>9</v></c><c r="XFE3"><v>9</v></c></row>
        <row r="1048577"><c r="A1"><v>9</v></c></row>"#,
        expect![[r#"
            RowProps { row: 1, height: None, hidden: false, outline_level: 2, style: Some(StyleId(4)) }
            RowProps { row: 8, height: Some(30.0), hidden: true, outline_level: 0, style: None }
            A1 Number(1.0)
            D1 Number(2.0)
            E1 Number(3.0)
            B2 Number(7.0)
            XFD3 Number(8.0)
            A9 Number(4.0)
            A10 Number(5.0)
            odd: sheet1.xml row 3: a cell lies outside of the grid; it is left out
            odd: sheet1.xml row 3: a cell lies outside of the grid; it is left out
            odd: sheet1.xml row 3: a row behind it lies outside of the grid; it is left out
        "#]],
    );
}

#[test]
fn odd_values() {
    check(
        r#"<row r="1"><c r="A1"><v>1E400</v></c><c r="B1"><v>abc</v></c><c r="C1" t="s"><v>99</v></c>
        <c r="D1" t="e"><v>#WHAT!</v></c><c r="E1" t="s"><v>x</v></c><c r="F1"><v>NaN</v></c>
        <c r="G1" t="z"><v>1</v></c><c r="H1" t="d"><v>soon</v></c></row>"#,
        expect![[r#"
            A1 Error(Num)
            B1 Text("abc")
            C1 Text("")
            D1 Error(Unknown)
            E1 Text("")
            F1 Error(Num)
            G1 Number(1.0)
            H1 Text("soon")
            odd: sheet1.xml A1: its number is not finite
            odd: sheet1.xml B1: its value is not the number that its type says; read as text
            odd: sheet1.xml C1: the shared string 99 is missing
            odd: sheet1.xml D1: its error value is not known
            odd: sheet1.xml E1: the shared string x is missing
            odd: sheet1.xml F1: its number is not finite
            odd: sheet1.xml H1: its value is not the number that its type says; read as text
        "#]],
    );
}

fn attribute(name: &'static str, values: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::option::weighted(0.4, proptest::sample::select(values))
        .prop_map(move |value| value.map_or(String::new(), |value| format!(" {name}=\"{value}\"")))
}

fn text() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "1",
        "2.5",
        "-3e2",
        " ",
        "\n",
        "a",
        "é",
        "&amp;",
        "&lt;",
        "&#233;",
        "<![CDATA[]>]]>",
        "<!-- </v> -->",
        "_x0041_",
        "TRUE",
        "#N/A",
        "2026-01-31",
        "<?pi ?>",
        "\r\n",
        "0.1000000000000000055",
    ];
    proptest::collection::vec(proptest::sample::select(PIECES), 0..3).prop_map(|pieces| pieces.concat())
}

fn cell() -> impl Strategy<Value = String> {
    let attributes = (
        attribute("r", &["A1", "C7", "B2", "AA3", "XFE1", "a4"]),
        attribute("s", &["0", "3", "x"]),
        attribute("t", &["s", "str", "inlineStr", "b", "e", "d", "n"]),
        attribute("cm", &["1", "2"]),
        attribute("vm", &["1", "2", "9"]),
    );
    let formula_attributes = (
        attribute("t", &["shared", "array", "dataTable"]),
        attribute("ref", &["A1:B2", "x"]),
        attribute("si", &["0", "1"]),
    );
    let formula = (formula_attributes, text()).prop_map(|((t, range, si), text)| match text.as_str() {
        "" => format!("<f{t}{range}{si}/>"),
        _ => format!("<f{t}{range}{si}>{text}</f>"),
    });
    let value = prop_oneof![
        4 => text().prop_map(|text| format!("<v>{text}</v>")),
        1 => Just("<v/>".to_owned()),
        1 => Just(String::new()),
        1 => (text(), attribute("xml:space", &["preserve"]))
            .prop_map(|(text, space)| format!("<is><t{space}>{text}</t><rPh><t>no</t></rPh></is>")),
        1 => text().prop_map(|text| format!("<extLst><ext><c/>{text}</ext></extLst><v>{text}</v>")),
    ];
    let body =
        (proptest::option::weighted(0.3, formula), value).prop_map(|(f, v)| f.unwrap_or_default() + &v);
    let between =
        proptest::sample::select(&["", "\n  ", "<!-- <c/> -->", "<other><c r=\"A1\"/></other>"][..]);
    (attributes, body, between).prop_map(|((r, s, t, cm, vm), body, between)| match body.as_str() {
        "" => format!("<c{r}{s}{t}{cm}{vm}/>{between}"),
        _ => format!("<c{r}{s}{t}{cm}{vm}>{body}</c>{between}"),
    })
}

fn row() -> impl Strategy<Value = String> {
    let attributes = (
        attribute("r", &["1", "2", "5", "1048577", "x"]),
        attribute("ht", &["12.5", "x"]),
        attribute("customHeight", &["1", "true", "0"]),
        attribute("hidden", &["1", "false"]),
        attribute("outlineLevel", &["1", "9"]),
    );
    (attributes, proptest::collection::vec(cell(), 0..5)).prop_map(
        |((r, ht, custom, hidden, level), cells)| match cells.as_slice() {
            [] => format!("<row{r}{ht}{custom}{hidden}{level}/>"),
            cells => format!("<row{r}{ht}{custom}{hidden}{level}>{}</row>", cells.concat()),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn both_ways_agree(rows in proptest::collection::vec(row(), 0..4), size in 1..300usize) {
        let content = rows.concat();
        let general = read(&content, Way::General);
        let scanned = read(&content, Way::Scanned(size));
        prop_assert_eq!(scanned.map_err(|_| "error"), general.map_err(|_| "error"), "{}", content);
    }
}
