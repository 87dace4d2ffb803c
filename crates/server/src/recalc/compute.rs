//! Computing a fork: an engine for it, its results against those that are there, and what stays old.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::forks::ForkId;
use analysis::formulas::{Area, Places, Stale};
use grid::CellRange;
use recalc::{
    Change, Choice, Collected, Engine, EngineError, Moment, Native, Refusal, Refused, Source, Survey, choose,
    collect, formualizer::Formualizer, ironcalc::IronCalc,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use workbook::{
    Sheet, SheetId,
    edit::{Draft, Edit, Pending, Results},
};

use super::warm::Warm;
use crate::{
    book::Book,
    call::Call,
    error::{ErrorCode, ToolError},
    forks::Live,
    metrics::labels::{Outcome, RecalcEngine},
};

/// Functions whose work or memory no reference tells: it grows with a number that they are given, or with each other's results.
#[rustfmt::skip]
const UNBOUNDED: &[&str] = &[
    // Arrays.
    "BYCOL", "BYROW", "EXPAND", "HSTACK", "LAMBDA", "MAKEARRAY", "MAP", "MDETERM", "MINVERSE", "MMULT", "MUNIT",
    "RANDARRAY", "REDUCE", "SCAN", "SEQUENCE", "TRANSPOSE", "VSTACK", "WRAPCOLS", "WRAPROWS",
    // Texts.
    "REGEXEXTRACT", "REGEXREPLACE", "REGEXTEST", "REPT", "SUBSTITUTE", "TEXTSPLIT",
    // Sums over a number of terms.
    "BESSELI", "BESSELJ", "BESSELK", "BESSELY", "BETA.INV", "BETAINV", "BINOM.DIST", "BINOM.DIST.RANGE", "BINOM.INV",
    "BINOMDIST", "COMBIN", "COMBINA", "CRITBINOM", "CUMIPMT", "CUMPRINC", "DB", "DDB", "FACT", "FACTDOUBLE",
    "HYPGEOM.DIST", "HYPGEOMDIST", "MULTINOMIAL", "NEGBINOM.DIST", "NEGBINOMDIST", "PERMUT", "PERMUTATIONA", "POISSON",
    "POISSON.DIST", "SERIESSUM", "VDB",
    // Days and periods, one after the other.
    "AMORDEGRC", "AMORLINC", "COUPDAYBS", "COUPDAYS", "COUPDAYSNC", "COUPNCD", "COUPNUM", "COUPPCD", "DURATION",
    "MDURATION", "NETWORKDAYS", "NETWORKDAYS.INTL", "ODDFPRICE", "ODDFYIELD", "ODDLPRICE", "ODDLYIELD", "PRICE",
    "WORKDAY", "WORKDAY.INTL", "YIELD",
];

/// Functions whose results change although nothing that they read does.
const VOLATILE: [&str; 7] = ["NOW", "TODAY", "RAND", "RANDBETWEEN", "RANDARRAY", "CELL", "INFO"];

/// Which engine computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EngineParam {
    /// The fastest native one that is known to compute all functions of the workbook as Excel does.
    #[default]
    Auto,
    /// As auto.
    Native,
    /// This native one, whatever is known of it.
    Formualizer,
    /// This native one, whatever is known of it.
    Ironcalc,
    /// LibreOffice.
    Libreoffice,
    /// Every engine; tells where they differ, and changes nothing.
    Verify,
}

impl EngineParam {
    /// The native engine that is asked for by its name.
    pub(crate) fn named(self) -> Option<Native> {
        match self {
            EngineParam::Formualizer => Some(Native::Formualizer),
            EngineParam::Ironcalc => Some(Native::IronCalc),
            EngineParam::Auto | EngineParam::Native | EngineParam::Libreoffice | EngineParam::Verify => None,
        }
    }

    /// Whom a calculation is counted for that came to no engine.
    fn label(self) -> RecalcEngine {
        match self {
            EngineParam::Formualizer => RecalcEngine::Formualizer,
            EngineParam::Ironcalc => RecalcEngine::Ironcalc,
            EngineParam::Libreoffice => RecalcEngine::Libreoffice,
            EngineParam::Auto | EngineParam::Native | EngineParam::Verify => RecalcEngine::Auto,
        }
    }
}

/// What is computed.
#[derive(Debug, Clone)]
pub(crate) enum Scope {
    /// Every formula.
    Workbook,
    /// What some cells need, themselves included.
    Targets(Vec<Area>),
}

/// What an engine made of a workbook.
#[derive(Debug)]
pub(crate) struct Computation {
    /// The engine.
    pub(crate) engine: &'static str,
    /// Functions that the engine is not known to compute as Excel does.
    pub(crate) unverified: Vec<Box<str>>,
    /// Formulas, and results that differ.
    pub(crate) collected: Collected,
    /// Formulas without a result.
    pub(crate) refused: Vec<Refused>,
    /// What stays old: counts as changed from now on.
    pub(crate) pending: Vec<Area>,
    /// How long loading and computing took.
    pub(crate) took: Duration,
    /// Whether the engine had the workbook loaded already.
    pub(crate) was_warm: bool,
}

/// A workbook with what computing it needs to know.
pub(crate) struct Loaded<'a> {
    pub(crate) book: &'a Book,
    draft: &'a Draft,
    pub(crate) sheets: Vec<Arc<Sheet>>,
}

impl<'a> Loaded<'a> {
    /// A draft, and it as a book.
    pub(crate) fn of(draft: &'a Draft, book: &'a Book, call: &Call) -> Result<Loaded<'a>, ToolError> {
        Ok(Loaded { book, draft, sheets: book.sheets(call)? })
    }

    pub(crate) fn source(&self) -> Source<'_> {
        Source { book: &self.book.workbook, sheets: &self.sheets }
    }

    fn places(&self) -> Places<'_> {
        Places::new(&self.book.workbook, &self.sheets)
    }
}

impl Call {
    /// Computes a fork at its head. The engine stays ready for the next time.
    ///
    /// # Errors
    /// When the engine fails, or the call is stopped.
    pub(crate) fn computed(
        &self,
        id: &ForkId,
        live: &Live,
        engine: EngineParam,
        scope: &Scope,
    ) -> Result<Computation, ToolError> {
        let begun = Instant::now();
        let span = tracing::info_span!(
            "calculate",
            engine = tracing::field::Empty,
            formulas = tracing::field::Empty
        );
        let computed = span.in_scope(|| self.computed_since(begun, id, live, engine, scope));
        let label = match &computed {
            Ok(computation) => RecalcEngine::of(computation.engine),
            Err(_) => engine.label(),
        };
        if let Ok(computation) = &computed {
            span.record("formulas", computation.collected.formulas);
        }
        span.record("engine", label.as_str());
        self.metrics().work.calculated(label, Outcome::of(&computed), begun.elapsed());
        computed
    }

    fn computed_since(
        &self,
        begun: Instant,
        id: &ForkId,
        live: &Live,
        engine: EngineParam,
        scope: &Scope,
    ) -> Result<Computation, ToolError> {
        let loaded = Loaded::of(&live.draft, &live.book, self)?;
        let stop = || self.is_stopped();
        let pending = live.draft.pending();
        if engine == EngineParam::Libreoffice {
            let mut office = self.libreoffice(&live.draft)?;
            office.run(&stop)?;
            return self.computation(&loaded, &office, Vec::new(), scope, &pending, begun, false);
        }
        let known = match self.warm_engine(id, live, &loaded, &pending, engine.named())? {
            Some(mut warm) => {
                self.progress(0.0, None, "computing");
                match warm.engine.calculate(super::moment(), &stop) {
                    Ok(()) => Some(warm),
                    Err(EngineError::Cancelled) => return Err(ToolError::cancelled()),
                    // It has to be loaded anew.
                    Err(EngineError::Failed { .. }) => None,
                }
            }
            None => None,
        };
        let was_warm = known.is_some();
        let warm = match known {
            Some(warm) => warm,
            None => {
                let (engine, choice) = self.ready_engine(&loaded, engine.named(), super::moment())?;
                let (shape, results) = (live.draft.shape(), live.draft.results());
                Warm { engine, native: choice.engine, seq: live.seq, shape, results, choice }
            }
        };
        let unverified = warm.choice.unverified.clone();
        let computation =
            self.computation(&loaded, &*warm.engine, unverified, scope, &pending, begun, was_warm)?;
        self.recalc().warm.put(id, warm);
        Ok(computation)
    }

    /// Tells the engine of a fork that this is at another state than the one that was computed: with its results. An engine that
    /// did not compute that state knows less than the results do.
    pub(crate) fn engine_follows(&self, id: &ForkId, computed: &Live, live: &Live) {
        let Some(mut warm) = self.recalc().warm.take(id) else { return };
        let has_computed = warm.seq == computed.seq && warm.results == computed.draft.results();
        if has_computed && !live.draft.is_stale() {
            (warm.seq, warm.shape, warm.results) = (live.seq, live.draft.shape(), live.draft.results());
            self.recalc().warm.put(id, warm);
        }
    }

    /// The engine that has the fork loaded, told of what changed; `None` if it has to be loaded anew.
    fn warm_engine(
        &self,
        id: &ForkId,
        live: &Live,
        loaded: &Loaded<'_>,
        pending: &Pending,
        named: Option<Native>,
    ) -> Result<Option<Warm>, ToolError> {
        let Some(mut warm) = self.recalc().warm.take(id) else { return Ok(None) };
        let follows = !pending.everything
            && warm.shape == live.draft.shape()
            && warm.results == live.draft.results()
            && (warm.seq == live.seq || self.continues(id, warm.seq, live.seq)?);
        // A formula that came may be one that is not computed here.
        if !follows || self.needs_process(warm.native, loaded)? {
            return Ok(None);
        }
        let areas: Vec<Area> =
            pending.areas.iter().map(|(sheet, range)| Area { sheet: *sheet, range: *range }).collect();
        if warm.seq != live.seq || !areas.is_empty() {
            match warm.engine.update(loaded.source(), &areas) {
                Ok(()) => warm.seq = live.seq,
                // It has to be loaded anew.
                Err(_) => return Ok(None),
            }
        }
        // Formulas that came may use what the engine does not know as well.
        let choice = self.chosen(loaded, named)?;
        Ok((choice.engine == warm.native).then_some(Warm { choice, ..warm }))
    }

    /// The engine for a workbook.
    fn chosen(&self, loaded: &Loaded<'_>, named: Option<Native>) -> Result<Choice, ToolError> {
        let survey = self.survey(loaded)?;
        Ok(match named {
            Some(native) => survey.choice(native, &recalc::is_verified),
            None => choose(&survey, &recalc::is_verified),
        })
    }

    fn survey(&self, loaded: &Loaded<'_>) -> Result<Survey, ToolError> {
        let places = loaded.places();
        let index = loaded.book.dependencies(&places, self)?;
        Ok(Survey::of(loaded.source(), &places, &index))
    }

    /// The engine for a workbook, with everything computed: the one that is named, or the chosen one, or the other where that
    /// gives up.
    ///
    /// # Errors
    /// When they give up, or the call is stopped.
    pub(crate) fn ready_engine(
        &self,
        loaded: &Loaded<'_>,
        named: Option<Native>,
        now: Moment,
    ) -> Result<(Box<dyn Engine>, Choice), ToolError> {
        let choice = self.chosen(loaded, named)?;
        match self.computed_by(choice.engine, loaded, now) {
            Err(error) if named.is_none() && error.code == ErrorCode::CalculationFailed => {
                // What it said may quote a formula.
                tracing::warn!(
                    engine = choice.engine.as_str(),
                    code = error.code.as_str(),
                    "an engine gave up; the other one computes"
                );
                let other = self.survey(loaded)?.choice(choice.engine.other(), &recalc::is_verified);
                // What the chosen one said tells more, should both give up.
                let engine = self.computed_by(other.engine, loaded, now).map_err(|_| error)?;
                Ok((engine, other))
            }
            computed => Ok((computed?, choice)),
        }
    }

    /// A native engine that has computed a workbook: here, or in a process where nothing tells how much that takes.
    ///
    /// # Errors
    /// When it gives up, or the call is stopped.
    pub(crate) fn computed_by(
        &self,
        native: Native,
        loaded: &Loaded<'_>,
        now: Moment,
    ) -> Result<Box<dyn Engine>, ToolError> {
        let stop = || self.is_stopped();
        if let Some(process) = &self.recalc().process
            && self.needs_process(native, loaded)?
        {
            self.progress(0.0, None, "computing");
            let file = file_of(loaded.draft)?;
            return Ok(Box::new(process.calculate(native, &file, now, &stop).map_err(engine_error)?));
        }
        self.check_memory()?;
        self.progress(0.0, None, "loading the engine");
        let source = loaded.source();
        let mut engine: Box<dyn Engine> = match native {
            Native::Formualizer => Box::new(Formualizer::load(source).map_err(engine_error)?),
            Native::IronCalc => Box::new(IronCalc::load(source).map_err(engine_error)?),
        };
        self.progress(0.0, None, "computing");
        engine.calculate(now, &stop).map_err(engine_error)?;
        Ok(engine)
    }

    /// Whether a native engine computes a workbook in a process of its own.
    ///
    /// # Errors
    /// When the call is stopped.
    pub(crate) fn needs_process(&self, native: Native, loaded: &Loaded<'_>) -> Result<bool, ToolError> {
        if self.recalc().process.is_none() {
            return Ok(false);
        }
        // It cannot be stopped, and bounds no array.
        if native == Native::IronCalc {
            return Ok(true);
        }
        let survey = self.survey(loaded)?;
        Ok(UNBOUNDED.iter().any(|name| survey.functions.contains_key(*name)))
    }

    #[allow(clippy::too_many_arguments, reason = "what a computation is made of")]
    fn computation(
        &self,
        loaded: &Loaded<'_>,
        engine: &dyn Engine,
        unverified: Vec<Box<str>>,
        scope: &Scope,
        pending: &Pending,
        begun: Instant,
        was_warm: bool,
    ) -> Result<Computation, ToolError> {
        let asked = self.asked(loaded, scope)?;
        let reached = if asked.is_none() && was_warm { self.reached(loaded, pending)? } else { None };
        let collected = collect(loaded.source(), engine, asked.as_deref().or(reached.as_deref()));
        let pending = self.left(loaded, engine.refused(), asked.as_deref(), pending)?;
        Ok(Computation {
            engine: engine.name(),
            unverified,
            collected,
            refused: engine.refused().to_vec(),
            pending,
            took: begun.elapsed(),
            was_warm,
        })
    }

    /// The formula cells whose results are asked for; `None` for all.
    fn asked(&self, loaded: &Loaded<'_>, scope: &Scope) -> Result<Option<Vec<Area>>, ToolError> {
        let Scope::Targets(targets) = scope else { return Ok(None) };
        let places = loaded.places();
        let index = loaded.book.dependencies(&places, self)?;
        Ok(Stale::needed(&index, targets, &|| self.is_stopped())?)
    }

    /// The formula cells whose results can differ from those that an engine computed before the last changes; `None` for any.
    fn reached(&self, loaded: &Loaded<'_>, pending: &Pending) -> Result<Option<Vec<Area>>, ToolError> {
        let survey = self.survey(loaded)?;
        let is_array = |formula: &workbook::Formula| {
            matches!(formula.kind, workbook::FormulaKind::Array { dynamic: true, .. })
        };
        let spills = || {
            loaded.sheets.iter().any(|sheet| sheet.formulas().iter().any(|(_, formula)| is_array(formula)))
        };
        let changes_by_itself = VOLATILE.iter().any(|name| survey.functions.contains_key(*name));
        if pending.everything || survey.iterates || changes_by_itself || spills() {
            return Ok(None);
        }
        Ok(Some(loaded.book.stale(self)?.areas().collect()))
    }

    /// What stays old: what was not asked for, and what was not computed.
    fn left(
        &self,
        loaded: &Loaded<'_>,
        refused: &[Refused],
        asked: Option<&[Area]>,
        pending: &Pending,
    ) -> Result<Vec<Area>, ToolError> {
        let stale = loaded.book.stale(self)?;
        let old = |refused: &Refused| {
            let sheet = &loaded.sheets[refused.sheet.0 as usize];
            stale.of_sheet(refused.sheet, sheet).contains(refused.at, &sheet.cell(refused.at))
        };
        let mut left: Vec<Area> = refused
            .iter()
            .filter(|refused| old(refused))
            .map(|refused| Area { sheet: refused.sheet, range: CellRange::cell(refused.at) })
            .collect();
        let Some(asked) = asked else { return Ok(left) };
        let was_stale: Vec<Area> = match pending.everything {
            true => {
                let used = |(index, sheet): (usize, &Arc<Sheet>)| {
                    Some(Area { sheet: SheetId(index as u32), range: sheet.used_range()? })
                };
                loaded.sheets.iter().enumerate().filter_map(used).collect()
            }
            false => stale.areas().collect(),
        };
        for area in was_stale {
            let mut pieces = vec![area.range];
            for done in asked.iter().filter(|done| done.sheet == area.sheet) {
                pieces = pieces.into_iter().flat_map(|piece| piece.without(done.range)).collect();
            }
            left.extend(pieces.into_iter().map(|range| Area { sheet: area.sheet, range }));
        }
        Ok(left)
    }
}

impl Computation {
    /// The results as an edit; `None` if there is nothing to write.
    pub(crate) fn edit(&self, source: Source<'_>, is_stale: bool) -> Option<Edit> {
        let nothing = self.collected.changes.is_empty() && self.collected.spills.is_empty() && !is_stale;
        let results: Results = self.collected.to_results(source, self.engine, &self.pending);
        (!nothing).then(|| Edit::Results(Box::new(results)))
    }

    /// Changes to an error from something else, in their order.
    pub(crate) fn new_errors<'a>(
        &'a self,
        sheets: &'a [Arc<Sheet>],
    ) -> impl Iterator<Item = &'a Change> + 'a {
        let is_new = |change: &&Change| {
            let old = sheets[change.sheet.0 as usize].cell(change.at).value;
            matches!(change.new.value(), grid::Value::Error(_)) && !matches!(old, grid::Value::Error(_))
        };
        self.collected.changes.iter().filter(is_new)
    }

    /// The formulas that were not computed, by reason and function.
    pub(crate) fn refusals(&self) -> BTreeMap<(Refusal, Option<Box<str>>), Vec<&Refused>> {
        let mut refusals: BTreeMap<_, Vec<&Refused>> = BTreeMap::new();
        for refused in &self.refused {
            refusals.entry((refused.why, refused.function.clone())).or_default().push(refused);
        }
        refusals
    }

    /// Cells whose formulas use a function that no engine is known to compute as Excel does.
    pub(crate) fn unverified_cells(&self, source: Source<'_>) -> u64 {
        if self.unverified.is_empty() {
            return 0;
        }
        let unverified: HashSet<&str> = self.unverified.iter().map(AsRef::as_ref).collect();
        let mut cells = 0;
        for sheet in source.sheets {
            let uses = |formula: &workbook::Formula| {
                recalc::functions(&formula.text).iter().any(|name| unverified.contains(name.as_ref()))
            };
            let found: HashSet<workbook::FormulaId> =
                sheet.formulas().iter().filter(|(_, formula)| uses(formula)).map(|(id, _)| id).collect();
            if found.is_empty() {
                continue;
            }
            for (_, column) in sheet.columns() {
                let of_it =
                    |(_, cell): &(u32, workbook::RawCell)| cell.formula.is_some_and(|id| found.contains(&id));
                cells += column.cells(0..=grid::MAX_ROWS - 1).filter(of_it).count() as u64;
            }
        }
        cells
    }
}

/// What a client is told of an engine that failed.
pub(crate) fn engine_error(error: EngineError) -> ToolError {
    match error {
        EngineError::Cancelled => ToolError::cancelled(),
        EngineError::Failed { .. } => ToolError::new(ErrorCode::CalculationFailed, error.to_string())
            .hint("the fork is as it was; call recalculate with another engine, or with fewer targets"),
    }
}

/// A draft as a workbook file, for an engine that reads those.
pub(crate) fn file_of(draft: &Draft) -> Result<Vec<u8>, ToolError> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let options = workbook::edit::SaveOptions { drop_signature: true, ..Default::default() };
    draft.save(options, &mut bytes).map_err(crate::forks::save_error)?;
    Ok(bytes.into_inner())
}
