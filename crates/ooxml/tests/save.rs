//! Saved packages: what changed, and that nothing else did.

use std::io::{self, Cursor, Write};
use std::sync::Arc;

use ooxml::{Changes, Limits, Package, SaveError};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive};

fn package() -> Package {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let parts = [
        ("[Content_Types].xml", "<Types/>", CompressionMethod::Deflated),
        ("xl/Workbook.xml", "<workbook/>", CompressionMethod::Stored),
        ("xl/sheet1.xml", "<sheet>1</sheet>", CompressionMethod::Deflated),
        ("docProps/app.xml", "<Properties/>", CompressionMethod::Deflated),
    ];
    for (name, content, method) in parts {
        let options = SimpleFileOptions::DEFAULT.compression_method(method);
        writer.start_file(name, options).expect("a new entry");
        writer.write_all(content.as_bytes()).expect("memory takes bytes");
    }
    writer.set_comment("made by a test").expect("a short comment");
    open(writer.finish().expect("a whole zip").into_inner())
}

fn open(bytes: Vec<u8>) -> Package {
    Package::open(bytes.into(), &Limits::default()).expect("a sound package")
}

fn saved(package: &Package, changes: &Changes<'_>) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    package.save(changes, &mut out).expect("memory takes bytes");
    out.into_inner()
}

/// The parts in their order, each with its content.
#[track_caller]
fn check(changes: &Changes<'_>, expected: &[(&str, &str)]) {
    let saved = open(saved(&package(), changes));
    let found: Vec<(String, String)> = saved
        .names()
        .map(|name| {
            let content = saved.part(name).expect("a sound part");
            (name.to_owned(), String::from_utf8_lossy(&content).into_owned())
        })
        .collect();
    let expected: Vec<(String, String)> =
        expected.iter().map(|(name, content)| ((*name).to_owned(), (*content).to_owned())).collect();
    assert_eq!(found, expected);
}

#[test]
fn parts_are_replaced_in_their_place_removed_and_added_at_the_end() {
    let mut changes = Changes::new();
    assert!(changes.is_empty());
    changes.put("/xl/workbook.xml", b"<workbook new=''/>".to_vec());
    changes.remove("docProps/app.xml");
    changes.remove("docProps/none.xml");
    changes.stream("xl/sheet2.xml", |out| {
        for number in 0..3 {
            write!(out, "{number}")?;
        }
        Ok(())
    });
    check(
        &changes,
        &[
            ("[Content_Types].xml", "<Types/>"),
            ("xl/Workbook.xml", "<workbook new=''/>"),
            ("xl/sheet1.xml", "<sheet>1</sheet>"),
            ("xl/sheet2.xml", "012"),
        ],
    );
}

/// An entry as the zip stores it.
#[derive(PartialEq)]
struct Stored {
    name: Vec<u8>,
    method: CompressionMethod,
    compressed: Vec<u8>,
    crc32: u32,
    /// The epoch, where a time is none.
    time: zip::DateTime,
}

fn entries(bytes: &[u8]) -> Vec<Stored> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).expect("a zip");
    (0..archive.len())
        .map(|index| {
            let mut entry = archive.by_index_raw(index).expect("an entry");
            let mut compressed = Vec::new();
            io::copy(&mut entry, &mut compressed).expect("its bytes");
            Stored {
                name: entry.name_raw().to_vec(),
                method: entry.compression(),
                compressed,
                crc32: entry.crc32(),
                time: entry.last_modified().unwrap_or_default(),
            }
        })
        .collect()
}

#[test]
fn what_does_not_change_is_copied_as_it_is_stored() {
    let package = package();
    let unchanged = saved(&package, &Changes::new());
    let again = saved(&open(unchanged.clone()), &Changes::new());
    assert_eq!(unchanged, again);
    let mut changes = Changes::new();
    changes.put("xl/sheet1.xml", b"<sheet>2</sheet>".to_vec());
    let (before, after) = (entries(&unchanged), entries(&saved(&package, &changes)));
    for (index, (before, after)) in before.iter().zip(&after).enumerate() {
        assert_eq!(before == after, index != 2, "{index}");
    }
    assert_eq!(ZipArchive::new(Cursor::new(again)).expect("a zip").comment(), b"made by a test");
}

#[test]
fn real_packages_are_copied_entry_by_entry() {
    let Some(corpus) = fixtures::corpus::folder() else { return };
    let mut copied = 0;
    for path in
        fixtures::corpus::files(&corpus, &["xlsx", "xlsm", "xltx", "xltm"]).expect("a readable corpus")
    {
        let bytes: Arc<[u8]> = std::fs::read(&path).expect("a readable file").into();
        let Ok(package) = Package::open(Arc::clone(&bytes), &Limits::default()) else { continue };
        assert!(entries(&bytes) == entries(&saved(&package, &Changes::new())), "{}", path.display());
        copied += 1;
    }
    fixtures::corpus::say(&format!("{copied} packages copied"));
    assert!(copied > 300);
}

/// A target that is full after some bytes.
struct Full(Cursor<Vec<u8>>);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.get_ref().len() + bytes.len() > 100 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl io::Seek for Full {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn a_full_disk_and_broken_content_are_told() {
    let full = package().save(&Changes::new(), Full(Cursor::new(Vec::new()))).expect_err("it is full");
    assert!(full.to_string().contains("could not be"), "{full}");
    let mut changes = Changes::new();
    changes.stream("xl/sheet1.xml", |_| Err(io::Error::other("the source is gone")));
    let broken = package().save(&changes, Cursor::new(Vec::new())).expect_err("no content");
    assert!(
        matches!(&broken, SaveError::Write(error) if error.to_string() == "the source is gone"),
        "{broken}"
    );
}

#[test]
fn a_changed_package_reads_and_saves_as_it_is_now() {
    let mut package = package();
    package.put("XL/sheet1.xml", b"<sheet>2</sheet>".to_vec());
    package.put("/xl/new.xml", b"<new/>".to_vec());
    package.remove("docProps/app.xml");
    assert_eq!(package.part("xl/sheet1.xml").expect("there"), b"<sheet>2</sheet>");
    assert!(!package.contains("docProps/app.xml"));
    let names = ["[Content_Types].xml", "xl/Workbook.xml", "xl/sheet1.xml", "xl/new.xml"];
    assert_eq!(package.names().collect::<Vec<_>>(), names);
    assert_eq!(
        package.changed_names().collect::<Vec<_>>(),
        ["docProps/app.xml", "xl/new.xml", "xl/sheet1.xml"]
    );
    let mut changes = Changes::new();
    changes.put("xl/new.xml", b"<newer/>".to_vec());
    let saved = open(saved(&package, &changes));
    assert_eq!(saved.names().collect::<Vec<_>>(), names);
    assert_eq!(saved.part("xl/new.xml").expect("there"), b"<newer/>");
    assert_eq!(saved.part("xl/sheet1.xml").expect("there"), b"<sheet>2</sheet>");
}
