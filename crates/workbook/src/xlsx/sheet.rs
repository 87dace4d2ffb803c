//! One sheet's part: what stands before its cells, the cells, and what follows.

use std::sync::Arc;

use memchr::memmem;
use ooxml::{Package, XmlEvent, XmlReader};

use crate::error::OpenError;
use crate::limits::Limits;
use crate::model::{Sheet, SheetBuilder, SheetId, SheetKind, SheetLoader, StringTable, Visibility, Watch};
use crate::xlsx::cell_sink::{CellSink, Context};
use crate::xlsx::window::Window;
use crate::xlsx::{cells, cells_general};

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
    limits: Limits,
}

impl Loader {
    pub(super) fn new(
        package: Package,
        sheets: Vec<SheetPart>,
        shared_strings: Arc<StringTable>,
        limits: Limits,
    ) -> Loader {
        Loader { package, sheets, shared_strings, limits }
    }
}

impl SheetLoader for Loader {
    fn load(&self, id: SheetId, watch: &dyn Watch) -> Result<Sheet, OpenError> {
        let part = &self.sheets[id.0 as usize];
        let mut builder = SheetBuilder::new(&part.name, Arc::clone(&self.shared_strings), &self.limits);
        let sheet = builder.sheet_mut();
        (sheet.kind, sheet.visibility) = (part.kind, part.visibility);
        sheet.part.clone_from(&part.context.part);
        if self.package.contains(&part.context.part) && part.kind != SheetKind::Chartsheet {
            self.read_part(&part.context, &mut builder, watch)?;
        }
        Ok(builder.finish())
    }
}

impl Loader {
    fn read_part(
        &self,
        context: &Context,
        builder: &mut SheetBuilder,
        watch: &dyn Watch,
    ) -> Result<(), OpenError> {
        let total = self.package.declared_size(&context.part).unwrap_or(0);
        let mut window = Window::open(&self.package, &context.part)?;
        if !window.is_scannable("worksheet") {
            return self.read_general(context, builder, window);
        }
        let Some(head) = window.find(b"<sheetData")? else {
            // A sheet without cells is sound; anything else is told by the XML reader.
            return self.read_general(context, builder, window);
        };
        refuse_doctype(context, &window.rest()[..head])?;
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
        self.read_rules(context, builder, window)
    }

    /// Everything behind the cells.
    fn read_rules(
        &self,
        context: &Context,
        builder: &mut SheetBuilder,
        window: Window,
    ) -> Result<(), OpenError> {
        let mut reader = XmlReader::new(&context.part, window, self.limits.package.max_xml_depth);
        while let Some(event) = reader.next()? {
            let XmlEvent::Start(element) = event else { continue };
            if element.name() == "mergeCell" {
                if builder.sheet_mut().merges.len() >= self.limits.max_list_items as usize {
                    return Err(OpenError::too_many_items(&self.limits));
                }
                let range = element.parse::<grid::CellRange>("ref");
                builder.sheet_mut().merges.extend(range);
            }
        }
        Ok(())
    }

    fn read_general(
        &self,
        context: &Context,
        builder: &mut SheetBuilder,
        window: Window,
    ) -> Result<(), OpenError> {
        let mut reader = XmlReader::new(&context.part, window, self.limits.package.max_xml_depth);
        let mut oddities = Vec::new();
        while let Some(event) = reader.next()? {
            let XmlEvent::Start(element) = event else { continue };
            match element.name() {
                "sheetData" if !element.is_empty => {
                    let mut sink = CellSink::new(context, builder);
                    cells_general::read(&mut reader, &mut sink)?;
                    oddities.extend(sink.finish()?);
                }
                "mergeCell" => {
                    let range = element.parse::<grid::CellRange>("ref");
                    builder.sheet_mut().merges.extend(range);
                }
                _ => {}
            }
        }
        self.tell(builder, oddities);
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
