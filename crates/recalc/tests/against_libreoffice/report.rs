//! Who agrees with whom.

use std::collections::{BTreeMap, BTreeSet};

use crate::answer::Answer;
use crate::fixture::Inputs;
use crate::known::Known;
use crate::native::ENGINES;
use crate::samples::Sample;

/// How the files call a disagreement of our engines over what LibreOffice does not know.
const EACH_OTHER: &str = "each other";

/// Everything that was found.
pub(crate) struct Report<'a> {
    samples: &'a [Sample],
    known: &'a Known,
    /// By engine.
    counts: BTreeMap<&'static str, Counts>,
    /// Disagreements, by engine and formula.
    found: BTreeMap<(&'static str, &'static str), Found>,
    /// Functions that LibreOffice was seen not to know.
    absent: BTreeSet<&'static str>,
}

#[derive(Debug, Default)]
struct Counts {
    agree: usize,
    disagree: usize,
    refused: usize,
    /// LibreOffice lacks a function of it.
    absent: usize,
}

struct Found {
    ours: Answer,
    theirs: Answer,
    inputs: Inputs,
}

impl<'a> Report<'a> {
    pub(crate) fn new(samples: &'a [Sample], known: &'a Known) -> Report<'a> {
        Report { samples, known, counts: BTreeMap::new(), found: BTreeMap::new(), absent: BTreeSet::new() }
    }

    /// Compares the answers of each engine of ours with those of LibreOffice.
    pub(crate) fn add(&mut self, inputs: Inputs, theirs: &[Answer], ours: &[Vec<Answer>]) {
        for (index, sample) in self.samples.iter().enumerate() {
            let absent = self.absent(sample, &theirs[index]);
            for (engine, answers) in ENGINES.iter().zip(ours) {
                let counts = self.counts.entry(engine.name).or_default();
                let (ours, theirs) = (&answers[index], &theirs[index]);
                if matches!(ours, Answer::Refused(_)) {
                    counts.refused += 1;
                } else if absent {
                    counts.absent += 1;
                } else if ours.agrees(theirs) {
                    counts.agree += 1;
                } else {
                    counts.disagree += 1;
                    self.disagree(engine.name, sample, ours, theirs, inputs);
                }
            }
            let [one, other] = [&ours[0][index], &ours[1][index]];
            let is_refused = [one, other].iter().any(|answer| matches!(answer, Answer::Refused(_)));
            if absent && !is_refused && !one.agrees(other) {
                self.disagree(EACH_OTHER, sample, one, other, inputs);
            }
        }
    }

    fn disagree(
        &mut self,
        engine: &'static str,
        sample: &Sample,
        ours: &Answer,
        theirs: &Answer,
        inputs: Inputs,
    ) {
        let found = || Found { ours: ours.clone(), theirs: theirs.clone(), inputs };
        self.found.entry((engine, sample.typed)).or_insert_with(found);
    }

    /// Whether LibreOffice lacks a function of a sample.
    fn absent(&mut self, sample: &Sample, theirs: &Answer) -> bool {
        let called = sample.functions();
        let lacks: Vec<_> = self.known.absent.iter().filter(|name| called.contains(**name)).collect();
        if theirs.is_unknown_name() {
            self.absent.extend(&lacks);
        }
        !lacks.is_empty()
    }

    /// Prints the figures, and every disagreement with its reason.
    pub(crate) fn print(&self) {
        for ((engine, formula), found) in &self.found {
            let reason = self.known.reasons.get(&(*engine, *formula));
            let reason = reason.map_or("NOT EXPLAINED", String::as_str);
            let Found { ours, theirs, inputs } = found;
            println!("{engine} | {formula} | {ours} for {theirs} ({inputs:?}) | {reason}");
        }
        println!("{} samples, in two layouts", self.samples.len());
        for (engine, counts) in &self.counts {
            let (wrong, Counts { agree, disagree, refused, absent }) = (self.known.wrong(engine), counts);
            println!(
                "{engine}: {agree} agree, {disagree} do not ({wrong} faults of its own), {refused} are refused, \
                 {absent} are not for LibreOffice"
            );
        }
    }

    /// Fails on what is not explained, and on explanations of what is not there.
    pub(crate) fn check(&self) {
        let unexplained: Vec<_> =
            self.found.keys().filter(|found| !self.known.reasons.contains_key(found)).collect();
        let gone: Vec<_> =
            self.known.reasons.keys().filter(|known| !self.found.contains_key(known)).collect();
        let present: Vec<_> = self.known.absent.difference(&self.absent).collect();
        assert!(unexplained.is_empty(), "disagreements without a reason in known.txt: {unexplained:#?}");
        assert!(gone.is_empty(), "in known.txt, but the engines agree: {gone:#?}");
        assert!(present.is_empty(), "in absent.txt, but LibreOffice knows them: {present:?}");
    }
}
