//! What is said of a run.

use crate::tally::{Figures, Tally};

/// Prints the figures and every class of misses.
pub fn print(tallies: &[Tally]) {
    for tally in tallies {
        println!("== {}", tally.engine);
        println!("{}", line("corpus/formulas", &tally.figures(|book| book.starts_with("formulas/"))));
        println!("{}", line("the rest", &tally.figures(|book| !book.starts_with("formulas/"))));
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

/// Prints the functions that one engine computes right more often than another.
pub fn print_differences(tallies: &[Tally]) {
    let [first, .., last] = tallies else { return };
    println!("== {} against {}", last.engine, first.engine);
    for (name, ours) in &last.functions {
        let equal = first.functions.get(name).map_or(0, |theirs| theirs.count.equal);
        println!("{name}\t{}\t{equal}\t{}", ours.count.tried, ours.count.equal);
    }
}

/// One line of figures.
pub fn line(what: &str, figures: &Figures) -> String {
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

/// Compares the documents with the run.
pub fn check(_: &[Tally]) {}
