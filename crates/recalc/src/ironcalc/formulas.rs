//! Formulas as IronCalc keeps them: in its own R1C1, each once for a sheet.

use std::collections::HashMap;

use analysis::formulas::Places;
use formula::{PatternKey, Sheets, Target};
use grid::CellRef;
use ironcalc_base::expressions::parser::static_analysis::add_implicit_intersection;
use ironcalc_base::expressions::parser::stringify::to_rc_format;
use ironcalc_base::expressions::parser::{Node, Parser, new_parser_english};
use ironcalc_base::expressions::types::CellReferenceRC;
use ironcalc_base::types::{DefinedName, Table};
use workbook::{FormulaId, FormulaKind, Sheet, SheetId};

use crate::engine::{Refusal, Refused, Source};
use crate::ironcalc::conditions::conditions_of_cells;
use crate::linked::Linked;
use crate::outside::reaches_outside;
use crate::pivot_data;
use crate::tables::addressed;
use crate::unknown::Unknown;

/// Names within names that are followed.
const MAX_NAME_DEPTH: usize = 8;
/// Characters of a formula after its names were replaced.
const MAX_EXPANDED: usize = 64 << 10;

/// What became of a formula.
type Translated = Result<i32, (Refusal, Option<Box<str>>)>;

/// Translates the formulas of a workbook, sheet by sheet.
pub(super) struct Formulas<'a> {
    source: Source<'a>,
    places: Places<'a>,
    parser: Parser<'static>,
    /// Whether IronCalc knows a function, by its name in capitals.
    functions: HashMap<String, bool>,
    unknown: Unknown<'a>,
    linked: &'a Linked<'a>,
    /// Formulas of the sheet at hand.
    list: Vec<String>,
    by_text: HashMap<String, i32>,
    by_shared: HashMap<FormulaId, Translated>,
    by_pattern: HashMap<(PatternKey, bool), Translated>,
    refused: Vec<Refused>,
}

impl<'a> Formulas<'a> {
    pub(super) fn new(
        source: Source<'a>,
        linked: &'a Linked<'a>,
        names: &[DefinedName],
        tables: &HashMap<String, Table>,
    ) -> Formulas<'a> {
        let own = source.sheets.iter().map(|sheet| sheet.name.clone());
        let sheets = own.chain(linked.sheets().map(|(name, _)| name.to_owned())).collect();
        let scoped = |name: &DefinedName| {
            (name.name.clone(), name.sheet_id.map(|sheet| sheet - 1), name.formula.clone())
        };
        Formulas {
            source,
            places: Places::new(source.book, source.sheets),
            parser: new_parser_english(sheets, names.iter().map(scoped).collect(), tables.clone()),
            functions: HashMap::new(),
            unknown: Unknown::new(source),
            linked,
            list: Vec::new(),
            by_text: HashMap::new(),
            by_shared: HashMap::new(),
            by_pattern: HashMap::new(),
            refused: Vec::new(),
        }
    }

    pub(super) fn start_sheet(&mut self) {
        self.list.clear();
        self.by_text.clear();
        self.by_shared.clear();
        self.by_pattern.clear();
    }

    pub(super) fn end_sheet(&mut self) -> Vec<String> {
        std::mem::take(&mut self.list)
    }

    pub(super) fn into_refused(self) -> Vec<Refused> {
        self.refused
    }

    /// The number of a cell's formula among those of its sheet; `None` for one that is refused.
    pub(super) fn index(
        &mut self,
        id: SheetId,
        sheet: &Sheet,
        at: CellRef,
        formula: FormulaId,
    ) -> Option<i32> {
        let translated = match &sheet.formulas().get(formula).kind {
            FormulaKind::DataTable { .. } => Err((Refusal::Unsupported, None)),
            // What a row of a table means is not what the next one means.
            FormulaKind::Shared { .. } if !is_about_place(&sheet.formulas().get(formula).text) => {
                match self.by_shared.get(&formula) {
                    Some(known) => known.clone(),
                    None => {
                        let text = sheet.formula_text(at, formula);
                        let translated = self.translated(id, at, &text, false);
                        self.by_shared.insert(formula, translated.clone());
                        translated
                    }
                }
            }
            kind => {
                let is_array = matches!(kind, FormulaKind::Array { .. });
                let text = sheet.formula_text(at, formula);
                let text = addressed(&self.places, id, at, &text);
                let key = (formula::pattern_key(&text, at), is_array);
                match self.by_pattern.get(&key) {
                    Some(known) => known.clone(),
                    None => {
                        let translated = self.translated(id, at, &text, is_array);
                        self.by_pattern.insert(key, translated.clone());
                        translated
                    }
                }
            }
        };
        match translated {
            Ok(index) => Some(index),
            Err((why, function)) => {
                self.refused.push(Refused { sheet: id, at, why, function });
                None
            }
        }
    }

    fn translated(&mut self, id: SheetId, at: CellRef, text: &str, is_array: bool) -> Translated {
        let text = text.strip_prefix('=').unwrap_or(text);
        let text = self.linked.written(text);
        if let Some(function) = reaches_outside(&text) {
            return Err((Refusal::Outside, function));
        }
        let expanded = self.expanded(id, &text, 0);
        let expanded = addressed(&self.places, id, at, &expanded);
        if formula::references(&expanded).any(|mention| is_through_sheets(&mention.target)) {
            return Err((Refusal::Unsupported, None));
        }
        if let Some(unknown) = self.unknown_function(&expanded) {
            return Err((Refusal::UnknownFunction, Some(unknown.into())));
        }
        let context = CellReferenceRC {
            sheet: self.source.sheets[id.0 as usize].name.clone(),
            row: at.row() as i32 + 1,
            column: at.col() as i32 + 1,
        };
        let mut node = self.parser.parse(&expanded, &context);
        if is_broken(&node) {
            return Err((Refusal::Syntax, None));
        }
        conditions_of_cells(&mut node, is_array);
        if !is_array {
            add_implicit_intersection(&mut node, true);
        }
        let stored = to_rc_format(&node);
        // What it writes, it has to read.
        let next = self.list.len() as i32;
        let index = *self.by_text.entry(stored.clone()).or_insert(next);
        if index == next {
            self.list.push(stored);
        }
        Ok(index)
    }

    /// The text with names replaced that stand for more than cells: IronCalc knows only names of cells and of functions.
    fn expanded(&self, id: SheetId, text: &str, depth: usize) -> String {
        let mut expanded = String::with_capacity(text.len());
        let mut copied = 0;
        for mention in formula::references(text) {
            let Target::Name(named) = &mention.target else { continue };
            if named.prefix.book.is_some() || expanded.len() > MAX_EXPANDED {
                continue;
            }
            let names = &self.source.book.names;
            let is = |scope| {
                move |name: &&workbook::DefinedName| {
                    name.scope == scope && name.name.eq_ignore_ascii_case(named.name)
                }
            };
            let found = names.iter().find(is(Some(id))).or_else(|| names.iter().find(is(None)));
            let Some(found) = found else { continue };
            let meant = self.linked.written(found.refers_to.trim_start_matches('='));
            if depth >= MAX_NAME_DEPTH || stays_named(&meant) {
                continue;
            }
            expanded.push_str(&text[copied..mention.span.start]);
            expanded.push('(');
            expanded.push_str(&self.expanded(id, &meant, depth + 1));
            expanded.push(')');
            copied = mention.span.end;
        }
        expanded.push_str(&text[copied..]);
        expanded
    }

    /// The first function that IronCalc does not know and that no name defines.
    fn unknown_function(&mut self, text: &str) -> Option<String> {
        for call in formula::functions(text) {
            let name = call.name.to_ascii_uppercase();
            if name.starts_with("_XLPM.") || self.is_defined(&name) {
                continue;
            }
            let is_known = match self.functions.get(&name) {
                Some(known) => *known,
                None => {
                    // It makes #NAME? of what is no function.
                    let known = self.knows(&name) || self.unknown.is_none(&name);
                    self.functions.insert(name.clone(), known);
                    known
                }
            };
            if !is_known {
                return Some(name.trim_start_matches("_XLFN.").trim_start_matches("_XLWS.").to_owned());
            }
        }
        None
    }

    fn is_defined(&self, name: &str) -> bool {
        self.source.book.names.iter().any(|known| known.name.eq_ignore_ascii_case(name))
    }

    fn knows(&mut self, name: &str) -> bool {
        let context = CellReferenceRC {
            sheet: self.source.sheets.first().map(|sheet| sheet.name.clone()).unwrap_or_default(),
            row: 1,
            column: 1,
        };
        let bare = name.trim_start_matches("_XLFN.").trim_start_matches("_XLWS.");
        // What takes arguments of its own kind does not parse without them.
        if matches!(bare, "LAMBDA" | "LET" | "SINGLE" | "ANCHORARRAY") {
            return true;
        }
        !matches!(self.parser.parse(&format!("{bare}()"), &context), Node::NamedFunctionKind { .. })
    }
}

/// Whether a formula may mean something else in another cell, as it is written relatively.
fn is_about_place(text: &str) -> bool {
    text.contains('[') || pivot_data::is_asked(text)
}

/// Whether what a name stands for is understood by its name: cells, and functions that a workbook defines.
fn stays_named(meant: &str) -> bool {
    let calls_lambda = formula::functions(meant).next().is_some_and(|call| {
        call.name.trim_start_matches("_xlfn.").eq_ignore_ascii_case("LAMBDA")
            && meant.starts_with(['L', 'l', '_'])
    });
    let mut mentions = formula::references(meant);
    let is_cells = match (mentions.next(), mentions.next()) {
        (Some(mention), None) => {
            mention.span == (0..meant.len()) && matches!(mention.target, Target::Cells(_))
        }
        _ => false,
    };
    calls_lambda || is_cells
}

/// Whether a reference goes through several sheets.
fn is_through_sheets(target: &Target<'_>) -> bool {
    matches!(target, Target::Cells(reference) if matches!(reference.prefix.sheets, Sheets::Span(..)))
}

/// Whether some part of a formula was not understood.
fn is_broken(node: &Node) -> bool {
    match node {
        Node::ParseErrorKind { .. } => true,
        Node::OpRangeKind { left, right }
        | Node::OpConcatenateKind { left, right }
        | Node::OpSumKind { left, right, .. }
        | Node::OpProductKind { left, right, .. }
        | Node::OpPowerKind { left, right }
        | Node::CompareKind { left, right, .. } => is_broken(left) || is_broken(right),
        Node::FunctionKind { args, .. } | Node::NamedFunctionKind { args, .. } => args.iter().any(is_broken),
        Node::LambdaDefKind { body, .. } => is_broken(body),
        Node::LambdaCallKind { lambda, args } => is_broken(lambda) || args.iter().any(is_broken),
        Node::ImplicitIntersection { child, .. } | Node::SpillRangeOperator { child } => is_broken(child),
        Node::UnaryKind { right, .. } => is_broken(right),
        _ => false,
    }
}
