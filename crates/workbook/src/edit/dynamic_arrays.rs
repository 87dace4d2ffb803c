//! Formulas that spill: their cells are marked by metadata (ECMA-376 Part 1 §18.9, \[MS-XLSX\] §2.3.7 `XLDAPR`), without which
//! a program shows only the first of their results.

use ooxml::{Node, RelType, Tree};

use crate::edit::Draft;
use crate::edit::error::Problem;
use crate::xlsx;

const PART: &str = "xl/metadata.xml";
const TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheetMetadata+xml";
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const ORDER: [&str; 7] = [
    "metadataTypes",
    "metadataStrings",
    "mdxMetadata",
    "futureMetadata",
    "cellMetadata",
    "valueMetadata",
    "extLst",
];
/// What applies to cells of the type, as Excel writes it.
const KIND: &str = r#"<metadataType name="XLDAPR" minSupportedVersion="120000" copy="1" pasteAll="1" pasteValues="1" merge="1" splitFirst="1" rowColShift="1" clearFormats="1" clearComments="1" assign="1" coerce="1" cellMeta="1"/>"#;
const PROPERTIES: &str = r#"<futureMetadata name="XLDAPR" count="1"><bk><extLst><ext uri="{bdbb8cdc-fa1e-496e-a857-3c3f30c029c3}"><xda:dynamicArrayProperties xmlns:xda="http://schemas.microsoft.com/office/spreadsheetml/2017/dynamicarray" fDynamic="1" fCollapsed="0"/></ext></extLst></bk></futureMetadata>"#;

impl Draft {
    /// Sees to it that the workbook has the mark for cells with formulas that spill.
    pub(crate) fn keep_dynamic_array_mark(&mut self) -> Result<(), Problem> {
        let main = self.main_part()?;
        if xlsx::dynamic_array_metadata(&self.package, &main, &self.limits)?.is_some() {
            return Ok(());
        }
        let known = self.package.relationships(&main)?.target(RelType::SheetMetadata).map(str::to_owned);
        let known = known.filter(|part| self.package.contains(part));
        let part = known.clone().unwrap_or_else(|| PART.to_owned());
        let mut tree = match known {
            Some(_) => self.tree(&part)?,
            None => Tree::new(Node::new("metadata").with("xmlns", MAIN)),
        };
        let parsed = |xml: &str| Node::parse(xml).map_err(Problem::from);
        let types = tree.root.child_in_order("metadataTypes", &ORDER);
        types.push(parsed(KIND)?);
        let kind = counted(types);
        tree.root.insert_in_order(parsed(PROPERTIES)?, &ORDER);
        let cells = tree.root.child_in_order("cellMetadata", &ORDER);
        let record = cells.sibling("rc").with("t", kind).with("v", 0);
        cells.push(cells.sibling("bk").with_child(record));
        counted(cells);
        self.package.put(&part, tree.to_bytes());
        self.declare(&part, TYPE)?;
        if self.package.relationships(&main)?.target(RelType::SheetMetadata).is_none() {
            self.relate(&main, "sheetMetadata", &part)?;
        }
        Ok(())
    }
}

/// Sets a list's count and gives it.
fn counted(list: &mut Node) -> usize {
    let count = list.children().count();
    list.set("count", &count.to_string());
    count
}
