//! What LibreOffice makes of the samples.

use std::collections::HashMap;

use office::{Availability, CalculatedValue, Document, Office, OfficeOptions};
use recalc::Computed;
use tempfile::TempDir;

use crate::answer::Answer;
use crate::fixture::SAMPLES_SHEET;
use crate::samples::Sample;

/// One LibreOffice, with a folder of its own.
pub(crate) struct LibreOffice {
    office: Office,
    /// Such as `7.4`.
    pub(crate) version: String,
    /// Goes after the office, which works in it.
    _scratch: TempDir,
}

impl LibreOffice {
    /// `None`, said aloud, where LibreOffice is not installed.
    pub(crate) fn start() -> Option<LibreOffice> {
        let scratch = tempfile::tempdir().unwrap();
        let mut options = OfficeOptions::new(scratch.path());
        options.workers = 1;
        let office = Office::new(options);
        match office.availability() {
            Availability::Missing { what, remedy } => {
                eprintln!("skipped: {what} is missing: {remedy}");
                None
            }
            Availability::Available { version, .. } => {
                let version = version.clone();
                Some(LibreOffice { office, version, _scratch: scratch })
            }
        }
    }

    /// The answers to all samples, in their order.
    pub(crate) fn answers(&self, bytes: &[u8], samples: &[Sample]) -> Vec<Answer> {
        let document = Document { bytes, extension: "xlsx" };
        let sheets = self.office.calculate(&document, &|| false).unwrap();
        let sheet = sheets.iter().find(|sheet| sheet.name == SAMPLES_SHEET).unwrap();
        let cells: HashMap<(u32, u32), &CalculatedValue> =
            sheet.cells.iter().map(|(row, col, value)| ((*row, *col), value)).collect();
        let value =
            |row: u32, col: u32| cells.get(&(row, col)).map_or(Computed::Empty, |value| computed(value));
        let answer = |sample: &Sample| {
            let (start, end) = (sample.range.start(), sample.range.end());
            let rows = start.row()..=end.row();
            let values = rows.flat_map(|row| (start.col()..=end.col()).map(move |col| (row, col)));
            Answer::Values(values.map(|(row, col)| value(row, col)).collect())
        };
        samples.iter().map(answer).collect()
    }
}

fn computed(value: &CalculatedValue) -> Computed {
    match value {
        CalculatedValue::Number(number) => Computed::number(*number),
        CalculatedValue::Text(text) => Computed::Text(text.as_str().into()),
        CalculatedValue::Boolean(value) => Computed::Bool(*value),
        CalculatedValue::Error(name) => Computed::Error(name.parse().unwrap()),
        CalculatedValue::Empty => Computed::Empty,
    }
}
