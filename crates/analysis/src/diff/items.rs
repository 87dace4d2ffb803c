//! What is around the cells: names, tables, rules, objects, layout. Told by a key and a description each.

use std::collections::BTreeMap;

use formula::Direction;
use grid::CellRange;
use workbook::{Sheet, Workbook};

use super::{Alignment, Steps};

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the variants are their names")]
pub enum ItemChange {
    Added,
    Removed,
    Changed,
}

/// A name, table, rule, object or property that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// `table`, `merge`, `validation`, …
    pub kind: &'static str,
    /// What tells it from others of its kind.
    pub key: String,
    /// What became of it.
    pub change: ItemChange,
    /// What it was, as it would read now.
    pub old: Option<String>,
    /// What it is.
    pub new: Option<String>,
}

/// By kind and key: the description.
type Described = BTreeMap<(&'static str, String), String>;

/// How positions and formulas of the old sheet read in the new one.
struct View<'a> {
    moves: Vec<formula::Resize>,
    steps: Option<&'a Steps>,
    name: &'a str,
}

impl View<'_> {
    fn range(&self, range: CellRange) -> String {
        let moved = self.moves.iter().try_fold(range, |range, step| step.moved_range(range));
        moved.map_or_else(|| "#REF!".to_owned(), |range| range.to_string())
    }

    fn ranges(&self, ranges: &[CellRange]) -> String {
        let texts: Vec<String> = ranges.iter().map(|range| self.range(*range)).collect();
        texts.join(" ")
    }

    fn formula(&self, text: &str) -> String {
        self.steps.map_or_else(|| text.to_owned(), |steps| steps.followed(text, self.name))
    }

    fn optional(&self, text: Option<&String>) -> String {
        text.map(|text| self.formula(text)).unwrap_or_default()
    }
}

pub(super) fn of_sheets(
    old: &Sheet,
    new: &Sheet,
    rows: &Alignment,
    columns: &Alignment,
    steps: &Steps,
) -> Vec<Item> {
    let moves = columns.steps(Direction::Column).into_iter().chain(rows.steps(Direction::Row)).collect();
    let before = View { moves, steps: Some(steps), name: &new.name };
    let after = View { moves: Vec::new(), steps: None, name: &new.name };
    compared(described(old, &before), described(new, &after))
}

pub(super) fn of_names(old: &Workbook, new: &Workbook, steps: &Steps) -> Vec<Item> {
    let list = |book: &Workbook, steps: Option<&Steps>| -> Described {
        let name = |name: &workbook::DefinedName| {
            let scope = name.scope.and_then(|id| book.tabs.get(id.0 as usize)).map(|tab| tab.name.clone());
            let home = scope.clone().unwrap_or_default();
            let key = scope
                .map_or_else(|| name.name.clone(), |sheet| format!("{}!{}", grid::quote(&sheet), name.name));
            let text =
                steps.map_or_else(|| name.refers_to.clone(), |steps| steps.followed(&name.refers_to, &home));
            (("name", key), text)
        };
        book.names.iter().map(name).collect()
    };
    compared(list(old, Some(steps)), list(new, None))
}

fn compared(mut old: Described, new: Described) -> Vec<Item> {
    let mut items = Vec::new();
    for ((kind, key), text) in new {
        match old.remove(&(kind, key.clone())) {
            Some(before) if before == text => {}
            Some(before) => {
                items.push(Item {
                    kind,
                    key,
                    change: ItemChange::Changed,
                    old: Some(before),
                    new: Some(text),
                });
            }
            None => items.push(Item { kind, key, change: ItemChange::Added, old: None, new: Some(text) }),
        }
    }
    let gone =
        |((kind, key), text)| Item { kind, key, change: ItemChange::Removed, old: Some(text), new: None };
    items.extend(old.into_iter().map(gone));
    items
}

fn described(sheet: &Sheet, view: &View<'_>) -> Described {
    let mut items = Described::new();
    let mut put = |kind: &'static str, key: String, text: String| {
        // Two of one key are told apart by their number.
        let mut unique = key.clone();
        let mut number = 2;
        while items.contains_key(&(kind, unique.clone())) {
            unique = format!("{key} #{number}");
            number += 1;
        }
        items.insert((kind, unique), text);
    };
    put("visibility", String::new(), format!("{:?}", sheet.visibility).to_lowercase());
    for merge in &sheet.merges {
        put("merge", view.range(*merge), String::new());
    }
    for table in &sheet.tables {
        let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let style = table.style.as_deref().unwrap_or_default();
        put(
            "table",
            table.name.clone(),
            format!("{} [{}] {style}", view.range(table.range), columns.join(", ")),
        );
    }
    for rule in &sheet.validations {
        let text = format!(
            "{} {} {} {}",
            rule.kind,
            rule.operator.as_deref().unwrap_or_default(),
            view.optional(rule.formula1.as_ref()),
            view.optional(rule.formula2.as_ref())
        );
        put("validation", view.ranges(&rule.ranges), text.trim_end().to_owned());
    }
    for rule in &sheet.conditional_formats {
        let formulas: Vec<String> = rule.formulas.iter().map(|formula| view.formula(formula)).collect();
        let detail = rule.detail.as_deref().unwrap_or_default();
        let operator = rule.operator.as_deref().unwrap_or_default();
        let text = format!("{} {operator} {} {detail}", rule.kind, formulas.join(", "));
        put("conditional_format", view.ranges(&rule.ranges), text.trim_end().to_owned());
    }
    for comment in &sheet.comments {
        let replies: Vec<&str> = comment.replies.iter().map(|reply| reply.text.as_str()).collect();
        let text = [comment.text.as_str()].into_iter().chain(replies).collect::<Vec<_>>().join(" / ");
        put("comment", view.range(CellRange::cell(comment.cell)), text);
    }
    for link in &sheet.hyperlinks {
        let target = match &link.target {
            workbook::HyperlinkTarget::External(url) => url.clone(),
            workbook::HyperlinkTarget::Internal(place) => view.formula(place),
        };
        put("hyperlink", view.range(link.range), target);
    }
    if let Some(filter) = &sheet.auto_filter {
        put("auto_filter", String::new(), view.range(filter.range));
    }
    let anchor = |anchor: Option<workbook::Anchor>| match anchor {
        Some(workbook::Anchor::Cells(range)) => view.range(range),
        Some(workbook::Anchor::Cell(cell)) => view.range(CellRange::cell(cell)),
        Some(workbook::Anchor::Absolute) | None => String::new(),
    };
    for chart in &sheet.charts {
        let series: Vec<String> = chart
            .series
            .iter()
            .map(|series| {
                let parts = [&series.name, &series.categories, &series.values];
                parts.map(|part| view.optional(part.as_ref())).join(";")
            })
            .collect();
        let title = chart.title.as_deref().unwrap_or_default();
        let text =
            format!("{} {title} at {}: {}", chart.kinds.join("+"), anchor(chart.anchor), series.join(" | "));
        put("chart", chart.name.clone(), text);
    }
    for image in &sheet.images {
        put("image", image.name.clone(), anchor(image.anchor));
    }
    for pivot in &sheet.pivots {
        let range = pivot.range.map(|range| view.range(range)).unwrap_or_default();
        put(
            "pivot_table",
            pivot.name.clone(),
            format!("{range} of {}", view.optional(pivot.source.as_ref())),
        );
    }
    if let Some(freeze) = sheet.freeze {
        put("freeze", String::new(), format!("{} rows, {} columns", freeze.rows, freeze.columns));
    }
    if let Some(protection) = &sheet.protection {
        put("protection", String::new(), format!("password: {}", protection.has_password));
    }
    for row in &sheet.rows {
        let text = format!("height {:?}, hidden {}, outline {}", row.height, row.hidden, row.outline_level);
        let range = CellRange::from_bounds(row.row, 0, row.row, grid::MAX_COLS - 1);
        put("row", range.map(|range| view.range(range)).unwrap_or_default(), text);
    }
    for span in &sheet.column_spans {
        let text = format!("width {:?}, hidden {}, outline {}", span.width, span.hidden, span.outline_level);
        let range = CellRange::from_bounds(0, span.first, grid::MAX_ROWS - 1, span.last);
        put("columns", range.map(|range| view.range(range)).unwrap_or_default(), text);
    }
    items
}
