//! The engines that are judged.

use analysis::formulas::{DependencyIndex, Places};
use recalc::formualizer::{Formualizer, Overrides};
use recalc::ironcalc::IronCalc;
use recalc::{Engine, EngineError, Native, Source, Survey, choose, is_verified};

use crate::tally::Tally;

/// An engine, and how well it has to do.
pub(crate) struct Candidate {
    /// How the figures call it.
    pub(crate) name: &'static str,
    /// Loads a workbook into it.
    pub(crate) load: fn(Source<'_>) -> Result<Box<dyn Engine>, EngineError>,
    /// Whether calculations use it, or it is there to compare with.
    pub(crate) is_used: bool,
    /// What it reached before.
    pub(crate) floors: Floors,
}

/// Figures below which an engine must not fall.
pub(crate) struct Floors {
    /// Share of cells that are equal over `corpus/formulas`.
    pub(crate) cells: f64,
    /// Share of cells that are equal over all workbooks.
    pub(crate) everywhere: f64,
    /// Workbooks of `corpus/formulas` that are wholly right.
    pub(crate) whole: usize,
    /// Mean of the shares by workbook of `corpus/formulas`.
    pub(crate) mean: f64,
    /// Mean of the shares by workbook of all of them, without formulas that call macros.
    pub(crate) mean_everywhere: f64,
}

impl Floors {
    /// Fails where a figure is lower.
    #[track_caller]
    pub(crate) fn check(&self, tally: &Tally) {
        let figures = tally.figures(|book| book.starts_with("formulas/"));
        let everywhere = tally.figures(|_| true).share();
        let name = tally.engine;
        assert!(everywhere >= self.everywhere, "{name}: {everywhere} of all cells are equal");
        assert!(figures.share() >= self.cells, "{name}: {} of the cells are equal", figures.share());
        assert!(figures.whole >= self.whole, "{name}: {} workbooks are wholly right", figures.whole);
        assert!(figures.mean() >= self.mean, "{name}: {} on average", figures.mean());
        let mean = tally.figures_without_macros().mean();
        assert!(mean >= self.mean_everywhere, "{name}: {mean} on average over all workbooks");
    }
}

/// Every engine.
pub(crate) const CANDIDATES: &[Candidate] = &[
    Candidate {
        name: "formualizer as it comes",
        is_used: false,
        load: |source| Ok(Box::new(Formualizer::load_with(source, Overrides::None)?)),
        floors: Floors { cells: 0.0, everywhere: 0.0, whole: 0, mean: 0.0, mean_everywhere: 0.0 },
    },
    Candidate {
        name: "formualizer",
        is_used: true,
        load: |source| Ok(Box::new(Formualizer::load(source)?)),
        floors: Floors { cells: 0.999, everywhere: 0.998, whole: 92, mean: 0.995, mean_everywhere: 0.9919 },
    },
    Candidate {
        name: "ironcalc",
        is_used: true,
        load: |source| Ok(Box::new(IronCalc::load(source)?)),
        floors: Floors { cells: 0.999, everywhere: 0.995, whole: 94, mean: 0.995, mean_everywhere: 0.9599 },
    },
    Candidate {
        name: "auto",
        is_used: false,
        load: automatic,
        floors: Floors { cells: 0.999, everywhere: 0.998, whole: 92, mean: 0.995, mean_everywhere: 0.9919 },
    },
];

/// The engine that is chosen where nobody asks for one.
fn automatic(source: Source<'_>) -> Result<Box<dyn Engine>, EngineError> {
    let places = Places::new(source.book, source.sheets);
    let index = DependencyIndex::build(&places, &|| false).unwrap();
    let choice = choose(&Survey::of(source, &places, &index), &is_verified);
    Ok(match choice.engine {
        Native::Formualizer => Box::new(Formualizer::load(source)?),
        Native::IronCalc => Box::new(IronCalc::load(source)?),
    })
}
