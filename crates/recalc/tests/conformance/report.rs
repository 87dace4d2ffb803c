//! What is said of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use crate::candidates::CANDIDATES;
use crate::tally::{Figures, Tally};
use crate::verify::verified;

/// The folder whose workbooks the figures are about.
pub(crate) const FORMULAS: &str = "formulas/";

/// Prints the figures and every class of misses.
pub(crate) fn print(tallies: &[Tally]) {
    for tally in tallies {
        println!("== {}", tally.engine);
        println!("{}", line("corpus/formulas", &tally.figures(|book| book.starts_with(FORMULAS))));
        println!("{}", line("the rest", &tally.figures(|book| !book.starts_with(FORMULAS))));
        println!("{}", line("all, without formulas that call macros", &tally.figures_without_macros()));
        let mut classes: Vec<_> = tally.classes.iter().collect();
        classes.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
        for (class, (count, example)) in classes {
            println!("{count:6} {class}: {example}");
        }
        for (book, count) in tally.books.iter().filter(|(_, count)| count.tried > count.equal) {
            println!("  {book}: {} of {}", count.equal, count.tried);
        }
    }
}

/// Prints how often engines computed each function right.
pub(crate) fn print_functions(tallies: &[Tally]) {
    for name in names(tallies) {
        print!("{name}");
        for tally in tallies {
            let count = tally.functions.get(&name).map(|function| function.count).unwrap_or_default();
            print!("\t{}/{}", count.equal, count.tried);
        }
        println!();
    }
}

fn names(tallies: &[Tally]) -> BTreeSet<String> {
    tallies.iter().flat_map(|tally| tally.functions.keys().cloned()).collect()
}

/// One line of figures.
fn line(what: &str, figures: &Figures) -> String {
    format!(
        "{what}: {} of {} cells equal ({:.2} %), {} of {} workbooks wholly right, {:.2} % on average",
        figures.cells.equal,
        figures.cells.tried,
        100.0 * figures.share(),
        figures.whole,
        figures.books,
        100.0 * figures.mean()
    )
}

/// Compares the documents with the run, or writes them.
pub(crate) fn check(tallies: &[Tally]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    keep(&root.join("../../docs/formula-conformance.md"), &document(tallies));
    keep(&root.join("src/conformance/verified.txt"), &table(tallies));
}

fn keep(path: &Path, text: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, text).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == text, "{} is not what this run says; write it with UPDATE_DOCS=1", path.display());
}

/// The engines whose functions are verified, with these.
fn all_verified(tallies: &[Tally]) -> Vec<(&'static str, BTreeSet<String>)> {
    let judged = CANDIDATES.iter().zip(tallies).filter(|(candidate, _)| candidate.is_used);
    judged.map(|(candidate, tally)| (candidate.name, verified(tally))).collect()
}

fn table(tallies: &[Tally]) -> String {
    let mut by_function: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (engine, functions) in all_verified(tallies) {
        for function in functions {
            by_function.entry(function).or_default().push(engine);
        }
    }
    let mut text =
        "# Functions, and the engines that compute them as Excel does. Written by the conformance test.\n"
            .to_owned();
    for (function, engines) in by_function {
        writeln!(text, "{function}\t{}", engines.join(" ")).unwrap();
    }
    text
}

fn document(tallies: &[Tally]) -> String {
    let mut text = INTRODUCTION.to_owned();
    text.push_str(
        "\n| engine | workbooks | cells equal | wholly right | mean per workbook |\n|---|---|---|---|---|\n",
    );
    for tally in tallies {
        for (what, is_formulas) in [("`formulas`", true), ("others", false)] {
            let figures = tally.figures(|book| book.starts_with(FORMULAS) == is_formulas);
            writeln!(
                text,
                "| {} | {what} | {} / {} ({:.2} %) | {} / {} | {:.2} % |",
                tally.engine,
                figures.cells.equal,
                figures.cells.tried,
                100.0 * figures.share(),
                figures.whole,
                figures.books,
                100.0 * figures.mean()
            )
            .unwrap();
        }
    }
    text.push_str("\n## Function by function\n\n");
    text.push_str("Cells whose formulas use the function, and how many of them were equal; ✓ marks what counts as verified.\n\n");
    let engines: Vec<&str> = tallies.iter().map(|tally| tally.engine).collect();
    writeln!(text, "| function | tried | {} | a miss |", engines.join(" | ")).unwrap();
    writeln!(text, "|---|---|{}---|", "---|".repeat(engines.len())).unwrap();
    let verified: BTreeMap<&str, BTreeSet<String>> = all_verified(tallies).into_iter().collect();
    for name in names(tallies) {
        let function =
            |tally: &Tally| tally.functions.get(&name).map(|function| function.count).unwrap_or_default();
        let tried = tallies.iter().map(|tally| function(tally).tried).max().unwrap_or(0);
        let equal = tallies.iter().map(|tally| {
            let mark = verified.get(tally.engine).is_some_and(|functions| functions.contains(&name));
            format!("{}{}", function(tally).equal, if mark { " ✓" } else { "" })
        });
        let used = CANDIDATES.iter().zip(tallies).filter(|(candidate, _)| candidate.is_used);
        let miss =
            used.filter_map(|(_, tally)| tally.functions.get(&name)?.example.as_deref()).next().unwrap_or("");
        let equal = equal.collect::<Vec<_>>().join(" | ");
        writeln!(text, "| {name} | {tried} | {equal} | {} |", miss.replace('|', "\\|")).unwrap();
    }
    text
}

const INTRODUCTION: &str = "# Formulas, as Excel computed them

Written by the conformance test (`crates/recalc/tests/conformance`, `UPDATE_DOCS=1`). Every workbook of the corpus that Excel
stored is loaded, the results of its formulas are taken out, and each engine computes them anew. A cell is equal when it shows
what Excel showed: numbers within 1e-9 of it, everything else exactly. Cells are left out that change by themselves (`NOW`,
`RAND`, what reads them) or that Excel stored no value for. What an engine refuses to compute counts as not equal.

A function is verified for an engine when at least three cells were tried and, among formulas that use only verified functions,
at most one in a thousand was missed.

The workbooks in `formulas` come from IronCalc's own tests: that engine was developed against them.
";
