//! Every real file of the corpus: what the model says of its objects against the parts that its package holds.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ooxml::{Package, RelType, XmlEvent, XmlReader};
use workbook::{Limits, Sheet, Workbook};

/// How many there are of each kind of object.
type Counts = BTreeMap<&'static str, usize>;

fn read(book: &Workbook, sheets: &[Arc<Sheet>]) -> Counts {
    let total = |count: fn(&Sheet) -> usize| sheets.iter().map(|sheet| count(sheet)).sum();
    Counts::from([
        ("charts", total(|sheet| sheet.charts.len())),
        ("images", total(|sheet| sheet.images.len())),
        ("pivots", total(|sheet| sheet.pivots.len())),
        ("links", book.external_links.len()),
        ("macros", usize::from(book.vba.is_some())),
    ])
}

/// The same counted in the package: every part that can be reached from the workbook over relationships.
fn reachable(package: &Package) -> Counts {
    let mut counts = Counts::from([("charts", 0), ("images", 0), ("pivots", 0), ("links", 0), ("macros", 0)]);
    let mut seen = BTreeSet::new();
    let mut waiting = vec![String::new()];
    while let Some(source) = waiting.pop() {
        let Ok(rels) = package.relationships(&source) else { continue };
        for found in rels.iter().filter(|found| !found.is_external && package.contains(&found.target)) {
            let is_drawing = source.to_lowercase().contains("/drawings/");
            if !seen.insert(found.target.to_lowercase()) {
                continue;
            }
            let kind = match found.kind {
                RelType::Chart | RelType::ChartEx if is_drawing => Some("charts"),
                RelType::PivotTable => Some("pivots"),
                RelType::ExternalLink => Some("links"),
                RelType::VbaProject => Some("macros"),
                _ => None,
            };
            if let Some(kind) = kind {
                *counts.get_mut(kind).unwrap() += 1;
            }
            if found.kind == RelType::Drawing {
                *counts.get_mut("images").unwrap() += pictures(package, &found.target);
            }
            waiting.push(found.target.clone());
        }
    }
    counts
}

/// Pictures of a drawing that name their bytes, except those for older programs.
fn pictures(package: &Package, part: &str) -> usize {
    let mut reader = XmlReader::new(part, package.stream(part).unwrap(), 256);
    let mut count = 0;
    let mut in_picture = false;
    while let Ok(Some(event)) = reader.next() {
        match event {
            XmlEvent::Start(element) if element.name() == "Fallback" && !element.is_empty => {
                reader.skip().unwrap();
            }
            XmlEvent::Start(element) if element.name() == "pic" => in_picture = true,
            XmlEvent::Start(element) if in_picture && element.name() == "blip" => {
                count += 1;
                in_picture = false;
            }
            _ => {}
        }
    }
    count
}

#[test]
fn every_object_of_a_package_is_told() {
    let Some(corpus) = fixtures::corpus::folder() else { return };
    let mut files_read = 0;
    let mut total = Counts::new();
    let mut modules = 0;
    let mut differences = Vec::new();
    for path in fixtures::corpus::files(&corpus, &["xlsx", "xlsm", "xltx", "xltm"]).unwrap() {
        let bytes: Arc<[u8]> = std::fs::read(&path).unwrap().into();
        let name = path.strip_prefix(&corpus).unwrap().display().to_string();
        let Ok(book) = Workbook::open(Arc::clone(&bytes), &name, &Limits::default(), &()) else { continue };
        let Ok(sheets) = book.sheets(2, &()) else { continue };
        files_read += 1;
        let ours = read(&book, &sheets);
        let theirs = reachable(&Package::open(bytes, &ooxml::Limits::default()).unwrap());
        let notes: Vec<&String> =
            sheets.iter().flat_map(|sheet| &sheet.notes).filter(|note| note.contains("left out")).collect();
        for (kind, count) in &ours {
            *total.entry(kind).or_default() += count;
        }
        for chart in sheets.iter().flat_map(|sheet| &sheet.charts) {
            let has_values = chart.series.iter().any(|series| series.values.is_some());
            if chart.kinds.is_empty() || !has_values {
                println!("{name}: {} says {:?} of {} series", chart.part, chart.kinds, chart.series.len());
            }
        }
        for note in &notes {
            println!("{name}: {note}");
        }
        if ours != theirs {
            differences.push(format!("{name}: told {ours:?}, in the package {theirs:?}, notes {notes:?}"));
        }
        if book.vba.is_some() {
            match book.vba_modules() {
                Ok(found) => modules += found.map_or(0, |found| found.len()),
                Err(error) => println!("{name}: no macros: {error}"),
            }
        }
    }
    fixtures::corpus::say(&format!("{files_read} files: {total:?}, {modules} modules of macros"));
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(total.values().all(|count| *count > 0), "the corpus has objects of every kind");
}
