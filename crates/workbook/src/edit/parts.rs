//! The parts around the cells: read as trees, written back, declared and related; and the model read from them again.

use std::io::{self, Write};

use memchr::memmem;
use ooxml::{Node, Package, RelType, Tree};

use crate::edit::Draft;
use crate::edit::error::Problem;
use crate::error::OpenError;
use crate::model::{SheetId, SheetKind};
use crate::xlsx;
use crate::xlsx::window::Window;

const CONTENT_TYPES: &str = "[Content_Types].xml";
const RELATIONSHIPS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
pub(crate) const OFFICE_RELATIONSHIP: &str =
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// The order of a worksheet's elements (ECMA-376 Part 1 §18.3.1.99 `CT_Worksheet`).
pub(crate) const WORKSHEET_ORDER: [&str; 39] = [
    "sheetPr",
    "dimension",
    "sheetViews",
    "sheetFormatPr",
    "cols",
    "sheetData",
    "sheetCalcPr",
    "sheetProtection",
    "protectedRanges",
    "scenarios",
    "autoFilter",
    "sortState",
    "dataConsolidate",
    "customSheetViews",
    "mergeCells",
    "phoneticPr",
    "conditionalFormatting",
    "dataValidations",
    "hyperlinks",
    "printOptions",
    "pageMargins",
    "pageSetup",
    "headerFooter",
    "rowBreaks",
    "colBreaks",
    "customProperties",
    "cellWatches",
    "ignoredErrors",
    "smartTags",
    "drawing",
    "legacyDrawing",
    "legacyDrawingHF",
    "drawingHF",
    "picture",
    "oleObjects",
    "controls",
    "webPublishItems",
    "tableParts",
    "extLst",
];

/// The order of the workbook part's elements (ECMA-376 Part 1 §18.2.27 `CT_Workbook`).
pub(crate) const WORKBOOK_ORDER: [&str; 19] = [
    "fileVersion",
    "fileSharing",
    "workbookPr",
    "AlternateContent",
    "workbookProtection",
    "bookViews",
    "sheets",
    "functionGroups",
    "externalReferences",
    "definedNames",
    "calcPr",
    "oleSize",
    "customWorkbookViews",
    "pivotCaches",
    "smartTagPr",
    "smartTagTypes",
    "webPublishing",
    "fileRecoveryPr",
    "extLst",
];

impl Draft {
    /// The name of the workbook part.
    pub(crate) fn main_part(&self) -> Result<String, OpenError> {
        match xlsx::main_part(&self.package)? {
            Some((part, _)) => Ok(part),
            None => Err(OpenError::Damaged {
                part: "xl/workbook.xml".to_owned(),
                problem: "it is missing".to_owned(),
            }),
        }
    }

    /// A small part as it is now.
    pub(crate) fn tree(&self, part: &str) -> Result<Tree, OpenError> {
        let bytes = self.package.part(part)?;
        Ok(Tree::read(part, &bytes, self.limits.package.max_xml_depth)?)
    }

    /// A sheet's part without its cells.
    pub(crate) fn frame(&self, sheet: SheetId) -> Result<Tree, Problem> {
        let part = &self.sheets[sheet.0 as usize].part;
        let tab = self.book.tab(sheet);
        if tab.kind == SheetKind::Chartsheet {
            return Err(Problem::new(
                format!("{:?} is a chart that fills its tab", tab.name),
                "give a sheet with cells",
            ));
        }
        if self.package.changed_names().any(|name| name.eq_ignore_ascii_case(part)) {
            return Ok(self.tree(part)?);
        }
        let bytes = without_cells(&self.package, part)?;
        Ok(Tree::read(part, &bytes, self.limits.package.max_xml_depth).map_err(OpenError::from)?)
    }

    /// Puts a sheet's part without its cells back, and reads the sheet's rules from it again.
    pub(crate) fn put_frame(&mut self, sheet: SheetId, tree: &Tree) -> Result<(), Problem> {
        let part = self.sheets[sheet.0 as usize].part.clone();
        // The cells have to be there before their part has none.
        self.book.sheet(sheet, &())?;
        self.package.put(&part, tree.to_bytes());
        self.read_again(&[sheet])
    }

    /// Reads what is around the cells from the parts as they are now: the workbook's, and that of the sheets given.
    pub(crate) fn read_again(&mut self, sheets: &[SheetId]) -> Result<(), Problem> {
        let (part, format) = (self.main_part()?, self.book.format);
        let strings = Some(std::sync::Arc::clone(&self.book.shared_strings));
        let fresh = xlsx::open_sharing(self.package.clone(), &part, format, strings, &self.limits, &())?;
        for id in sheets {
            let own = &self.sheets[id.0 as usize].part;
            let parts = xlsx::sheet_parts(&self.package)?;
            let Some(position) = parts.iter().position(|part| part.eq_ignore_ascii_case(own)) else {
                continue;
            };
            let frame = fresh.sheet(SheetId(position as u32), &())?;
            self.book.sheet_mut(*id)?.take_frame((*frame).clone());
        }
        self.book.names = fresh.names;
        self.book.styles = fresh.styles;
        self.book.calc = fresh.calc;
        self.book.protection = fresh.protection;
        self.book.external_links = fresh.external_links;
        Ok(())
    }

    /// Says what a part is.
    pub(crate) fn declare(&mut self, part: &str, content_type: &str) -> Result<(), Problem> {
        declare(&mut self.package, self.limits.package.max_xml_depth, part, content_type)
    }

    /// Relates a part to another by a type of the office schemas, and gives the relationship's id.
    pub(crate) fn relate(&mut self, from: &str, kind: &str, to: &str) -> Result<String, Problem> {
        let depth = self.limits.package.max_xml_depth;
        let target = format!("/{}", to.trim_start_matches('/'));
        relate(&mut self.package, depth, from, &format!("{OFFICE_RELATIONSHIP}/{kind}"), &target, false)
    }
}

/// Says what a part is in `[Content_Types].xml`.
pub(crate) fn declare(
    package: &mut Package,
    depth: usize,
    part: &str,
    content_type: &str,
) -> Result<(), Problem> {
    let name = format!("/{}", part.trim_start_matches('/'));
    let mut types = Tree::read(CONTENT_TYPES, &package.part(CONTENT_TYPES)?, depth)?;
    types.root.retain(|node| !node.attr("PartName").is_some_and(|known| known.eq_ignore_ascii_case(&name)));
    let node = types.root.sibling("Override").with("PartName", &name).with("ContentType", content_type);
    types.root.push(node);
    package.put(CONTENT_TYPES, types.to_bytes());
    Ok(())
}

/// Adds a relationship and gives its id.
pub(crate) fn relate(
    package: &mut Package,
    depth: usize,
    from: &str,
    kind: &str,
    target: &str,
    is_external: bool,
) -> Result<String, Problem> {
    let rels = rels_part(from);
    let mut tree = match package.contains(&rels) {
        true => Tree::read(&rels, &package.part(&rels)?, depth)?,
        false => Tree::new(Node::new("Relationships").with("xmlns", RELATIONSHIPS)),
    };
    let ids: Vec<String> = tree.root.children().filter_map(|node| node.attr("Id")).collect();
    let id = (1..).map(|number| format!("rId{number}")).find(|id| !ids.contains(id)).unwrap_or_default();
    let mut node =
        tree.root.sibling("Relationship").with("Id", &id).with("Type", kind).with("Target", target);
    if is_external {
        node.set("TargetMode", "External");
    }
    tree.root.push(node);
    package.put(&rels, tree.to_bytes());
    Ok(id)
}

/// Takes a part away, with its declaration and the relationship from `from`.
pub(crate) fn remove_part(
    package: &mut Package,
    depth: usize,
    from: &str,
    part: &str,
) -> Result<(), Problem> {
    let rels = rels_part(from);
    if package.contains(&rels) {
        let related = package.relationships(from)?;
        let mut tree = Tree::read(&rels, &package.part(&rels)?, depth)?;
        let leads_there = |node: &Node| {
            let found = node.attr("Id").and_then(|id| related.by_id(&id).map(|found| found.target.clone()));
            found.is_some_and(|target| target.eq_ignore_ascii_case(part))
        };
        tree.root.retain(|node| !leads_there(node));
        package.put(&rels, tree.to_bytes());
    }
    let name = format!("/{}", part.trim_start_matches('/'));
    let mut types = Tree::read(CONTENT_TYPES, &package.part(CONTENT_TYPES)?, depth)?;
    types.root.retain(|node| !node.attr("PartName").is_some_and(|known| known.eq_ignore_ascii_case(&name)));
    package.put(CONTENT_TYPES, types.to_bytes());
    package.remove(part);
    package.remove(&rels_part(part));
    Ok(())
}

/// The part that holds another one's relationships; of the package for the empty name.
pub(crate) fn rels_part(part: &str) -> String {
    let (folder, name) = part.rsplit_once('/').map_or(("", part), |(folder, name)| (folder, name));
    let slash = if folder.is_empty() { "" } else { "/" };
    format!("{folder}{slash}_rels/{name}.rels")
}

/// The calculation chain of a package, if it has one.
pub(crate) fn calc_chain(package: &Package, main: &str) -> Result<Option<String>, OpenError> {
    let rels = package.relationships(main)?;
    Ok(rels.target(RelType::CalcChain).filter(|part| package.contains(part)).map(str::to_owned))
}

/// How a sheet's part writes its elements.
pub(crate) struct Shape {
    /// The prefix of its elements, with the colon; mostly empty.
    pub(crate) prefix: String,
    /// The part from its start, in UTF-8.
    pub(crate) window: Window,
}

/// Opens a part to be spliced: the prefix of its elements, and its bytes in UTF-8.
pub(crate) fn open_part(package: &Package, part: &str) -> Result<Shape, OpenError> {
    let mut window = Window::open_to_copy(package, part)?;
    while window.rest().len() < 4096 && window.grow()? {}
    let is_utf8 = window.is_scannable("") || {
        // Another encoding: decoded as a whole, which is rare and small.
        let decoded = Tree::read(part, &package.part(part)?, package.max_xml_depth())?.to_bytes();
        window = Window::of_bytes(part, decoded);
        window.grow()?
    };
    debug_assert!(is_utf8, "invariant: a tree is written in UTF-8");
    Ok(Shape { prefix: prefix_of(window.rest()), window })
}

/// The prefix of the root element.
fn prefix_of(start: &[u8]) -> String {
    let root = memchr::memchr_iter(b'<', start).find(|at| !matches!(start.get(at + 1), Some(b'?' | b'!')));
    let name: Vec<u8> = root
        .map(|at| {
            start[at + 1..]
                .iter()
                .copied()
                .take_while(|byte| !matches!(byte, b' ' | b'>' | b'/' | b'\n' | b'\r' | b'\t'))
        })
        .map(Iterator::collect)
        .unwrap_or_default();
    let name = String::from_utf8_lossy(&name).into_owned();
    name.rsplit_once(':').map_or_else(String::new, |(prefix, _)| format!("{prefix}:"))
}

/// A sheet's part with an empty `sheetData`.
fn without_cells(package: &Package, part: &str) -> Result<Vec<u8>, OpenError> {
    let Shape { prefix, mut window } = open_part(package, part)?;
    let mut frame = Vec::new();
    let Some(head) = window.find(format!("<{prefix}sheetData").as_bytes())? else {
        io::copy(&mut window, &mut frame).map_err(|error| window.damaged(&error.to_string()))?;
        return Ok(frame);
    };
    frame.extend_from_slice(&window.rest()[..head]);
    window.advance(head);
    write!(frame, "<{prefix}sheetData/>").expect("invariant: writing to a Vec never fails");
    skip_cells(&mut window, &prefix)?;
    io::copy(&mut window, &mut frame).map_err(|error| window.damaged(&error.to_string()))?;
    Ok(frame)
}

/// From the start tag of `sheetData` to behind its end.
pub(crate) fn skip_cells(window: &mut Window, prefix: &str) -> Result<(), OpenError> {
    let Some(tag_end) = window.find(b">")? else { return Err(window.damaged("it is cut off")) };
    let is_empty = window.rest()[tag_end - 1] == b'/';
    window.advance(tag_end + 1);
    if is_empty {
        return Ok(());
    }
    let close = format!("</{prefix}sheetData");
    loop {
        if let Some(found) = memmem::find(window.rest(), close.as_bytes()) {
            window.advance(found);
            let Some(end) = window.find(b">")? else { return Err(window.damaged("it is cut off")) };
            window.advance(end + 1);
            return Ok(());
        }
        let safe = window.rest().len().saturating_sub(close.len());
        window.advance(safe);
        if !window.grow()? {
            return Err(window.damaged("its cells do not end"));
        }
    }
}
