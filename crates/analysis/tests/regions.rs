//! Region detection against labelled sheets: generated ones (`regions/generated.txt`) and real ones
//! (`regions/corpus.tsv`, and `regions/unseen.tsv` which nothing was tuned to), scored by the overlap of rectangles and by header rows.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::fmt::Write as _;
use std::sync::Arc;

use analysis::regions::{Options, Region, RegionKind, detect};
use grid::CellRange;
use support::{book, grid, sheet};
use workbook::{Limits, RawCell, RawValue, Sheet, SheetBuilder, Workbook};

/// A region that a person sees on a sheet.
#[derive(Debug, Clone)]
struct Label {
    range: CellRange,
    kind: String,
    header_rows: u32,
    total_rows: Option<u32>,
    title: Option<String>,
}

impl Label {
    /// `A3:D9 Table h1 t1 "Title"`.
    fn parse(text: &str) -> Label {
        let (text, title) = match text.split_once('"') {
            Some((text, title)) => (text, Some(title.trim_end_matches('"').to_owned())),
            None => (text, None),
        };
        let mut words = text.split_whitespace();
        let range = words.next().unwrap().parse().unwrap();
        let kind = words.next().unwrap().to_owned();
        let mut label = Label { range, kind, header_rows: 0, total_rows: None, title };
        for word in words {
            match word.split_at(1) {
                ("h", count) => label.header_rows = count.parse().unwrap(),
                ("t", count) => label.total_rows = Some(count.parse().unwrap()),
                _ => panic!("{word}: not a part of a label"),
            }
        }
        label
    }
}

/// Points of one or more sheets.
#[derive(Debug, Default)]
struct Score {
    sheets: usize,
    /// Overlap of each label with the best region, and 0 for each table where there is none.
    overlaps: Vec<f64>,
    headers: Vec<bool>,
    kinds: Vec<bool>,
    report: String,
}

impl Score {
    fn add(&mut self, name: &str, labels: &[Label], found: &[Region]) {
        self.sheets += 1;
        let mut lines = String::new();
        let mut is_matched = vec![false; found.len()];
        for label in labels {
            let best = (0..found.len()).max_by(|a, b| {
                overlap(label.range, found[*a].range).total_cmp(&overlap(label.range, found[*b].range))
            });
            let best = best.filter(|best| overlap(label.range, found[*best].range) > 0.0);
            let Some(best) = best else {
                self.overlaps.push(0.0);
                self.headers.push(false);
                writeln!(lines, "    {} is missed", label.range).unwrap();
                continue;
            };
            let region = &found[best];
            is_matched[best] = true;
            self.overlaps.push(overlap(label.range, region.range));
            self.headers.push(region.header_rows == label.header_rows);
            self.kinds.push(format!("{:?}", region.kind) == label.kind);
            let is_right = region.range == label.range
                && region.header_rows == label.header_rows
                && format!("{:?}", region.kind) == label.kind
                && label.total_rows.is_none_or(|totals| totals == region.total_rows)
                && label.title.is_none() | (label.title == region.title);
            if !is_right {
                writeln!(lines, "    {label:?}\n      but {}", line(region)).unwrap();
            }
        }
        for region in found.iter().zip(is_matched).filter(|(_, matched)| !matched).map(|(region, _)| region) {
            if region.kind == RegionKind::Table {
                self.overlaps.push(0.0);
                writeln!(lines, "    {} is no table of its own", line(region)).unwrap();
            }
        }
        if !lines.is_empty() {
            writeln!(self.report, "  {name}\n{lines}").unwrap();
        }
    }

    fn overlap(&self) -> f64 {
        self.overlaps.iter().sum::<f64>() / self.overlaps.len().max(1) as f64
    }

    fn headers(&self) -> f64 {
        share(&self.headers)
    }

    #[track_caller]
    fn assert_good(&self, what: &str, overlap: f64, headers: f64) {
        fixtures::corpus::say(&format!(
            "{what}: {} sheets, {} regions; mean overlap {:.3}, header rows right {:.3}, kinds right {:.3}",
            self.sheets,
            self.headers.len(),
            self.overlap(),
            self.headers(),
            share(&self.kinds),
        ));
        assert!(self.overlap() >= overlap && self.headers() >= headers, "{what}\n{}", self.report);
    }
}

fn share(list: &[bool]) -> f64 {
    list.iter().filter(|is_right| **is_right).count() as f64 / list.len().max(1) as f64
}

/// Intersection over union.
fn overlap(a: CellRange, b: CellRange) -> f64 {
    let shared = a.intersect(b).map_or(0, CellRange::area);
    shared as f64 / (a.area() + b.area() - shared) as f64
}

fn line(region: &Region) -> String {
    format!(
        "{} {:?} h{} t{} {:?} {:?}",
        region.range, region.kind, region.header_rows, region.total_rows, region.title, region.evidence
    )
}

fn regions(book: &Workbook, sheet: &Sheet) -> Vec<Region> {
    let found = detect(book, sheet, &Options::default(), &|| false).unwrap();
    check_invariants(&found.regions);
    found.regions
}

/// What holds of every answer.
fn check_invariants(regions: &[Region]) {
    for (index, region) in regions.iter().enumerate() {
        assert_eq!(region.id, format!("region{}", index + 1));
        assert!((0.0..=1.0).contains(&region.confidence), "{region:?}");
        assert!(!region.evidence.is_empty(), "{region:?}");
        assert!(region.header_rows + region.total_rows <= region.range.height(), "{region:?}");
        for other in &regions[index + 1..] {
            assert!(region.range.intersect(other.range).is_none(), "{region:?} overlaps {other:?}");
        }
        let data_rows = region.data_range.map_or(0, CellRange::height);
        assert_eq!(data_rows + region.header_rows + region.total_rows, region.range.height(), "{region:?}");
    }
}

#[test]
fn generated_sheets() {
    let mut score = Score::default();
    for case in include_str!("regions/generated.txt").split("\n== ").skip(1) {
        let (name, rest) = case.split_once('\n').unwrap();
        let mut rows = String::new();
        let mut lines = String::new();
        let mut labels = Vec::new();
        for line in rest.lines().filter(|line| !line.trim().is_empty()) {
            if let Some(label) = line.strip_prefix("=> ") {
                labels.push(Label::parse(label));
            } else if let Some(range) = line.strip_prefix("merge ") {
                lines.push_str(&format!("{range} merge\n"));
            } else if let Some((range, name)) =
                line.strip_prefix("table ").and_then(|rest| rest.split_once(' '))
            {
                lines.push_str(&format!("{range} table {name}\n"));
            } else {
                rows.push_str(line);
                rows.push('\n');
            }
        }
        let sheet = sheet("Data", &(grid(&rows) + &lines));
        score.add(name, &labels, &regions(&book(&[]), &sheet));
    }
    assert!(score.sheets >= 22);
    score.assert_good("generated", 0.95, 0.95);
    assert!(score.report.is_empty(), "{}", score.report);
}

/// A table of ten columns from `first_row` on.
fn long_table(first_row: u32, rows: u32) -> Sheet {
    let mut builder = SheetBuilder::new("Data", Arc::default(), &Limits::default());
    let names = ["Id", "City", "Amount", "Paid", "Note"];
    for row in 0..=rows {
        for (col, name) in names.iter().enumerate() {
            let value = match (row, col) {
                (0, _) => builder.text(name).unwrap(),
                (_, 1) => builder.text(["Oslo", "Rome", "Kyiv"][row as usize % 3]).unwrap(),
                (_, 3) => RawValue::Bool(row % 7 == 0),
                (_, 4) if row % 50 != 0 => continue,
                (_, 4) => builder.text("see file").unwrap(),
                _ => RawValue::Number(f64::from(row) * (col as f64 + 0.5)),
            };
            let at = grid::CellRef::new(first_row + row, col as u32).unwrap();
            builder.set(at, RawCell { value, ..RawCell::default() }).unwrap();
        }
    }
    builder.finish()
}

#[test]
fn fifty_thousand_rows() {
    let found = regions(&book(&[]), &long_table(0, 50_000));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].range.to_string(), "A1:E50001");
    assert_eq!((found[0].kind, found[0].header_rows), (RegionKind::Table, 1));
    assert_eq!(found[0].columns, ["Id", "City", "Amount", "Paid", "Note"]);
    assert!(found[0].confidence >= 0.9, "{:?}", found[0]);
}

#[test]
fn down_to_the_last_row() {
    let found = regions(&book(&[]), &long_table(grid::MAX_ROWS - 3_001, 3_000));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].range.to_string(), "A1045576:E1048576");
    assert_eq!(found[0].header_rows, 1);
}

#[test]
fn regions_beyond_the_limit_are_counted() {
    let sheet = sheet("Data", "A1 one\nA5 two\nA9 three");
    let options = Options { max_regions: 2, ..Options::default() };
    let found = detect(&book(&[]), &sheet, &options, &|| false).unwrap();
    assert_eq!((found.regions.len(), found.omitted), (2, 1));
}

#[test]
fn stops_when_asked() {
    assert!(detect(&book(&[]), &long_table(0, 10), &Options::default(), &|| true).is_err());
}

/// Scores the sheets of a list of labels; `None` where there is no corpus.
fn score_corpus(labels: &str) -> Option<Score> {
    let root = fixtures::corpus::folder()?;
    let mut score = Score::default();
    for line in labels.lines().filter(|line| !line.starts_with('#')) {
        let [path, name, labels] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let bytes: Arc<[u8]> = std::fs::read(root.join(path)).unwrap().into();
        let book = Workbook::open(bytes, path, &Limits::default(), &()).unwrap();
        let sheet = book.sheet(book.sheet_id(name).unwrap(), &()).unwrap();
        let labels: Vec<Label> = labels.split("; ").map(Label::parse).collect();
        score.add(&format!("{path} {name}"), &labels, &regions(&book, &sheet));
    }
    Some(score)
}

#[test]
fn corpus_sheets() {
    if let Some(score) = score_corpus(include_str!("regions/corpus.tsv")) {
        assert!(score.sheets >= 20);
        score.assert_good("corpus", 0.95, 0.95);
    }
}

#[test]
fn unseen_sheets() {
    if let Some(score) = score_corpus(include_str!("regions/unseen.tsv")) {
        score.assert_good("unseen corpus", 0.87, 0.84);
    }
}

#[test]
fn every_answer_over_the_corpus_is_sound() {
    let Some(root) = fixtures::corpus::folder() else { return };
    let manifest = std::fs::read_to_string(root.join("MANIFEST.tsv")).unwrap();
    let mut sheets = 0;
    for path in manifest.lines().skip(1).filter_map(|line| line.split('\t').nth(6)) {
        let Ok(bytes) = std::fs::read(root.join(path)) else { continue };
        let Ok(book) = Workbook::open(bytes.into(), path, &Limits::default(), &()) else { continue };
        for id in book.sheet_ids() {
            let Ok(sheet) = book.sheet(id, &()) else { continue };
            regions(&book, &sheet);
            sheets += 1;
        }
    }
    println!("{sheets} sheets of the corpus answered soundly");
    assert!(sheets > 100);
}
