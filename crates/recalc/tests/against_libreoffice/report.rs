//! Who agrees with whom.

use std::collections::{BTreeMap, BTreeSet};

use crate::answer::Answer;
use crate::fixture::Inputs;
use crate::known::Known;
use crate::native::ENGINES;
use crate::samples::Sample;

/// Everything that was found.
pub(crate) struct Report<'a> {
    samples: &'a [Sample],
    known: &'a Known,
    /// By engine.
    counts: BTreeMap<&'static str, Counts>,
    /// Disagreements, by engine and formula.
    found: BTreeMap<(&'static str, &'static str), Found>,
}

#[derive(Debug, Default)]
struct Counts {
    agree: usize,
    disagree: usize,
    /// What was refused, and why.
    refused: BTreeSet<String>,
}

struct Found {
    ours: Answer,
    theirs: Answer,
    inputs: Inputs,
}

impl<'a> Report<'a> {
    pub(crate) fn new(samples: &'a [Sample], known: &'a Known) -> Report<'a> {
        Report { samples, known, counts: BTreeMap::new(), found: BTreeMap::new() }
    }

    /// Compares the answers of each engine of ours with those of LibreOffice, or with Excel's where they are told.
    pub(crate) fn add(&mut self, inputs: Inputs, theirs: &[Answer], ours: &[Vec<Answer>]) {
        for (engine, answers) in ENGINES.iter().zip(ours) {
            let counts = self.counts.entry(engine.name).or_default();
            for ((sample, ours), theirs) in self.samples.iter().zip(answers).zip(theirs) {
                let theirs = sample.excel.as_ref().unwrap_or(theirs);
                if let Answer::Refused(why) = ours {
                    counts.refused.insert(format!("{} ({why})", sample.typed));
                } else if ours.agrees(theirs) {
                    counts.agree += 1;
                } else {
                    counts.disagree += 1;
                    let found = || Found { ours: ours.clone(), theirs: theirs.clone(), inputs };
                    self.found.entry((engine.name, sample.typed)).or_insert_with(found);
                }
            }
        }
    }

    /// Prints the figures, and every disagreement with its reason.
    pub(crate) fn print(&self) {
        for (engine, counts) in &self.counts {
            for refused in &counts.refused {
                println!("{engine} refuses {refused}");
            }
        }
        for ((engine, formula), found) in &self.found {
            let reason = self.known.reasons.get(&(*engine, *formula));
            let reason = reason.map_or("NOT EXPLAINED", String::as_str);
            let Found { ours, theirs, inputs } = found;
            println!("{engine} | {formula} | {ours} for {theirs} ({inputs:?}) | {reason}");
        }
        let told = self.samples.iter().filter(|sample| sample.excel.is_some()).count();
        println!(
            "{} samples, of which {told} tell what Excel shows, over two kinds of inputs",
            self.samples.len()
        );
        for (engine, counts) in &self.counts {
            let formulas = self.found.keys().filter(|(of, _)| of == engine).count();
            let (Counts { agree, disagree, refused }, wrong) = (counts, self.known.wrong(engine));
            println!(
                "{engine}: {agree} agree, {disagree} do not ({formulas} formulas, in {wrong} of which it is wrong); \
                 {} formulas are refused",
                refused.len()
            );
        }
    }

    /// Fails on what is not explained, and on explanations of what is not there.
    pub(crate) fn check(&self) {
        let is_known = |found: &&(&'static str, &'static str)| self.known.reasons.contains_key(found);
        let unexplained: Vec<_> = self.found.keys().filter(|found| !is_known(found)).collect();
        let is_found = |known: &&(&'static str, &'static str)| self.found.contains_key(known);
        let gone: Vec<_> = self.known.reasons.keys().filter(|known| !is_found(known)).collect();
        assert!(unexplained.is_empty(), "disagreements without a reason in known.txt: {unexplained:#?}");
        assert!(gone.is_empty(), "in known.txt, but the engines agree: {gone:#?}");
    }
}
