//! Table parts (ECMA-376 Part 1 §18.5).

use ooxml::{Element, Package, XmlEvent, XmlReader, decode_xstring};

use crate::error::OpenError;
use crate::limits::Limits;
use crate::model::{AutoFilter, Table, TableColumn};

/// Reads a table's part; `None` if it has no usable range.
pub(super) fn read(package: &Package, part: &str, limits: &Limits) -> Result<Option<Table>, OpenError> {
    let mut reader = XmlReader::new(part, package.stream(part)?, limits.package.max_xml_depth);
    let mut table: Option<Table> = None;
    let mut text = String::new();
    while let Some(event) = reader.next()? {
        match event {
            XmlEvent::Start(element) => {
                text.clear();
                match (element.name(), &mut table) {
                    ("table", None) => table = start(&element),
                    ("tableColumn", Some(table)) => {
                        if table.columns.len() >= grid::MAX_COLS as usize {
                            return Err(OpenError::too_many_items(limits));
                        }
                        table.columns.push(column(&element));
                    }
                    ("autoFilter", Some(table)) => {
                        let filter = |range| AutoFilter { range, columns: Vec::new() };
                        table.auto_filter = element.parse("ref").map(filter);
                    }
                    ("tableStyleInfo", Some(table)) => table.style = element.attr("name"),
                    _ => {}
                }
            }
            XmlEvent::Text(piece) => text.push_str(&piece),
            XmlEvent::End(name) if name == "calculatedColumnFormula" => {
                if let Some(column) = table.as_mut().and_then(|table| table.columns.last_mut()) {
                    column.formula = Some(std::mem::take(&mut text));
                }
            }
            XmlEvent::End(_) => {}
        }
    }
    Ok(table)
}

fn start(element: &Element<'_>) -> Option<Table> {
    Some(Table {
        name: element.attr("displayName").or_else(|| element.attr("name")).unwrap_or_default(),
        range: element.parse("ref")?,
        header_rows: element.parse("headerRowCount").unwrap_or(1),
        totals_rows: element.parse("totalsRowCount").unwrap_or(0),
        columns: Vec::new(),
        style: None,
        auto_filter: None,
    })
}

fn column(element: &Element<'_>) -> TableColumn {
    let function = element.attr("totalsRowFunction").filter(|function| function != "none");
    TableColumn {
        name: decode_xstring(&element.attr("name").unwrap_or_default()).into_owned(),
        formula: None,
        total: function.or_else(|| element.attr("totalsRowLabel")),
    }
}
