//! Editing a workbook: typed edits in, a changed model and, when it is saved, a package in which nothing else changed.
//!
//! A [`Draft`] is a workbook with what became of it. Cells are edited in the model, and remembered as changed; everything
//! around them (styles, names, rules, tables, drawings) is edited in its part's own XML and read again, so that what no
//! model knows of stays in place. Copies of a draft share what they have in common.

mod append;
mod areas;
mod blank;
mod cell_xml;
mod cells;
mod charts;
mod comments;
mod conditional;
mod drawings;
mod dxf;
mod dynamic_arrays;
mod error;
mod follow;
mod format;
mod images;
mod input;
mod layout;
mod links;
mod merge;
mod names;
mod op;
mod order;
mod page;
mod parts;
mod pending;
mod results;
mod rich_text;
mod save;
mod sheet_edit;
mod sheets;
mod shift;
mod splice;
mod strings;
mod structure;
mod styles;
mod table_columns;
mod tables;
mod validation;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use formula::Direction;
use grid::{Address, CellRange, CellRef};
use ooxml::Package;

pub use append::NewRow;
pub use blank::{blank_workbook, converted};
pub use charts::{ChartKind, NewChart, SeriesInput};
pub use conditional::{Condition, ConditionalRule, Threshold};
pub use error::{EditError, SaveError};
pub use format::{
    AlignmentPatch, BorderPatch, ColorInput, EdgeInput, FillPatch, FontPatch, FormatPatch, ProtectionPatch,
};
pub use images::NewImage;
pub use input::{Input, InputError};
pub use layout::Length;
pub use links::Link;
pub use op::{Clearable, Copied, Edit, FillKind, Shift, SortKey, VERSION, Visible};
pub use page::{HeaderFooter, Margins, Orientation, PageSetup};
pub use pending::Pending;
pub use results::{Results, Run, SheetResults};
pub use rich_text::TextRun;
pub use save::{SaveOptions, Saved};
pub use validation::{Comparison, ErrorStyle, Validation, ValidationKind};

use crate::error::OpenError;
use crate::limits::Limits;
use crate::model::{SheetId, Workbook};
use crate::xlsx;
use error::Problem;
use sheet_edit::SheetEdit;

/// Finds what an address means where it is more than a range: names, tables, structured references.
pub trait Places {
    /// The sheet and the cells, or why there are none.
    fn find(&self, book: &Workbook, address: &Address) -> Result<(SheetId, CellRange), String>;

    /// Whether formulas that are written have to stay within the workbook: then what to do instead.
    fn keeps_within(&self) -> Option<&'static str> {
        None
    }
}

/// Understands ranges with their sheet alone: enough for edits that were explicit before they were kept.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExplicitPlaces;

impl Places for ExplicitPlaces {
    fn find(&self, book: &Workbook, address: &Address) -> Result<(SheetId, CellRange), String> {
        match address {
            Address::Range { sheet: Some(sheet), range } => match book.sheet_id(sheet) {
                Some(id) => Ok((id, *range)),
                None => Err(format!("there is no sheet {sheet:?}")),
            },
            Address::Range { sheet: None, range } if book.tabs.len() == 1 => Ok((SheetId(0), *range)),
            _ => Err("write the range with its sheet, for example Data!B2:C9".to_owned()),
        }
    }
}

/// A number that no other draft of this process has.
fn stamp() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A workbook, with what became of it since it was read.
#[derive(Debug, Clone)]
pub struct Draft {
    book: Workbook,
    /// As it was read; the cells that did not change come from here when it is saved.
    base: Package,
    /// With the small parts as they are now. A sheet's part in it has no cells.
    package: Package,
    /// By position of the tab.
    sheets: Vec<Arc<SheetEdit>>,
    /// Whether any formula may have an old result. What changed in cells alone, their sheets know.
    everything_pending: bool,
    /// Whether results were computed since it was read.
    computed: bool,
    results: u64,
    shape: u64,
    formulas: u64,
    /// Whether a formula was written that reads another workbook, of whose cells there may be no copies.
    reads_others: bool,
    /// Whether formulas came, went or moved, so that the order of calculation has to be found anew.
    formulas_changed: bool,
    derived: Arc<styles::Derived>,
    limits: Limits,
    /// [`Places::keeps_within`] of the edits that are being applied.
    keeps_within: Option<&'static str>,
}

impl Draft {
    /// A draft of a workbook that was read from a package.
    ///
    /// # Errors
    /// For a format that is read only.
    pub fn new(book: &Workbook, limits: &Limits) -> Result<Draft, EditError> {
        let Some(package) = book.loader.package() else {
            let problem = format!("a .{} file is not edited in place", book.format.extension());
            return Err(Problem::new(problem, "make a fork of it: a fork is an .xlsx workbook").into());
        };
        let parts = Draft::parts_of(package)?;
        Ok(Draft {
            book: book.clone(),
            base: package.clone(),
            package: package.clone(),
            sheets: parts.iter().map(|part| Arc::new(SheetEdit::of(part))).collect(),
            everything_pending: false,
            computed: false,
            results: 0,
            shape: 0,
            formulas: stamp(),
            reads_others: false,
            formulas_changed: false,
            derived: Arc::default(),
            limits: limits.clone(),
            keeps_within: None,
        })
    }

    /// The parts of the tabs, in their order.
    fn parts_of(package: &Package) -> Result<Vec<String>, OpenError> {
        xlsx::sheet_parts(package)
    }

    /// The workbook as it is now.
    pub fn book(&self) -> &Workbook {
        &self.book
    }

    /// Whether anything changed since the workbook was read.
    pub fn is_changed(&self) -> bool {
        self.package.changed_names().next().is_some()
            || self.sheets.iter().any(|sheet| sheet.has_changed_cells())
    }

    /// What changed since the results of formulas were computed.
    pub fn pending(&self) -> Pending {
        let everything = self.everything_pending || self.book.calc.full_calc_on_load;
        let of_sheet = |(index, sheet): (usize, &Arc<SheetEdit>)| {
            let areas: Vec<CellRange> = sheet.pending.iter().collect();
            areas.into_iter().map(move |range| (SheetId(index as u32), range))
        };
        Pending { everything, areas: self.sheets.iter().enumerate().flat_map(of_sheet).collect() }
    }

    /// Another number whenever results were written: drafts with the same one have them from the same calculation, and
    /// [`Draft::pending`] tells all that changed since.
    pub fn results(&self) -> u64 {
        self.results
    }

    /// Whether results of formulas may be older than what they are computed from.
    pub fn is_stale(&self) -> bool {
        self.everything_pending
            || self.book.calc.full_calc_on_load
            || self.sheets.iter().any(|sheet| !sheet.pending.is_empty())
    }

    /// Counts the edits that did more than to write cells: what read the workbook before the count went up, reads it otherwise
    /// now (other places, names, tables, references).
    pub fn shape(&self) -> u64 {
        self.shape
    }

    /// Names the formulas, their places and what they refer to: drafts with the same number have the same ones.
    pub fn formulas(&self) -> u64 {
        self.formulas
    }

    /// Where rows or columns of a sheet came or went since an earlier draft: the cells that were written, each with where it
    /// was then. `None` if every row and column is where it was.
    pub fn written_since(&self, earlier: &Draft, id: SheetId) -> Option<Vec<(CellRef, Option<CellRef>)>> {
        let now = self.sheets.get(id.0 as usize)?;
        let then = earlier.sheets.iter().find(|then| then.part == now.part)?;
        let origin = |at| (at, now.origin(at, then.steps.len()));
        (now.steps.len() != then.steps.len()).then(|| now.all_dirty().map(|(at, _)| origin(at)).collect())
    }

    /// Applies edits one after the other, all or none, and gives them back with their addresses made explicit: what a log
    /// keeps, and what [`ExplicitPlaces`] suffices for.
    ///
    /// # Errors
    /// The first edit that cannot be applied; then the draft is as it was.
    pub fn apply(&mut self, edits: &[Edit], places: &dyn Places) -> Result<Vec<Edit>, EditError> {
        let mut next = self.clone();
        next.keeps_within = places.keeps_within();
        let mut explicit = Vec::with_capacity(edits.len());
        for (index, edit) in edits.iter().enumerate() {
            let had_changed = std::mem::take(&mut next.formulas_changed);
            let applied = next.apply_one(edit, places);
            if next.formulas_changed || !edit.leaves_formulas() {
                next.formulas = stamp();
            }
            next.formulas_changed |= had_changed;
            explicit.push(applied.map_err(|problem| EditError::at(index, edit, problem))?);
        }
        if next.reads_others {
            next.book.external_links.iter_mut().for_each(|link| link.is_covered = false);
        }
        *self = next;
        Ok(explicit)
    }

    fn apply_one(&mut self, edit: &Edit, places: &dyn Places) -> Result<Edit, Problem> {
        let mut edit = edit.clone();
        self.shape += u64::from(!edit.writes_cells_alone());
        match &mut edit {
            Edit::Set { range, values, parse } => {
                let place = self.explicit(range, places)?;
                self.set(place, values, *parse)?;
                self.sync_headers(place.sheet)?;
            }
            Edit::Clear { range, what } => {
                let place = self.explicit(range, places)?;
                self.clear(place, what)?;
                self.sync_headers(place.sheet)?;
            }
            Edit::Fill { range, from, kind } => {
                let place = self.explicit(range, places)?;
                let from = from.as_mut().map(|from| self.explicit(from, places)).transpose()?;
                self.fill(place, from, *kind)?;
                self.sync_headers(place.sheet)?;
            }
            Edit::Replace { range, find, with, regex, match_case, whole, formulas } => {
                let place = self.explicit(range, places)?;
                let search = cells::Search::new(find, *regex, *match_case, *whole)?;
                self.replace(place, &search, with, *formulas)?;
                self.sync_headers(place.sheet)?;
            }
            Edit::Copy { range, to, what } => {
                let (from, to) = (self.explicit(range, places)?, self.explicit(to, places)?);
                self.copy(from, to, *what)?;
                self.sync_headers(to.sheet)?;
            }
            Edit::Move { range, to } => {
                let (from, to) = (self.explicit(range, places)?, self.explicit(to, places)?);
                self.move_cells(from, to)?;
                self.sync_headers(to.sheet)?;
            }
            Edit::Sort { range, by, match_case } => {
                let place = self.explicit(range, places)?;
                self.sort(place, by, *match_case)?;
            }
            Edit::InsertRows { range } => {
                let place = self.explicit(range, places)?;
                self.insert(place, Direction::Row)?;
            }
            Edit::InsertColumns { range } => {
                let place = self.explicit(range, places)?;
                self.insert(place, Direction::Column)?;
            }
            Edit::DeleteRows { range } => {
                let place = self.explicit(range, places)?;
                self.delete(place, Direction::Row)?;
            }
            Edit::DeleteColumns { range } => {
                let place = self.explicit(range, places)?;
                self.delete(place, Direction::Column)?;
            }
            Edit::InsertCells { range, shift } => {
                let place = self.explicit(range, places)?;
                self.insert_cells(place, *shift)?;
            }
            Edit::DeleteCells { range, shift } => {
                let place = self.explicit(range, places)?;
                self.delete_cells(place, *shift)?;
            }
            Edit::AddSheet { name, position } => self.add_sheet(name, *position)?,
            Edit::RenameSheet { sheet, name } => self.rename_sheet(sheet, name)?,
            Edit::MoveSheet { sheet, position } => self.move_sheet(sheet, *position)?,
            Edit::CopySheet { sheet, name, position } => self.copy_sheet(sheet, name, *position)?,
            Edit::DeleteSheet { sheet } => self.delete_sheet(sheet)?,
            Edit::SheetVisibility { sheet, visibility } => self.set_visibility(sheet, *visibility)?,
            Edit::Style { range, format } => {
                let place = self.explicit(range, places)?;
                self.style(place, format)?;
            }
            Edit::ColumnWidth { range, width } => {
                let place = self.explicit(range, places)?;
                self.column_width(place, *width)?;
            }
            Edit::RowHeight { range, height } => {
                let place = self.explicit(range, places)?;
                self.row_height(place, *height)?;
            }
            Edit::Hide { range } => {
                let place = self.explicit(range, places)?;
                self.hide(place, true)?;
            }
            Edit::Show { range } => {
                let place = self.explicit(range, places)?;
                self.hide(place, false)?;
            }
            Edit::Group { range, level } => {
                let place = self.explicit(range, places)?;
                self.outline(place, *level, 1)?;
            }
            Edit::Ungroup { range, level } => {
                let place = self.explicit(range, places)?;
                self.outline(place, *level, -1)?;
            }
            Edit::Freeze { sheet, rows, columns } => self.freeze(sheet, *rows, *columns)?,
            Edit::PageSetup(setup) => self.page_setup(setup)?,
            Edit::PrintArea { range, sheet } => {
                let place = range.as_mut().map(|range| self.explicit(range, places)).transpose()?;
                let (sheet, range) = self.range_or_sheet(place, sheet.as_deref())?;
                self.print_area(sheet, range)?;
            }
            Edit::PrintTitles { sheet, rows, columns } => {
                self.print_titles(sheet, rows.as_deref(), columns.as_deref())?;
            }
            Edit::DefineName { name, refers_to, sheet, comment, hidden } => {
                let (comment, hidden) = (comment.as_deref(), *hidden);
                let definition = names::Definition { name, refers_to, comment, hidden };
                *refers_to = self.define_name(&definition, sheet.as_deref(), places)?;
            }
            Edit::DeleteName { name, sheet } => self.delete_name(name, sheet.as_deref())?,
            Edit::ConditionalFormat(rule) => {
                let place = self.explicit(&mut rule.range, places)?;
                self.conditional_format(place, rule)?;
            }
            Edit::ClearConditionalFormats { range } => {
                let place = self.explicit(range, places)?;
                self.clear_conditional_formats(place)?;
            }
            Edit::Validation(rule) => {
                let place = self.explicit(&mut rule.range, places)?;
                if let Some(source) = &mut rule.source {
                    *source = format!("={}", self.explicit_formula(source, places)?);
                }
                self.validate(place, rule)?;
            }
            Edit::ClearValidations { range } => {
                let place = self.explicit(range, places)?;
                self.clear_validations(place)?;
            }
            Edit::Merge { range, across, discard } => {
                let place = self.explicit(range, places)?;
                self.merge(place, *across, *discard)?;
            }
            Edit::Unmerge { range } => {
                let place = self.explicit(range, places)?;
                self.unmerge(place)?;
            }
            Edit::AutoFilter { range, sheet } => {
                let place = range.as_mut().map(|range| self.explicit(range, places)).transpose()?;
                let (sheet, range) = self.range_or_sheet(place, sheet.as_deref())?;
                self.auto_filter(sheet, range)?;
            }
            Edit::Hyperlink(link) => {
                let place = self.explicit(&mut link.range, places)?;
                if let Some(to) = &mut link.place {
                    self.explicit(to, places)?;
                }
                self.hyperlink(place, link)?;
            }
            Edit::ClearHyperlinks { range } => {
                let place = self.explicit(range, places)?;
                self.clear_hyperlinks(place)?;
            }
            Edit::Paste { range, csv, delimiter, as_text } => {
                let place = self.explicit(range, places)?;
                self.paste(place, csv, *delimiter, *as_text)?;
                self.sync_headers(place.sheet)?;
            }
            Edit::CreateTable { range, name, style, has_headers } => {
                let place = self.explicit(range, places)?;
                self.create_table(place, name, style.as_deref(), *has_headers)?;
            }
            Edit::ResizeTable { table, range } => {
                let place = self.explicit(range, places)?;
                self.resize_table(table, place)?;
            }
            Edit::RenameTable { table, name } => self.rename_table(table, name)?,
            Edit::RenameTableColumn { table, column, name } => {
                self.rename_table_column(table, column, name)?;
            }
            Edit::DeleteTable { table } => self.delete_table(table)?,
            Edit::Append { range, rows, footer_rows } => {
                let place = self.appended_place(range, places)?;
                self.append(place, rows, *footer_rows)?;
            }
            Edit::Comment { cell, text, author } => {
                let place = self.explicit(cell, places)?;
                self.comment(place, text, author.as_deref())?;
            }
            Edit::CreateChart(chart) => self.create_chart(chart, places)?,
            Edit::RetargetChart { sheet, chart, series, data } => {
                self.retarget_chart(sheet.as_deref(), chart, (series, data.as_mut()), places)?;
            }
            Edit::PlaceImage(image) => self.place_image(image)?,
            Edit::DeleteObject { sheet, name } => self.delete_object(sheet.as_deref(), name)?,
            Edit::Results(results) => self.put_results(results)?,
            Edit::DeleteComment { range } => {
                let place = self.explicit(range, places)?;
                if !self.delete_comments(place)? {
                    let problem = "there is no comment in the cells";
                    return Err(
                        Problem::new(problem, "list the sheet's comments first").at(self.written(place))
                    );
                }
            }
        }
        Ok(edit)
    }

    /// What an address means, and the address made explicit.
    fn explicit(&self, text: &mut String, places: &dyn Places) -> Result<Place, Problem> {
        let address: Address =
            text.parse().map_err(|error: grid::AddressError| Problem::new(error.to_string(), ""))?;
        let (sheet, range) =
            places.find(&self.book, &address).map_err(|problem| Problem::new(problem, "").at(&*text))?;
        let place = Place { sheet, range };
        *text = self.written(place);
        Ok(place)
    }

    /// A place as an address with its sheet.
    fn written(&self, place: Place) -> String {
        format!("{}!{}", grid::quote(&self.book.tab(place.sheet).name), place.range)
    }
}

/// Cells of a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) sheet: SheetId,
    pub(crate) range: CellRange,
}
