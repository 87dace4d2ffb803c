//! `GETPIVOTDATA`.

use std::sync::Arc;

use recalc::Engine;
use recalc::ironcalc::IronCalc;
use workbook::{PivotAxisField, PivotField, PivotFilter, PivotLayout, PivotLine, PivotTable, SheetId};

use crate::support::{Book, MOMENT, at, shown};

/// Regions and years by quarters, with two values.
///
/// ```text
///            A           B          C          D
///  1                     Q1         Q1         Q2
///  2                     Sum        Count      Sum
///  3   North            (10)        2
///  4     2024            4          1          40
///  5     2025            6          1
///  6   South             7          1          70
///  7   South Total       8          1          80
///  8   Grand Total      18          3          99
/// ```
fn pivot() -> PivotTable {
    let field =
        |caption: &str, source: &str| PivotAxisField { caption: caption.into(), source: source.into() };
    let value = |name: &str, function: &str| PivotField {
        name: name.into(),
        field: "Amount".into(),
        function: function.into(),
    };
    let line = |items: &[(usize, &str)], value: Option<usize>, is_subtotal: bool| PivotLine {
        items: items.iter().map(|(field, item)| (*field, Arc::from(*item))).collect(),
        value,
        is_subtotal,
    };
    PivotTable {
        name: "Summary".into(),
        range: Some("A1:D8".parse().unwrap()),
        source: None,
        rows: Vec::new(),
        columns: Vec::new(),
        filters: Vec::new(),
        values: vec![value("Sum of Amount", "sum"), value("Number", "count")],
        layout: Arc::new(PivotLayout {
            first_row: 2,
            first_column: 1,
            fields: vec![
                field("Area", "Region"),
                field("Year", "Year"),
                field("Quarter", "Quarter"),
                field("Kind", "Kind"),
            ],
            rows: vec![
                line(&[(0, "North")], None, false),
                line(&[(0, "North"), (1, "2024")], None, false),
                line(&[(0, "North"), (1, "2025")], None, false),
                line(&[(0, "South")], None, false),
                line(&[(0, "South")], None, true),
                line(&[], None, false),
            ],
            columns: vec![
                line(&[(2, "Q1")], Some(0), false),
                line(&[(2, "Q1")], Some(1), false),
                line(&[(2, "Q2")], Some(0), false),
            ],
            filters: vec![PivotFilter { field: 3, item: Some("Export".into()) }],
        }),
    }
}

const SHOWN: &[(&str, &str)] = &[
    ("B3", "10"),
    ("C3", "2"),
    ("B4", "4"),
    ("C4", "1"),
    ("D4", "40"),
    ("B5", "6"),
    ("B6", "7"),
    ("B7", "8"),
    ("D7", "80"),
    ("B8", "18"),
    ("F1", "north"),
    ("F2", "2025"),
    ("F3", "'q?"),
];

/// What a call yields, by both engines; `refused` where they do not compute it.
#[track_caller]
fn check(call: &str, expected: &str) {
    let cells: Vec<(&str, &str)> = SHOWN.iter().copied().chain([("Z1", call)]).collect();
    let book = Book::of(&cells).with_pivot(pivot());
    let mut engines: Vec<Box<dyn Engine>> =
        vec![Box::new(book.load()), Box::new(IronCalc::load(book.source()).unwrap())];
    for engine in &mut engines {
        engine.calculate(MOMENT, &|| false).unwrap();
        let found = match engine.refused() {
            [] => shown(&engine.value(SheetId(0), at("Z1"))),
            _ => "refused".to_owned(),
        };
        assert_eq!(found, expected, "{call} by {}", engine.name());
    }
}

#[test]
fn values_of_a_pivot_table() {
    check("=GETPIVOTDATA(\"Sum of Amount\",$A$1,\"Region\",\"North\",\"Year\",2024,\"Quarter\",\"Q1\")", "4");
    check("=GETPIVOTDATA(\"amount\",A8,\"quarter\",\"q2\",\"Area\",\"NORTH\",\"Year\",\"2024\")*2", "80");
    check("=GETPIVOTDATA(\"Number\",Sheet1!A1,\"Area\",\"North\",\"Quarter\",\"Q1\")", "2");
    check("=GETPIVOTDATA(\"Sum of Amount\",A1,\"Quarter\",\"Q1\")", "18");
    // A subtotal below its items goes before the line that names them.
    check("=GETPIVOTDATA(\"Sum of Amount\",A1,\"Area\",\"South\",\"Quarter\",\"Q1\")", "8");
    check("=GETPIVOTDATA(\"Sum of Amount\",A1,\"Kind\",\"export\",\"Quarter\",\"Q1\")", "18");
}

#[test]
fn items_may_be_computed() {
    check("=GETPIVOTDATA(\"Sum of Amount\",A1,\"Area\",F1,\"Year\",F2,\"Quarter\",\"Q1\")", "6");
    check("=GETPIVOTDATA(\"Sum of Amount\",A1,\"Area\",\"So\"&\"uth\",\"Quarter\",\"Q\"&2)", "80");
    check("=GETPIVOTDATA(\"Sum of Amount\",A1,\"Area\",F1,\"Year\",F2-9,\"Quarter\",\"Q1\")", "#REF!");
    // Where there is one item only.
    check("=GETPIVOTDATA(\"Number\",A1,\"Area\",F1,\"Quarter\",\"q\"&1)", "2");
    // No pattern matches.
    check("=GETPIVOTDATA(\"Sum of Amount\",A1,\"Quarter\",F3)", "#REF!");
}

#[test]
fn what_is_not_shown_is_an_error() {
    check("=GETPIVOTDATA(\"Sum of Amount\",A1,\"Area\",\"West\",\"Quarter\",\"Q1\")", "#REF!");
    check("=GETPIVOTDATA(\"Number\",A1,\"Area\",\"North\",\"Year\",2025,\"Quarter\",\"Q1\")", "#REF!");
    check("=GETPIVOTDATA(\"Sum of Amount\",A1,\"Kind\",\"import\",\"Quarter\",\"Q1\")", "#REF!");
    check("=IFERROR(GETPIVOTDATA(\"Sum of Amount\",A1,\"Year\",2024),5)", "5");
    // Nothing is known of these.
    check("=GETPIVOTDATA(\"Other\",A1)", "refused");
    check("=GETPIVOTDATA(\"Sum of Amount\",G9)", "refused");
    check("=GETPIVOTDATA(\"Sum of Amount\",A1,\"Other\",1)", "refused");
}
