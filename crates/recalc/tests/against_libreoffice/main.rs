//! The native engines against LibreOffice, over generated workbooks that call every function of theirs.
//!
//! * `samples.txt` has formulas for each function, over the cells that `fixture` lays out, and says what Excel shows where
//!   LibreOffice cannot tell;
//! * `exempt.txt` has the functions without samples, and why;
//! * `known.txt` has every disagreement that is allowed, and who is right.
//!
//! The test fails on a disagreement that nobody explained, on an explained one that is gone, and on a function that neither has a
//! sample nor is exempt. Run it with `--nocapture` to read what it found.

#![allow(clippy::unwrap_used, reason = "tests")]

mod answer;
mod fixture;
mod known;
mod libreoffice;
mod names;
mod native;
mod report;
mod samples;

use std::collections::BTreeSet;

use fixture::Inputs;
use known::Known;
use libreoffice::LibreOffice;
use native::ENGINES;
use report::Report;

#[test]
fn every_native_function_has_a_sample() {
    let samples = samples::read();
    let exempt = samples::exempt();
    let called: BTreeSet<String> = samples.iter().flat_map(samples::Sample::functions).collect();
    let native = names::native_functions();
    let is_told = |name: &&String| called.contains(*name) || exempt.contains_key(name.as_str());
    let untold: Vec<&String> = native.iter().filter(|name| !is_told(name)).collect();
    assert!(untold.is_empty(), "without a sample: {untold:?}");
    let needless: Vec<&&str> =
        exempt.keys().filter(|name| called.contains(**name) || !native.contains(**name)).collect();
    assert!(needless.is_empty(), "exempt, but not native or with a sample: {needless:?}");
    println!("{} native functions, {} of them exempt, {} samples", native.len(), exempt.len(), samples.len());
}

#[test]
fn libreoffice_computes_the_same() {
    let Some(libreoffice) = LibreOffice::start() else { return };
    let samples = samples::read();
    let known = Known::read();
    let mut report = Report::new(&samples, &known);
    for inputs in [Inputs::Constants, Inputs::Formulas] {
        let bytes = fixture::workbook(&samples, inputs);
        let theirs = libreoffice.answers(&bytes, &samples);
        let ours: Vec<_> = ENGINES.iter().map(|engine| engine.answers(&bytes, &samples)).collect();
        report.add(inputs, &theirs, &ours);
    }
    report.print();
    if known.is_about(&libreoffice.version) {
        report.check();
    }
}
