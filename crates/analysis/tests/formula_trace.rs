//! Traces through small workbooks.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use analysis::formulas::{Area, DependencyIndex, Places, Trace, TraceDirection, TraceOptions, trace};
use expect_test::{Expect, expect};
use support::{book, name};
use workbook::Workbook;

fn trace_of(book: &Workbook, target: &str, options: TraceOptions) -> Trace {
    let sheets = book.sheets(1, &()).unwrap();
    let places = Places::new(book, &sheets);
    let index = DependencyIndex::build(&places, &|| false).unwrap();
    let (sheet, range) = target.split_once('!').unwrap();
    let target = Area { sheet: book.sheet_id(sheet).unwrap(), range: range.parse().unwrap() };
    trace(&places, &index, &[target], &options, &|| false).unwrap()
}

/// Every node with what is known of it, and below it who it reads (`<-`).
fn printed(trace: &Trace) -> String {
    let mut text = String::new();
    for node in &trace.nodes {
        text += &format!("{} {}", node.depth, node.at);
        if let Some(formulas) = node.formulas {
            text += &format!(" ({formulas} of {})", node.cells.unwrap());
        }
        if let Some(formula) = &node.formula {
            text += &format!(" {formula}");
        }
        if let Some(value) = &node.value {
            text += &format!(" {value:?}");
        }
        if !matches!(format!("{:?}", node.kind).as_str(), "Cell" | "Range") {
            text += &format!(" {:?}", node.kind);
        }
        for (flag, is_set) in [
            ("dynamic", node.dynamic),
            ("chained", node.chained),
            ("in cycle", node.in_cycle),
            ("more", node.more),
        ] {
            if is_set {
                text += &format!(" [{flag}]");
            }
        }
        text += "\n";
        for edge in trace.edges.iter().filter(|edge| edge.to == node.id) {
            text += &format!("    <- {}", trace.nodes[edge.from as usize].at);
            if let Some(via) = &edge.via {
                text += &format!(" via {via}");
            }
            text += "\n";
        }
    }
    for cycle in &trace.cycles.items {
        text += &format!("cycle {} of {}\n", cycle.cells.items.join(" "), cycle.cells.total);
    }
    if let Some(truncated) = trace.truncated {
        text += &format!("{truncated:?}\n");
    }
    text
}

fn check(book: &Workbook, direction: TraceDirection, target: &str, expected: Expect) {
    let options = TraceOptions { direction, ..TraceOptions::default() };
    expected.assert_eq(&printed(&trace_of(book, target, options)));
}

use TraceDirection::{Both, Dependents, Precedents};

#[test]
fn precedents_cross_sheets_and_keep_ranges() {
    let book = book(&[
        ("In", "A1 rate\nB1 0.19\nB2:B500 7"),
        ("Calc 1", "B2:B500 =In!B2*In!$B$1 -> 1.33\nB501 =SUM(B2:B500) -> 663.67"),
        ("Out", "A1 ='Calc 1'!B501/COUNT(In!B:B)+1 -> 1.5"),
    ]);
    check(
        &book,
        Precedents,
        "Out!A1",
        expect![[r#"
        0 Out!A1 ='Calc 1'!B501/COUNT(In!B:B)+1 Number(1.5)
            <- 'Calc 1'!B501
            <- In!B:B
        1 'Calc 1'!B501 =SUM(B2:B500) Number(663.67)
            <- 'Calc 1'!B2:B500
        1 In!B:B (0 of 1048576)
        2 'Calc 1'!B2:B500 (499 of 499) =In!B2*In!$B$1
            <- In!B2:B500
            <- In!B1
        3 In!B2:B500 (0 of 499)
        3 In!B1 Number(0.19)
    "#]],
    );
    check(
        &book,
        Dependents,
        "In!B1",
        expect![[r#"
        0 In!B1 Number(0.19)
        1 'Calc 1'!B2:B500 (499 of 499) =In!B2*In!$B$1
            <- In!B1
        1 Out!A1 ='Calc 1'!B501/COUNT(In!B:B)+1 Number(1.5)
            <- In!B1
            <- 'Calc 1'!B501
        2 'Calc 1'!B501 =SUM(B2:B500) Number(663.67)
            <- 'Calc 1'!B2:B500
    "#]],
    );
    check(
        &book,
        Dependents,
        "In!B7",
        expect![[r#"
        0 In!B7 Number(7.0)
        1 'Calc 1'!B7 =In!B7*In!$B$1 Number(1.33)
            <- In!B7
        1 Out!A1 ='Calc 1'!B501/COUNT(In!B:B)+1 Number(1.5)
            <- In!B7
            <- 'Calc 1'!B501
        2 'Calc 1'!B501 =SUM(B2:B500) Number(663.67)
            <- 'Calc 1'!B7
    "#]],
    );
    check(
        &book,
        Both,
        "Calc 1!B7",
        expect![[r#"
        0 'Calc 1'!B7 =In!B7*In!$B$1 Number(1.33)
            <- In!B7
            <- In!B1
        1 In!B7 Number(7.0)
        1 In!B1 Number(0.19)
        1 'Calc 1'!B501 =SUM(B2:B500) Number(663.67)
            <- 'Calc 1'!B7
        2 Out!A1 ='Calc 1'!B501/COUNT(In!B:B)+1 Number(1.5)
            <- 'Calc 1'!B501
    "#]],
    );
}

#[test]
fn names_tables_and_other_workbooks() {
    let mut book = book(&[
        (
            "Sales",
            "A1 Item\nB1 Price\nC1 Net\nA1:C20 table Sales\nB2:B20 100\nC2:C20 =Sales[[#This Row],[Price]]*(1-Vat)
             E1 =SUM(Sales[Net])+Fixed+ROWS(Sales)
             E2 =[1]Sheet1!B2*'C:\\x\\[y.xls]Z'!A1+Nowhere+#REF!
             E3 =SUM(Jan:Mar!B2)+_xlfn.LET(x,1,x)
             E4 =Left+Sales[[#Headers],[Net]]",
        ),
        ("Rates", "B1 0.19"),
        ("Jan", "B2 1"),
        ("Feb", "B2 =1+1"),
        ("Mar", "B2 3"),
    ]);
    book.names = vec![
        name("Vat", None, "Rates!$B$1"),
        name("Vat", Some(1), "Rates!$C$1"),
        name("Fixed", None, "0.5"),
        name("Left", None, "Sales!XFD1"),
    ];
    check(
        &book,
        Precedents,
        "Sales!E1",
        expect![[r#"
        0 Sales!E1 =SUM(Sales[Net])+Fixed+ROWS(Sales)
            <- Sales!C2:C20 via Sales[Net]
            <- Fixed
            <- Sales!A2:C20 via Sales
        1 Sales!C2:C20 (19 of 19) =Sales[[#This Row],[Price]]*(1-Vat)
            <- Sales!B2:B20 via Sales[[#This Row],[Price]]
            <- Rates!B1 via Vat
        1 Fixed =0.5 Name
        1 Sales!A2:C20 (19 of 57) [chained]
            <- Rates!B1 via Vat
        2 Sales!B2:B20 (0 of 19)
        2 Rates!B1 Number(0.19)
    "#]],
    );
    check(
        &book,
        Precedents,
        "Sales!E2",
        expect![[r#"
            0 Sales!E2 =[1]Sheet1!B2*'C:\x\[y.xls]Z'!A1+Nowhere+#REF!
                <- #REF!
                <- [Budget.xlsx]Sheet1!B2
                <- [y.xls]Z!A1
                <- Nowhere
            1 #REF! Lost
            1 [Budget.xlsx]Sheet1!B2 External
            1 [y.xls]Z!A1 External
            1 Nowhere Unknown
        "#]],
    );
    check(
        &book,
        Precedents,
        "Sales!E3",
        expect![[r#"
        0 Sales!E3 =SUM(Jan:Mar!B2)+_xlfn.LET(x,1,x)
            <- Jan!B2
            <- Feb!B2
            <- Mar!B2
        1 Jan!B2 Number(1.0)
        1 Feb!B2 =1+1
        1 Mar!B2 Number(3.0)
    "#]],
    );
    check(
        &book,
        Precedents,
        "Sales!E4",
        expect![[r#"
            0 Sales!E4 =Left+Sales[[#Headers],[Net]]
                <- Sales!D4 via Left
                <- Sales!C1 via Sales[[#Headers],[Net]]
            1 Sales!D4
            1 Sales!C1 Text("Net")
        "#]],
    );
    check(
        &book,
        Dependents,
        "Rates!B1",
        expect![[r#"
        0 Rates!B1 Number(0.19)
        1 Sales!C2:C20 (19 of 19) =Sales[[#This Row],[Price]]*(1-Vat)
            <- Rates!B1 via Vat
        2 Sales!E1 =SUM(Sales[Net])+Fixed+ROWS(Sales)
            <- Sales!C2:C20 via Sales
            <- Sales!C2:C20 via Sales[Net]
    "#]],
    );
    check(
        &book,
        Dependents,
        "Feb!B2",
        expect![[r#"
        0 Feb!B2 =1+1
        1 Sales!E3 =SUM(Jan:Mar!B2)+_xlfn.LET(x,1,x)
            <- Feb!B2
    "#]],
    );
}

#[test]
fn running_sums_and_chains() {
    let book = book(&[("Data", "A1 1\nA2:A1000 shared =A1+1\nB2:B100 =SUM(A$2:A2)\nC2:C9 =SUM(C$20:C2)")]);
    check(
        &book,
        Precedents,
        "Data!A1000",
        expect![[r#"
        0 Data!A1000 =A999+1
            <- Data!A999
        1 Data!A999 =A998+1
            <- Data!A998
        2 Data!A998 =A997+1
            <- Data!A997
        3 Data!A997 =A996+1 [more]
        Truncation { beyond_depth: 1, beyond_max_nodes: 0, beyond_max_edges: 0 }
    "#]],
    );
    check(
        &book,
        Precedents,
        "Data!A2:A1000",
        expect![[r#"
        0 Data!A2:A1000 (999 of 999) =A1+1 [chained]
            <- Data!A1
        1 Data!A1 Number(1.0)
    "#]],
    );
    check(
        &book,
        Dependents,
        "Data!A50",
        expect![[r#"
        0 Data!A50 =A49+1
        1 Data!A51 =A50+1
            <- Data!A50
        1 Data!B50:B100 (51 of 51) =SUM(A$2:A50)
            <- Data!A50
        2 Data!A52 =A51+1
            <- Data!A51
        2 Data!B51:B100 (50 of 50) =SUM(A$2:A51)
            <- Data!A51
        3 Data!A53 =A52+1 [more]
            <- Data!A52
        3 Data!B52:B100 (49 of 49) =SUM(A$2:A52)
            <- Data!A52
        Truncation { beyond_depth: 1, beyond_max_nodes: 0, beyond_max_edges: 0 }
    "#]],
    );
    check(
        &book,
        Dependents,
        "Data!C15",
        expect![[r#"
        0 Data!C15
        1 Data!C2:C9 (8 of 8) =SUM(C$20:C2) [chained]
            <- Data!C15
    "#]],
    );
}

#[test]
fn arrays_are_one_formula() {
    let book = book(&[(
        "Data",
        "A1:A3 5\nC1:C3 {=A1:A3*2}\nE1:E3 spill =_xlfn.SORT(A1:A3)\nG1 =SUM(_xlfn.ANCHORARRAY(E1))\nH1 =C2",
    )]);
    check(
        &book,
        Precedents,
        "Data!H1",
        expect![[r#"
        0 Data!H1 =C2
            <- Data!C2
        1 Data!C2 {=A1:A3*2} Number(0.0)
            <- Data!A1:A3
        2 Data!A1:A3 (0 of 3)
    "#]],
    );
    check(
        &book,
        Dependents,
        "Data!A2",
        expect![[r#"
        0 Data!A2 Number(5.0)
        1 Data!C1:C3 (1 of 3) {=A1:A3*2}
            <- Data!A2
        1 Data!E1:E3 (1 of 3) =_xlfn.SORT(A1:A3)
            <- Data!A2
        2 Data!H1 =C2
            <- Data!C1:C3
        2 Data!G1 =SUM(_xlfn.ANCHORARRAY(E1))
            <- Data!E1:E3
    "#]],
    );
    check(
        &book,
        Dependents,
        "Data!E3",
        expect![[r#"
        0 Data!E3 =_xlfn.SORT(A1:A3) Number(0.0)
        1 Data!G1 =SUM(_xlfn.ANCHORARRAY(E1))
            <- Data!E3
    "#]],
    );
}

#[test]
fn arrays_of_one_cell_are_formulas_like_others() {
    let book = book(&[("Data", "B2 {=SUM(A2:A3)}\nB3 {=SUM(A3:A4)}\nB4 {=SUM(A4:A5)}")]);
    check(
        &book,
        Dependents,
        "Data!A4",
        expect![[r#"
        0 Data!A4
        1 Data!B3:B4 (2 of 2) {=SUM(A3:A4)}
            <- Data!A4
    "#]],
    );
    check(
        &book,
        Precedents,
        "Data!B3",
        expect![[r#"
        0 Data!B3 {=SUM(A3:A4)} Number(0.0)
            <- Data!A3:A4
        1 Data!A3:A4 (0 of 2)
    "#]],
    );
}

#[test]
fn what_no_text_tells_is_marked() {
    let mut book = book(&[("Data", "A1 =SUM(OFFSET(B1,0,0,9))\nA2 =INDIRECT(\"B\"&C2)+1\nA3 =Last*2")]);
    book.names = vec![name("Last", None, "INDEX(Data!$B:$B,COUNT(Data!$B:$B))+INDIRECT(\"x\")")];
    check(
        &book,
        Precedents,
        "Data!A1:A3",
        expect![[r#"
        0 Data!A1:A3 (3 of 3) [dynamic]
            <- Data!B1
            <- Data!C2
            <- Data!B:B via Last
        1 Data!B1
        1 Data!C2
        1 Data!B:B (0 of 1048576)
    "#]],
    );
    check(
        &book,
        Precedents,
        "Data!A3",
        expect![[r#"
        0 Data!A3 =Last*2 [dynamic]
            <- Data!B:B via Last
        1 Data!B:B (0 of 1048576)
    "#]],
    );
}

#[test]
fn circles_are_told_where_cells_prove_them() {
    let book = book(&[(
        "Data",
        "A1 =B1\nB1 =C1+ROW(B1)\nC1 =SUM(A1:A2)
         E10 =SUM(E1:E10)
         G1 10\nG2:G50 =H1\nH2:H50 =G2*2
         J1 =ROW(J1)+COLUMNS(J1:J2)",
    )]);
    check(
        &book,
        Precedents,
        "Data!A1",
        expect![[r#"
            0 Data!A1 =B1 [in cycle]
                <- Data!B1
            1 Data!B1 =C1+ROW(B1) [in cycle]
                <- Data!C1
            2 Data!C1 =SUM(A1:A2) [in cycle]
                <- Data!A1:A2
            3 Data!A1:A2 (1 of 2) [more]
            cycle Data!A1 Data!B1 Data!C1 of 3
            Truncation { beyond_depth: 1, beyond_max_nodes: 0, beyond_max_edges: 0 }
        "#]],
    );
    check(
        &book,
        Dependents,
        "Data!B1",
        expect![[r#"
            0 Data!B1 =C1+ROW(B1) [in cycle]
                <- Data!C1
            1 Data!A1 =B1 [in cycle]
                <- Data!B1
            2 Data!C1 =SUM(A1:A2) [in cycle]
                <- Data!A1
            cycle Data!B1 Data!C1 Data!A1 of 3
        "#]],
    );
    check(
        &book,
        Precedents,
        "Data!E10",
        expect![[r#"
        0 Data!E10 =SUM(E1:E10) [in cycle]
            <- Data!E1:E10
        1 Data!E1:E10 (1 of 10) [chained]
        cycle Data!E10 of 1
    "#]],
    );
    check(
        &book,
        Precedents,
        "Data!G2:G50",
        expect![[r#"
        0 Data!G2:G50 (49 of 49) =H1
            <- Data!H1:H49
        1 Data!H1:H49 (48 of 49)
            <- Data!G2:G49
        2 Data!G2:G49 (48 of 48) =H1
            <- Data!H1:H48
        3 Data!H1:H48 (47 of 48) [more]
        Truncation { beyond_depth: 1, beyond_max_nodes: 0, beyond_max_edges: 0 }
    "#]],
    );
    check(
        &book,
        Precedents,
        "Data!J1",
        expect![[r#"
            0 Data!J1 =ROW(J1)+COLUMNS(J1:J2)
                <- Data!J1:J2
            1 Data!J1:J2 (1 of 2) [chained]
        "#]],
    );
}

#[test]
fn the_example_plan_is_traced_to_its_inputs() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/workspace/finance/three-year-plan.xlsx");
    let bytes = std::fs::read(path).unwrap();
    let book = Workbook::open(bytes.into(), path, &Default::default(), &()).unwrap();
    check(
        &book,
        Precedents,
        "Outputs!B3",
        expect![[r#"
        0 Outputs!B3 =SUM(Calculation!B9:D9) Number(814510.7999999999)
            <- Calculation!B9:D9
        1 Calculation!B9:D9 (3 of 3) =B7+B8
            <- Calculation!B7:D7
            <- Calculation!B8:D8
        2 Calculation!B7:D7 (3 of 3) =SUM(B4:B6)
            <- Calculation!B4:D6
        2 Calculation!B8:D8 (3 of 3) =-MAX(B7,0)*TaxRate
            <- Calculation!B7:D7
            <- Inputs!B8 via TaxRate
        3 Calculation!B4:D6 (9 of 9) [more]
        3 Inputs!B8 Number(0.25)
        Truncation { beyond_depth: 1, beyond_max_nodes: 0, beyond_max_edges: 0 }
    "#]],
    );
}

#[test]
fn names_that_lead_to_each_other_end() {
    let mut book = book(&[("Data", "A1 =Name.0+Name.0")]);
    let next = |n: u32| format!("Name.{0}+Name.{0}+Data!$B${0}", n + 1);
    book.names = (0..100).map(|n| name(&format!("Name.{n}"), None, &next(n % 40))).collect();
    let trace = trace_of(&book, "Data!A1", TraceOptions::default());
    assert_eq!(trace.nodes.len(), 18, "{trace:?}");
}

#[test]
fn limits_are_explicit() {
    let wide: String = (1..=50).map(|row| format!("B{row} =A1*{row}\n")).collect();
    let book = book(&[("Data", &format!("{wide}C1 =SUM(B1:B50)\nA1 =Z1"))]);
    let options = TraceOptions { direction: Dependents, depth: 1, max_nodes: 4, max_edges: 2 };
    expect![[r#"
        0 Data!A1 =Z1 [more]
        1 Data!B1 =A1*1 [more]
            <- Data!A1
        1 Data!B2 =A1*2 [more]
            <- Data!A1
        1 Data!B3 =A1*3 [more]
        Truncation { beyond_depth: 3, beyond_max_nodes: 47, beyond_max_edges: 1 }
    "#]]
    .assert_eq(&printed(&trace_of(&book, "Data!A1", options)));
    let options = TraceOptions { direction: Precedents, depth: 0, ..options };
    expect![[r#"
        0 Data!A1 =Z1 [more]
        Truncation { beyond_depth: 1, beyond_max_nodes: 0, beyond_max_edges: 0 }
    "#]]
    .assert_eq(&printed(&trace_of(&book, "Data!A1", options)));
}
