//! The round-trip oracle: one cell of every real file set and saved. Everything else is as it was.

use std::sync::Arc;

use ooxml::{Limits as PackageLimits, Package, XmlEvent, XmlReader};
use workbook::edit::{Draft, Edit, ExplicitPlaces, Input};
use workbook::{Limits, SheetId, SheetKind, Workbook};

use crate::support::{corpus_books, file_name, saved};

/// What the oracle compared.
#[derive(Default)]
struct Tally {
    files: usize,
    parts: usize,
    bytes: u64,
    refused: Vec<String>,
    wrong: Vec<String>,
}

#[test]
fn one_cell_set_changes_one_cell() {
    let Some(folder) = fixtures::corpus::folder() else { return };
    let mut tally = Tally::default();
    for (path, bytes, book) in corpus_books(&folder) {
        if let Err(problem) = check_file(&bytes, &book, &mut tally) {
            tally.wrong.push(format!("{}: {problem}", file_name(&path)));
        }
    }
    fixtures::corpus::say(&format!(
        "round trip: {} files, {} parts and {} bytes are as they were, {} files cannot be edited",
        tally.files,
        tally.parts,
        tally.bytes,
        tally.refused.len()
    ));
    assert!(tally.wrong.is_empty(), "{} wrong:\n{}", tally.wrong.len(), tally.wrong.join("\n"));
    assert!(tally.files > 100 && tally.refused.is_empty(), "{:#?}", tally.refused);
}

/// A draft with one cell set: beside the used range, where nothing is merged, spilled or pivoted. `None` if there is no
/// sheet to edit.
pub(crate) fn with_one_cell_set(book: &Workbook) -> Result<Option<(Draft, SheetId, grid::CellRef)>, String> {
    let Ok(mut draft) = Draft::new(book, &Limits::default()) else { return Ok(None) };
    let sheet = book.sheet_ids().find(|id| {
        book.tab(*id).kind == SheetKind::Worksheet
            && book.sheet(*id, &()).is_ok_and(|sheet| !sheet.part.is_empty())
    });
    let Some(id) = sheet else { return Ok(None) };
    let name = book.tab(id).name.clone();
    let sheet = book.sheet(id, &()).map_err(|error| error.to_string())?;
    let used = sheet.cells_by_row(grid::CellRange::ALL).map(|(at, _)| at.col()).max().unwrap_or(0);
    let row = sheet.used_range().map_or(0, |used| used.start().row());
    let at = grid::CellRef::clamped(row, (used + 2).min(grid::MAX_COLS - 1));
    let range = format!("{}!{at}", grid::quote(&name));
    let edit = Edit::Set { range, values: vec![vec![Input::Number(42.5)]], parse: false };
    match draft.apply(&[edit], &ExplicitPlaces) {
        Ok(_) => Ok(Some((draft, id, at))),
        Err(error) => Err(format!("{name}: {error}")),
    }
}

fn check_file(bytes: &Arc<[u8]>, book: &Workbook, tally: &mut Tally) -> Result<(), String> {
    let (draft, id, at) = match with_one_cell_set(book) {
        Ok(Some(set)) => set,
        Ok(None) => return Ok(()),
        Err(refusal) => {
            tally.refused.push(refusal);
            return Ok(());
        }
    };
    let sheet = book.sheet(id, &()).map_err(|error| error.to_string())?;
    let saved = saved(&draft);
    let (old, new) = (open(bytes.to_vec())?, open(saved.clone())?);
    let old_names: Vec<&str> = old.names().collect();
    let new_names: Vec<&str> = new.names().collect();
    let lost: Vec<&&str> = old_names.iter().filter(|name| !new_names.contains(name)).collect();
    let lost: Vec<&&&str> =
        lost.iter().filter(|name| !name.to_ascii_lowercase().starts_with("_xmlsignatures/")).collect();
    if !lost.is_empty() || new_names.iter().any(|name| !old_names.contains(name)) {
        return Err(format!("parts lost {lost:?} of {old_names:?}, now {new_names:?}"));
    }
    for part in new_names {
        let (before, after) = (old.part(part), new.part(part));
        let (Ok(before), Ok(after)) = (&before, &after) else {
            if before.is_err() && after.is_err() {
                continue;
            }
            return Err(format!("{part}: {before:?} {after:?}"));
        };
        if part.eq_ignore_ascii_case(&sheet.part) {
            let (before, after) =
                (canonical(before, Some(&at.to_string()))?, canonical(after, Some(&at.to_string()))?);
            if before != after {
                return Err(format!("{part}: {}", first_difference(&before, &after)));
            }
        } else if part.ends_with("workbook.xml") && before != after {
            let (before, after) = (canonical(before, None)?, canonical(after, None)?);
            if before != after {
                return Err(format!("{part}: {}", first_difference(&before, &after)));
            }
        } else if before != after
            && !(book.signed && (part == "[Content_Types].xml" || part == "_rels/.rels"))
        {
            return Err(format!("{part} changed"));
        } else {
            tally.parts += 1;
            tally.bytes += after.len() as u64;
        }
    }
    tally.files += 1;
    let again = Workbook::open(saved.into(), "book.xlsx", &Limits::default(), &())
        .map_err(|error| error.to_string())?;
    let found = again.sheet(id, &()).map_err(|error| error.to_string())?;
    if found.cell(at).value != grid::Value::Number(42.5) || found.cell_count() != sheet.cell_count() + 1 {
        return Err(format!(
            "{at} reads {:?}, {} of {} cells",
            found.cell(at).value,
            found.cell_count(),
            sheet.cell_count()
        ));
    }
    Ok(())
}

fn open(bytes: Vec<u8>) -> Result<Package, String> {
    Package::open(bytes.into(), &PackageLimits::default()).map_err(|error| error.to_string())
}

/// Elements, sorted attributes and texts, one per line: without the cell that was set, the hints that follow it (dimension,
/// spans, an empty row that it made) and the request to calculate.
fn canonical(xml: &[u8], cell: Option<&str>) -> Result<Vec<String>, String> {
    let mut reader = XmlReader::new("part", xml, 256);
    let mut lines: Vec<String> = Vec::new();
    let mut skipping = 0usize;
    let mut text = String::new();
    while let Some(event) = reader.next().map_err(|error| error.to_string())? {
        match event {
            XmlEvent::Start(element) => {
                let name = element.name().to_owned();
                let mut attributes = element.attrs();
                attributes.sort();
                let is_cell =
                    name == "c" && cell.is_some_and(|cell| element.attr("r").as_deref() == Some(cell));
                if skipping > 0 || is_cell {
                    skipping += usize::from(!element.is_empty);
                    continue;
                }
                if !text.is_empty() {
                    lines.push(std::mem::take(&mut text));
                }
                match name.as_str() {
                    "dimension" => continue,
                    "row" => attributes.retain(|(name, _)| name != "spans"),
                    "calcPr" => attributes.retain(|(name, _)| name != "fullCalcOnLoad"),
                    _ => {}
                }
                if name == "calcPr" && attributes.is_empty() {
                    continue;
                }
                lines.push(format!("<{name} {attributes:?}"));
                if element.is_empty {
                    lines.push(format!("/{name}"));
                }
            }
            XmlEvent::End(name) => {
                if skipping > 0 {
                    skipping -= 1;
                    continue;
                }
                if !text.is_empty() {
                    lines.push(std::mem::take(&mut text));
                }
                let (name, last) = (name.to_string(), lines.last());
                if name == "dimension"
                    || name == "calcPr" && !last.is_some_and(|last| last.starts_with("<calcPr"))
                {
                    continue;
                }
                lines.push(format!("/{name}"));
            }
            XmlEvent::Text(piece) if skipping == 0 && !piece.trim().is_empty() => text.push_str(&piece),
            XmlEvent::Text(_) => {}
        }
    }
    // A row that has nothing but the cell.
    let is_empty_row = |pair: &[String]| {
        pair[0].starts_with("<row ") && pair[1] == "/row" && pair[0].matches("(\"").count() == 1
    };
    while let Some(at) = lines.windows(2).position(is_empty_row) {
        lines.drain(at..at + 2);
    }
    Ok(lines)
}

fn first_difference(before: &[String], after: &[String]) -> String {
    let at = before
        .iter()
        .zip(after)
        .position(|(before, after)| before != after)
        .unwrap_or(before.len().min(after.len()));
    format!("line {at}: {:?} became {:?}", before.get(at), after.get(at))
}
