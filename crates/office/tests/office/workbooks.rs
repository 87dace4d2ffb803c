//! Workbooks for the tests, written part by part.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// A workbook with one sheet, `Data`, whose cells are given as XML rows.
pub(crate) fn workbook(rows: &str) -> Vec<u8> {
    workbook_with(rows, "", &[])
}

/// The same with something after the sheet's cells, and more parts: name, content type (empty for a `.rels`), content.
pub(crate) fn workbook_with(rows: &str, after: &str, more: &[(&str, &str, String)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut part = |name: &str, content: &str| {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    };
    let types: String = more
        .iter()
        .filter(|(_, content_type, _)| !content_type.is_empty())
        .map(|(name, content_type, _)| {
            format!(r#"<Override PartName="/{name}" ContentType="{content_type}"/>"#)
        })
        .collect();
    part(
        "[Content_Types].xml",
        &format!(
            r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>{types}</Types>"#
        ),
    );
    part("_rels/.rels", &relations(&[("rId1", "officeDocument", "xl/workbook.xml", false)]));
    let has = |name: &str| more.iter().any(|(other, ..)| *other == name);
    let external = if has("xl/externalLinks/externalLink1.xml") {
        r#"<externalReferences><externalReference r:id="rId2"/></externalReferences>"#
    } else {
        ""
    };
    part(
        "xl/workbook.xml",
        &format!(
            r#"<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets><sheet name="Data" sheetId="1" r:id="rId1"/></sheets>{external}</workbook>"#
        ),
    );
    let mut of_workbook = vec![("rId1", "worksheet", "worksheets/sheet1.xml", false)];
    if !external.is_empty() {
        of_workbook.push(("rId2", "externalLink", "externalLinks/externalLink1.xml", false));
    }
    part("xl/_rels/workbook.xml.rels", &relations(&of_workbook));
    part(
        "xl/worksheets/sheet1.xml",
        &format!(
            r#"<worksheet xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheetData>{rows}</sheetData>{after}</worksheet>"#
        ),
    );
    for (name, _, content) in more {
        part(name, content);
    }
    zip.finish().unwrap().into_inner()
}

/// A part of relationships: id, type, target, whether that is outside.
pub(crate) fn relations(all: &[(&str, &str, &str, bool)]) -> String {
    let each: String = all
        .iter()
        .map(|(id, kind, target, is_outside)| {
            let mode = if *is_outside { r#" TargetMode="External""# } else { "" };
            format!(r#"<Relationship Id="{id}" Type="{RELATIONS}/{kind}" Target="{target}"{mode}/>"#)
        })
        .collect();
    format!(
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{each}</Relationships>"#
    )
}

/// Rows with a formula each in column A, whose stored values are all 77.
pub(crate) fn formulas(all: &[&str]) -> String {
    let mut rows = String::new();
    for (row, formula) in (1..).zip(all) {
        let formula = formula.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        write!(rows, r#"<row r="{row}"><c r="A{row}"><f>{formula}</f><v>77</v></c></row>"#).unwrap();
    }
    rows
}

/// `1` in A1, and below it so many formulas that add 1 to the cell above.
pub(crate) fn chain(length: u32) -> Vec<u8> {
    let mut rows = r#"<row r="1"><c r="A1"><v>1</v></c></row>"#.to_owned();
    for row in 2..=length {
        write!(rows, r#"<row r="{row}"><c r="A{row}"><f>A{}+1</f><v>0</v></c></row>"#, row - 1).unwrap();
    }
    workbook(&rows)
}

/// Numbers, and formulas that each look at all of them: minutes of work.
pub(crate) fn slow() -> Vec<u8> {
    let mut rows = String::new();
    for row in 1..=20_000 {
        write!(
            rows,
            r#"<row r="{row}"><c r="A{row}"><v>{}</v></c><c r="B{row}"><f>SUMPRODUCT((A$1:A$20000&gt;A{row})*(MOD(A$1:A$20000,7)=MOD(A{row},7)))</f><v>0</v></c></row>"#,
            row * 31 % 997
        )
        .unwrap();
    }
    workbook(&rows)
}
