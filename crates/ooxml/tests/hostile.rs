//! Packages that are damaged, hostile or merely odd: each is read right or refused with the error that says why.

use std::io::{Cursor, Write};
use std::sync::Arc;

use ooxml::{Limits, Package, PackageError, RelType, XmlReader, sniff};
use proptest::prelude::*;
use zip::write::SimpleFileOptions;

/// Offsets within a header of the directory (APPNOTE.TXT 4.3.12).
const FLAGS: usize = 8;
const METHOD: usize = 10;
const CRC: usize = 16;
const SIZE: usize = 24;
const OFFSET: usize = 42;

fn zip(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        writer.start_file(*name, SimpleFileOptions::DEFAULT).expect("a new entry");
        writer.write_all(content.as_bytes()).expect("memory takes bytes");
    }
    writer.finish().expect("a whole zip").into_inner()
}

/// The zip with bytes of its `index`-th header in the directory replaced.
fn patched(mut bytes: Vec<u8>, index: usize, field: usize, value: &[u8]) -> Vec<u8> {
    let headers: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"PK\x01\x02")).collect();
    let at = headers[index] + field;
    bytes[at..at + value.len()].copy_from_slice(value);
    bytes
}

/// The zip with every occurrence of a name replaced by another one of the same length.
fn renamed(mut bytes: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    for at in 0..bytes.len() - from.len() {
        if bytes[at..].starts_with(from.as_bytes()) {
            bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        }
    }
    bytes
}

fn open(bytes: Vec<u8>, limits: &Limits) -> Result<Package, PackageError> {
    Package::open(bytes.into(), limits)
}

fn read(bytes: Vec<u8>, part: &str, limits: &Limits) -> Result<String, PackageError> {
    let content = open(bytes, limits)?.part(part)?;
    Ok(String::from_utf8_lossy(&content).into_owned())
}

fn check(bytes: Vec<u8>, part: &str, expected: &str) {
    check_within(bytes, part, &Limits::default(), expected);
}

fn check_within(bytes: Vec<u8>, part: &str, limits: &Limits, expected: &str) {
    let found = read(bytes, part, limits).unwrap_or_else(|error| error.to_string());
    assert!(found.contains(expected), "{found}\ndoes not contain\n{expected}");
}

#[test]
fn names_are_found_as_they_are_meant() {
    let written = zip(&[("XL\\Sheets\\One.xml", "one"), ("/xl/two.xml", "two"), ("xl/a b.xml", "space")]);
    check(written.clone(), "xl/sheets/one.xml", "one");
    check(written.clone(), "/XL/TWO.xml", "two");
    check(written.clone(), "xl/a%20b.xml", "space");
    check(written, "xl/three.xml", "the part xl/three.xml is missing");
}

#[test]
fn names_never_leave_the_package() {
    let bytes =
        zip(&[("../../etc/passwd", "a"), ("..\\up", "b"), ("xl/../../up", "c"), ("nul\0", "d"), ("ok", "e")]);
    let package = open(bytes, &Limits::default()).unwrap();
    assert_eq!(package.names().collect::<Vec<_>>(), ["ok"]);
}

#[test]
fn the_last_of_two_entries_counts() {
    let exact = renamed(zip(&[("xl/a.xml", "first"), ("xl/b.xml", "last")]), "xl/b.xml", "xl/a.xml");
    let by_case = zip(&[("xl/a.xml", "first"), ("XL/A.xml", "last")]);
    for bytes in [exact, by_case] {
        let package = open(bytes.clone(), &Limits::default()).unwrap();
        assert_eq!(package.duplicates().len(), 1);
        assert!(package.duplicates()[0].eq_ignore_ascii_case("xl/a.xml"));
        check(bytes, "xl/a.xml", "last");
    }
}

#[test]
fn damage_is_named() {
    let good = zip(&[("a.xml", "content of a part"), ("b.xml", "another")]);
    let shorter = good[..good.len() * 2 / 3].to_vec();
    check(shorter, "a.xml", "the zip container is damaged or cut off");
    check(patched(good.clone(), 0, CRC, &[1, 2, 3, 4]), "a.xml", "checksum (CRC-32) is wrong");
    check(patched(good.clone(), 0, SIZE, &[1, 0, 0, 0]), "a.xml", "more bytes than the zip's directory says");
    check(
        patched(good.clone(), 0, SIZE, &[99, 0, 0, 0]),
        "a.xml",
        "fewer bytes than the zip's directory says",
    );
    check(patched(good.clone(), 0, FLAGS, &[1]), "a.xml", "encrypted within the zip");
    check(patched(good.clone(), 0, METHOD, &[12]), "a.xml", "compressed in a way that no spreadsheet");
    check(patched(good.clone(), 1, OFFSET, &[0, 0, 0, 0]), "a.xml", "overlap");
    check(patched(good.clone(), 1, OFFSET, &[0, 0, 0, 99]), "a.xml", "the zip container is damaged");
    check(good, "a.xml", "content of a part");
}

#[test]
fn budgets_are_kept() {
    let spaces = " ".repeat(64 << 20);
    let bomb = zip(&[("a.xml", &spaces)]);
    let limits = Limits::default();
    check_within(bomb.clone(), "a.xml", &limits, "compression ratio (a zip bomb?) exceeds the limit of 500");
    let limits = Limits { max_ratio: 5000, max_part_bytes: 1 << 20, ..Limits::default() };
    check_within(bomb.clone(), "a.xml", &limits, "inflated size exceeds the limit of 1048576");
    let limits = Limits { max_whole_part_bytes: 1 << 20, ..Limits::default() };
    check_within(bomb.clone(), "a.xml", &limits, "SPREADSHEET_MCP_MAX_WHOLE_PART_BYTES");
    let limits = Limits { max_total_bytes: 1 << 20, ..Limits::default() };
    check_within(bomb.clone(), "a.xml", &limits, "the size of all parts exceeds the limit of 1048576");
    let limits = Limits { max_parts: 1, ..Limits::default() };
    check_within(zip(&[("a", ""), ("b", "")]), "a", &limits, "the number of parts exceeds the limit of 1");

    // A directory that declares little does not help the bomb.
    let lying = patched(bomb, 0, SIZE, &[1, 0, 0, 0]);
    check(lying, "a.xml", "more bytes than the zip's directory says");
}

#[test]
fn chunks_are_the_part() {
    let content: String = (0..200_000).map(|number| format!("{number},")).collect();
    let bytes = zip(&[("a.xml", &content), ("empty.xml", "")]);
    let package = open(bytes.clone(), &Limits::default()).unwrap();
    let mut found = Vec::new();
    let mut chunks = package.chunks("a.xml").unwrap();
    while let Some(chunk) = chunks.next() {
        let chunk = chunk.unwrap();
        found.extend_from_slice(&chunk);
        chunks.recycle(chunk);
    }
    assert_eq!(found, content.as_bytes());
    assert_eq!(package.chunks("empty.xml").unwrap().count(), 0);

    // The error comes in its place, once, and is the end.
    let broken = open(patched(bytes, 0, CRC, &[0, 0, 0, 0]), &Limits::default()).unwrap();
    let pieces: Vec<_> = broken.chunks("a.xml").unwrap().collect();
    let (last, before) = pieces.split_last().unwrap();
    assert!(matches!(last, Err(PackageError::DamagedPart { .. })));
    assert!(before.iter().all(Result::is_ok));
}

#[test]
fn a_damaged_part_is_not_broken_xml() {
    let bytes = patched(zip(&[("a.xml", "<a>1</a>")]), 0, CRC, &[0, 0, 0, 0]);
    let package = open(bytes, &Limits::default()).unwrap();
    let mut reader = XmlReader::new("a.xml", package.stream("a.xml").unwrap(), 8);
    let error = loop {
        match reader.next() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("damage went unseen"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, PackageError::DamagedPart { .. }), "{error}");
}

const TYPES: &str = r#"<Types><Default Extension="XML" ContentType="application/xml"/><Override PartName="/xl/Workbook.xml" ContentType="main"/></Types>"#;
const RELS: &str = r#"<Relationships><Relationship Id="rId1" Type="http://purl.oclc.org/ooxml/officeDocument/relationships/worksheet" Target="sheets/a%20b.xml"/><Relationship Id="rId2" Type="http://x/hyperlink" Target="file:///c:/x" TargetMode="External"/></Relationships>"#;

fn workbook() -> Vec<u8> {
    zip(&[
        ("[Content_Types].xml", TYPES),
        ("xl/workbook.xml", "<workbook><sheets/></workbook>"),
        ("xl/_rels/workbook.xml.rels", RELS),
        (
            "xl/sheets/a b.xml",
            "<worksheet><sheetData><row r='1'><c><v>1</v></c></row></sheetData></worksheet>",
        ),
    ])
}

#[test]
fn content_types_and_relationships() {
    let package = open(workbook(), &Limits::default()).unwrap();
    let types = package.content_types().unwrap();
    assert_eq!(types.of("xl/workbook.xml"), Some("main"));
    assert_eq!(types.of("/xl/other.xml"), Some("application/xml"));
    assert_eq!(types.of("xl/other.bin"), None);
    assert_eq!(types.parts_of("MAIN").collect::<Vec<_>>(), ["xl/workbook.xml"]);
    let rels = package.relationships("xl/workbook.xml").unwrap();
    let target = rels.target(RelType::Worksheet).unwrap();
    assert!(package.contains(target), "{target}");
    assert!(rels.by_id("rId2").unwrap().is_external);
    assert_eq!(rels.by_id("rId2").unwrap().target, "file:///c:/x");
}

/// Reads whatever can be read.
fn read_everything(bytes: Vec<u8>) {
    sniff(&bytes);
    let limits = Limits { max_part_bytes: 1 << 20, max_total_bytes: 4 << 20, ..Limits::default() };
    let Ok(package) = Package::open(Arc::from(bytes), &limits) else { return };
    let _ = package.content_types();
    for name in package.names() {
        let _ = package.relationships(name);
        let _ = package.part(name);
        let Ok(stream) = package.stream(name) else { continue };
        let mut reader = XmlReader::new(name, stream, 32);
        while let Ok(Some(_)) = reader.next() {}
    }
}

proptest! {
    #[test]
    fn flipped_bytes_never_panic(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12)) {
        let mut bytes = workbook();
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        read_everything(bytes);
    }

    #[test]
    fn cuts_never_panic(from in any::<prop::sample::Index>(), length in 0usize..200) {
        let mut bytes = workbook();
        let from = from.index(bytes.len());
        let to = (from + length).min(bytes.len());
        bytes.drain(from..to);
        read_everything(bytes);
    }

    #[test]
    fn broken_xml_never_panics(xml in "[<>/a:&;!\\-\\[\\]CDT \"'=#x0-9?é\u{0}]{0,60}") {
        let mut reader = XmlReader::new("part", xml.as_bytes(), 8);
        for _ in 0..1000 {
            match reader.next() {
                Ok(Some(ooxml::XmlEvent::Start(element))) => {
                    element.attrs();
                    element.attr("a");
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return Ok(()),
            }
        }
        prop_assert!(false, "{xml:?} gives events without end");
    }

    #[test]
    fn escapes_never_panic(text in "(_x|_|[0-9A-Fa-f]{4}_|D83D_|é|x){0,12}") {
        ooxml::decode_xstring(&text);
    }
}
