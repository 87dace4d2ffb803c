//! New workbooks, and workbooks of formats that are only read as `.xlsx`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::Cursor;

use grid::{CellRange, DateSystem};
use ooxml::{Node, Package, Tree};

use crate::edit::error::{EditError, Problem};
use crate::edit::format::FormatPatch;
use crate::edit::op::Visible;
use crate::edit::parts::WORKBOOK_ORDER;
use crate::edit::{Draft, Edit, ExplicitPlaces, Place, SaveOptions};
use crate::limits::Limits;
use crate::model::{
    FileFormat, Formula, FormulaKind, RawCell, SheetId, SheetKind, StyleId, Visibility, Watch, Workbook,
};

const CONTENT_TYPES: &str = r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>"#;
const ROOT_RELS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const WORKBOOK_RELS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#;
const WORKBOOK: &str = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><bookViews><workbookView/></bookViews><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
/// The name of the sheet that every new workbook starts with.
const FIRST_SHEET: &str = "Sheet1";

/// The bytes of a new workbook with these sheets, which are empty.
///
/// # Errors
/// For a name that no sheet may have, and for none at all.
pub fn blank_workbook(sheets: &[&str]) -> Result<Vec<u8>, EditError> {
    saved(&Draft::blank(sheets, &Limits::default())?)
}

/// The bytes of an `.xlsx` with what a workbook of another format holds: values, number formats, merges, and formulas where
/// their syntax is that of Excel.
///
/// # Errors
/// When a sheet cannot be read, or the caller stops.
pub fn converted(book: &Workbook, limits: &Limits, watch: &dyn Watch) -> Result<Vec<u8>, EditError> {
    let names: Vec<&str> = book.tabs.iter().map(|tab| tab.name.as_str()).collect();
    let mut draft = Draft::blank(&names, limits)?;
    if book.date_system == DateSystem::Date1904 {
        draft.use_1904()?;
    }
    for id in book.sheet_ids() {
        draft.take_cells(book, id, watch)?;
    }
    for id in book.sheet_ids() {
        let tab = book.tab(id);
        let visibility = match tab.visibility {
            Visibility::Visible => continue,
            Visibility::Hidden => Visible::Hidden,
            Visibility::VeryHidden => Visible::VeryHidden,
        };
        // A workbook that shows no sheet at all stays readable: the last one is shown.
        let hide = Edit::SheetVisibility { sheet: tab.name.clone(), visibility };
        if draft.apply(&[hide], &ExplicitPlaces).is_err() {
            break;
        }
    }
    saved(&draft)
}

fn saved(draft: &Draft) -> Result<Vec<u8>, EditError> {
    let mut bytes = Cursor::new(Vec::new());
    let told = |error: crate::edit::SaveError| EditError::from(Problem::new(error.to_string(), ""));
    draft.save(SaveOptions::default(), &mut bytes).map_err(told)?;
    Ok(bytes.into_inner())
}

impl Draft {
    /// A new workbook with these sheets.
    pub(crate) fn blank(sheets: &[&str], limits: &Limits) -> Result<Draft, EditError> {
        let mut package = Package::empty(&limits.package);
        let parts = [
            ("[Content_Types].xml", CONTENT_TYPES),
            ("_rels/.rels", ROOT_RELS),
            ("xl/workbook.xml", WORKBOOK),
            ("xl/_rels/workbook.xml.rels", WORKBOOK_RELS),
            ("xl/styles.xml", crate::edit::styles::DEFAULT_STYLES),
            ("xl/worksheets/sheet1.xml", crate::edit::sheets::EMPTY_SHEET),
        ];
        for (name, xml) in parts {
            let root = Node::parse(xml).map_err(crate::OpenError::from)?;
            package.put(name, Tree::new(root).to_bytes());
        }
        let mut first = Cursor::new(Vec::new());
        package
            .save(&ooxml::Changes::new(), &mut first)
            .map_err(|error| EditError::from(Problem::new(error.to_string(), "")))?;
        let book = Workbook::open(first.into_inner().into(), "new.xlsx", limits, &())?;
        let mut draft = Draft::new(&book, limits)?;
        let [first, others @ ..] = sheets else {
            return Err(Problem::new("a workbook has at least one sheet", "name it").into());
        };
        let mut edits = vec![Edit::RenameSheet { sheet: FIRST_SHEET.to_owned(), name: (*first).to_owned() }];
        edits.extend(others.iter().map(|name| Edit::AddSheet { name: (*name).to_owned(), position: None }));
        draft.apply(&edits, &ExplicitPlaces)?;
        Ok(draft)
    }

    fn use_1904(&mut self) -> Result<(), EditError> {
        let main = self.main_part()?;
        let mut tree = self.tree(&main)?;
        tree.root.child_in_order("workbookPr", &WORKBOOK_ORDER).set("date1904", "1");
        self.package.put(&main, tree.to_bytes());
        self.book.date_system = DateSystem::Date1904;
        Ok(())
    }

    /// Takes over what a sheet of another workbook holds, into the one at the same position.
    fn take_cells(&mut self, from: &Workbook, id: SheetId, watch: &dyn Watch) -> Result<(), EditError> {
        let source = from.sheet(id, watch)?;
        if source.kind == SheetKind::Chartsheet {
            return Ok(());
        }
        let is_excel = matches!(from.format, FileFormat::Xls | FileFormat::Xlsb);
        let mut styles: HashMap<StyleId, StyleId> = HashMap::new();
        for (_, column) in source.columns() {
            for (_, chunk) in column.chunks() {
                for index in 0..chunk.len() {
                    let style = chunk.style_at(index);
                    if let Entry::Vacant(slot) = styles.entry(style) {
                        let code = from.styles.number_format_code(style);
                        let patch =
                            FormatPatch { number_format: Some(code.to_owned()), ..FormatPatch::default() };
                        let is_plain = code == "General";
                        slot.insert(if is_plain {
                            StyleId(0)
                        } else {
                            self.derive_format(StyleId(0), &patch)?
                        });
                    }
                }
            }
        }
        let place = Place { sheet: id, range: CellRange::ALL };
        let mut hand = self.hand(place)?;
        for (at, cell) in source.cells_by_row(CellRange::ALL) {
            let value = match cell.value {
                grid::Value::Text(text) => hand.sheet.keep_text(text)?,
                _ => source.raw_cell(at).value,
            };
            let formula = match cell.formula.filter(|_| is_excel) {
                Some(formula) => {
                    let text = source.formula_text(at, formula);
                    Some(hand.sheet.keep_formula(Formula { text: text.into(), kind: FormulaKind::Normal })?)
                }
                None => None,
            };
            hand.put(at, RawCell { value, style: styles[&cell.style], formula });
        }
        if !source.merges.is_empty() {
            let mut frame = self.frame(id)?;
            let list = frame.root.child_in_order("mergeCells", &crate::edit::parts::WORKSHEET_ORDER);
            for merge in &source.merges {
                let node = list.sibling("mergeCell").with("ref", merge);
                list.push(node);
            }
            list.set("count", &source.merges.len().to_string());
            self.put_frame(id, &frame)?;
        }
        Ok(())
    }
}
