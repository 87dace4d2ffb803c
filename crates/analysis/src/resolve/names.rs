//! Defined names: what they refer to, through other names.

use formula::{Mention, Sheets, Target};
use grid::{CellRange, quote};
use workbook::{DefinedName, FormulaKind, SheetId};

use crate::near_miss::near_misses;
use crate::resolve::{Area, LocateError, LocateErrorKind, Located, Origin, Resolver, whole_sheet};

/// Names within names that are followed.
const MAX_DEPTH: u32 = 16;
/// Areas that a name may stand for.
const MAX_AREAS: usize = 1000;
/// Characters of a name's formula that an error repeats.
const REPEATED: usize = 120;

impl Resolver<'_> {
    /// A defined name, else a table, else a sheet.
    pub(super) fn name(&self, sheet: Option<&str>, name: &str) -> Result<Located, LocateError> {
        let scope = match sheet {
            Some(sheet) => Some(self.sheet_named(sheet)?),
            None => self.default_sheet,
        };
        if let Some(defined) = self.defined_name(scope, name)? {
            let areas = self.areas(defined, 0)?;
            return Ok(Located { areas, origin: Origin::Name(defined.name.clone()) });
        }
        if let Some((sheet, table)) = self.find_table(name)? {
            let Some(range) = table.data_range() else {
                let message = format!("the table {} has no data rows", table.name);
                return Err(LocateError::new(LocateErrorKind::NoCells, message));
            };
            return Ok(Located { areas: vec![Area { sheet, range }], origin: Origin::Table(table.name) });
        }
        if sheet.is_none()
            && let Some(sheet) = self.workbook.sheet_id(name)
        {
            return Ok(whole_sheet(sheet));
        }
        let tables = self.table_names()?;
        let names = self.workbook.names.iter().filter(|name| !name.is_builtin()).map(|name| &*name.name);
        let sheets = self.workbook.tabs.iter().map(|tab| tab.name.as_str());
        let near = near_misses(name, names.chain(tables.iter().map(String::as_str)).chain(sheets));
        let message = format!("the workbook has no defined name, table or sheet {name:?}");
        Err(LocateError::new(LocateErrorKind::NoSuchName, message).or(near))
    }

    /// The name as `scope` sees it; without a scope also the only sheet's own one.
    fn defined_name(&self, scope: Option<SheetId>, name: &str) -> Result<Option<&DefinedName>, LocateError> {
        let folded = name.to_lowercase();
        let matching: Vec<&DefinedName> =
            self.workbook.names.iter().filter(|known| known.name.to_lowercase() == folded).collect();
        let own = matching.iter().find(|known| known.scope.is_some() && known.scope == scope);
        if let Some(found) = own.or_else(|| matching.iter().find(|known| known.scope.is_none())) {
            return Ok(Some(found));
        }
        match matching.as_slice() {
            [] => Ok(None),
            [only] => Ok(Some(only)),
            several => {
                let qualified = |known: &&DefinedName| {
                    let sheet = self.workbook.tab(known.scope?);
                    Some(format!("{}!{}", quote(&sheet.name), known.name))
                };
                let message = format!("{} sheets have a name {name} of their own; say which", several.len());
                let candidates = several.iter().filter_map(qualified).collect();
                Err(LocateError::new(LocateErrorKind::AmbiguousName, message).or(candidates))
            }
        }
    }

    fn areas(&self, defined: &DefinedName, depth: u32) -> Result<Vec<Area>, LocateError> {
        let text = defined.refers_to.strip_prefix('=').unwrap_or(&defined.refers_to);
        let fail = |kind, what: &str| {
            let shown: String = text.chars().take(REPEATED).collect();
            let more = if shown.len() < text.len() { "…" } else { "" };
            Err(LocateError::new(kind, format!("the name {} {what}: ={shown}{more}", defined.name)))
        };
        if depth > MAX_DEPTH {
            return fail(LocateErrorKind::Cycle, "leads back to itself");
        }
        if formula::has_lost_reference(text) {
            return fail(LocateErrorKind::Lost, "refers to cells that were deleted");
        }
        let mentions: Vec<Mention<'_>> = formula::references(text).collect();
        if mentions.is_empty() {
            return match text.contains('(') {
                true => fail(LocateErrorKind::NotAReference, "stands for a formula, not for cells"),
                false => fail(LocateErrorKind::NotAReference, "stands for a constant, not for cells"),
            };
        }
        let mut areas: Vec<Area> = Vec::new();
        // The areas of the operand before, which an intersection or a range operator narrows or widens.
        let mut operand = 0;
        let mut end = 0;
        for mention in &mentions {
            let between = &text[end..mention.span.start];
            end = mention.span.end;
            if !is_glue(between) {
                return fail(LocateErrorKind::NotAReference, "stands for a formula, not for cells");
            }
            if is_external(&mention.target, self) {
                return fail(LocateErrorKind::External, "refers to another workbook");
            }
            let found = self.mentioned(mention, defined, depth)?;
            if mention.joins_previous {
                let hull = hull(areas.drain(operand..).chain(found));
                let Some(hull) = hull else {
                    return fail(LocateErrorKind::NotAReference, "joins cells of different sheets");
                };
                areas.push(hull);
            } else if areas.is_empty() || between.contains(',') {
                operand = areas.len();
                areas.extend(found);
            } else {
                let shared = intersection(&areas[operand..], &found);
                areas.truncate(operand);
                areas.extend(shared);
                if areas.len() == operand {
                    return fail(LocateErrorKind::NoCells, "intersects areas that share no cell");
                }
            }
            if areas.len() > MAX_AREAS {
                return fail(LocateErrorKind::NotAReference, "stands for too many areas");
            }
        }
        if !is_glue(&text[end..]) {
            return fail(LocateErrorKind::NotAReference, "stands for a formula, not for cells");
        }
        Ok(areas)
    }

    fn mentioned(
        &self,
        mention: &Mention<'_>,
        defined: &DefinedName,
        depth: u32,
    ) -> Result<Vec<Area>, LocateError> {
        match &mention.target {
            Target::Cells(cells) => {
                let Some(mut range) = cells.range() else {
                    let message = format!("the name {} refers to cells that were deleted", defined.name);
                    return Err(LocateError::new(LocateErrorKind::Lost, message));
                };
                let (first, last) = match &cells.prefix.sheets {
                    Sheets::One(sheet) => (self.sheet_named(sheet)?, self.sheet_named(sheet)?),
                    Sheets::Span(first, last) => (self.sheet_named(first)?, self.sheet_named(last)?),
                    Sheets::Current | Sheets::Lost => {
                        let own = match defined.scope {
                            Some(sheet) => sheet,
                            None => self.default_sheet(&range.to_string())?,
                        };
                        (own, own)
                    }
                };
                if mention.spilled {
                    range = self.spill(first, range)?;
                }
                let (first, last) = (first.min(last), first.max(last));
                Ok((first.0..=last.0).map(|sheet| Area { sheet: SheetId(sheet), range }).collect())
            }
            Target::Name(named) => {
                let scope = match &named.prefix.sheets {
                    Sheets::One(sheet) => Some(self.sheet_named(sheet)?),
                    _ => defined.scope.or(self.default_sheet),
                };
                if let Some(inner) = self.defined_name(scope, named.name)? {
                    return self.areas(inner, depth + 1);
                }
                match self.find_table(named.name)?.map(|(sheet, table)| (sheet, table.data_range())) {
                    Some((sheet, Some(range))) => Ok(vec![Area { sheet, range }]),
                    _ => {
                        let message = format!(
                            "the name {} refers to {}, which the workbook does not have",
                            defined.name, named.name
                        );
                        Err(LocateError::new(LocateErrorKind::NoSuchName, message))
                    }
                }
            }
            Target::Structured(reference) => Ok(vec![self.structured(reference, &defined.refers_to)?.0]),
        }
    }

    /// The cells that an array formula in the first cell of `range` fills.
    fn spill(&self, sheet: SheetId, range: CellRange) -> Result<CellRange, LocateError> {
        let sheet = self.load(sheet)?;
        let formula = sheet.cell(range.start()).formula;
        Ok(match formula.map(|id| &sheet.formulas().get(id).kind) {
            Some(FormulaKind::Array { range, .. }) => *range,
            _ => range,
        })
    }
}

/// Whether nothing but union, grouping and spill marks stands between references.
fn is_glue(between: &str) -> bool {
    between.chars().all(|char| char.is_whitespace() || matches!(char, ',' | '(' | ')' | ':' | '#'))
}

fn is_external(target: &Target<'_>, resolver: &Resolver<'_>) -> bool {
    let prefix = match target {
        Target::Cells(cells) => &cells.prefix,
        Target::Name(named) => &named.prefix,
        Target::Structured(reference) => &reference.prefix,
    };
    let is_path_as_sheet = matches!(&prefix.sheets, Sheets::One(sheet)
        if matches!(target, Target::Name(_)) && resolver.workbook.sheet_id(sheet).is_none());
    (prefix.book.is_some() && prefix.book_index() != Some(0)) || is_path_as_sheet
}

/// The smallest area around all, if they are on one sheet.
fn hull(areas: impl Iterator<Item = Area>) -> Option<Area> {
    let mut whole: Option<Area> = None;
    for area in areas {
        whole = Some(match whole {
            None => area,
            Some(so_far) if so_far.sheet == area.sheet => {
                Area { sheet: area.sheet, range: so_far.range.union(area.range) }
            }
            Some(_) => return None,
        });
    }
    whole
}

fn intersection(left: &[Area], right: &[Area]) -> Vec<Area> {
    let shared = |a: &Area, b: &Area| {
        let range = a.range.intersect(b.range).filter(|_| a.sheet == b.sheet)?;
        Some(Area { sheet: a.sheet, range })
    };
    left.iter().flat_map(|a| right.iter().filter_map(move |b| shared(a, b))).collect()
}
