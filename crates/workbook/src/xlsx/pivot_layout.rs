//! How a pivot table is laid out: which items each of its rows and columns stands for (ECMA-376 Part 1 §18.10.1.84 and
//! §18.10.1.14).

use std::sync::Arc;

use grid::DateSystem;
use ooxml::{Element, decode_xstring};

use crate::error::OpenError;
use crate::iso8601;
use crate::limits::Limits;
use crate::model::{PivotAxisField, PivotFilter, PivotLayout, PivotLine};

/// A field in `rowFields` or `colFields` that stands for the values.
const VALUES: i64 = -2;

/// The items of one field of a cache.
#[derive(Debug, Clone, Default)]
pub(super) struct CacheField {
    pub(super) name: String,
    pub(super) items: Vec<Arc<str>>,
}

/// Adds what a shared item or an item of a group says, if the element is one.
pub(super) fn add_item(field: &mut CacheField, element: &Element<'_>) {
    let value = || element.attr("v").unwrap_or_default();
    let text: Arc<str> = match element.name() {
        "s" => decode_xstring(&value()).as_ref().into(),
        "n" => match value().parse::<f64>() {
            Ok(number) => number.to_string().into(),
            Err(_) => value().into(),
        },
        "b" => if matches!(value().as_str(), "1" | "true") { "TRUE" } else { "FALSE" }.into(),
        "d" => match iso8601::date_serial(&value(), DateSystem::Date1900) {
            Some(serial) => serial.to_string().into(),
            None => value().into(),
        },
        "e" => value().into(),
        "m" => "(blank)".into(),
        _ => return,
    };
    field.items.push(text);
}

/// An item as a pivot table lists it: by its place in the cache, with a caption of its own.
enum Item {
    Cached(usize, Option<Arc<str>>),
    /// A subtotal.
    Other,
}

/// A row or column, still in numbers.
struct Line {
    is_grand: bool,
    is_subtotal: bool,
    /// Whether it shows numbers that the layout alone explains.
    is_plain: bool,
    repeated: usize,
    items: Vec<usize>,
}

/// What is read of a pivot table's part.
#[derive(Default)]
pub(super) struct Reading {
    first_row: u32,
    first_column: u32,
    /// By field.
    items: Vec<Vec<Item>>,
    rows: Vec<Line>,
    columns: Vec<Line>,
    /// For each filter its field, and the item that is chosen.
    filters: Vec<(usize, Option<usize>)>,
    place: Place,
    count: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Place {
    #[default]
    Elsewhere,
    Rows,
    Columns,
}

impl Reading {
    /// Takes the start of an element.
    pub(super) fn start(&mut self, element: &Element<'_>, limits: &Limits) -> Result<(), OpenError> {
        let number = |name| element.parse::<usize>(name);
        match element.name() {
            "location" => {
                self.first_row = element.parse("firstDataRow").unwrap_or(1);
                self.first_column = element.parse("firstDataCol").unwrap_or(1);
            }
            "pivotField" => self.items.push(Vec::new()),
            "item" => {
                self.count(limits)?;
                let caption = element.attr("n").map(|caption| decode_xstring(&caption).as_ref().into());
                let is_plain = element.attr("t").is_none_or(|kind| kind == "data");
                let item = number("x").filter(|_| is_plain);
                if let Some(items) = self.items.last_mut() {
                    items.push(item.map_or(Item::Other, |index| Item::Cached(index, caption)));
                }
            }
            "pageField" => self.filters.push((number("fld").unwrap_or(usize::MAX), number("item"))),
            "rowItems" => self.place = Place::Rows,
            "colItems" => self.place = Place::Columns,
            "i" if self.place != Place::Elsewhere => {
                self.count(limits)?;
                let kind = element.attr("t").unwrap_or_else(|| "data".to_owned());
                let line = Line {
                    is_grand: kind == "grand",
                    is_subtotal: kind == "default",
                    is_plain: matches!(kind.as_str(), "data" | "default" | "grand"),
                    repeated: number("r").unwrap_or(0),
                    items: Vec::new(),
                };
                self.lines().push(line);
            }
            "x" if self.place != Place::Elsewhere => {
                self.count(limits)?;
                let item = number("v").unwrap_or(0);
                if let Some(line) = self.lines().last_mut() {
                    line.items.push(item);
                }
            }
            // Whatever follows has items of its own.
            "dataFields" | "formats" | "pivotTableStyleInfo" | "extLst" => self.place = Place::Elsewhere,
            _ => {}
        }
        Ok(())
    }

    fn lines(&mut self) -> &mut Vec<Line> {
        if self.place == Place::Columns { &mut self.columns } else { &mut self.rows }
    }

    fn count(&mut self, limits: &Limits) -> Result<(), OpenError> {
        self.count += 1;
        if self.count > limits.max_list_items as usize {
            return Err(OpenError::too_many_items(limits));
        }
        Ok(())
    }

    /// The layout. `captions` are the pivot table's own names of its fields, `rows` and `columns` the fields of its axes.
    pub(super) fn finish(
        self,
        cache: &[CacheField],
        captions: &[Option<String>],
        rows: &[i64],
        columns: &[i64],
    ) -> PivotLayout {
        let field = |index: usize| {
            let source = cache.get(index).map(|field| field.name.clone()).unwrap_or_default();
            let caption = captions.get(index).cloned().flatten();
            PivotAxisField { caption: caption.unwrap_or_else(|| source.clone()), source }
        };
        let item = |field: usize, item: usize| -> Option<Arc<str>> {
            match self.items.get(field)?.get(item)? {
                Item::Cached(_, Some(caption)) => Some(Arc::clone(caption)),
                Item::Cached(index, None) => cache.get(field)?.items.get(*index).cloned(),
                Item::Other => None,
            }
        };
        PivotLayout {
            first_row: self.first_row,
            first_column: self.first_column,
            fields: (0..self.items.len()).map(field).collect(),
            rows: lines(&self.rows, rows, &item),
            columns: lines(&self.columns, columns, &item),
            filters: self
                .filters
                .iter()
                .map(|(field, chosen)| PivotFilter {
                    field: *field,
                    item: chosen.and_then(|chosen| item(*field, chosen)),
                })
                .collect(),
        }
    }
}

/// Lines with the items that they repeat from the one before.
fn lines(lines: &[Line], fields: &[i64], item: &dyn Fn(usize, usize) -> Option<Arc<str>>) -> Vec<PivotLine> {
    let mut before: Vec<usize> = Vec::new();
    let mut found = Vec::with_capacity(lines.len());
    for line in lines {
        before.truncate(line.repeated);
        before.extend(&line.items);
        let mut told = PivotLine { items: Vec::new(), value: None, is_subtotal: line.is_subtotal };
        let mut is_known = line.is_plain;
        for (field, index) in fields.iter().zip(&before) {
            match usize::try_from(*field) {
                Err(_) if *field == VALUES => told.value = Some(*index),
                // The item of a grand total is a stand-in.
                Ok(_) if line.is_grand => {}
                Ok(field) => match item(field, *index) {
                    Some(item) => told.items.push((field, item)),
                    None => is_known = false,
                },
                Err(_) => is_known = false,
            }
        }
        if !is_known {
            // Nothing asks for it.
            told.value = Some(usize::MAX);
        }
        found.push(told);
    }
    found
}
