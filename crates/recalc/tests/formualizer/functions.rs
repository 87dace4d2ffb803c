//! What functions yield.

use recalc::Engine;

use crate::support::{Book, check, check_spill, shows};

#[test]
fn arrays_are_lifted() {
    let lifted: &[(&str, &str)] = &[
        ("=ABS({-1,2})", "1,2"),
        ("=LEFT({\"ab\",\"cd\"},1)", "a,c"),
        ("=LEFT(TEXT(2+SEQUENCE(1,3,0),\"ddd\"))", "M,T,W"),
        ("=RIGHT({\"ab\",\"cd\"},1)", "b,d"),
        ("=MID({\"abc\",\"def\"},2,1)", "b,e"),
        ("=LEN({\"a\",\"bc\"})", "1,2"),
        ("=UPPER({\"a\",\"b\"})", "A,B"),
        ("=LOWER({\"A\",\"B\"})", "a,b"),
        ("=TRIM({\" a\",\"b \"})", "a,b"),
        ("=SUBSTITUTE({\"aa\",\"ba\"},\"a\",\"x\")", "xx,bx"),
        ("=REPLACE({\"abc\",\"def\"},1,1,\"x\")", "xbc,xef"),
        ("=FIND(\"a\",{\"ba\",\"ab\"})", "2,1"),
        ("=SEARCH(\"a\",{\"ba\",\"ab\"})", "2,1"),
        ("=EXACT({\"a\",\"b\"},\"a\")", "TRUE,FALSE"),
        ("=REPT({\"a\",\"b\"},2)", "aa,bb"),
        ("=CHAR({65,66})", "A,B"),
        ("=CODE({\"A\",\"B\"})", "65,66"),
        ("=VALUE({\"1\",\"2\"})", "1,2"),
        ("=TEXT({1,2},\"0.0\")", "1.0,2.0"),
        ("=ROUND({1.25,2.35},1)", "1.3,2.4"),
        ("=ROUNDUP({1.21,2.31},1)", "1.3,2.4"),
        ("=ROUNDDOWN({1.29,2.39},1)", "1.2,2.3"),
        ("=INT({1.5,-1.5})", "1,-2"),
        ("=TRUNC({1.5,-1.5})", "1,-1"),
        ("=MOD({5,6},4)", "1,2"),
        ("=SQRT({4,9})", "2,3"),
        ("=POWER({2,3},2)", "4,9"),
        ("=EXP({0,0})", "1,1"),
        ("=LN({1,1})", "0,0"),
        ("=LOG10({10,100})", "1,2"),
        ("=LOG({8,4},2)", "3,2"),
        ("=SIN({0,0})", "0,0"),
        ("=SIGN({-3,3})", "-1,1"),
        ("=FACT({3,4})", "6,24"),
        ("=COMBIN({4,5},2)", "6,10"),
        ("=GCD(12,18)", "6"),
        ("=YEAR({45000,45400})", "2023,2024"),
        ("=MONTH({45000,45400})", "3,4"),
        ("=DAY({45000,45400})", "15,18"),
        ("=HOUR({0.5,0.25})", "12,6"),
        ("=WEEKDAY({45000,45001})", "4,5"),
        ("=DATE({2023,2024},1,1)", "44927,45292"),
        ("=EDATE({45000,45001},1)", "45031,45032"),
        ("=ISNUMBER({1,\"a\"})", "TRUE,FALSE"),
        ("=ISTEXT({1,\"a\"})", "FALSE,TRUE"),
        ("=ISERROR({1,#N/A})", "FALSE,TRUE"),
        ("=ISBLANK(A1:B1)", "TRUE,TRUE"),
        ("=ISEVEN({1,2})", "FALSE,TRUE"),
        ("=NOT({TRUE,FALSE})", "FALSE,TRUE"),
        ("=IF({TRUE,FALSE},1,2)", "1,2"),
        ("=IF({TRUE,FALSE},{1,2},{3,4})", "1,4"),
        ("=IFERROR({1,#N/A},9)", "1,9"),
        ("=IFNA({1,#N/A},9)", "1,9"),
        ("=IFS({TRUE,FALSE},1,TRUE,2)", "1,2"),
        ("=SWITCH({1,2},1,\"a\",\"b\")", "a,b"),
        ("=CHOOSE({1,2},\"a\",\"b\")", "a,b"),
        ("=SUMIF(A1:A2,{1,2})", "0,0"),
        ("=MATCH({1,2},{1,2},0)", "1,2"),
        ("=VLOOKUP({1,2},{1,5;2,6},2,FALSE)", "5,6"),
        ("=XLOOKUP({1,2},{1,2},{5,6})", "5,6"),
        ("=INDEX({1,2;3,4},2,0)", "3,4"),
        ("=LARGE({1,2,3},{1,2})", "3,2"),
        ("=SMALL({1,2,3},{1,2})", "1,2"),
        ("=QUARTILE({1,2,3},{1,2})", "1.5,2"),
        ("=ROMAN({1,2})", "I,II"),
        ("=BITAND({1,3},2)", "0,2"),
        ("=DEC2BIN({1,2})", "1,10"),
        ("=PMT({0.1,0.2},1,100)", "-109.9999999999999,-120.00000000000003"),
        ("=NORM.S.DIST({0,0},TRUE)", "0.5,0.5"),
        ("=CONCAT({\"a\",\"b\"})", "ab"),
        ("=TEXTJOIN(\"-\",TRUE,{\"a\",\"b\"})", "a-b"),
        ("=ADDRESS({1,2},1)", "$A$1,$A$2"),
        ("=DAYS({45001,45002},45000)", "1,2"),
        ("=MAX({1,2})", "2"),
        ("=TRANSPOSE({1,2})", "1;2"),
        ("=SORT({3,1,2},1,1,TRUE)", "1,2,3"),
        ("=FREQUENCY({1,2,3},{1,2})", "1;1;1"),
        ("={1,2}&\"x\"", "1x,2x"),
        ("=-{1,2}", "-1,-2"),
        ("={1,2}%", "0.01,0.02"),
        ("={1;2}+{10,20}", "11,21;12,22"),
        ("=AND({TRUE,FALSE})", "FALSE"),
        ("=TYPE({1,2})", "64"),
        ("=COLUMN(A1:B1)", "1,2"),
        ("=PROPER({\"ab\",\"cd\"})", "Ab,Cd"),
        ("=DATEVALUE({\"2023-01-01\",\"2023-01-02\"})", "44927,44928"),
        ("=TIME({1,2},0,0)", "0.041666666666666664,0.08333333333333333"),
        ("=RADIANS({0,180})", "0,3.141592653589793"),
        ("=MROUND({7,8},5)", "5,10"),
        ("=CEILING({1.2,2.2},1)", "2,3"),
        ("=QUOTIENT({7,9},2)", "3,4"),
    ];
    let mut wrong = Vec::new();
    for (formula, expected) in lifted {
        let outcome = std::panic::catch_unwind(|| check_spill(formula, &[], expected));
        if outcome.is_err() {
            wrong.push(*formula);
        }
    }
    assert_eq!(wrong, Vec::<&str>::new());
}

#[test]
fn plain_formulas_yield_one_value() {
    let column = [("A1", "1"), ("A2", "2")];
    check("=A1:A2*2", &column, "2");
    check("=A1:A2", &column, "1");
    check("=SUM(A1:A2)", &column, "3");
    check("={5,6}", &[], "5");
    check("=SUMPRODUCT(LEN(A1:A2))", &column, "2");
    check("=B2:B3", &[], "#VALUE!");
}

#[test]
fn a_function_that_is_none_is_an_unknown_name() {
    let cells = [("A1", "=SUMM(1,2)"), ("A2", "=IFERROR(SUMM(1),\"none\")"), ("A3", "=A1+1")];
    let engine = Book::of(&cells).calculated();
    assert_eq!(engine.refused(), []);
    assert_eq!(shows(&engine, "A1:A3"), "#NAME?;none;#NAME?");
}

#[test]
fn functions_of_others_are_not_computed() {
    let refused = |cells: &[(&str, &str)]| -> Vec<String> {
        Book::of(cells).calculated().refused().iter().map(|refused| refused.at.to_string()).collect()
    };
    // Of an add-in, which was there when the file was stored.
    assert_eq!(refused(&[("A1", "=BDP(1) ⇒ 7"), ("A2", "=BDP(2)")]), ["A1", "A2"]);
    assert_eq!(refused(&[("A1", "=BDP(1) ⇒ #NAME?")]), [""; 0]);
    // Excel's own.
    assert_eq!(refused(&[("A1", "=GETPIVOTDATA(\"Sum\",B1)")]), ["A1"]);
}
