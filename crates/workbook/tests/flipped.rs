//! Damaged parts: whatever bytes of them are changed, opening ends in a workbook or a typed error, and never in a panic.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{Cursor, Read, Write};
use std::sync::OnceLock;

use proptest::prelude::*;
use workbook::{Limits, Workbook};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Parts by name.
type Parts = Vec<(String, Vec<u8>)>;

/// The parts of every example and hostile package that is small.
fn packages() -> &'static [Parts] {
    static PACKAGES: OnceLock<Vec<Parts>> = OnceLock::new();
    PACKAGES.get_or_init(|| {
        let examples = fixtures::examples::all().unwrap().into_iter().map(|example| example.bytes);
        let hostile = fixtures::hostile::all().unwrap().into_iter().map(|file| file.bytes);
        examples
            .chain(hostile.filter(|bytes| bytes.len() < 20_000))
            .filter_map(|bytes| parts(&bytes))
            .collect()
    })
}

fn parts(bytes: &[u8]) -> Option<Parts> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut parts = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).ok().filter(|entry| entry.size() < 1 << 20)?;
        let mut content = Vec::new();
        entry.read_to_end(&mut content).ok()?;
        let name = entry.name().ok()?.into_owned();
        parts.push((name, content));
    }
    Some(parts)
}

fn zipped(parts: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, content) in parts {
        writer.start_file(name.as_str(), stored).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// What a byte becomes: a bit of it flips, or it is one that means something in XML.
fn damage() -> impl Strategy<Value = (prop::sample::Index, Result<u8, u8>)> {
    let change =
        prop_oneof![(0..8u8).prop_map(Ok), prop::sample::select(b"<>\"'/&;=09-A ".to_vec()).prop_map(Err)];
    (any::<prop::sample::Index>(), change)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn damaged_parts_never_panic(
        package in any::<prop::sample::Index>(),
        part in any::<prop::sample::Index>(),
        changes in prop::collection::vec(damage(), 1..6),
    ) {
        let mut parts = package.get(packages()).clone();
        let index = part.index(parts.len());
        let content = &mut parts[index].1;
        prop_assume!(!content.is_empty());
        for (at, change) in changes {
            let at = at.index(content.len());
            content[at] = match change {
                Ok(bit) => content[at] ^ 1 << bit,
                Err(byte) => byte,
            };
        }
        let limits = Limits { max_cells: 1_000_000, ..Limits::default() };
        if let Ok(book) = Workbook::open(zipped(&parts).into(), "damaged.xlsx", &limits, &()) {
            for id in book.sheet_ids() {
                // A damaged sheet may be refused.
                if let Ok(sheet) = book.sheet(id, &()) {
                    let _used = sheet.used_range();
                }
            }
        }
    }
}
