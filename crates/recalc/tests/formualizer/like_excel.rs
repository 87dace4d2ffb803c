//! Results that the libraries have otherwise than Excel.

use analysis::formulas::Area;
use grid::DateSystem;
use recalc::Engine;
use workbook::SheetId;

use crate::support::{Book, MOMENT, check, check_spill, shows};

/// Departments and pay.
const STAFF: &[(&str, &str)] = &[
    ("A1", "Sales"),
    ("A2", "IT"),
    ("A3", "Sales"),
    ("A4", "HR"),
    ("B1", "10"),
    ("B2", "20"),
    ("B3", "30"),
    ("B4", "40"),
    ("C1", "IT"),
    ("C2", "HR"),
];

#[test]
fn conditions_may_be_arrays() {
    check_spill("=SUMIFS(B1:B4,A1:A4,{\"IT\",\"Sales\"})", STAFF, "20,40");
    check_spill("=COUNTIFS(A1:A4,{\"IT\";\"Sales\"})", STAFF, "1;2");
    check_spill("=COUNTIF(A1:A4,{\"IT\";\"Sales\"})", STAFF, "1;2");
    check_spill("=AVERAGEIFS(B1:B4,A1:A4,{\"IT\",\"Sales\"})", STAFF, "20,20");
    check_spill("=COUNTIFS(A1:A4,{\"IT\",\"Sales\"},B1:B4,{\">15\";\">25\"})", STAFF, "1,1;0,1");
    check("=SUM(SUMIFS(B1:B4,A1:A4,{\"IT\",\"HR\"}))", STAFF, "60");
    check("=SUMPRODUCT(SUMIFS(B1:B4,A1:A4,C1:C2))", STAFF, "60");
    check("=SUMPRODUCT(SUMIF(A1:A4,C1:C2,B1:B4))", STAFF, "60");
    check("=SUMPRODUCT(1/COUNTIF(A1:A4,A1:A4))", STAFF, "3");
    check("=SUMIFS(B1:B4,A1:A4,\"I\"&\"T\")", STAFF, "20");
    // The cell beside the formula.
    check("=SUMIFS(B1:B4,A1:A4,C1:C2)", STAFF, "20");
    check_spill("=LET(_xlpm.x,{\"IT\",\"HR\"},SUMIFS(B1:B4,A1:A4,_xlpm.x))", STAFF, "20,40");
}

#[test]
fn conditions_may_be_arrays_over_large_ranges() {
    check("=SUM(SUMIFS(B1:B500,A1:A500,{\"IT\",\"HR\"}))", STAFF, "60");
    check("=SUM(SUMIF(A1:A500,{\"IT\",\"HR\"},B1:B500))", STAFF, "60");
    check("=SUM(COUNTIF(A:A,{\"IT\",\"HR\"}))", STAFF, "2");
    check("=SUM(COUNTIFS(A:A,{\"IT\",\"HR\"},B:B,\">20\"))", STAFF, "1");
}

#[test]
fn what_is_counted() {
    let row = [("A2", "23"), ("B2", "x"), ("C2", "23")];
    check("=COUNTIFS(2:2,\"<>23\")", &row, "16382");
    check("=COUNTIF(A:A,\"<>23\")", &row, "1048575");
    check("=COUNTIF(A1:A500,#N/A)", &[("A1", "#N/A"), ("A2", "1")], "1");
    check("=COUNTIF(A1:A500,\"#N/A\")", &[("A1", "#N/A"), ("A2", "1")], "1");
    check("=SUMIF(A1:A500,\"<>#N/A\")", &[("A1", "#N/A"), ("A2", "1")], "1");
    check("=COUNTIFS(A1:A3,\"#N/A\")", &[("A1", "#N/A"), ("A2", "1")], "1");
}

#[test]
fn ranges_of_conditions_are_of_one_size() {
    check("=COUNTIFS(A1:A4,\"IT\",B1:B3,\">1\")", STAFF, "#VALUE!");
    check("=SUMIFS(B1:B4,A1:A3,\"IT\")", STAFF, "#VALUE!");
    check("=SUMIFS(B:B,A:A,\"IT\")", STAFF, "20");
}

#[test]
fn numbers_become_texts_of_fifteen_digits() {
    let third = [("A1", "=1/3"), ("A2", "=0.1+0.2")];
    check("=A1&\"\"", &third, "0.333333333333333");
    check("=\"<\"&A2&\">\"&A1&TRUE", &third, "<0.3>0.333333333333333TRUE");
    check("=LEN(A1)", &third, "17");
    check("=LEFT(A2,3)", &third, "0.3");
    check("=RIGHT(A1,2)", &third, "33");
    check("=CONCAT(A1:A2)", &third, "0.3333333333333330.3");
    check("=CONCATENATE(A2,\"x\")", &third, "0.3x");
    check("=TEXTJOIN(\"-\",TRUE,A1:A2)", &third, "0.333333333333333-0.3");
    check("=1E+20&\"\"", &[], "1E+20");
    check("=123456789012&\"\"", &[], "123456789012");
    check("=RIGHT(TRUE,2)", &[], "UE");
    check("=#N/A&\"x\"", &[], "#N/A");
    check_spill("=A1:A2&{\"a\",\"b\"}", &[("A1", "1"), ("A2", "'x")], "1a,1b;xa,xb");
}

#[test]
fn texts_are_joined() {
    let texts = [("A1", "a"), ("A2", "=\"\""), ("A3", "b"), ("A5", "TRUE")];
    check("=TEXTJOIN(\",\",TRUE,A1:A5)", &texts, "a,b,TRUE");
    check("=TEXTJOIN(\",\",FALSE,A1:A4)", &texts, "a,,b,");
    check("=TEXTJOIN({\"-\",\"+\"},FALSE,\"a\",\"b\",\"c\")", &[], "a-b+c");
    check("=CONCAT(A1:A5)", &texts, "abTRUE");
    check("=TEXTJOIN(\",\",TRUE,A1:A2)", &[("A1", "#N/A")], "#N/A");
}

#[test]
fn capitals_are_known_beyond_ascii() {
    check("=UPPER(A1)", &[("A1", "grün")], "GRÜN");
    check("=LOWER(\"ÀÉÎ\")", &[], "àéî");
    check("=SEARCH(\"É\",\"école\")", &[], "1");
    check("=\"é\"=\"É\"", &[], "TRUE");
    check("=A1<>\"É\"", &[("A1", "é")], "FALSE");
}

#[test]
fn texts_may_be_dates_and_booleans() {
    check("=YEAR(\"2024-03-01\")", &[], "2024");
    check("=HOUR(\"14:45:10\")", &[], "14");
    check("=SECOND(\"14:45:10\")", &[], "10");
    check("=WEEKDAY(\"2024-03-01\")", &[], "6");
    check_spill("=WEEKDAY(45352,{1,2,3,11,16,17})", &[], "6,5,4,5,7,6");
    check("=WEEKDAY(45352,4)", &[], "#NUM!");
    check("=VALUE(\"12:30\")", &[], "0.5208333333333334");
    check("=VALUE(\"2024-03-01\")", &[], "45352");
    check("=DATEVALUE(\"1 March 2024\")", &[], "45352");
    check("=MONTH(\"x\")", &[], "#VALUE!");
    check("=DAY(0)", &[], "0");
    check("=DAY(60)", &[], "29");
    check("=YEAR(-1)", &[], "#NUM!");
    check_spill("=SECOND({0.25;0.1234})", &[], "0;42");
    check("=IF(\"tRue\",1,2)", &[], "1");
    check("=IF(\"text\",1,2)", &[], "#VALUE!");
    check("=AND(\"text\",TRUE)", &[], "#VALUE!");
    check("=AND(\"true\",TRUE)", &[], "TRUE");
    check("=OR(A1:A2)", &[("A1", "text"), ("A2", "TRUE")], "TRUE");
    check("=XOR(TRUE,\"a\")", &[], "#VALUE!");
    check("=AND(\"\",TRUE)", &[], "TRUE");
    check("=DATE(1900,2,29)", &[], "60");
    check("=DATE(2024,14,0)", &[], "45688");
    check("=DATE(24,1,1)", &[], "8767");
    check("=DATE(-1,1,1)", &[], "#NUM!");
    check("=LEFT(\"abc\",A1)", &[("A1", "'2.9")], "ab");
}

#[test]
fn values_are_shown_in_formats() {
    check("=TEXT(2.75,\"# ?/?\")", &[], "2 3/4");
    check("=TEXT(TRUE,\"0\")", &[], "TRUE");
    check("=TEXT(45842.5208333333,\"h:mm AM/PM\")", &[], "12:30 PM");
    check("=TEXT(\"abc\",\"0.0\")", &[], "abc");
    check("=TEXT(\"12\",\"0.0\")", &[], "12.0");
    check("=TEXT(\"$1,234.5\",\"0.00\")", &[], "1234.50");
    check("=TEXT(\"1,23\",\"0.00\")", &[], "1,23");
    check("=TEXT(1234.5,\"#,##0.00\")", &[], "1,234.50");
    check("=TEXT(-1,\"yyyy\")", &[], "#VALUE!");
    check("=TEXT(5,\"\")", &[], "");
}

#[test]
fn cells_are_looked_up() {
    let table = [("A1", "Ann"), ("A2", "Bob"), ("B1", "1"), ("B2", "2"), ("C1", "3"), ("C2", "4")];
    check_spill("=XLOOKUP(\"Bob\",A1:A2,B1:C2)", &table, "2,4");
    check("=VLOOKUP(\"Bob\",A1:C2,0,FALSE)", &table, "#VALUE!");
    check("=VLOOKUP(\"Bob\",A1:C200,0,FALSE)", &table, "#VALUE!");
    check("=HLOOKUP(\"Ann\",A1:C2,0,FALSE)", &table, "#VALUE!");
    check_spill("=SORT(B1:B2,,-1)", &table, "2;1");
    check("=INDEX(B1:B2,-2)", &table, "#VALUE!");
    check("=INDEX(B1:C2,2,2)", &table, "4");
    check("=SUM(INDEX(B1:C2,0,2))", &table, "7");
    check("=CHOOSE(TRUE,\"a\",\"b\")", &[], "a");
}

#[test]
fn addresses_may_be_by_numbers() {
    let cells = [("A4", "7"), ("B4", "8"), ("Y1", "9")];
    check("=INDIRECT(\"R4C1\",FALSE)", &cells, "7");
    check("=INDIRECT(\"Sheet1!R4C1\",FALSE)", &cells, "7");
    check("=SUM(INDIRECT(\"R4C1:R4C2\",FALSE))", &cells, "15");
    check("=INDIRECT(\"RC[-1]\",FALSE)", &cells, "9");
    check("=SUM(INDIRECT(\"RC[-1]:RC[-2]\",FALSE))", &cells, "9");
    check("=INDIRECT(\"A4\")", &cells, "7");
    check("=SUM(INDIRECT(\"A1:A\"&B1))", &[("A1", "=2+3"), ("A2", "=A1+1"), ("B1", "2")], "11");
    check("=INDIRECT(\"A4\",TRUE)", &cells, "7");
    check("=INDIRECT(\"no address\",FALSE)", &cells, "#REF!");
    check("=ROW(INDIRECT(\"no address\"))", &[], "#REF!");
}

#[test]
fn cells_tell_about_themselves() {
    let cells = [("A1", "=1+1"), ("A2", "2"), ("A3", "#N/A")];
    check("=ISFORMULA(A1)", &cells, "TRUE");
    check("=ISFORMULA(A2)", &cells, "FALSE");
    check("=TYPE(A3)", &cells, "16");
    check("=TYPE(A2)", &cells, "1");
    check("=SHEETS(A1:B2)", &cells, "1");
    check("=SHEET(0)", &cells, "#N/A");
    check("=ROW(INDIRECT(\"No sheet!A1\"))", &cells, "#REF!");
    check("=ROW(A3)", &cells, "3");
    check("=ISODD(C1)", &cells, "FALSE");
}

#[test]
fn days_off_are_several() {
    let holidays = [("A1", "45292"), ("A2", "45651"), ("A3", "45652")];
    check("=WORKDAY(45306,-10,A1:A3)", &holidays, "45289");
    check("=WORKDAY.INTL(45291,1,\"0000011\",A1:A3)", &holidays, "45293");
}

#[test]
fn powers_and_logarithms_have_limits() {
    check("=0^0", &[], "#NUM!");
    check("=POWER(0,0)", &[], "#NUM!");
    check("=A1^-1", &[], "#DIV/0!");
    check("=2^A1", &[("A1", "3")], "8");
    check("=(-8)^(1/3)", &[], "#NUM!");
    check_spill("={1,2}^{2;3}", &[], "1,4;1,8");
    check("=LOG(10,1)", &[], "#DIV/0!");
    check("=PRODUCT(\"seven\")", &[], "#VALUE!");
}

#[test]
fn arrays_may_have_errors() {
    let numbers = [("A1", "3"), ("A2", "7"), ("A3", "9"), ("A4", "#N/A")];
    check("=COUNT(1/(A1:A3>5))", &[("A1", "3")], "0");
    check_spill("=COUNT(1/(A1:A3>5))", &numbers, "2");
    check("=AGGREGATE(14,6,A1:A4,2)", &numbers, "7");
    check("=AGGREGATE(15,6,A1:A4,1)", &numbers, "3");
    check("=AGGREGATE(16,6,A1:A4,0.25)", &numbers, "5");
    check("=AGGREGATE(14,6,A1:A3/(A1:A3<9),1)", &numbers, "7");
    check("=AGGREGATE(14,4,A1:A4,2)", &numbers, "#N/A");
}

#[test]
fn arrays_are_paired() {
    check("=CORREL({1,2},{3,4,5})", &[], "#N/A");
    check("=SUMXMY2({1,\"a\"},{3,4})", &[], "4");
    check("=SUMX2PY2(A1:A3,B1:D1)", &[("A1", "0"), ("A2", "1"), ("B1", "TRUE"), ("C1", "2")], "5");
    check("=SUMX2MY2({\"a\"},{1})", &[], "#DIV/0!");
    check("=MDETERM(A1:B2)", &[("A1", "1"), ("A2", "2")], "#VALUE!");
    check("=COVAR({1},{2})", &[], "0");
    check("=RSQ({1},{2})", &[], "#DIV/0!");
}

#[test]
fn rarer_functions() {
    check("=CONVERT(68,\"F\",\"C\")", &[], "20");
    check("=CONVERT(300,\"K\",\"C\")", &[], "26.850000000000023");
    check("=ARABIC(\"-iv\")", &[], "-4");
    check("=NUMBERVALUE(\"\")", &[], "0");
    check("=FVSCHEDULE(1,{0.09,\"a\"})", &[], "#VALUE!");
    check("=IMSUM(A1:A2)", &[("A1", "'3+4i"), ("A2", "'1-2i")], "4+2i");
    check("=IMPRODUCT(A1:A3)", &[("A1", "'3+4i"), ("A2", "'1-2i"), ("A3", "i")], "2+11i");
    check("=IMCOT(0)", &[], "#NUM!");
    check("=REPLACE(\"abc\",10,1,\"x\")", &[], "abcx");
    check("=VALUETOTEXT(A1,1)", &[("A1", "apple")], "\"apple\"");
}

#[test]
fn what_was_rewritten_follows_changes() {
    let formulas = [
        ("C1", "=A1&\"-\"&B1"),
        ("C2", "=A2&\"-\"&B2"),
        ("C3", "=SUM(SUMIFS(B1:B2,A1:A2,{\"x\",\"y\"}))"),
        ("C4", "=B1^B2"),
        ("C5", "=INDIRECT(\"R1C\"&B2,FALSE)"),
        ("C6", "=COUNTIFS(A1:A2,\"x\",B1:B2,\">1\")"),
    ];
    let book = |b1| {
        let cells = [("A1", "x"), ("A2", "y"), ("B1", b1), ("B2", "2")];
        Book::of(&cells.into_iter().chain(formulas).collect::<Vec<_>>())
    };
    let mut engine = book("3").calculated();
    assert_eq!(shows(&engine, "C1:C6"), "x-3;y-2;5;9;3;1");
    let changed = book("0.5");
    let area = Area { sheet: SheetId(0), range: "B1".parse().unwrap() };
    engine.update(changed.source(), &[area]).unwrap();
    engine.calculate(MOMENT, &|| false).unwrap();
    assert_eq!(shows(&engine, "C1:C6"), "x-0.5;y-2;2.5;0.25;0.5;0");
}

#[test]
fn days_may_count_from_1904() {
    let cells = [
        ("A1", "=YEAR(0)"),
        ("A2", "=TEXT(0,\"yyyy-mm-dd\")"),
        ("A3", "=DATE(1904,1,2)"),
        ("A4", "=DAY(\"1904-01-05\")"),
        ("A5", "=WEEKDAY(\"1904-01-02\")"),
    ];
    let mut book = Book::of(&cells);
    book.book.date_system = DateSystem::Date1904;
    assert_eq!(shows(&book.calculated(), "A1:A5"), "1904;1904-01-01;1;5;7");
}

#[test]
fn numbers_are_compared_in_fifteen_digits() {
    let cells = [("A1", "0.1"), ("A2", "0.2"), ("A3", "0.3")];
    check("=IF(A1+A2=A3,1,2)", &cells, "1");
    check("=A1+A2<>A3", &cells, "FALSE");
    check("=A1+A2>A3", &cells, "FALSE");
    check("=1.1-1=0.1", &[], "TRUE");
    check("=A1+A2<=A3", &cells, "TRUE");
    check("=A1*1.00000001=A1", &cells, "FALSE");
}

#[test]
fn small_functions_take_what_excel_takes() {
    check("=NOT(\"true\")", &[], "FALSE");
    check("=NOT(A1)", &[], "TRUE");
    check("=NOT(\"x\")", &[], "#VALUE!");
    check("=LEN(REPT(\"é\",17000))", &[], "17000");
    check("=REPT(\"ab\",2.9)", &[], "abab");
    check("=REPT(\"ab\",\"2\")", &[], "abab");
    check("=REPT(\"ab\",16384)", &[], "#VALUE!");
    check("=REPT(\"ab\",-1)", &[], "#VALUE!");
    check("=SUM((A1:A2,A3),1)", &[("A1", "1"), ("A2", "2"), ("A3", "3")], "7");
    check("=MAX((A1,A3))", &[("A1", "1"), ("A2", "9"), ("A3", "3")], "3");
}

#[test]
fn what_cancels_in_fifteen_digits_is_nothing() {
    let cells = [
        ("A1", "0.3"),
        ("B1", "0.1"),
        ("C1", "0.2"),
        ("D1", "-0.1"),
        ("E1", "x"),
        ("F1", "#N/A"),
        ("G1", "'7"),
    ];
    check("=0.5-0.4-0.1", &[], "0");
    check("=A1-B1-C1", &cells, "0");
    check("=B1+C1+-A1", &cells, "0");
    // Only where it is the last that is done.
    check("=(A1-B1-C1)*36028797018963968", &cells, "-1");
    check("=(0.5-0.4-0.1)*36028797018963968", &cells, "-1");
    check("=(0.5-0.4-0.1)", &cells, "-0.000000000000000027755575615628914");
    check("=(0.5-0.4)-(0.1)", &cells, "0");
    check("=A1+B1", &cells, "0.4");
    check("=A1-0.2999999999999", &cells, "0.00000000000009997558336749535");
    check("=A1-E1", &cells, "#VALUE!");
    check("=F1-A1", &cells, "#N/A");
    check("=G1-2", &cells, "5");
    check("=H1-H2", &cells, "0");
    check("=-1E308-1E308", &cells, "#NUM!");
    check("=TRUE-D1", &cells, "1.1");
}

#[test]
fn cells_are_compared_in_fifteen_digits() {
    let cells = [("A1", "=0.1+0.2"), ("B1", "0.3"), ("C1", "x"), ("D1", "#N/A"), ("E1", "2")];
    for formula in [
        "=A1=B1",
        "=A1=0.3",
        "=0.3=A1",
        "=A1<=B1",
        "=MAX(A1,B1)=B1",
        "=SUM(A1)=B1",
        "=NOT(A1>B1)",
        "=C1=\"X\"",
        "=E1>0",
    ] {
        check(formula, &cells, "TRUE");
    }
    check("=IF(A1>B1,\"over\",\"ok\")", &cells, "ok");
    check("=A1<C1", &cells, "TRUE");
    check("=D1=A1", &cells, "#N/A");
    check("=F1=0", &cells, "TRUE");
    check("=SUM(IF(E1=E1:E2,1))", &cells, "1");
}
