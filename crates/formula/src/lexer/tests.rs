use super::*;
use proptest::prelude::*;

/// One line a token: what it is, then its text with the end of its prefix marked.
fn check(formula: &str, expected: &[&str]) {
    let found: Vec<String> = lex(formula).map(|token| describe(&token)).collect();
    assert_eq!(found, expected, "{formula}");
    assert_eq!(lex(formula).map(|token| token.text).collect::<String>(), formula);
}

fn describe(token: &Token<'_>) -> String {
    let kind = match token.kind {
        TokenKind::Reference(RefKind::Cell(_)) => "cell".to_owned(),
        TokenKind::Reference(RefKind::Range(..)) => "range".to_owned(),
        TokenKind::Reference(RefKind::Columns(..)) => "columns".to_owned(),
        TokenKind::Reference(RefKind::Rows(..)) => "rows".to_owned(),
        TokenKind::Reference(RefKind::Lost) => "lost".to_owned(),
        TokenKind::Operator(operator) => format!("{operator:?}").to_lowercase(),
        TokenKind::Separator(separator) => format!("{separator:?}").to_lowercase(),
        kind => format!("{kind:?}").to_lowercase(),
    };
    let (prefix, body) = token.text.split_at(token.prefix_len);
    if prefix.is_empty() { format!("{kind} {body}") } else { format!("{kind} {prefix}|{body}") }
}

#[test]
fn literals() {
    check("=1", &["start =", "number 1"]);
    check("1E+5", &["number 1E+5"]);
    check("1e-3+.5+2.", &["number 1e-3", "plus +", "number .5", "plus +", "number 2."]);
    check("1E+A1", &["unknown 1E", "plus +", "cell A1"]);
    check("\"a\"\"b\"&\"\"", &["text \"a\"\"b\"", "concat &", "text \"\""]);
    check(
        "TRUE+false+TRUE()",
        &["bool TRUE", "plus +", "bool false", "plus +", "function TRUE", "openparen (", "closeparen )"],
    );
    check("#N/A+#DIV/0!-#ref!", &["error #N/A", "plus +", "error #DIV/0!", "minus -", "error #ref!"]);
    check(
        "{1,2;3,\"a\"}",
        &[
            "openbrace {",
            "number 1",
            "arraycolumn ,",
            "number 2",
            "arrayrow ;",
            "number 3",
            "arraycolumn ,",
            "text \"a\"",
            "closebrace }",
        ],
    );
}

#[test]
fn cells_and_what_only_looks_like_them() {
    check("$A$1", &["cell $A$1"]);
    check("a1:B$2", &["range a1:B$2"]);
    check("A:$C", &["columns A:$C"]);
    check("$3:4", &["rows $3:4"]);
    check("XFD1048576", &["cell XFD1048576"]);
    for name in ["XFE1", "A1048577", "A0", "A01", "R1C1", "RC", "A1B", "_A1", "ABCD1", "A1.x", "ÉA1", "A"] {
        check(name, &[&format!("name {name}")]);
    }
    check("LOG10(1)", &["function LOG10", "openparen (", "number 1", "closeparen )"]);
    check("$A", &["unknown $A"]);
    check("A:A1", &["name A", "range :", "cell A1"]);
}

#[test]
fn the_range_operator() {
    check(
        "A1:INDEX(B:B,3)",
        &[
            "cell A1",
            "range :",
            "function INDEX",
            "openparen (",
            "columns B:B",
            "argument ,",
            "number 3",
            "closeparen )",
        ],
    );
    check(
        "A1:LOG10(2)",
        &["cell A1", "range :", "function LOG10", "openparen (", "number 2", "closeparen )"],
    );
    check("Sheet1!A1:Sheet1!B2", &["cell Sheet1!|A1", "range :", "cell Sheet1!|B2"]);
    check("S1!A1:S1!B2", &["cell S1!|A1", "range :", "cell S1!|B2"]);
    check("A1:Sheet1!B2", &["cell A1", "range :", "cell Sheet1!|B2"]);
    check("A1:B2:C3", &["range A1:B2", "range :", "cell C3"]);
    check("A1 : B2", &["cell A1", "whitespace  ", "range :", "whitespace  ", "cell B2"]);
    check("T[[#Headers],[a]]:[@a]", &["structured T[[#Headers],[a]]", "range :", "structured [@a]"]);
}

#[test]
fn sheets_and_workbooks() {
    check("Sheet1!A1:B2", &["range Sheet1!|A1:B2"]);
    check("'It''s ! [1]'!$A:$A", &["columns 'It''s ! [1]'!|$A:$A"]);
    check("Sheet1:Sheet3!A1", &["cell Sheet1:Sheet3!|A1"]);
    check("'Q 1:Q 4'!2:3", &["rows 'Q 1:Q 4'!|2:3"]);
    check("A:C!A1", &["cell A:C!|A1"]);
    check("2024!A1+2023:2024!A1", &["cell 2024!|A1", "plus +", "cell 2023:2024!|A1"]);
    check("[1]Sheet1!A1", &["cell [1]Sheet1!|A1"]);
    check("[1]Jan:Mar!A1", &["cell [1]Jan:Mar!|A1"]);
    check("[Book 1.xlsx]Sheet1!A1", &["cell [Book 1.xlsx]Sheet1!|A1"]);
    check(r"'C:\dir\[b.xlsx]S'!A1", &[r"cell 'C:\dir\[b.xlsx]S'!|A1"]);
    check("[1]!Name+Sheet1!Name", &["name [1]!|Name", "plus +", "name Sheet1!|Name"]);
    check("[1]!'!Sheet1!R1C1'", &["name [1]!|'!Sheet1!R1C1'"]);
    check("'b.xlam'!F(1)", &["function 'b.xlam'!|F", "openparen (", "number 1", "closeparen )"]);
    check("Übersicht!Ä1", &["name Übersicht!|Ä1"]);
    check("!A1", &["cell !|A1"]);
    check("Sheet1!#REF!", &["lost Sheet1!|#REF!"]);
    check("#REF!$A$1+#REF!#REF!", &["cell #REF!|$A$1", "plus +", "lost #REF!|#REF!"]);
    check("b.xlsx!T[a]", &["structured b.xlsx!|T[a]"]);
}

#[test]
fn tables_and_names() {
    check("Table1[[#Headers],[a'[b]]", &["structured Table1[[#Headers],[a'[b]]"]);
    check("Table[[#This Row],[Col]]", &["structured Table[[#This Row],[Col]]"]);
    check("[@Col]*Table[#All]", &["structured [@Col]", "multiply *", "structured Table[#All]"]);
    check("T[it''s ']]", &["structured T[it''s ']]"]);
    check("_xlpm.x+größe.2+\\a?", &["name _xlpm.x", "plus +", "name größe.2", "plus +", "name \\a?"]);
    check("_xlfn.ANCHORARRAY(A1)", &["function _xlfn.ANCHORARRAY", "openparen (", "cell A1", "closeparen )"]);
    check("_xlfn._xlws.SORT(A1)", &["function _xlfn._xlws.SORT", "openparen (", "cell A1", "closeparen )"]);
}

#[test]
fn operators() {
    check("A1#", &["cell A1", "spill #"]);
    check("A1:B2#", &["cell A1", "range :", "cell B2", "spill #"]);
    check("@A1", &["implicit @", "cell A1"]);
    check("A1 B1", &["cell A1", "intersection  ", "cell B1"]);
    check("A:A 'S 1'!3:3", &["columns A:A", "intersection  ", "rows 'S 1'!|3:3"]);
    check("A1\n+ B1 ", &["cell A1", "whitespace \n", "plus +", "whitespace  ", "cell B1", "whitespace  "]);
    check("A1,B1", &["cell A1", "union ,", "cell B1"]);
    check(
        "F((A1,B1),C1)",
        &[
            "function F",
            "openparen (",
            "openparen (",
            "cell A1",
            "union ,",
            "cell B1",
            "closeparen )",
            "argument ,",
            "cell C1",
            "closeparen )",
        ],
    );
    check("-5%^2", &["minus -", "number 5", "percent %", "power ^", "number 2"]);
    check(
        "A1<>B1<=C1>=D1<E1>F1=G1",
        &[
            "cell A1",
            "notequal <>",
            "cell B1",
            "lessequal <=",
            "cell C1",
            "greaterequal >=",
            "cell D1",
            "less <",
            "cell E1",
            "greater >",
            "cell F1",
            "equal =",
            "cell G1",
        ],
    );
}

#[test]
fn broken_text() {
    check("'open!A1", &["unknown 'open!A1"]);
    check("\"open", &["unknown \"open"]);
    check("T[open+A1", &["name T", "unknown [open+A1"]);
    check("Sheet1!+", &["unknown Sheet1!", "plus +"]);
    check("1A+A1;~", &["unknown 1A", "plus +", "cell A1", "unknown ;", "unknown ~"]);
    check("]'a'#", &["unknown ]", "unknown 'a'", "unknown #"]);
}

#[test]
fn hostile_nesting_is_harmless() {
    for piece in
        ["(", ")", "{", "[", "'", "''", "\"", "SUM(", "A:", "A!", "[a]", "T[", "#", "A1:", "1:", "a[']"]
    {
        let formula = piece.repeat(300_000);
        let length: usize = lex(&formula).map(|token| token.text.len()).sum();
        assert_eq!(length, formula.len(), "{piece}");
    }
}

fn formula_like() -> impl Strategy<Value = String> {
    let alphabet: Vec<char> = "A1$:!'\"[](){}#@,; +-%^&<>=.E_\\?é\u{a0}REF/".chars().collect();
    prop::collection::vec(prop::sample::select(alphabet), 0..40).prop_map(String::from_iter)
}

proptest! {
    #[test]
    fn total_and_lossless(formula in prop_oneof![formula_like(), any::<String>()]) {
        let mut end = 0;
        for token in lex(&formula) {
            prop_assert_eq!(token.start, end);
            prop_assert!(!token.text.is_empty());
            prop_assert_eq!(&formula[token.span()], token.text);
            let _ = token.prefix();
            end = token.span().end;
        }
        prop_assert_eq!(end, formula.len());
    }

    #[test]
    fn every_reading_is_total(formula in prop_oneof![formula_like(), any::<String>()]) {
        let mentions = crate::references(&formula).count();
        prop_assert!(mentions <= crate::shape(&formula).references);
        for constant in crate::hardcoded_constants(&formula) {
            prop_assert!(formula.get(constant.span).is_some());
        }
        crate::to_r1c1(&formula, grid::CellRef::A1);
    }
}
