//! `GETPIVOTDATA` becomes a reference to the cell of the pivot table that shows the value: an engine then needs to know nothing of
//! pivot tables. What they show is constant until a user refreshes them.

use std::borrow::Cow;
use std::fmt::Write;
use std::ops::Range;

use analysis::formulas::Places;
use formula::{RefKind, Separator, Sheets, Target, TokenKind};
use grid::{CellRange, CellRef, Value, quote};
use workbook::{PivotLine, PivotTable, SheetId};

/// The function, in capitals.
const NAME: &str = "GETPIVOTDATA";
/// Stands between the items of a line where they are looked up. No item has a reason to hold it.
const BETWEEN: &str = "\u{1}";
/// Lines of an axis among which items that are computed are looked up.
const MAX_LINES: usize = 2_000;

/// Whether a formula may call it.
pub(crate) fn is_asked(text: &str) -> bool {
    text.as_bytes().windows(NAME.len()).any(|window| window.eq_ignore_ascii_case(NAME.as_bytes()))
}

/// The formula with each call that a pivot table answers replaced by where the answer stands. Other calls stay.
pub(crate) fn written<'t>(places: &Places<'_>, sheet: SheetId, text: &'t str) -> Cow<'t, str> {
    if !is_asked(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    let mut copied = 0;
    for call in calls(text) {
        // A call within another one's arguments goes along with that one.
        let Some(found) = (call.span.start >= copied).then(|| answered(places, sheet, text, &call)).flatten()
        else {
            continue;
        };
        out.push_str(&text[copied..call.span.start]);
        out.push_str(&found);
        copied = call.span.end;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// A call, with the bytes of its arguments.
struct Call {
    span: Range<usize>,
    arguments: Vec<Range<usize>>,
}

fn calls(text: &str) -> Vec<Call> {
    let tokens: Vec<_> = formula::lex(text).collect();
    let mut calls = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if token.kind != TokenKind::Function || !token.body().eq_ignore_ascii_case(NAME) {
            continue;
        }
        let mut depth = 0u32;
        let mut arguments = Vec::new();
        let mut start = 0;
        for token in &tokens[index + 1..] {
            match token.kind {
                TokenKind::OpenParen | TokenKind::OpenBrace => {
                    depth += 1;
                    if depth == 1 {
                        start = token.span().end;
                    }
                }
                // A function's own parenthesis follows it.
                TokenKind::CloseParen | TokenKind::CloseBrace => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        arguments.push(start..token.start);
                        calls.push(Call { span: tokens[index].start..token.span().end, arguments });
                        break;
                    }
                }
                TokenKind::Separator(Separator::Argument) if depth == 1 => {
                    arguments.push(start..token.start);
                    start = token.span().end;
                }
                _ => {}
            }
        }
    }
    calls
}

/// What a call asks: a value, and for fields the item that it is wanted for.
struct Asked<'t> {
    value: Option<usize>,
    items: Vec<(usize, Item<'t>)>,
}

enum Item<'t> {
    /// As layouts have it, in lower case.
    Known(String),
    /// An expression.
    Computed(&'t str),
}

fn answered(places: &Places<'_>, sheet: SheetId, text: &str, call: &Call) -> Option<String> {
    let argument = |index: usize| call.arguments.get(index).map(|range| text[range.clone()].trim());
    let (home, pivot) = pivot_at(places, sheet, argument(1)?)?;
    let layout = &pivot.layout;
    let value = value_of(pivot, &literal(argument(0)?)?)?;
    let mut asked = Asked { value: (pivot.values.len() > 1).then_some(value), items: Vec::new() };
    let pairs = &call.arguments[2..];
    if !pairs.len().is_multiple_of(2) {
        return None;
    }
    for pair in pairs.chunks_exact(2) {
        let name = literal(text[pair[0].clone()].trim())?;
        let is_it = |known: &str| known.to_lowercase() == name;
        let field = layout.fields.iter().position(|field| is_it(&field.caption) || is_it(&field.source))?;
        let item = text[pair[1].clone()].trim();
        asked.items.push((field, literal(item).map_or(Item::Computed(item), Item::Known)));
    }
    // A filter shows one item, or all of them.
    for filter in &layout.filters {
        let wanted = asked.items.iter().position(|(field, _)| *field == filter.field);
        let Some(wanted) = wanted else { continue };
        match (&asked.items.swap_remove(wanted).1, &filter.item) {
            (Item::Known(item), Some(chosen)) if chosen.to_lowercase() == *item => {}
            (Item::Known(_), Some(_)) => return Some("#REF!".to_owned()),
            _ => return None,
        }
    }
    let range = pivot.range?;
    let start = CellRef::new(
        range.start().row().checked_add(layout.first_row)?,
        range.start().col().checked_add(layout.first_column)?,
    )?;
    if !range.contains(start) {
        return None;
    }
    let (rows, columns) = split(&asked, layout.rows.as_slice(), layout.columns.as_slice())?;
    let row = line(&layout.rows, &rows, asked.value)?;
    let column = line(&layout.columns, &columns, asked.value)?;
    written_cell(places, home, CellRange::new(start, range.end()), &row, &column)
}

/// The pivot table around a cell that a reference names.
fn pivot_at<'a>(places: &Places<'a>, sheet: SheetId, reference: &str) -> Option<(SheetId, &'a PivotTable)> {
    let mut mentions = formula::references(reference);
    let (mention, None) = (mentions.next()?, mentions.next()) else { return None };
    let Target::Cells(cells) = &mention.target else { return None };
    if mention.span != (0..reference.len()) || cells.prefix.is_other_book() {
        return None;
    }
    let home = match &cells.prefix.sheets {
        Sheets::Current => sheet,
        Sheets::One(name) => places.sheet_id(name)?,
        _ => return None,
    };
    let (RefKind::Cell(_) | RefKind::Range(..)) = cells.kind else { return None };
    let at = cells.range()?.start();
    let is_around = |pivot: &&PivotTable| pivot.range.is_some_and(|range| range.contains(at));
    Some((home, places.sheet(home).pivots.iter().find(is_around)?))
}

/// What a literal says, as layouts have items, in lower case.
fn literal(text: &str) -> Option<String> {
    if let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        let is_one = !inner.replace("\"\"", "").contains('"');
        return is_one.then(|| inner.replace("\"\"", "\"").to_lowercase());
    }
    if text.eq_ignore_ascii_case("TRUE") || text.eq_ignore_ascii_case("FALSE") {
        return Some(text.to_lowercase());
    }
    text.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| number.to_string())
}

/// The value of a name: the caption of a value, or the field that it aggregates.
fn value_of(pivot: &PivotTable, name: &str) -> Option<usize> {
    let by = |told: fn(&workbook::PivotField) -> &str| {
        pivot.values.iter().position(|value| told(value).to_lowercase() == name)
    };
    by(|value| &value.name).or_else(|| by(|value| &value.field))
}

type Wanted<'w> = Vec<(usize, &'w Item<'w>)>;

/// The items that are asked for of each axis; `None` if one belongs to neither.
fn split<'w>(
    asked: &'w Asked<'w>,
    rows: &[PivotLine],
    columns: &[PivotLine],
) -> Option<(Wanted<'w>, Wanted<'w>)> {
    let has = |lines: &[PivotLine], field: usize| {
        lines.iter().any(|line| line.items.iter().any(|(known, _)| *known == field))
    };
    let (mut of_rows, mut of_columns) = (Vec::new(), Vec::new());
    for (field, item) in &asked.items {
        match (has(rows, *field), has(columns, *field)) {
            (true, _) => of_rows.push((*field, item)),
            (false, true) => of_columns.push((*field, item)),
            (false, false) => return None,
        }
    }
    Some((of_rows, of_columns))
}

/// The row or column of the values, counted from 1: a number, or a formula that finds it.
enum Place {
    At(usize),
    Found(String),
    Nowhere,
}

fn line(lines: &[PivotLine], wanted: &Wanted<'_>, value: Option<usize>) -> Option<Place> {
    let fits = |line: &PivotLine| {
        line.value.is_none_or(|shown| value.is_none_or(|value| shown == value) && shown != usize::MAX)
            && line.items.len() == wanted.len()
            && line.items.iter().all(|(field, _)| wanted.iter().any(|(known, _)| known == field))
            && line.items.iter().all(|(field, item)| {
                wanted.iter().all(|(known, wanted)| match wanted {
                    Item::Known(text) if known == field => item.to_lowercase() == *text,
                    _ => true,
                })
            })
    };
    let fitting: Vec<usize> = (0..lines.len()).filter(|index| fits(&lines[*index])).collect();
    let computed: Vec<_> = wanted
        .iter()
        .filter_map(|(field, item)| match item {
            Item::Computed(text) => Some((*field, *text)),
            Item::Known(_) => None,
        })
        .collect();
    // A subtotal below its items has the value that the line with their name leaves empty.
    let best = |indexes: &[usize]| {
        indexes.iter().copied().find(|index| lines[*index].is_subtotal).or_else(|| indexes.first().copied())
    };
    if computed.is_empty() {
        return Some(best(&fitting).map_or(Place::Nowhere, |index| Place::At(index + 1)));
    }
    if fitting.len() > MAX_LINES {
        return None;
    }
    let key = |index: usize| {
        let item = |field: &usize| {
            lines[index].items.iter().find(|(known, _)| known == field).map_or("", |(_, item)| item)
        };
        let items: Vec<&str> = computed.iter().map(|(field, _)| item(field)).collect();
        items.join(BETWEEN)
    };
    let mut keys: Vec<(String, usize)> = Vec::new();
    for index in fitting {
        let key = key(index);
        match keys.iter_mut().find(|(known, _)| *known == key) {
            Some((_, place)) if lines[index].is_subtotal => *place = index,
            Some(_) => {}
            None => keys.push((key, index)),
        }
    }
    if keys.is_empty() {
        return Some(Place::Nowhere);
    }
    let texts: Vec<String> =
        keys.iter().map(|(key, _)| format!("\"{}\"", key.replace('"', "\"\""))).collect();
    let places: Vec<String> = keys.iter().map(|(_, index)| (index + 1).to_string()).collect();
    let mut sought = String::new();
    for (_, text) in &computed {
        let before = if sought.is_empty() { "" } else { "&\"\u{1}\"&" };
        write!(sought, "{before}({text})").expect("invariant: writing to a String never fails");
    }
    // An array of one value is none to engines.
    if let ([text], [place]) = (texts.as_slice(), places.as_slice()) {
        return Some(Place::Found(format!("IF({sought}&\"\"={text},{place},NA())")));
    }
    Some(Place::Found(format!(
        "INDEX({{{}}},_xlfn.XMATCH({sought}&\"\",{{{}}}))",
        places.join(";"),
        texts.join(";")
    )))
}

fn written_cell(
    places: &Places<'_>,
    home: SheetId,
    body: CellRange,
    row: &Place,
    column: &Place,
) -> Option<String> {
    let sheet = quote(places.sheet_name(home));
    let absolute = |at: CellRef| format!("${}${}", grid::column_letters(at.col()), at.row() + 1);
    let number = |place: &Place| match place {
        Place::At(index) => index.to_string(),
        Place::Found(formula) => formula.clone(),
        Place::Nowhere => String::new(),
    };
    match (row, column) {
        (Place::Nowhere, _) | (_, Place::Nowhere) => Some("#REF!".to_owned()),
        (Place::At(row), Place::At(column)) => {
            let at = CellRef::new(
                body.start().row() + u32::try_from(row - 1).ok()?,
                body.start().col() + u32::try_from(column - 1).ok()?,
            )?;
            let shown = body.contains(at) && places.sheet(home).cell(at).value != Value::Empty;
            Some(if shown { format!("{sheet}!{}", absolute(at)) } else { "#REF!".to_owned() })
        }
        (row, column) => {
            let (start, end) = (absolute(body.start()), absolute(body.end()));
            let cell = format!("INDEX({sheet}!{start}:{end},{},{})", number(row), number(column));
            Some(format!("IFERROR(IF({cell}=\"\",#REF!,{cell}),#REF!)"))
        }
    }
}
