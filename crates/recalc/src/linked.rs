//! Other workbooks: what formulas read of them is there as copies that the file keeps.
//!
//! Excel computes from these copies until a user has the links updated, and so do we: the copies become sheets of names that no
//! workbook has, and references to other workbooks are written as references to those.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use formula::{Reference, Sheets, Target};
use grid::{CellRange, quote};
use workbook::{LinkedSheet, Workbook};

/// Stands around the number of a link, in the name of the sheet that holds its copies. A character for private use: the names of
/// a workbook's own sheets have no reason to hold it.
const MARK: char = '\u{F8F0}';

/// The copies of a workbook.
pub(crate) struct Linked<'a> {
    book: &'a Workbook,
    /// Each with the name that engines know it by.
    sheets: Vec<(String, LinkedSheet)>,
    /// Cells with copies, by position of the sheet and range: many formulas read the same.
    filled: RefCell<HashMap<(usize, CellRange), u64>>,
}

impl<'a> Linked<'a> {
    /// The copies that the workbook's file keeps; none where they can't be read.
    pub(crate) fn new(book: &'a Workbook) -> Linked<'a> {
        let sheets: Arc<[LinkedSheet]> = book.linked_sheets().unwrap_or_default();
        let named = |sheet: &LinkedSheet| {
            (format!("{MARK}{}{MARK}{}", sheet.link, sheet.name.to_lowercase()), sheet.clone())
        };
        Linked { book, sheets: sheets.iter().map(named).collect(), filled: RefCell::default() }
    }

    /// The copies, each with the name that engines know it by.
    pub(crate) fn sheets(&self) -> impl Iterator<Item = (&str, &LinkedSheet)> {
        self.sheets.iter().map(|(name, sheet)| (name.as_str(), sheet))
    }

    /// The formula with references to other workbooks written as references to the copies. Those that have none stay.
    pub(crate) fn written<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.sheets.is_empty() {
            return Cow::Borrowed(text);
        }
        if !formula::reads_other_book(text) {
            return self.counted(text);
        }
        match self.relinked(text) {
            Cow::Borrowed(text) => self.counted(text),
            Cow::Owned(text) => Cow::Owned(self.counted(&text).into_owned()),
        }
    }

    fn relinked<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut out = String::new();
        let mut copied = 0;
        for mention in formula::references(text) {
            let found = match &mention.target {
                Target::Cells(reference) if reference.prefix.is_other_book() => {
                    self.cells(reference, reference.prefix.book_index(), &text[mention.span.clone()])
                }
                Target::Name(named) if named.prefix.is_other_book() => {
                    self.name(named.prefix.book_index(), named.name)
                }
                _ => None,
            };
            let Some(found) = found else { continue };
            out.push_str(&text[copied..mention.span.start]);
            out.push_str(&found);
            copied = mention.span.end;
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        out.push_str(&text[copied..]);
        Cow::Owned(out)
    }

    /// The formula with the number of the workbook's own sheets in place of `SHEETS()`: an engine would count copies too.
    fn counted<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut out = String::new();
        let mut copied = 0;
        for call in formula::functions(text).filter(|call| call.name.eq_ignore_ascii_case("SHEETS")) {
            let Some(rest) = text[call.span.end..].trim_start_matches('(').trim_start().strip_prefix(')')
            else {
                continue;
            };
            out.push_str(&text[copied..call.span.start]);
            out.push_str(&self.book.tabs.len().to_string());
            copied = text.len() - rest.len();
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        out.push_str(&text[copied..]);
        Cow::Owned(out)
    }

    /// `written` is the reference, with its prefix.
    fn cells(&self, reference: &Reference<'_>, link: Option<u32>, written: &str) -> Option<String> {
        let link = self.book.external_links.iter().find(|known| Some(known.index) == link)?;
        let Sheets::One(name) = &reference.prefix.sheets else { return None };
        let folded = name.to_lowercase();
        let is_meant = |sheet: &LinkedSheet| sheet.link == link.index && sheet.name.to_lowercase() == folded;
        let index = self.sheets.iter().position(|(_, sheet)| is_meant(sheet))?;
        let (hidden, sheet) = &self.sheets[index];
        let range = reference.range()?;
        let mut counts = self.filled.borrow_mut();
        let found = *counts.entry((index, range)).or_insert_with(|| filled(sheet, range));
        if found == 0 && sheet.is_lost && link.is_covered {
            return Some("#REF!".to_owned());
        }
        // Empty cells have no copies, and neither have those that nobody read when the file was stored.
        let is_whole = found == range.area();
        if !is_whole && (!link.is_covered || range.is_single() || found == 0) {
            return None;
        }
        let (_, cells) = written.rsplit_once('!')?;
        let mut out = quote(hidden).into_owned();
        write!(out, "!{cells}").expect("invariant: writing to a String never fails");
        Some(out)
    }

    fn name(&self, link: Option<u32>, name: &str) -> Option<String> {
        let known = self.book.external_links.iter().find(|known| Some(known.index) == link)?;
        let (_, meant) = known.names.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        let meant = meant.trim_start_matches('=');
        let mut mentions = formula::references(meant);
        match (mentions.next(), mentions.next()) {
            (Some(mention), None) if mention.span == (0..meant.len()) => match &mention.target {
                Target::Cells(reference) => self.cells(reference, link, meant),
                _ => None,
            },
            _ => None,
        }
    }
}

/// The number of cells of a range that have copies.
fn filled(sheet: &LinkedSheet, range: CellRange) -> u64 {
    let rows = range.start().row()..=range.end().row();
    let columns = sheet.cells.columns_in(range.start().col()..=range.end().col());
    columns.map(|(_, column)| column.cells(rows.clone()).count() as u64).sum()
}
