//! A draft as a package again: parts that changed are written, cells are spliced into what streams past, and everything else
//! is copied as it is stored (LOSSLESS).

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Seek, Write};

use grid::CellRange;
use ooxml::{Changes, Package, PartWriter, RelType};

use crate::edit::Draft;
use crate::edit::cell_xml::CellWriter;
use crate::edit::error::{EditError, Problem, SaveError};
use crate::edit::parts::{self, Shape, WORKBOOK_ORDER};
use crate::edit::sheet_edit::SheetEdit;
use crate::edit::splice::Splicer;
use crate::edit::strings::{self, NewText};
use crate::error::OpenError;
use crate::model::{RawValue, Sheet, SheetId, StringId};
use crate::xlsx::window::Window;

/// How to save.
#[derive(Debug, Clone, Copy, Default)]
pub struct SaveOptions {
    /// Whether a digital signature, which no longer holds, is left out rather than refused.
    pub drop_signature: bool,
    /// Whether the caller found out that no result is old: no formula depends on what changed.
    pub is_fresh: bool,
}

/// What a save touched, or would touch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Saved {
    /// Parts with other content than before.
    pub changed: Vec<String>,
    /// Parts that are new.
    pub added: Vec<String>,
    /// Parts that are gone.
    pub removed: Vec<String>,
    /// Number of parts copied as they are stored.
    pub copied: usize,
    /// Whether the program that opens the file is asked to calculate everything anew.
    pub full_calc_on_load: bool,
}

/// New texts of one sheet and where they are in the table that is saved.
type Indices = HashMap<StringId, u32>;

impl Draft {
    /// Writes the workbook.
    ///
    /// # Errors
    /// When a part cannot be read or written, or a signature would be broken that is not to be dropped.
    pub fn save(&self, options: SaveOptions, mut out: impl Write + Seek) -> Result<Saved, SaveError> {
        let (package, saved) = self.prepared(options)?;
        if saved.changed.is_empty() && saved.added.is_empty() && saved.removed.is_empty() {
            // Not even what stands between the parts.
            out.write_all(&self.base.bytes()).map_err(ooxml::SaveError::Write)?;
            return Ok(saved);
        }
        let plan = self.plan(&package)?;
        let mut changes = Changes::new();
        for (part, (id, indices)) in &plan.sheets {
            let (package, prefix_strings) = (&package, &plan.dynamic_array);
            changes.stream(part, move |out| {
                let edit = &self.sheets[id.0 as usize];
                let sheet = self.book.sheet(*id, &())?;
                self.write_sheet(package, edit, &sheet, indices, *prefix_strings, out)
            });
        }
        if let Some((part, texts)) = &plan.strings {
            let base = &self.base;
            changes.stream(part, move |out| {
                let Shape { prefix, mut window } = parts::open_part(base, part)?;
                strings::append(&mut window, &prefix, texts, out)
            });
        }
        package.save(&changes, out)?;
        Ok(saved)
    }

    /// What [`Draft::save`] would touch.
    ///
    /// # Errors
    /// As [`Draft::save`], as far as nothing is written.
    pub fn dry_run(&self, options: SaveOptions) -> Result<Saved, SaveError> {
        Ok(self.prepared(options)?.1)
    }

    /// The package with every small part as it will be saved, and what that touches.
    fn prepared(&self, options: SaveOptions) -> Result<(Package, Saved), SaveError> {
        let mut package = self.package.clone();
        let depth = self.limits.package.max_xml_depth;
        let main = self.main_part()?;
        let mut saved = Saved::default();
        if self.is_changed() && self.book.signed {
            if !options.drop_signature {
                return Err(SaveError::Signed);
            }
            drop_signature(&mut package, depth).map_err(part_error)?;
        }
        if self.formulas_changed
            && let Some(chain) = parts::calc_chain(&package, &main)?
        {
            parts::remove_part(&mut package, depth, &main, &chain).map_err(part_error)?;
        }
        let is_stale = self.is_stale() && !options.is_fresh;
        if is_stale && self.may_have_formulas() {
            let mut tree = self.tree(&main)?;
            tree.root.child_in_order("calcPr", &WORKBOOK_ORDER).set("fullCalcOnLoad", "1");
            package.put(&main, tree.to_bytes());
            saved.full_calc_on_load = true;
        } else if !is_stale && self.asked_for_calculation()? {
            // What the file asked for has been done.
            let mut tree = self.tree(&main)?;
            if let Some(settings) = tree.root.child_mut("calcPr") {
                settings.unset("fullCalcOnLoad");
            }
            package.put(&main, tree.to_bytes());
        }
        let plan = self.plan(&package)?;
        let streamed =
            plan.sheets.keys().chain(plan.strings.iter().map(|(part, _)| part)).map(String::as_str);
        let mut touched: Vec<&str> = package.changed_names().chain(streamed).collect();
        touched.sort_unstable();
        touched.dedup();
        for name in touched {
            let list = match (self.base.contains(name), package.contains(name)) {
                (true, true) => &mut saved.changed,
                (true, false) => &mut saved.removed,
                (false, _) => &mut saved.added,
            };
            list.push(name.to_owned());
        }
        saved.copied = self.base.names().count() - saved.changed.len() - saved.removed.len();
        Ok((package, saved))
    }

    /// Whether the workbook asked for a calculation when it was read, and does not any more.
    fn asked_for_calculation(&self) -> Result<bool, SaveError> {
        if self.book.calc.full_calc_on_load || !self.computed {
            return Ok(false);
        }
        let tree = self.tree(&self.main_part()?)?;
        Ok(tree.root.child("calcPr").is_some_and(|settings| settings.attr("fullCalcOnLoad").is_some()))
    }

    /// Whether there may be a formula whose result is old.
    fn may_have_formulas(&self) -> bool {
        self.book.sheet_ids().any(|id| {
            !self.book.is_loaded(id) || self.book.sheet(id, &()).is_ok_and(|it| !it.formulas().is_empty())
        })
    }

    /// Which parts are written while they stream past.
    fn plan(&self, package: &Package) -> Result<Plan, SaveError> {
        let mut plan = Plan::default();
        let main = self.main_part()?;
        let rels = package.relationships(&main)?;
        let table = rels.target(RelType::SharedStrings).filter(|part| self.base.contains(part));
        let mut texts: Vec<NewText> = Vec::new();
        let mut by_text: HashMap<NewText, u32> = HashMap::new();
        let first = self.book.shared_strings.len() as u32;
        for id in self.book.sheet_ids() {
            let edit = &self.sheets[id.0 as usize];
            let has_frame = package.changed_names().any(|name| name.eq_ignore_ascii_case(&edit.part));
            if !edit.has_changed_cells() && !has_frame {
                continue;
            }
            let mut indices = Indices::new();
            if table.is_some() {
                let sheet = self.book.sheet(id, &())?;
                for (at, _) in edit.all_dirty() {
                    let cell = sheet.raw_cell(at);
                    let RawValue::SheetText(text_id) = cell.value else { continue };
                    if cell.formula.is_some() || indices.contains_key(&text_id) {
                        continue;
                    }
                    let own = sheet.own_strings();
                    let (text, runs) = (own.get(text_id).unwrap_or_default(), own.runs(text_id));
                    let text = NewText { text: text.to_owned(), runs: runs.map(str::to_owned) };
                    let index = *by_text.entry(text).or_insert_with_key(|text| {
                        texts.push(text.clone());
                        first + texts.len() as u32 - 1
                    });
                    indices.insert(text_id, index);
                }
            }
            plan.sheets.insert(edit.part.clone(), (id, indices));
        }
        if let Some(part) = table.filter(|_| !texts.is_empty()) {
            plan.strings = Some((part.to_owned(), texts));
        }
        plan.dynamic_array = crate::xlsx::dynamic_array_metadata(package, &main, &self.limits)?;
        Ok(plan)
    }

    /// Writes one sheet's part: what stands around the cells as it is now, the cells spliced.
    fn write_sheet(
        &self,
        package: &Package,
        edit: &SheetEdit,
        sheet: &Sheet,
        shared: &Indices,
        dynamic_array: Option<u32>,
        out: &mut PartWriter<'_>,
    ) -> io::Result<()> {
        let has_frame = package.changed_names().any(|name| name.eq_ignore_ascii_case(&edit.part));
        let cells = |prefix| CellWriter { prefix, sheet, shared, dynamic_array };
        let frame = if has_frame { Some(package.part(&edit.part)?) } else { None };
        let base = edit.source.as_deref().map(|part| parts::open_part(&self.base, part)).transpose()?;
        let (head, tail) = match &frame {
            Some(frame) => {
                let mut window = Window::of_bytes(&edit.part, frame.clone());
                window.grow()?;
                let own = base.as_ref().map_or("", |base| &base.prefix);
                split_frame(frame, own).ok_or_else(|| window.damaged("it has no place for cells"))?
            }
            None => (&[][..], &[][..]),
        };
        out.write_all(head)?;
        let Some(Shape { prefix, mut window }) = base else {
            out.write_all(b"<sheetData>")?;
            Splicer::new(edit, cells(""), out).write_new()?;
            out.write_all(b"</sheetData>")?;
            return out.write_all(tail);
        };
        let open = format!("<{prefix}sheetData");
        let found = window.find(open.as_bytes())?;
        let Some(at) = found else {
            if !has_frame {
                return Err(window
                    .damaged("it has no cells to edit; re-save the workbook in its program")
                    .into());
            }
            write!(out, "<{prefix}sheetData>")?;
            Splicer::new(edit, cells(&prefix), out).write_new()?;
            write!(out, "</{prefix}sheetData>")?;
            return out.write_all(tail);
        };
        if !has_frame {
            match with_dimension(&window.rest()[..at], &prefix, edit.dirty_range()) {
                Some(head) => {
                    out.write_all(&head)?;
                    window.advance(at);
                }
                None => window.copy(at, out)?,
            }
        } else {
            window.advance(at);
        }
        let Some(tag_end) = window.find(b">")? else { return Err(window.damaged("it is cut off").into()) };
        let is_empty = window.rest()[tag_end - 1] == b'/';
        if is_empty && edit.touched_rows().is_empty() {
            window.copy(tag_end + 1, out)?;
        } else if is_empty {
            write!(out, "<{prefix}sheetData>")?;
            window.advance(tag_end + 1);
            Splicer::new(edit, cells(&prefix), out).write_new()?;
            write!(out, "</{prefix}sheetData>")?;
        } else {
            window.copy(tag_end + 1, out)?;
            Splicer::new(edit, cells(&prefix), out).splice(&mut window)?;
            if has_frame {
                write!(out, "</{prefix}sheetData>")?;
            }
        }
        if has_frame { out.write_all(tail) } else { strings::copy_rest(&mut window, out) }
    }
}

#[derive(Default)]
struct Plan {
    /// By part: the sheet, and where its new texts are.
    sheets: BTreeMap<String, (SheetId, Indices)>,
    /// The shared string table and what comes behind its texts.
    strings: Option<(String, Vec<NewText>)>,
    dynamic_array: Option<u32>,
}

/// What stands before and behind the place for cells.
fn split_frame<'a>(frame: &'a [u8], prefix: &str) -> Option<(&'a [u8], &'a [u8])> {
    let open = format!("<{prefix}sheetData");
    let at = memchr::memmem::find(frame, open.as_bytes())?;
    let end = at + memchr::memchr(b'>', &frame[at..])?;
    if frame[end - 1] == b'/' {
        return Some((&frame[..at], &frame[end + 1..]));
    }
    let close = format!("</{prefix}sheetData");
    let close_at = end + memchr::memmem::find(&frame[end..], close.as_bytes())?;
    let after = close_at + memchr::memchr(b'>', &frame[close_at..])? + 1;
    Some((&frame[..at], &frame[after..]))
}

/// The head of a sheet's part with its declared dimension grown around cells; `None` if it holds them already.
fn with_dimension(head: &[u8], prefix: &str, dirty: Option<CellRange>) -> Option<Vec<u8>> {
    let mark = format!("<{prefix}dimension");
    let tag = memchr::memmem::find(head, mark.as_bytes())?;
    let tag_end = tag + memchr::memchr(b'>', &head[tag..])?;
    let reference = tag + memchr::memmem::find(&head[tag..tag_end], b"ref=")? + 5;
    let quote = head[reference - 1];
    let length = memchr::memchr(quote, &head[reference..])?;
    let declared: CellRange = std::str::from_utf8(&head[reference..reference + length]).ok()?.parse().ok()?;
    let grown = declared.union(dirty?);
    if grown == declared {
        return None;
    }
    let mut new = head[..reference].to_vec();
    new.extend_from_slice(grown.to_string().as_bytes());
    new.extend_from_slice(&head[reference + length..]);
    Some(new)
}

fn part_error(problem: Problem) -> SaveError {
    SaveError::Part(OpenError::Damaged {
        part: "the package".to_owned(),
        problem: EditError::from(problem).to_string(),
    })
}

/// Leaves out a signature over the package (ECMA-376 Part 2 §10).
fn drop_signature(package: &mut Package, depth: usize) -> Result<(), Problem> {
    let parts: Vec<String> = package
        .names()
        .filter(|name| name.to_ascii_lowercase().starts_with("_xmlsignatures/"))
        .map(str::to_owned)
        .collect();
    for part in parts {
        parts::remove_part(package, depth, "", &part)?;
    }
    Ok(())
}
