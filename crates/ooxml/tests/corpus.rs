//! Every package of the corpus of real files: it opens, every part inflates, every XML part parses.

use std::sync::Arc;

use ooxml::{FileKind, Limits, Package, PackageError, Tree, XmlReader, sniff};

/// Reads every part whole, and every XML part event by event.
fn read_all(package: &Package) -> (usize, Vec<PackageError>) {
    let limits = Limits::default();
    let mut errors = Vec::new();
    let mut parts = 0;
    for name in package.names() {
        parts += 1;
        let result = package.part(name).and_then(|content| {
            let extension = name.rsplit('.').next().unwrap_or("").to_ascii_lowercase();
            if !matches!(extension.as_str(), "xml" | "rels") {
                return Ok(());
            }
            let mut reader = XmlReader::new(name, content.as_slice(), limits.max_xml_depth);
            while reader.next()?.is_some() {}
            package.relationships(name).map(|_| ())
        });
        errors.extend(result.err());
    }
    (parts, errors)
}

/// Parts of a file's name that tell why it may be refused: broken on purpose, hostile, encrypted, or of another format
/// than its extension says.
const MAY_BE_REFUSED: [&str; 9] = [
    "clusterfuzz",
    "crash-",
    "poc-xmlbomb",
    "duplicate-filename",
    "protected",
    "null_file",
    "testODSMacro",
    "b726194ce3-in.xlsx",
    "-out.xlsx",
];

#[test]
fn every_package_opens() {
    let Some(folder) = fixtures::corpus::folder() else { return };
    let paths = fixtures::corpus::files(&folder, &[]).expect("a readable corpus");
    let (mut packages, mut parts) = (0, 0);
    let mut refused = Vec::new();
    for path in &paths {
        let bytes: Arc<[u8]> = std::fs::read(path).unwrap().into();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let kind = sniff(&bytes);
        if kind != FileKind::Zip {
            let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
            if matches!(extension.as_str(), "xlsx" | "xlsm" | "xlsb" | "ods") {
                refused.push(format!("{file}: not a zip but {kind:?}"));
            }
            continue;
        }
        match Package::open(bytes, &Limits::default()) {
            Ok(package) => {
                packages += 1;
                let (count, errors) = read_all(&package);
                parts += count;
                refused.extend(errors.iter().map(|error| format!("{file}: {error}")));
                refused.extend(package.duplicates().iter().map(|name| format!("{file}: {name} twice")));
            }
            Err(error) => refused.push(format!("{file}: {error}")),
        }
    }
    fixtures::corpus::say(&format!("{packages} packages, {parts} parts read, {} refusals", refused.len()));
    let surprises: Vec<&String> =
        refused.iter().filter(|line| !MAY_BE_REFUSED.iter().any(|known| line.contains(known))).collect();
    assert!(surprises.is_empty(), "{surprises:#?}");
    assert!(packages > 0, "no package in {}", folder.display());
}

/// What a tree writes is what it read: nobody changed anything.
#[test]
fn trees_write_what_they_read() {
    /// Larger parts are not edited as trees.
    const SMALL: u64 = 1 << 20;
    let Some(folder) = fixtures::corpus::folder() else { return };
    let (mut parts, mut different) = (0, Vec::new());
    for path in fixtures::corpus::files(&folder, &["xlsx", "xlsm", "xltx"]).expect("a readable corpus") {
        let bytes: Arc<[u8]> = std::fs::read(&path).unwrap().into();
        let Ok(package) = Package::open(bytes, &Limits::default()) else { continue };
        for name in package.names().filter(|name| name.ends_with(".xml") || name.ends_with(".rels")) {
            let small = package.declared_size(name).is_some_and(|size| size <= SMALL);
            let Some(content) = package.part(name).ok().filter(|_| small) else { continue };
            let Ok(tree) = Tree::read(name, &content, 256) else { continue };
            parts += 1;
            let text =
                |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_start_matches('\u{feff}').to_owned();
            if text(&tree.to_bytes()) != text(&content) {
                different.push(format!("{} {name}", path.display()));
            }
        }
    }
    fixtures::corpus::say(&format!(
        "trees: {parts} parts written as they were read, {} not",
        different.len()
    ));
    assert!(different.len() * 200 < parts, "{different:#?}");
}
