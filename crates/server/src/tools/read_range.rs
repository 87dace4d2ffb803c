//! `read_range`: cells as they lie on the sheet.

use std::collections::{BTreeMap, HashMap};

use analysis::{formulas::Area, resolve, styles::describe};
use grid::{CellRange, CellRef, Value as CellValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use workbook::{Comment, Sheet, StyleId, Workbook};

use crate::{
    call::Call,
    cell_json::cell_json,
    cursor,
    error::{ErrorCode, ToolError},
    open::Opened,
    tool::Tool,
};

/// Merged or hidden ranges that are told of one range.
const LISTED: usize = 20;
/// What a row costs besides its cells, in bytes of JSON.
const ROW_BYTES: usize = 4;

/// Reads ranges.
#[derive(Debug)]
pub(super) struct ReadRange;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    workbook: String,
    /// Addresses, e.g. ["Data!A1:C50", "Total", "Sales[Amount]"].
    ranges: Vec<String>,
    /// What to tell of each cell (value).
    fields: Option<Vec<Field>>,
    /// Where to continue.
    cursor: Option<String>,
}

/// What can be told of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Field {
    Value,
    Text,
    Formula,
    Style,
    Note,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Answer {
    ranges: Vec<RangeEntry>,
    /// Cells told here whose results are older than their inputs: recalculate.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    stale: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A part of a range that was asked for: whole rows of it. Cells beyond what is told are empty.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct RangeEntry {
    range: String,
    /// Row by row: numbers, texts, booleans, ISO dates, errors as text, null.
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Vec<Vec<Value>>>,
    /// Row by row, as the sheet shows them.
    #[serde(skip_serializing_if = "Option::is_none")]
    texts: Option<Vec<Vec<String>>>,
    /// By cell.
    #[serde(skip_serializing_if = "Option::is_none")]
    formulas: Option<BTreeMap<CellRefKey, String>>,
    /// By range; cells in the default format are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    styles: Option<Vec<(String, String)>>,
    /// By cell.
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<BTreeMap<CellRefKey, String>>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    merged: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    hidden: Vec<String>,
}

/// A cell's address as a key: ordered by position, written in A1.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct CellRefKey(CellRef);

impl Serialize for CellRefKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl JsonSchema for CellRefKey {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        String::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

impl Tool for ReadRange {
    const NAME: &'static str = "read_range";
    const TITLE: &'static str = "Read ranges";
    const DESCRIPTION: &'static str = "Cells of one or more ranges, row by row: values, shown text, formulas, styles, notes. For tables use read_table.";
    type Params = Params;
    type Answer = Answer;

    fn run(call: &Call, params: Params) -> Result<Answer, ToolError> {
        if params.ranges.is_empty() {
            return Err(ToolError::new(ErrorCode::InvalidArgument, "there is no range to read")
                .at("ranges")
                .hint("name at least one, e.g. [\"Data!A1:C50\"]"));
        }
        let opened = call.open(&params.workbook)?;
        let fields = params.fields.unwrap_or_else(|| vec![Field::Value]);
        let scope = cursor::scope_of(&json!([Self::NAME, opened.path, opened.state, params.ranges, fields]));
        let start = cursor::decode(&scope, params.cursor.as_deref())?;

        let mut areas = Vec::new();
        for range in &params.ranges {
            areas.extend(opened.locate(call, range, None)?.areas);
        }
        let mut reader = Reader {
            call,
            opened: &opened,
            fields: &fields,
            cells: call.config().limits.max_cells,
            bytes: call.answer_bytes().saturating_sub(500),
            is_first_row: true,
        };
        let (first_area, first_row) = ((start >> 32) as usize, start as u32);
        let mut ranges = Vec::new();
        let mut told_areas = Vec::new();
        let mut next = None;
        for (index, area) in areas.iter().enumerate().skip(first_area) {
            let from = if index == first_area { first_row } else { 0 };
            let (entry, stopped_at) = reader.read(*area, from)?;
            told_areas.extend(rows_of(*area, from, stopped_at));
            ranges.extend(entry);
            if let Some(row) = stopped_at {
                next = Some((index as u64) << 32 | u64::from(row));
                break;
            }
        }
        call.metrics().work.told_cells(call.config().limits.max_cells.saturating_sub(reader.cells) as u64);
        let stale = opened.stale_within(call, &told_areas)?;
        Ok(Answer { ranges, stale, next_cursor: next.map(|position| cursor::encode(&scope, position)) })
    }
}

/// The rows of an area from its `from`th to before its `to`th.
fn rows_of(area: Area, from: u32, to: Option<u32>) -> Option<Area> {
    let (start, end) = (area.range.start(), area.range.end());
    let last = to.map_or(Some(end.row()), |to| (start.row() + to).checked_sub(1))?;
    let range = CellRange::from_bounds(start.row() + from, start.col(), last, end.col())?;
    Some(Area { sheet: area.sheet, range })
}

/// Reads areas until the answer is full.
struct Reader<'a> {
    call: &'a Call,
    opened: &'a Opened,
    fields: &'a [Field],
    cells: usize,
    bytes: usize,
    is_first_row: bool,
}

impl Reader<'_> {
    fn wants(&self, field: Field) -> bool {
        self.fields.contains(&field)
    }

    /// Reads an area from its `from`th row on; the second answer is the row where the next page starts.
    fn read(&mut self, area: Area, from: u32) -> Result<(Option<RangeEntry>, Option<u32>), ToolError> {
        let book = &self.opened.book.workbook;
        let sheet = self.opened.sheet(self.call, area.sheet)?;
        let name = self.opened.quoted_name(area.sheet);
        let Some(range) = told(area.range, &sheet) else {
            let nothing = |field: Field| self.wants(field).then(Vec::new);
            let entry = RangeEntry {
                range: resolve::written(book, area),
                values: nothing(Field::Value),
                texts: self.wants(Field::Text).then(Vec::new),
                ..RangeEntry::default()
            };
            return Ok((Some(entry), None));
        };
        let notes: HashMap<CellRef, &Comment> = match self.wants(Field::Note) {
            true => sheet.comments.iter().map(|comment| (comment.cell, comment)).collect(),
            false => HashMap::new(),
        };
        let first = range.start().row() + from;
        let mut entry = RangeEntry {
            values: self.wants(Field::Value).then(Vec::new),
            texts: self.wants(Field::Text).then(Vec::new),
            formulas: self.wants(Field::Formula).then(BTreeMap::new),
            notes: self.wants(Field::Note).then(BTreeMap::new),
            ..RangeEntry::default()
        };
        let mut style_runs = StyleRuns::default();
        let mut row = first;
        while row <= range.end().row() {
            if row.is_multiple_of(64) {
                self.call.check()?;
            }
            let cost = self.row(book, &sheet, range, row, &notes, &mut entry);
            let width = range.width() as usize;
            let fits = cost <= self.bytes && width <= self.cells;
            if !fits && !self.is_first_row {
                entry.forget_row(row);
                break;
            }
            self.is_first_row = false;
            self.bytes = self.bytes.saturating_sub(cost);
            self.cells = self.cells.saturating_sub(width);
            if self.wants(Field::Style) {
                style_runs.add_row(&sheet, range, row);
            }
            row += 1;
        }
        let stopped_at = (row <= range.end().row()).then(|| row - range.start().row());
        let read = (row > first)
            .then(|| CellRange::from_bounds(first, range.start().col(), row - 1, range.end().col()))
            .flatten();
        let Some(read) = read else { return Ok((None, stopped_at)) };
        entry.range = format!("{name}!{read}");
        if self.wants(Field::Style) {
            let described =
                style_runs.finish().into_iter().map(|(range, style)| (range, describe(&book.styles, style)));
            let told: Vec<(String, String)> = described
                .filter(|(_, words)| !words.is_empty())
                .map(|(range, words)| (range.to_string(), words))
                .collect();
            self.bytes = self
                .bytes
                .saturating_sub(told.iter().map(|(range, words)| range.len() + words.len() + 8).sum());
            entry.styles = Some(told);
        }
        entry.merged = merged(&sheet, read);
        entry.hidden = hidden(&sheet, read);
        Ok((Some(entry), stopped_at))
    }

    /// Adds a row to the entry; answers its bytes in JSON.
    fn row(
        &self,
        book: &Workbook,
        sheet: &Sheet,
        range: CellRange,
        row: u32,
        notes: &HashMap<CellRef, &Comment>,
        entry: &mut RangeEntry,
    ) -> usize {
        let width = range.width() as usize;
        let mut bytes = ROW_BYTES;
        let mut values = Vec::with_capacity(if entry.values.is_some() { width } else { 0 });
        let mut texts = Vec::with_capacity(if entry.texts.is_some() { width } else { 0 });
        for col in range.start().col()..=range.end().col() {
            let at = CellRef::clamped(row, col);
            let cell = sheet.cell(at);
            if entry.values.is_some() {
                let value = cell_json(book, cell);
                bytes += json_bytes(&value) + 1;
                values.push(value);
            }
            if entry.texts.is_some() {
                let text = match cell.value {
                    CellValue::Empty => String::new(),
                    value => book.styles.text(value, cell.style, book.date_system),
                };
                bytes += text.len() + 3;
                texts.push(text);
            }
            if let (Some(formulas), Some(id)) = (&mut entry.formulas, cell.formula) {
                let formula = format!("={}", sheet.formula_text(at, id));
                bytes += formula.len() + 12;
                formulas.insert(CellRefKey(at), formula);
            }
            if let (Some(told), Some(comment)) = (&mut entry.notes, notes.get(&at)) {
                let note = note_text(comment);
                bytes += note.len() + 12;
                told.insert(CellRefKey(at), note);
            }
        }
        if let Some(rows) = &mut entry.values {
            rows.push(values);
        }
        if let Some(rows) = &mut entry.texts {
            rows.push(texts);
        }
        bytes
    }
}

impl RangeEntry {
    /// Takes back the last row, for which there is no room.
    fn forget_row(&mut self, row: u32) {
        if let Some(rows) = &mut self.values {
            rows.pop();
        }
        if let Some(rows) = &mut self.texts {
            rows.pop();
        }
        for cells in [&mut self.formulas, &mut self.notes].into_iter().flatten() {
            cells.retain(|at, _| at.0.row() != row);
        }
    }
}

/// The part of a range that is worth telling: from its first cell to the last one that the sheet uses.
fn told(range: CellRange, sheet: &Sheet) -> Option<CellRange> {
    let range = resolve::clip(range, sheet)?;
    let used = sheet.used_range()?;
    let end = range.intersect(CellRange::new(CellRef::clamped(0, 0), used.end()))?.end();
    Some(CellRange::new(range.start(), end))
}

fn json_bytes(value: &Value) -> usize {
    match value {
        Value::Null => 4,
        Value::Bool(_) => 5,
        Value::String(text) => text.len() + 2,
        other => other.to_string().len(),
    }
}

/// `Ann: too low? / Ben: fixed`.
fn note_text(comment: &Comment) -> String {
    let said = |author: &str, text: &str| match author {
        "" => text.to_owned(),
        // Excel begins a note with its author.
        author if text.trim_start().starts_with(author) => text.to_owned(),
        author => format!("{author}: {text}"),
    };
    let mut text = said(&comment.author, &comment.text);
    for reply in &comment.replies {
        text.push_str(" / ");
        text.push_str(&said(&reply.author, &reply.text));
    }
    text
}

fn merged(sheet: &Sheet, range: CellRange) -> Vec<String> {
    let inside = sheet.merges.iter().filter(|merge| merge.intersect(range).is_some());
    inside.take(LISTED).map(ToString::to_string).collect()
}

/// Hidden rows (`3:5`) and columns (`C:D`) of a range.
fn hidden(sheet: &Sheet, range: CellRange) -> Vec<String> {
    let (start, end) = (range.start(), range.end());
    let from = sheet.rows.partition_point(|props| props.row < start.row());
    let rows =
        sheet.rows[from..].iter().take_while(|props| props.row <= end.row()).filter(|props| props.hidden);
    let mut spans: Vec<(u32, u32)> = Vec::new();
    for props in rows {
        match spans.last_mut() {
            Some((_, last)) if *last + 1 == props.row => *last = props.row,
            _ => spans.push((props.row, props.row)),
        }
    }
    let columns = sheet
        .column_spans
        .iter()
        .filter(|span| span.hidden && span.first <= end.col() && span.last >= start.col())
        .map(|span| format!("{}:{}", grid::column_letters(span.first), grid::column_letters(span.last)));
    let rows = spans.iter().map(|(first, last)| format!("{}:{}", first + 1, last + 1));
    columns.chain(rows).take(LISTED).collect()
}

/// Rectangles of cells that look the same: equal runs of neighbouring rows become one.
#[derive(Default)]
struct StyleRuns {
    done: Vec<(CellRange, StyleId)>,
    open: Vec<(CellRange, StyleId)>,
}

impl StyleRuns {
    fn add_row(&mut self, sheet: &Sheet, range: CellRange, row: u32) {
        let mut runs: Vec<(CellRange, StyleId)> = Vec::new();
        for col in range.start().col()..=range.end().col() {
            let at = CellRef::clamped(row, col);
            let style = sheet.cell(at).style;
            match runs.last_mut() {
                Some((run, known)) if *known == style => *run = CellRange::new(run.start(), at),
                _ => runs.push((CellRange::new(at, at), style)),
            }
        }
        let before = std::mem::take(&mut self.open);
        for (run, style) in runs {
            let above = before.iter().find(|(above, known)| {
                *known == style
                    && above.start().col() == run.start().col()
                    && above.end().col() == run.end().col()
                    && above.end().row() + 1 == row
            });
            self.open.push((above.map_or(run, |(above, _)| CellRange::new(above.start(), run.end())), style));
        }
        let continued = |range: &CellRange| self.open.iter().any(|(open, _)| open.start() == range.start());
        self.done.extend(before.into_iter().filter(|(range, _)| !continued(range)));
    }

    fn finish(mut self) -> Vec<(CellRange, StyleId)> {
        self.done.append(&mut self.open);
        self.done.sort_by_key(|(range, _)| range.start());
        self.done
    }
}
