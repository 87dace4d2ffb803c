//! Every package of the corpus of real files: it opens, every part inflates, every XML part parses.

use std::sync::Arc;

use ooxml::{FileKind, Limits, Package, PackageError, XmlReader, sniff};

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
