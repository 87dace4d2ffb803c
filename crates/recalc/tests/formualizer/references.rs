//! References of special kinds.

use recalc::ironcalc::IronCalc;
use recalc::{Engine, Refusal};
use workbook::SheetId;

use crate::support::{Book, MOMENT, at, check, check_spill, shown, shows};

#[test]
fn references_go_through_sheets() {
    let months: &[(&str, &[(&str, &str)])] = &[
        (
            "All",
            &[
                ("A1", "=SUM(Jan:Mar!A1)"),
                ("A2", "=AVERAGE('Jan:Mar'!A1:A2,6)"),
                ("A3", "=MAX(Mar:Jan!A:A)"),
                ("A4", "=SHEETS(Jan:Mar!A1)"),
                ("A5", "=SUMIF(Jan:Mar!A1,1)"),
                ("A6", "=Jan:Mar!A1"),
            ],
        ),
        ("Jan", &[("A1", "1"), ("A2", "10")]),
        ("Feb", &[("A1", "2"), ("A2", "20")]),
        ("Mar", &[("A1", "3"), ("A2", "30")]),
        ("Apr", &[("A1", "4")]),
    ];
    let engine = Book::new(months).calculated();
    assert_eq!(shows(&engine, "A1:A4"), format!("6;{};30;3", 72.0 / 7.0));
    let refused: Vec<(String, Refusal)> =
        engine.refused().iter().map(|refused| (refused.at.to_string(), refused.why)).collect();
    assert_eq!(refused, [("A5".to_owned(), Refusal::Unsupported), ("A6".to_owned(), Refusal::Unsupported)]);
}

#[test]
fn conditions_are_about_single_cells() {
    let five = [("A1", "5"), ("B1", "'x"), ("C1", "#N/A")];
    for cell in ["A1", "A1:A1", "$A$1", "Sheet1!A1"] {
        check(&format!("=COUNTIF({cell},\">0\")"), &five, "1");
        check(&format!("=SUMIF({cell},\">0\")"), &five, "5");
        check(&format!("=SUMIFS({cell},{cell},\">0\")"), &five, "5");
        check(&format!("=AVERAGEIFS({cell},{cell},\">0\")"), &five, "5");
        check(&format!("=COUNTIFS({cell},\">0\")"), &five, "1");
        check(&format!("=AVERAGEIF({cell},\">0\")"), &five, "5");
        check(&format!("=MAXIFS({cell},{cell},\">0\")"), &five, "5");
        check(&format!("=COUNTIF({cell},\">5\")"), &five, "0");
    }
    check("=COUNTIF(B1,\"x\")", &five, "1");
    check("=COUNTIF(C1,\"#N/A\")", &five, "1");
    check("=COUNTIF(D1,\"\")", &five, "1");
    check("=SUMIFS(C1,A1,\">5\")", &five, "0");
    check("=SUMIFS(C1,A1,5)", &five, "#N/A");
    check_spill("=SUMIF(A1,{5,6})", &five, "5,0");
}

#[test]
fn texts_end_somewhere() {
    let long = [("A1", "=REPT(\"x\",20000)"), ("A2", "=REPT(\"x\",32767)")];
    check("=LEN(A2)", &long, "32767");
    check("=A1&A1", &long, "#VALUE!");
    check("=A2&\"\"&A1&A1&A1&A1&A1&A1", &long, "#VALUE!");
    check("=CONCAT(A1,A1)", &long, "#VALUE!");
    check("=TEXTJOIN(\"\",TRUE,A1:A2)", &long, "#VALUE!");
    check("=SUBSTITUTE(A2,\"x\",\"xx\")", &long, "#VALUE!");
    check("=LEN(A2&\"\")", &long, "32767");
}

#[test]
fn spilled_cells_are_referred_to_by_text() {
    let mut cells: Vec<(String, String)> = vec![
        ("A1#".to_owned(), "=SEQUENCE(5)".to_owned()),
        ("C1".to_owned(), "=INDIRECT(\"A3\")".to_owned()),
        ("C2".to_owned(), "=SUM(INDIRECT(\"A1:A5\"))".to_owned()),
        ("C3".to_owned(), "=C1+1".to_owned()),
        ("C4".to_owned(), "=OFFSET(A1,2,0)".to_owned()),
    ];
    for row in 1..=300 {
        cells.push((format!("E{row}"), format!("=ROW()*{row}+INDIRECT(\"A2\")")));
    }
    let cells: Vec<(&str, &str)> =
        cells.iter().map(|(at, content)| (at.as_str(), content.as_str())).collect();
    let engine = Book::of(&cells).calculated();
    assert_eq!(shows(&engine, "C1:C4"), "3;15;4;3");
    assert_eq!(shows(&engine, "E299:E300"), format!("{};{}", 299 * 299 + 2, 300 * 300 + 2));
}

/// Formulas that read another workbook, of which the file has copies.
fn linked() -> Book {
    Book::of(&[
        ("A1", "=[1]Rates!B2*2"),
        ("A2", "=VLOOKUP(\"EUR\",[1]Rates!A:B,2,FALSE)"),
        ("A3", "=SUM('[1]rates'!B1:B9)"),
        ("A4", "=[1]!Euro+SHEETS()"),
        ("A5", "=[1]Lost!A1"),
        ("A6", "=[1]Rates!C7"),
        ("A7", "=[2]Rates!A1"),
        ("A8", "=SUM([1]Rates:Lost!A1)"),
        ("A9", "=A1+1"),
    ])
    .linked_to(
        &[("Rates", &[("A1", "USD"), ("B1", "1"), ("A2", "EUR"), ("B2", "1.5")]), ("Lost", &[])],
        &[("Euro", "='Rates'!$B$2")],
    )
}

fn refused(engine: &dyn Engine) -> String {
    let told = engine.refused().iter().map(|refused| format!("{} {:?}", refused.at, refused.why));
    told.collect::<Vec<_>>().join(", ")
}

#[test]
fn other_workbooks_are_read_from_their_copies() {
    let book = linked();
    let engine = book.calculated();
    assert_eq!(shows(&engine, "A1:A5"), "3;1.5;2.5;2.5;#REF!");
    assert_eq!(shows(&engine, "A9"), "4");
    // What has no copy may be an empty cell, or one that nobody read.
    assert_eq!(refused(&engine), "A6 Outside, A7 Outside, A8 Outside");
    let mut exact = IronCalc::load(book.source()).unwrap();
    exact.calculate(MOMENT, &|| false).unwrap();
    let shown_by = |cell: &str| shown(&exact.value(SheetId(0), at(cell)));
    let cells = ["A1", "A2", "A3", "A4", "A5", "A9"];
    assert_eq!(cells.map(shown_by), ["3", "1.5", "2.5", "2.5", "#REF!", "4"]);
    assert_eq!(refused(&exact), "A6 Outside, A7 Outside, A8 Outside");
}

#[test]
fn copies_that_are_not_known_to_be_complete_stand_for_themselves_alone() {
    let mut book = linked();
    book.book.external_links[0].is_covered = false;
    let engine = book.calculated();
    assert_eq!(shows(&engine, "A1"), "3");
    assert_eq!(shows(&engine, "A4"), "2.5");
    assert_eq!(refused(&engine), "A2 Outside, A3 Outside, A5 Outside, A6 Outside, A7 Outside, A8 Outside");
}
