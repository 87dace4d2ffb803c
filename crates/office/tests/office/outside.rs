//! Documents that reach for what is outside of them: the network, other files, programs.

use std::io::{Cursor, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

use office::{Availability, CalculatedValue, Document, PictureRequest};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::{Pool, check_works, column_a};
use crate::workbooks::{formulas, relations, workbook, workbook_with};

const DRAWING: &str = "application/vnd.openxmlformats-officedocument.drawing+xml";
const EXTERNAL_LINK: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.externalLink+xml";

/// A workbook that asks an address for a value, a workbook, two pictures and a table.
fn calling(address: &str) -> Vec<u8> {
    let rows = formulas(&[
        &format!(r#"_xlfn.WEBSERVICE("{address}/value")"#),
        "[1]Data!A1",
        &format!(r#"INDIRECT("'{address}/other.xlsx'#$Data.A1")"#),
        &format!(r#"DDE("soffice","{address}/dde.xlsx","A1")"#),
        &format!(r#"HYPERLINK("{address}/link")"#),
        &format!(r#"_xlfn.IMAGE("{address}/image.png")"#),
        "1+1",
    ]);
    let after = r#"<drawing r:id="rId1"/>"#;
    let external = r#"<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><externalBook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:id="rId1"><sheetNames><sheetName val="Data"/></sheetNames></externalBook></externalLink>"#;
    let anchor = r#"<xdr:wsDr xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><xdr:twoCellAnchor><xdr:from><xdr:col>2</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>2</xdr:row><xdr:rowOff>0</xdr:rowOff></xdr:from><xdr:to><xdr:col>4</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>8</xdr:row><xdr:rowOff>0</xdr:rowOff></xdr:to><xdr:pic><xdr:nvPicPr><xdr:cNvPr id="2" name="Picture"/><xdr:cNvPicPr/></xdr:nvPicPr><xdr:blipFill><a:blip xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:link="rId1"/><a:stretch><a:fillRect/></a:stretch></xdr:blipFill><xdr:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="900000" cy="900000"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></xdr:spPr></xdr:pic><xdr:clientData/></xdr:twoCellAnchor></xdr:wsDr>"#;
    let to = |kind: &str, target: &str| relations(&[("rId1", kind, target, true)]);
    workbook_with(
        &rows,
        after,
        &[
            ("xl/externalLinks/externalLink1.xml", EXTERNAL_LINK, external.to_owned()),
            (
                "xl/externalLinks/_rels/externalLink1.xml.rels",
                "",
                to("externalLinkPath", &format!("{address}/external.xlsx")),
            ),
            (
                "xl/worksheets/_rels/sheet1.xml.rels",
                "",
                relations(&[("rId1", "drawing", "../drawings/drawing1.xml", false)]),
            ),
            ("xl/drawings/drawing1.xml", DRAWING, anchor.to_owned()),
            ("xl/drawings/_rels/drawing1.xml.rels", "", to("image", &format!("{address}/picture.png"))),
        ],
    )
}

fn whole(sheet: &str) -> PictureRequest {
    PictureRequest {
        sheet: sheet.to_owned(),
        first_row: 0,
        first_column: 0,
        last_row: 20,
        last_column: 6,
        dpi: 96,
        headings: true,
        gridlines: true,
        max_dimension_px: 4000,
        max_area_px: 8_000_000,
    }
}

#[test]
fn no_document_reaches_the_network() {
    let Some(pool) = Pool::start(|_| ()) else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let calls = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            for connection in listener.incoming() {
                drop(connection);
                // The last one is this test's own.
                if calls.fetch_add(1, Ordering::SeqCst) == 0 {
                    break;
                }
            }
        });
        for scheme in ["http", "https", "ftp"] {
            let workbook = calling(&format!("{scheme}://127.0.0.1:{port}"));
            let document = Document { bytes: &workbook, extension: "xlsx" };
            let sheets = pool.office().calculate(&document, &|| false).unwrap();
            let values = column_a(&sheets);
            assert_eq!(values.last(), Some(&CalculatedValue::Number(2.0)));
            assert!(matches!(values[0], CalculatedValue::Error(_)), "{:?}", values[0]);
            pool.office().picture(&document, &whole("Data"), &|| false).unwrap();
        }
        // A page that is taken for a spreadsheet brings its pictures and styles.
        let page = format!(
            r#"<html><head><link rel="stylesheet" href="http://127.0.0.1:{port}/style.css"></head><body><table><tr><td>1<img src="http://127.0.0.1:{port}/image.png"></td></tr></table></body></html>"#
        );
        for extension in ["xls", "html", "xlsx"] {
            let document = Document { bytes: page.as_bytes(), extension };
            let _opened_or_not = pool.office().calculate(&document, &|| false);
        }
        assert_eq!(calls.load(Ordering::SeqCst), 0);
        drop(std::net::TcpStream::connect(("127.0.0.1", port)).unwrap());
    });
    assert_eq!(calls.into_inner(), 1);
    pool.end();
}

#[test]
fn no_document_reads_other_files() {
    let Some(pool) = Pool::start(|_| ()) else { return };
    let secret = tempfile::Builder::new().suffix(".xlsx").tempfile().unwrap();
    fs::write(secret.path(), workbook(r#"<row r="1"><c r="A1"><v>4711</v></c></row>"#)).unwrap();
    let address = format!("file://{}", secret.path().display());
    let rows = formulas(&[
        &format!(r#""x"&_xlfn.WEBSERVICE("{address}")"#),
        "[1]Data!A1",
        &format!("'{address}'#$Data.A1"),
        &format!(r#"INDIRECT("'{address}'#$Data.A1")"#),
        &format!(r#"DDE("soffice","{}","Data.A1")"#, secret.path().display()),
    ]);
    let external = r#"<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><externalBook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:id="rId1"><sheetNames><sheetName val="Data"/></sheetNames></externalBook></externalLink>"#;
    let workbook = workbook_with(
        &rows,
        "",
        &[
            ("xl/externalLinks/externalLink1.xml", EXTERNAL_LINK, external.to_owned()),
            (
                "xl/externalLinks/_rels/externalLink1.xml.rels",
                "",
                relations(&[("rId1", "externalLinkPath", &address, true)]),
            ),
        ],
    );
    let document = Document { bytes: &workbook, extension: "xlsx" };
    let sheets = pool.office().calculate(&document, &|| false).unwrap();
    for value in column_a(&sheets) {
        let text = format!("{value:?}");
        assert!(!text.contains("4711") && !text.contains("PK"), "{text}");
    }
    pool.end();
}

/// A document of LibreOffice's own with a macro that is to run when it is opened, and change A1 from 5 to 99, and with
/// another that C1 calls: `99` where macros may run.
fn with_macro() -> Vec<u8> {
    const MACRO: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE script:module PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "module.dtd">
<script:module xmlns:script="http://openoffice.org/2000/script" script:name="Module1" script:language="StarBasic">Sub Main
ThisComponent.Sheets.getByIndex(0).getCellByPosition(0, 0).Value = 99
End Sub
Function Own()
Own = 99
End Function
</script:module>"#;
    const LIBRARY: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE library:library PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "library.dtd">
<library:library xmlns:library="http://openoffice.org/2000/library" library:name="Standard" library:readonly="false" library:passwordprotected="false"><library:element library:name="Module1"/></library:library>"#;
    const LIBRARIES: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE library:libraries PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "libraries.dtd">
<library:libraries xmlns:library="http://openoffice.org/2000/library" xmlns:xlink="http://www.w3.org/1999/xlink"><library:library library:name="Standard" library:link="false"/></library:libraries>"#;
    const CONTENT: &str = r#"<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:script="urn:oasis:names:tc:opendocument:xmlns:script:1.0" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:dom="http://www.w3.org/2001/xml-events" xmlns:of="urn:oasis:names:tc:opendocument:xmlns:of:1.2" xmlns:ooo="http://openoffice.org/2004/office" office:version="1.2"><office:scripts><office:event-listeners><script:event-listener script:language="ooo:script" script:event-name="dom:load" xlink:href="vnd.sun.star.script:Standard.Module1.Main?language=Basic&amp;location=document" xlink:type="simple"/></office:event-listeners></office:scripts><office:body><office:spreadsheet><table:table table:name="Data"><table:table-row><table:table-cell office:value-type="float" office:value="5"><text:p>5</text:p></table:table-cell><table:table-cell table:formula="of:=[.A1]+0" office:value-type="float" office:value="5"><text:p>5</text:p></table:table-cell><table:table-cell table:formula="of:=OWN()" office:value-type="float" office:value="5"><text:p>5</text:p></table:table-cell></table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"#;
    const MANIFEST: &str = r#"<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2"><manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/><manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/><manifest:file-entry manifest:full-path="Basic/script-lc.xml" manifest:media-type="text/xml"/><manifest:file-entry manifest:full-path="Basic/Standard/script-lb.xml" manifest:media-type="text/xml"/><manifest:file-entry manifest:full-path="Basic/Standard/Module1.xml" manifest:media-type="text/xml"/></manifest:manifest>"#;
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in [
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", CONTENT),
        ("Basic/script-lc.xml", LIBRARIES),
        ("Basic/Standard/script-lb.xml", LIBRARY),
        ("Basic/Standard/Module1.xml", MACRO),
        ("META-INF/manifest.xml", MANIFEST),
    ] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn no_macro_runs() {
    let Some(pool) = Pool::start(|_| ()) else { return };
    let document = Document { bytes: &with_macro(), extension: "ods" };
    let sheets = pool.office().calculate(&document, &|| false).unwrap();
    let cells = &sheets[0].cells;
    assert_eq!(cells[0], (0, 1, CalculatedValue::Number(5.0)));
    assert!(matches!(cells[1], (0, 2, CalculatedValue::Error(_))), "{:?}", cells[1]);
    // For a picture a document may be changed, but not by itself.
    pool.office().picture(&document, &whole("Data"), &|| false).unwrap();
    check_works(pool.office());
    pool.end();
}

#[test]
fn workers_have_a_clean_environment() {
    let Some(pool) = Pool::start(|_| ()) else { return };
    check_works(pool.office());
    let confined =
        matches!(pool.office().availability(), Availability::Available { files_confined: true, .. });
    eprintln!("files are confined: {confined}");
    for process in crate::support::processes_in(pool.scratch.path()) {
        let read = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", process.id)).unwrap();
        for variable in read("environ").split('\0').filter(|variable| !variable.is_empty()) {
            let name = variable.split('=').next().unwrap();
            // The last two are of Python's and uno's making.
            let own = ["PATH", "LANG", "HOME", "TMPDIR", "OSL_SOCKET_PATH", "SAL_USE_VCLPLUGIN"];
            let added = ["LC_CTYPE", "URE_BOOTSTRAP"];
            assert!(own.contains(&name) || added.contains(&name), "{variable}");
        }
        let status = read("status");
        for line in ["NoNewPrivs:\t1", "Seccomp:\t2"] {
            assert!(status.contains(line), "{}: {line}", process.name);
        }
        assert!(read("limits").lines().any(|line| line.starts_with("Max core file size        0 ")));
        assert_eq!(read("oom_score_adj").trim(), "1000", "{}", process.name);
    }
    pool.end();
}
