//! Pivot tables (ECMA-376 Part 1 §18.10): where they stand, what they summarise and how.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use ooxml::{Element, Package, RelType, Relationships, XmlEvent, XmlReader, decode_xstring};

use crate::error::OpenError;
use crate::limits::Limits;
use crate::model::{PivotField, PivotTable, Sheet};
use crate::xlsx::left_out::LeftOut;
use crate::xlsx::pivot_layout::{self, CacheField, add_item};

/// Characters of a field's name that are kept. Names are repeated for every use of a field.
const MAX_NAME: usize = 1024;

/// Ranges of a consolidation that are told.
const MAX_SOURCES: usize = 16;

/// What a pivot table knows of its source.
#[derive(Default)]
struct Cache {
    sources: Vec<String>,
    fields: Vec<CacheField>,
}

/// The caches of a workbook: pivot tables share them, and each is read once.
#[derive(Default)]
pub(super) struct PivotCaches {
    read: Mutex<HashMap<String, Result<Arc<Cache>, OpenError>>>,
    /// Names of the data connections by their ids.
    connections: HashMap<u32, String>,
}

impl PivotCaches {
    pub(super) fn new(connections: HashMap<u32, String>) -> PivotCaches {
        PivotCaches { read: Mutex::default(), connections }
    }

    fn get(&self, package: &Package, part: &str, limits: &Limits) -> Result<Arc<Cache>, OpenError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = read.get(part) {
            return known.clone();
        }
        let cache = self.read_cache(package, part, limits).map(Arc::new);
        read.insert(part.to_owned(), cache.clone());
        cache
    }

    fn read_cache(&self, package: &Package, part: &str, limits: &Limits) -> Result<Cache, OpenError> {
        let rels = package.relationships(part)?;
        let mut reader = XmlReader::new(part, package.stream(part)?, limits.package.max_xml_depth);
        let mut cache = Cache::default();
        let (mut in_items, mut items) = (false, 0);
        while let Some(event) = reader.next()? {
            let element = match event {
                XmlEvent::Start(element) => element,
                XmlEvent::End(name) => {
                    in_items &= !(name == "sharedItems" || name == "groupItems");
                    continue;
                }
                XmlEvent::Text(_) => continue,
            };
            match element.name() {
                "cacheSource" => cache.sources.extend(self.connection(&element)),
                "worksheetSource" | "rangeSet" if cache.sources.len() < MAX_SOURCES => {
                    cache.sources.extend(worksheet_source(&element, &rels));
                }
                "cacheField" => {
                    check_fields(cache.fields.len())?;
                    let name = element.attr("caption").or_else(|| element.attr("name"));
                    let name = field_name(&name.unwrap_or_default());
                    cache.fields.push(CacheField { name, items: Vec::new() });
                }
                // Where values are grouped, the groups are the items.
                "sharedItems" | "groupItems" => {
                    in_items = !element.is_empty;
                    if let Some(field) = cache.fields.last_mut() {
                        field.items.clear();
                    }
                }
                _ if in_items => {
                    items += 1;
                    if items > limits.max_list_items {
                        return Err(OpenError::too_many_items(limits));
                    }
                    if let Some(field) = cache.fields.last_mut() {
                        add_item(field, &element);
                    }
                }
                _ => {}
            }
        }
        Ok(cache)
    }

    fn connection(&self, element: &Element<'_>) -> Option<String> {
        let id: u32 = element.parse("connectionId").filter(|id| *id > 0)?;
        Some(match self.connections.get(&id) {
            Some(name) => format!("the connection {name}"),
            None => format!("the connection {id}"),
        })
    }
}

/// The range, table or name of a source; in another workbook if it has a relationship.
fn worksheet_source(element: &Element<'_>, rels: &Relationships) -> Option<String> {
    let place = match (element.attr("name"), element.attr("ref"), element.attr("sheet")) {
        (Some(name), _, _) => name,
        (None, Some(range), Some(sheet)) => format!("{}!{range}", grid::quote(&sheet)),
        (None, Some(range), None) => range,
        (None, None, _) => return None,
    };
    let book = element.attr("id").and_then(|id| rels.by_id(&id).map(|found| found.target.clone()));
    Some(match book {
        Some(book) => format!("{place} of {book}"),
        None => place,
    })
}

/// Reads the pivot tables of a sheet into it. One that cannot be read is left out with a note.
pub(super) fn read(
    package: &Package,
    rels: &Relationships,
    caches: &PivotCaches,
    sheet: &mut Sheet,
    limits: &Limits,
) -> Result<(), OpenError> {
    let mut left_out = LeftOut::default();
    let mut seen = HashSet::new();
    for pivot in rels.of(RelType::PivotTable).filter(|pivot| !pivot.is_external) {
        if seen.insert(pivot.target.as_str()) {
            let read = read_table(package, &pivot.target, caches, &mut left_out, limits);
            sheet.pivots.extend(left_out.take(read)?);
        }
    }
    sheet.notes.extend(left_out.note("pivot tables or their sources"));
    Ok(())
}

/// A pivot table's part: fields are numbers, which its cache names.
struct Reading {
    table: PivotTable,
    /// The caption of the values where they stand as a field of their own.
    values_caption: String,
    /// Names that the pivot table itself gives to fields.
    names: Vec<Option<String>>,
    rows: Vec<i64>,
    columns: Vec<i64>,
    filters: Vec<i64>,
    /// For each value, its field.
    values: Vec<i64>,
    layout: pivot_layout::Reading,
}

fn read_table(
    package: &Package,
    part: &str,
    caches: &PivotCaches,
    left_out: &mut LeftOut,
    limits: &Limits,
) -> Result<PivotTable, OpenError> {
    let mut reader = XmlReader::new(part, package.stream(part)?, limits.package.max_xml_depth);
    let mut reading = Reading::new();
    let mut in_columns = false;
    while let Some(event) = reader.next()? {
        let XmlEvent::Start(element) = event else { continue };
        match element.name() {
            "rowFields" => in_columns = false,
            "colFields" => in_columns = true,
            _ => reading.start(&element, in_columns)?,
        }
        reading.layout.start(&element, limits)?;
    }
    let rels = package.relationships(part)?;
    let cache = match rels.target(RelType::PivotCacheDefinition) {
        Some(cache) => left_out.take(caches.get(package, cache, limits))?.unwrap_or_default(),
        None => Arc::default(),
    };
    Ok(reading.finish(&cache))
}

impl Reading {
    fn new() -> Reading {
        Reading {
            table: PivotTable {
                name: String::new(),
                range: None,
                source: None,
                rows: Vec::new(),
                columns: Vec::new(),
                filters: Vec::new(),
                values: Vec::new(),
                layout: Arc::default(),
            },
            values_caption: String::new(),
            names: Vec::new(),
            rows: Vec::new(),
            columns: Vec::new(),
            filters: Vec::new(),
            values: Vec::new(),
            layout: pivot_layout::Reading::default(),
        }
    }

    fn start(&mut self, element: &Element<'_>, in_columns: bool) -> Result<(), OpenError> {
        let number = |name| element.parse::<i64>(name).unwrap_or(0);
        match element.name() {
            // The extension of 2009 has an element of the same name, without a name.
            "pivotTableDefinition" if self.table.name.is_empty() => {
                self.table.name = element.attr("name").unwrap_or_default();
                self.values_caption = element.attr("dataCaption").unwrap_or_else(|| "Values".to_owned());
            }
            "location" if self.table.range.is_none() => self.table.range = element.parse("ref"),
            "pivotField" => {
                check_fields(self.names.len())?;
                self.names.push(element.attr("name").map(|name| field_name(&name)));
            }
            "field" => {
                let fields = if in_columns { &mut self.columns } else { &mut self.rows };
                check_fields(fields.len())?;
                fields.push(number("x"));
            }
            "pageField" => {
                check_fields(self.filters.len())?;
                self.filters.push(number("fld"));
            }
            "dataField" => {
                check_fields(self.values.len())?;
                self.values.push(number("fld"));
                self.table.values.push(PivotField {
                    name: field_name(&element.attr("name").unwrap_or_default()),
                    field: String::new(),
                    function: element.attr("subtotal").unwrap_or_else(|| "sum".to_owned()),
                });
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(mut self, cache: &Cache) -> PivotTable {
        let name = |index: &i64| {
            let Ok(index) = usize::try_from(*index) else { return field_name(&self.values_caption) };
            let own = self.names.get(index).cloned().flatten();
            own.or_else(|| cache.fields.get(index).map(|field| field.name.clone()))
                .unwrap_or_else(|| format!("field {}", index + 1))
        };
        self.table.rows = self.rows.iter().map(name).collect();
        self.table.columns = self.columns.iter().map(name).collect();
        self.table.filters = self.filters.iter().map(name).collect();
        for (value, index) in self.table.values.iter_mut().zip(&self.values) {
            value.field = name(index);
        }
        let layout = self.layout.finish(&cache.fields, &self.names, &self.rows, &self.columns);
        self.table.layout = Arc::new(layout);
        self.table.source = (!cache.sources.is_empty()).then(|| cache.sources.join(", "));
        self.table
    }
}

/// A field is a column of its source: there are no more of them than columns.
fn check_fields(count: usize) -> Result<(), OpenError> {
    if count >= grid::MAX_COLS as usize {
        return Err(OpenError::Damaged {
            part: "a pivot table".to_owned(),
            problem: format!("it has more than {} fields", grid::MAX_COLS),
        });
    }
    Ok(())
}

fn field_name(name: &str) -> String {
    decode_xstring(name).chars().take(MAX_NAME).collect()
}
