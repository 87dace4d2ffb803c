//! Values.

use office::CalculatedValue::{self, Boolean, Error, Number, Text};
use office::{Document, OfficeError};

use crate::support::{Pool, calculate, column_a};
use crate::workbooks::{chain, formulas, workbook};

fn check(all: &[(&str, CalculatedValue)]) {
    let Some(pool) = Pool::start(|_| ()) else { return };
    let texts: Vec<&str> = all.iter().map(|(formula, _)| *formula).collect();
    let sheets = calculate(pool.office(), &workbook(&formulas(&texts))).unwrap();
    assert_eq!(sheets.len(), 1);
    assert_eq!(sheets[0].name, "Data");
    for ((formula, expected), actual) in all.iter().zip(column_a(&sheets)) {
        assert_eq!(&actual, expected, "{formula}");
    }
    assert_eq!(sheets[0].cells.len(), all.len());
    pool.end();
}

#[test]
fn stored_values_that_are_wrong_do_not_matter() {
    check(&[("1+1", Number(2.0)), ("A1*21", Number(42.0)), ("SUM(A1:A2)", Number(44.0))]);
}

#[test]
fn values_have_their_types() {
    check(&[
        ("1/4", Number(0.25)),
        (r#"A1&"x""#, Text("0.25x".to_owned())),
        ("A1>1", Boolean(false)),
        ("NOT(A3)", Boolean(true)),
        ("A4*1", Number(1.0)),
        (r#""""#, Text(String::new())),
        (r#""TRUE""#, Text("TRUE".to_owned())),
        ("Z99", Number(0.0)),
        ("DATE(2020,1,1)", Number(43831.0)),
        ("A3*1", Number(0.0)),
        ("IFERROR(1/0,A4)", Boolean(true)),
        ("\"\u{1f600}é\"&CHAR(9)", Text("\u{1f600}é\t".to_owned())),
    ]);
}

#[test]
fn errors_have_their_names_in_excel() {
    let few = [
        ("1/0", Error("#DIV/0!")),
        ("NA()", Error("#N/A")),
        ("nosuchfunction(1)", Error("#NAME?")),
        ("SQRT(-1)", Error("#NUM!")),
        (r#""a"+1"#, Error("#VALUE!")),
        ("#REF!+1", Error("#REF!")),
        ("#NULL!", Error("#NULL!")),
        ("A1+1", Error("#DIV/0!")),
        ("ISERROR(A1)", Boolean(true)),
    ];
    check(&few);
    // Many are found in another way.
    let many: Vec<_> = few.iter().cycle().take(9 * 50).cloned().collect();
    check(&many);
}

#[test]
fn many_formulas_far_apart_are_all_read() {
    let Some(pool) = Pool::start(|_| ()) else { return };
    let mut rows = String::new();
    let mut expected = 0;
    for row in 1..=2000_u32 {
        rows.push_str(&format!(r#"<row r="{row}">"#));
        for (column, name) in ["A", "B", "C", "AA"].iter().enumerate() {
            if (row as usize + column).is_multiple_of(2) {
                rows.push_str(&format!(r#"<c r="{name}{row}"><f>{row}*100+{column}</f></c>"#));
                expected += 1;
            } else {
                rows.push_str(&format!(r#"<c r="{name}{row}"><v>5</v></c>"#));
            }
        }
        rows.push_str("</row>");
    }
    let sheets = calculate(pool.office(), &workbook(&rows)).unwrap();
    assert_eq!(sheets[0].cells.len(), expected);
    for (row, column, value) in &sheets[0].cells {
        let column = if *column == 26 { 3 } else { *column };
        assert_eq!(*value, Number(f64::from((row + 1) * 100 + column)));
    }
    pool.end();
}

#[test]
fn long_chains_come_whole() {
    let Some(pool) = Pool::start(|_| ()) else { return };
    let sheets = calculate(pool.office(), &chain(100_000)).unwrap();
    let values = column_a(&sheets);
    assert_eq!(values.len(), 99_999);
    assert!(values.iter().zip(2_u32..).all(|(value, expected)| *value == Number(f64::from(expected))));
    pool.end();
}

#[test]
fn what_is_no_workbook_is_unloadable_and_the_worker_goes_on() {
    let Some(pool) = Pool::start(|_| ()) else { return };
    let mut damaged = chain(10);
    damaged.truncate(300);
    let unloadable = calculate(pool.office(), &damaged);
    assert!(matches!(unloadable, Err(OfficeError::Unloadable)), "{unloadable:?}");
    let document = Document { bytes: b"<html>", extension: "../x" };
    let invalid = pool.office().calculate(&document, &|| false);
    assert!(matches!(invalid, Err(OfficeError::InvalidRequest { .. })), "{invalid:?}");
    crate::support::check_works(pool.office());
    assert_eq!(pool.office().counts().starts, 1);
    pool.end();
}
