//! Profiles of small tables.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use analysis::frame::TableView;
use analysis::profile::{ColumnProfile, ProfileOptions, TopValue, profile};
use expect_test::{Expect, expect};
use support::{book, grid, sheet};
use workbook::SheetId;

/// A column of cells, one a word.
#[track_caller]
fn check(cells: &str, expected: Expect) {
    let lines: Vec<&str> = cells.split_whitespace().map(|cell| if cell == "-" { "" } else { cell }).collect();
    let height = lines.len() + 1;
    // A second column keeps the rows whose first cell is empty.
    let rows: Vec<String> = lines.iter().map(|cell| format!("{cell} | x")).collect();
    let (book, sheet) = (book(&[]), sheet("Data", &grid(&format!("Value | Other\n{}", rows.join("\n")))));
    let range = format!("A1:B{height}").parse().unwrap();
    let view = TableView::of_range(&book, SheetId(0), &sheet, range, 1);
    let profiles =
        profile(&book, &sheet, &view, &[0], &ProfileOptions { max_top: 3, max_outliers: 2 }, &|| false)
            .unwrap();
    expected.assert_eq(&told(&profiles[0]));
}

fn told(profile: &ColumnProfile) -> String {
    let types = profile.types;
    let counts = [
        ("numbers", types.numbers),
        ("dates", types.dates),
        ("texts", types.texts),
        ("booleans", types.booleans),
        ("errors", types.errors),
        ("nulls", types.nulls),
    ];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    let top = profile.top.iter().map(|(value, count)| match value {
        TopValue::Number(number) => format!("{number} x{count}"),
        TopValue::Date(serial) => format!("day {serial} x{count}"),
        TopValue::Text(text) => format!("{text:?} x{count}"),
        TopValue::Bool(value) => format!("{value} x{count}"),
        TopValue::Error(error) => format!("{error} x{count}"),
    });
    let mut lines = vec![
        counts.join(", "),
        format!("{} distinct; {}", profile.distinct, top.collect::<Vec<_>>().join(", ")),
    ];
    for (name, series) in [("numbers", &profile.numbers), ("dates", &profile.dates)] {
        let Some(series) = series else { continue };
        lines.push(format!(
            "{name}: {} to {}, sum {}, mean {:.3}, sd {:.3}, quantiles {:?}",
            series.min, series.max, series.sum, series.mean, series.standard_deviation, series.quantiles
        ));
        if let Some(outliers) = &series.outliers {
            let cells: Vec<String> =
                outliers.cells.iter().map(|(at, value)| format!("{at}={value}")).collect();
            let (low, high) = outliers.bounds;
            lines.push(format!("{} outliers beyond {low}..{high}: {}", outliers.count, cells.join(" ")));
        }
    }
    lines.extend(profile.text_lengths.map(|(least, most)| format!("lengths {least} to {most}")));
    lines.join("\n")
}

#[test]
fn numbers() {
    check(
        "1 2 3 4 5 6 7 8 9 1000 -500 3",
        expect![[r#"
            12 numbers
            11 distinct; 3 x2
            numbers: -500 to 1000, sum 548, mean 45.667, sd 333.748, quantiles [-224.45, 2.75, 4.5, 7.25, 454.9499999999993]
            2 outliers beyond 1..9: A11=1000 A12=-500"#]],
    );
    check(
        "7",
        expect![[r#"
            1 numbers
            1 distinct; 
            numbers: 7 to 7, sum 7, mean 7.000, sd 0.000, quantiles [7.0, 7.0, 7.0, 7.0, 7.0]"#]],
    );
    // Mostly one value: nothing is far from a spread of nothing.
    check(
        "0 0 0 0 0 0 0 0 9",
        expect![[r#"
            9 numbers
            2 distinct; 0 x8
            numbers: 0 to 9, sum 9, mean 1.000, sd 3.000, quantiles [0.0, 0.0, 0.0, 0.0, 5.399999999999997]"#]],
    );
}

#[test]
fn mixed_columns_tell_each_type() {
    check(
        "north north North - TRUE TRUE #N/A 2026-01-31 2026-02-01 2026-01-31 5",
        expect![[r#"
            1 numbers, 3 dates, 3 texts, 2 booleans, 1 errors, 1 nulls
            7 distinct; day 46053 x2, "north" x2, true x2
            numbers: 5 to 5, sum 5, mean 5.000, sd 0.000, quantiles [5.0, 5.0, 5.0, 5.0, 5.0]
            dates: 46053 to 46054, sum 138160, mean 46053.333, sd 0.577, quantiles [46053.0, 46053.0, 46053.0, 46053.5, 46053.9]
            lengths 5 to 5"#]],
    );
}

#[test]
fn an_empty_column_and_a_stop() {
    check(
        "- - -",
        expect![[r#"
        3 nulls
        0 distinct; "#]],
    );
    let (book, sheet) = (book(&[]), sheet("Data", "A1 x\nA2 1"));
    let view = TableView::of_range(&book, SheetId(0), &sheet, "A1:A2".parse().unwrap(), 1);
    assert!(profile(&book, &sheet, &view, &[0], &ProfileOptions::default(), &|| true).is_err());
    assert!(profile(&book, &sheet, &view, &[9], &ProfileOptions::default(), &|| true).unwrap().is_empty());
}
