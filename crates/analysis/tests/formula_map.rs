//! The map of formulas over small workbooks.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use analysis::formulas::{Area, FormulaMap, MapOptions, Places, formula_map};
use expect_test::{Expect, expect};
use workbook::{SheetId, Workbook};

fn map(book: &Workbook, options: &MapOptions) -> FormulaMap {
    let sheets = book.sheets(1, &()).unwrap();
    formula_map(&Places::new(book, &sheets), options, &|| false).unwrap()
}

fn check_groups(cells: &str, expected: Expect) {
    let map = map(&support::book(&[("Data", cells)]), &MapOptions::default());
    let line = |group: &analysis::formulas::FormulaGroup| {
        let mut line = format!(
            "{} {} | {} | {} ({}) | {}",
            group.at,
            group.formula,
            group.r1c1,
            group.ranges.items.join(" "),
            group.cells,
            group.functions.join(" ")
        );
        if group.volatile {
            line.push_str(" | volatile");
        }
        if !group.constants.is_empty() {
            line.push_str(&format!(" | constants {}", group.constants.join(" ")));
        }
        if group.errors > 0 {
            line.push_str(&format!(" | {} errors", group.errors));
        }
        line + "\n"
    };
    expected.assert_eq(&map.groups.items.iter().map(line).collect::<String>());
}

fn check_odd(cells: &str, expected: Expect) {
    let map = map(&support::book(&[("Data", cells)]), &MapOptions::default());
    let line = |odd: &analysis::formulas::Inconsistency| {
        format!("{} {:?} {} expected {} in {}\n", odd.at, odd.kind, odd.found, odd.expected, odd.run)
    };
    expected.assert_eq(&map.inconsistent.items.iter().map(line).collect::<String>());
}

#[test]
fn equal_formulas_are_one_group() {
    check_groups(
        "C2:C99 =A2*$B$1
         E2:H20 shared =ROUND(A2*1.19,2)+NOW() -> #NAME?
         C200 =A200*$B$1
         J1 =SUM(C2:C99)
         K1:K5 {=A1:A5*2}
         L1 =_xlfn._xlws.SORT(A1:A5)",
        expect![[r#"
            J1 =SUM(C2:C99) | =SUM(R[1]C[-7]:R[98]C[-7]) | J1 (1) | SUM
            K1 {=A1:A5*2} | =RC[-10]:R[4]C[-10]*2 | K1:K5 (1) |  | constants 2
            L1 =_xlfn._xlws.SORT(A1:A5) | =_xlfn._xlws.SORT(RC[-11]:R[4]C[-11]) | L1 (1) | SORT
            C2 =A2*$B$1 | =RC[-2]*R1C2 | C2:C99 C200 (99) | 
            E2 =ROUND(A2*1.19,2)+NOW() | =ROUND(RC[-4]*1.19,2)+NOW() | E2:H20 (76) | NOW ROUND | volatile | constants 1.19 | 76 errors
        "#]],
    );
}

#[test]
fn errors_links_and_constants_are_listed() {
    let book = support::book(&[
        (
            "In",
            "B2:B9 =A2/0.5 -> #DIV/0!\nB12:B14 =A2/0.5 -> 1\nC1 ='[1]Sheet1'!A1+Other!#REF!\nD1 =[0]!x+Out!A1/2",
        ),
        ("Empty", "A1 5"),
        ("Out", "A1:A3 =IF(TODAY()>0,In!B2) -> #DIV/0!"),
    ]);
    let map = map(&book, &MapOptions { max_groups: 1, ..MapOptions::default() });
    expect![[r##"
        {
          "totals": {
            "sheets": 2,
            "formulas": 16,
            "patterns": 5,
            "blocks": 5,
            "arrays": 0,
            "errors": 11,
            "volatile": 3,
            "lost_references": 1,
            "external": 1,
            "with_constants": 12,
            "inconsistent": 0
          },
          "groups": {
            "items": [
              {
                "sheet": "In",
                "at": "C1",
                "formula": "='[1]Sheet1'!A1+Other!#REF!",
                "r1c1": "='[1]Sheet1'!RC[-2]+Other!#REF!",
                "ranges": {
                  "items": [
                    "C1"
                  ],
                  "total": 1
                },
                "cells": 1,
                "functions": []
              }
            ],
            "total": 5
          },
          "inconsistent": {
            "items": [],
            "total": 0
          },
          "errors": {
            "items": [
              {
                "at": "In!B2:B9",
                "error": "#DIV/0!",
                "formula": "=A2/0.5"
              },
              {
                "at": "Out!A1:A3",
                "error": "#DIV/0!",
                "formula": "=IF(TODAY()>0,In!B2)"
              }
            ],
            "total": 2
          },
          "volatile": {
            "items": [
              {
                "at": "Out!A1:A3",
                "formula": "=IF(TODAY()>0,In!B2)",
                "cells": 3
              }
            ],
            "total": 1
          },
          "lost_references": {
            "items": [
              {
                "at": "In!C1",
                "formula": "='[1]Sheet1'!A1+Other!#REF!",
                "cells": 1
              }
            ],
            "total": 1
          },
          "external": {
            "items": [
              {
                "at": "In!C1",
                "formula": "='[1]Sheet1'!A1+Other!#REF!",
                "cells": 1
              }
            ],
            "total": 1
          },
          "constants": {
            "items": [
              {
                "at": "In!D1",
                "constants": [
                  "2"
                ],
                "formula": "=[0]!x+Out!A1/2",
                "cells": 1
              },
              {
                "at": "In!B2:B9",
                "constants": [
                  "0.5"
                ],
                "formula": "=A2/0.5",
                "cells": 8
              },
              {
                "at": "In!B12:B14",
                "constants": [
                  "0.5"
                ],
                "formula": "=A2/0.5",
                "cells": 3
              }
            ],
            "total": 3
          }
        }"##]]
    .assert_eq(&serde_json::to_string_pretty(&map).unwrap());
}

#[test]
fn another_formula_or_a_constant_in_a_run_is_odd() {
    check_odd(
        "B2:B99 =A2*2\nB57 =A57*3",
        expect![[r#"
        Data!B57 Formula =A57*3 expected =A57*2 in Data!B2:B99
    "#]],
    );
    check_odd(
        "B2:B99 shared =A2*2\nB57 41.5",
        expect![[r#"
        Data!B57 Constant 41.5 expected =A57*2 in Data!B2:B99
    "#]],
    );
    check_odd(
        "C5:Z5 =B5*1.05\nK5 7\nL5 =K5*1.5",
        expect![[r#"
        Data!K5 Constant 7 expected =J5*1.05 in Data!C5:Z5
        Data!L5 Formula =K5*1.5 expected =K5*1.05 in Data!C5:Z5
    "#]],
    );
    check_odd(
        "B2:C50 =A2*2\nC20 TRUE\nB30:B31 =A30",
        expect![[r#"
        Data!C20 Constant TRUE expected =B20*2 in Data!C2:C50
        Data!B30 Formula =A30 expected =A30*2 in Data!B2:B50
        Data!B31 Formula =A31 expected =A31*2 in Data!B2:B50
    "#]],
    );
}

#[test]
fn the_end_of_a_run_is_odd_where_its_neighbour_goes_on() {
    check_odd(
        "B2:C99 =$A2*2\nC99 12",
        expect![[r#"
        Data!C99 Constant 12 expected =$A99*2 in Data!C2:C98
    "#]],
    );
    check_odd(
        "B2:C99 =$A2*2\nC99 =A98",
        expect![[r#"
        Data!C99 Formula =A98 expected =$A99*2 in Data!C2:C98
    "#]],
    );
    check_odd("B2:C99 =$A2*2\nC99 =SUM(C2:C98)", expect![[r#""#]]);
    check_odd("B3:B99 =$A3*2\nC2:C99 =$A2*2\nB2 12", expect![[r#""#]]);
}

#[test]
fn what_is_regular_the_other_way_round_is_left_alone() {
    // Subtotals, rows with formulas of their own, rows of inputs, blanks, headings, and results of arrays.
    check_odd("B2:B20 =A2*2\nB6 =SUM(B2:B5)\nB11 =SUM(B7:B10)\nB16 =SUM(B12:B15)", expect![[""]]);
    check_odd("B2:M20 =A2*2\nB7:M7 =B6-B5\nB12:M12 500", expect![[""]]);
    check_odd("B2:B9 =A2*2\nB11:B19 =A11*2", expect![[""]]);
    check_odd("B2:B9 =A2*2\nB10 North\nB11:B19 =A11*2", expect![[""]]);
    check_odd("B2:B9 =A2*2\nB10:C11 {=A10:B11}\nB12:B19 =A12*2", expect![[""]]);
    check_odd("B2:B9 =4*12\nB5 12\nB7 =2*12", expect![[""]]);
    // Too few around it to tell which one is odd.
    check_odd("B2 =A2*2\nB3 =A3\nB4 =A4*2", expect![[""]]);
}

#[test]
fn only_the_wanted_ranges_are_mapped() {
    let book = support::book(&[("Data", "B2:B99 =A2*2\nB57 4\nC1 =SUM(B:B)"), ("More", "A1 =1")]);
    let within = vec![Area { sheet: SheetId(0), range: "B50:B60".parse().unwrap() }];
    let map = map(&book, &MapOptions { within, ..MapOptions::default() });
    assert_eq!((map.totals.formulas, map.totals.patterns, map.totals.inconsistent), (10, 1, 1));
    assert_eq!(map.groups.items[0].ranges.items, ["B50:B56", "B58:B60"]);
}

#[test]
fn pages_and_cancellation() {
    let lines: String = (1..=10).map(|row| format!("A{row} =B{row}*{}\n", row + 1)).collect();
    let book = support::book(&[("Data", &lines)]);
    let page = map(&book, &MapOptions { skip_groups: 4, max_groups: 2, ..MapOptions::default() });
    let places: Vec<&str> = page.groups.items.iter().map(|group| group.at.as_str()).collect();
    assert_eq!((places, page.groups.total), (vec!["A5", "A6"], 10));
    let sheets = book.sheets(1, &()).unwrap();
    let cancelled = formula_map(&Places::new(&book, &sheets), &MapOptions::default(), &|| true);
    assert!(cancelled.is_err());
}
