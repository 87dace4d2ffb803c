//! One sheet's part: what stands before its cells, the cells, and what follows.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use memchr::memmem;
use ooxml::{ContentTypes, Package, RelType, Relationships, XmlEvent, XmlReader};

use crate::error::OpenError;
use crate::limits::Limits;
use crate::model::{
    ExternalLink, LinkedSheet, Sheet, SheetBuilder, SheetId, SheetKind, SheetLoader, StringTable, Visibility,
    Watch,
};
use crate::xlsx::cell_sink::{CellSink, Context};
use crate::xlsx::pivots::PivotCaches;
use crate::xlsx::sheet_rules::SheetRules;
use crate::xlsx::window::Window;
use crate::xlsx::{cells, cells_general, comments, drawings, external_cells, pivots, sheet_rules, tables};

/// What is known of a sheet before it is loaded.
pub(super) struct SheetPart {
    pub(super) name: String,
    pub(super) kind: SheetKind,
    pub(super) visibility: Visibility,
    pub(super) context: Context,
}

/// Keeps the package and reads sheets from it.
pub(super) struct Loader {
    package: Package,
    sheets: Vec<SheetPart>,
    shared_strings: Arc<StringTable>,
    /// Display names of those who comment, by id.
    persons: HashMap<String, String>,
    /// What the parts are, read when a sheet first asks.
    content_types: OnceLock<ContentTypes>,
    pivot_caches: PivotCaches,
    /// Copies of cells of other workbooks, read when a calculation first asks.
    linked_sheets: OnceLock<Arc<[LinkedSheet]>>,
    limits: Limits,
    /// Cells of the sheets that are loaded.
    cells: AtomicU64,
}

impl Loader {
    pub(super) fn new(
        package: Package,
        sheets: Vec<SheetPart>,
        shared_strings: Arc<StringTable>,
        persons: HashMap<String, String>,
        pivot_caches: PivotCaches,
        limits: Limits,
    ) -> Loader {
        Loader {
            package,
            sheets,
            shared_strings,
            persons,
            content_types: OnceLock::new(),
            pivot_caches,
            linked_sheets: OnceLock::new(),
            limits,
            cells: AtomicU64::new(0),
        }
    }
}

impl SheetLoader for Loader {
    fn load(&self, id: SheetId, watch: &dyn Watch) -> Result<Sheet, OpenError> {
        let part = &self.sheets[id.0 as usize];
        let mut builder = SheetBuilder::new(&part.name, Arc::clone(&self.shared_strings), &self.limits)
            .counting_from(self.cells.load(Ordering::Relaxed));
        let sheet = builder.sheet_mut();
        (sheet.kind, sheet.visibility) = (part.kind, part.visibility);
        sheet.part.clone_from(&part.context.part);
        if self.package.contains(&part.context.part) {
            let rels = self.package.relationships(&part.context.part)?;
            if part.kind != SheetKind::Chartsheet {
                self.read_part(&part.context, &rels, &mut builder, watch)?;
                self.read_related(&rels, builder.sheet_mut())?;
            }
            self.read_objects(&rels, builder.sheet_mut())?;
        }
        let sheet = builder.finish();
        self.cells.fetch_add(sheet.cell_count(), Ordering::Relaxed);
        Ok(sheet)
    }

    fn part(&self, name: &str) -> Result<Option<Vec<u8>>, OpenError> {
        Ok(Some(self.package.part(name)?))
    }

    fn linked_sheets(&self, links: &[ExternalLink]) -> Result<Arc<[LinkedSheet]>, OpenError> {
        if let Some(known) = self.linked_sheets.get() {
            return Ok(Arc::clone(known));
        }
        let counted = self.cells.load(Ordering::Relaxed);
        let read = external_cells::read(&self.package, links, counted, &self.limits)?;
        Ok(Arc::clone(self.linked_sheets.get_or_init(|| read.into())))
    }

    fn package(&self) -> Option<&Package> {
        Some(&self.package)
    }
}

impl Loader {
    fn read_part(
        &self,
        context: &Context,
        rels: &Relationships,
        builder: &mut SheetBuilder,
        watch: &dyn Watch,
    ) -> Result<(), OpenError> {
        let total = self.package.declared_size(&context.part).unwrap_or(0);
        let mut window = Window::open(&self.package, &context.part)?;
        if !window.is_scannable("worksheet") {
            return self.read_general(context, rels, builder, window);
        }
        let Some(head) = window.find(b"<sheetData")? else {
            // A sheet without cells is sound; anything else is told by the XML reader.
            return self.read_general(context, rels, builder, window);
        };
        refuse_doctype(context, &window.rest()[..head])?;
        let before = window.rest()[..head].to_vec();
        sheet_rules::read(&context.part, before.as_slice(), builder.sheet_mut(), rels, &self.limits)?;
        window.advance(head);
        let end = window.find(b">")?.unwrap_or(0);
        let is_empty = end > 0 && window.rest()[end - 1] == b'/';
        window.advance(end + 1);
        let mut sink = CellSink::new(context, builder);
        if !is_empty {
            cells::scan(&mut window, &mut sink, total, watch)?;
        }
        let oddities = sink.finish()?;
        self.tell(builder, oddities);
        sheet_rules::read(&context.part, window, builder.sheet_mut(), rels, &self.limits)
    }

    fn read_general(
        &self,
        context: &Context,
        rels: &Relationships,
        builder: &mut SheetBuilder,
        window: Window,
    ) -> Result<(), OpenError> {
        let mut reader = XmlReader::new(&context.part, window, self.limits.package.max_xml_depth);
        let mut rules = SheetRules::new(rels, &self.limits);
        let mut oddities = Vec::new();
        while let Some(event) = reader.next()? {
            match event {
                XmlEvent::Start(element) if element.name() == "sheetData" && !element.is_empty => {
                    let mut sink = CellSink::new(context, builder);
                    cells_general::read(&mut reader, &mut sink)?;
                    oddities.extend(sink.finish()?);
                }
                event => rules.take(&event, builder.sheet_mut())?,
            }
        }
        self.tell(builder, oddities);
        Ok(())
    }

    /// What belongs to the sheet and has parts of its own.
    fn read_related(&self, rels: &Relationships, sheet: &mut Sheet) -> Result<(), OpenError> {
        let targets =
            |kind| rels.of(kind).filter(|found| !found.is_external && self.package.contains(&found.target));
        for table in targets(RelType::Table) {
            sheet.tables.extend(tables::read(&self.package, &table.target, &self.limits)?);
        }
        let mut notes = Vec::new();
        for part in targets(RelType::Comments) {
            notes.extend(comments::notes(&self.package, &part.target, &self.limits)?);
        }
        let mut threads = Vec::new();
        for part in targets(RelType::ThreadedComment) {
            threads.extend(comments::threads(&self.package, &part.target, &self.persons, &self.limits)?);
        }
        sheet.comments = comments::merged(notes, threads);
        Ok(())
    }

    /// What floats above the cells, described.
    fn read_objects(&self, rels: &Relationships, sheet: &mut Sheet) -> Result<(), OpenError> {
        if let Some(drawing) = rels.target(RelType::Drawing) {
            let types = match self.content_types.get() {
                Some(types) => types,
                None => {
                    let read = self.package.content_types()?;
                    self.content_types.get_or_init(|| read)
                }
            };
            drawings::read(&self.package, drawing, types, sheet, &self.limits)?;
        }
        pivots::read(&self.package, rels, &self.pivot_caches, sheet, &self.limits)?;
        let embedded = rels.of(RelType::OleObject).count() + rels.of(RelType::Package).count();
        if embedded > 0 {
            sheet.notes.push(format!("embedded documents: {embedded}; not opened"));
        }
        Ok(())
    }

    fn tell(&self, builder: &mut SheetBuilder, oddities: Vec<crate::model::Oddity>) {
        let notes = oddities.into_iter().map(|oddity| format!("{}: {}", oddity.place, oddity.what));
        builder.sheet_mut().notes.extend(notes);
    }
}

/// Entities that a document defines itself are how XML bombs are built.
fn refuse_doctype(context: &Context, head: &[u8]) -> Result<(), OpenError> {
    if memmem::find(head, b"<!DOCTYPE").is_some() {
        return Err(OpenError::Damaged {
            part: context.part.clone(),
            problem: "document type declarations are not allowed".to_owned(),
        });
    }
    Ok(())
}
