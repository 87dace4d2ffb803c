//! Conditional formats and validations, in the draft and in the file that it is saved as.

use expect_test::{Expect, expect};
use rust_xlsxwriter::{
    ConditionalFormatCell, ConditionalFormatCellRule, ConditionalFormatDataBar, DataValidation,
    DataValidationRule, Format, Workbook as Writer,
};

use crate::support::{self, apply, around, draft_of, edits, element, refusal};
use workbook::edit::ExplicitPlaces;

const SHEET: &str = "xl/worksheets/sheet1.xml";

/// `Data` with a rule over A1:B9 (and one that an extension completes over C1:C9), a validation over D1:D9; `Lists`.
fn book() -> Vec<u8> {
    let mut writer = Writer::new();
    let sheet = writer.add_worksheet().set_name("Data").unwrap();
    sheet.write_number(0, 0, 1).unwrap();
    let red = Format::new().set_background_color("#FFC7CE");
    let rule =
        ConditionalFormatCell::new().set_rule(ConditionalFormatCellRule::GreaterThan(5)).set_format(red);
    sheet.add_conditional_format(0, 0, 8, 1, &rule).unwrap();
    sheet.add_conditional_format(0, 2, 8, 2, &ConditionalFormatDataBar::new()).unwrap();
    let whole = DataValidation::new().allow_whole_number(DataValidationRule::Between(1, 10));
    sheet.add_data_validation(0, 3, 8, 3, &whole).unwrap();
    writer.add_worksheet().set_name("Lists").unwrap().write_string(1, 0, "a").unwrap();
    writer.save_to_buffer().unwrap()
}

#[track_caller]
fn check(json: &str, expected: Expect) {
    support::check(book(), json, around, &expected);
}

/// What the file says of rules over K1:L9 once an edit was applied.
#[track_caller]
fn check_rule(rule: &str, expected: Expect) {
    let mut draft = draft_of(book());
    let format = match rule.contains("color_scale") || rule.contains("data_bar") || rule.contains("icon_set")
    {
        true => "",
        false => {
            r##", "format": {"font": {"bold": true, "color": "#9C0006"}, "fill": {"color": "#FFC7CE"}, "number_format": "0.000", "border": {"all": {"style": "thin"}}}"##
        }
    };
    let json = format!(
        r#"[{{"op": "clear_conditional_formats", "range": "Data!A:J"}}, {{"op": "conditional_format", "range": "Data!K1:L9", "rule": {rule}{format}}}]"#
    );
    apply(&mut draft, &json);
    expected.assert_eq(&element(&draft, SHEET, "conditionalFormatting"));
}

#[test]
fn conditions() {
    check_rule(
        r#"{"type": "cell_is", "operator": "greater_than", "values": [5]}"#,
        expect![[
            r#"<conditionalFormatting sqref="K1:L9"><cfRule type="cellIs" operator="greaterThan" dxfId="1" priority="1"><formula>5</formula></cfRule></conditionalFormatting>"#
        ]],
    );
    check_rule(
        r#"{"type": "cell_is", "values": [{"date": "2026-01-31"}, "=$A$1"]}"#,
        expect![[
            r#"<conditionalFormatting sqref="K1:L9"><cfRule type="cellIs" operator="between" dxfId="1" priority="1"><formula>46053</formula><formula>$A$1</formula></cfRule></conditionalFormatting>"#
        ]],
    );
    check_rule(
        r#"{"type": "cell_is", "values": ["a \"b\""]}"#,
        expect![[
            r#"<conditionalFormatting sqref="K1:L9"><cfRule type="cellIs" operator="equal" dxfId="1" priority="1"><formula>"a ""b"""</formula></cfRule></conditionalFormatting>"#
        ]],
    );
    check_rule(
        r#"{"type": "expression", "formula": "=$K1>AVERAGE($K$1:$K$9)"}"#,
        expect![[
            r#"<conditionalFormatting sqref="K1:L9"><cfRule type="expression" dxfId="1" priority="1"><formula>$K1&gt;AVERAGE($K$1:$K$9)</formula></cfRule></conditionalFormatting>"#
        ]],
    );
    check_rule(
        r#"{"type": "contains_text", "text": "x<"}"#,
        expect![[
            r#"<conditionalFormatting sqref="K1:L9"><cfRule type="containsText" operator="containsText" text="x&lt;" dxfId="1" priority="1"><formula>NOT(ISERROR(SEARCH("x&lt;",K1)))</formula></cfRule></conditionalFormatting>"#
        ]],
    );
    check_rule(
        r#"{"type": "ends_with", "text": "x"}"#,
        expect![[
            r#"<conditionalFormatting sqref="K1:L9"><cfRule type="endsWith" operator="endsWith" text="x" dxfId="1" priority="1"><formula>RIGHT(K1,LEN("x"))="x"</formula></cfRule></conditionalFormatting>"#
        ]],
    );
    check_rule(
        r#"{"type": "blanks"}"#,
        expect![[
            r#"<conditionalFormatting sqref="K1:L9"><cfRule type="containsBlanks" dxfId="1" priority="1"><formula>LEN(TRIM(K1))=0</formula></cfRule></conditionalFormatting>"#
        ]],
    );
    check_rule(
        r#"{"type": "duplicate"}"#,
        expect![[
            r#"<conditionalFormatting sqref="K1:L9"><cfRule type="duplicateValues" dxfId="1" priority="1"/></conditionalFormatting>"#
        ]],
    );
    check_rule(
        r#"{"type": "top", "rank": 10, "percent": true, "bottom": true}"#,
        expect![[
            r#"<conditionalFormatting sqref="K1:L9"><cfRule type="top10" percent="1" bottom="1" rank="10" dxfId="1" priority="1"/></conditionalFormatting>"#
        ]],
    );
    check_rule(
        r#"{"type": "average", "below": true}"#,
        expect![[
            r#"<conditionalFormatting sqref="K1:L9"><cfRule type="aboveAverage" aboveAverage="0" dxfId="1" priority="1"/></conditionalFormatting>"#
        ]],
    );
    check_rule(
        r##"{"type": "color_scale", "colors": ["#F8696B", "#FFEB84", "theme:4"]}"##,
        expect![[
            r#"<conditionalFormatting sqref="K1:L9"><cfRule type="colorScale" priority="1"><colorScale><cfvo type="min"/><cfvo type="percentile" val="50"/><cfvo type="max"/><color rgb="FFF8696B"/><color rgb="FFFFEB84"/><color theme="4"/></colorScale></cfRule></conditionalFormatting>"#
        ]],
    );
    check_rule(
        r##"{"type": "data_bar", "color": "#638EC6", "min": 0, "max": "p90"}"##,
        expect![[
            r#"<conditionalFormatting sqref="K1:L9"><cfRule type="dataBar" priority="1"><dataBar><cfvo type="num" val="0"/><cfvo type="percentile" val="90"/><color rgb="FF638EC6"/></dataBar></cfRule></conditionalFormatting>"#
        ]],
    );
    check_rule(
        r#"{"type": "icon_set", "icons": "4Rating", "reverse": true}"#,
        expect![[
            r#"<conditionalFormatting sqref="K1:L9"><cfRule type="iconSet" priority="1"><iconSet iconSet="4Rating" reverse="1"><cfvo type="percent" val="0"/><cfvo type="percent" val="25"/><cfvo type="percent" val="50"/><cfvo type="percent" val="75"/></iconSet></cfRule></conditionalFormatting>"#
        ]],
    );
    check_rule(
        r#"{"type": "icon_set", "icons": "3Flags", "points": [0, "50%", "=A1"], "hide_value": true}"#,
        expect![[
            r#"<conditionalFormatting sqref="K1:L9"><cfRule type="iconSet" priority="1"><iconSet iconSet="3Flags" showValue="0"><cfvo type="num" val="0"/><cfvo type="percent" val="50"/><cfvo type="formula" val="A1"/></iconSet></cfRule></conditionalFormatting>"#
        ]],
    );
}

#[test]
fn formats_of_rules_are_appended_once() {
    let mut draft = draft_of(book());
    let before = element(&draft, "xl/styles.xml", "dxfs");
    let rule = |range: &str, format: &str| {
        format!(
            r#"{{"op": "conditional_format", "range": "Data!{range}", "rule": {{"type": "duplicate"}}, "format": {format}}}"#
        )
    };
    let bold = r#"{"font": {"bold": true, "italic": false, "underline": "double"}}"#;
    let json = format!(
        "[{}, {}, {}]",
        rule("A1:A9", bold),
        rule("B1:B9", bold),
        rule("C1", r##"{"fill": {"color": "#FF0000"}}"##)
    );
    apply(&mut draft, &json);
    let after = element(&draft, "xl/styles.xml", "dxfs");
    let (first, _) = before.split_once("</dxfs>").unwrap();
    let kept = first.split_once('>').unwrap().1;
    assert!(after.contains(kept), "{after}");
    expect![[r#"<dxfs count="3"><dxf><fill><patternFill><bgColor rgb="FFFFC7CE"/></patternFill></fill></dxf><dxf><font><b/><i val="0"/><u val="double"/></font></dxf><dxf><fill><patternFill><bgColor rgb="FFFF0000"/></patternFill></fill></dxf></dxfs>"#]].assert_eq(&after);
}

#[test]
fn priorities_make_room() {
    let rule = |range: &str, rest: &str| {
        format!(
            r#"{{"op": "conditional_format", "range": "Data!{range}", "rule": {{"type": "unique"}}, "format": {{"font": {{"bold": true}}}}{rest}}}"#
        )
    };
    let json = format!(
        "[{}, {}]",
        rule("A1:A9", r#", "priority": 1, "stop_if_true": true"#),
        rule("B1:B9", r#", "priority": 99"#)
    );
    check(
        &json,
        expect![[r#"
        Data validation D1:D9 whole None 1 10 blank true None None
        Data rule 2 A1:B9 cellIs Some("greaterThan") ["5"] stop false dxf Some(0) None
        Data rule 3 C1:C9 dataBar None [] stop false dxf None None
        Data rule 1 A1:A9 uniqueValues None [] stop true dxf Some(1) None
        Data rule 4 B1:B9 uniqueValues None [] stop false dxf Some(1) None
        Data rule 0 C1:C9 dataBar None [] stop false dxf None None
    "#]],
    );
}

#[test]
fn rules_are_cut_where_they_only_partly_overlap() {
    check(
        r#"[{"op": "clear_conditional_formats", "range": "Data!B2:C3"}, {"op": "clear_validations", "range": "Data!D1:D2"}]"#,
        expect![[r#"
            Data validation D3:D9 whole None 1 10 blank true None None
            Data rule 1 A1:B1 A2:A3 A4:B9 cellIs Some("greaterThan") ["5"] stop false dxf Some(0) None
            Data rule 2 C1 C4:C9 dataBar None [] stop false dxf None None
            Data rule 0 C1 C4:C9 dataBar None [] stop false dxf None None
        "#]],
    );
    check(
        r#"[{"op": "clear_conditional_formats", "range": "Data!A:XFD"}, {"op": "clear_validations", "range": "Data!A:XFD"},
            {"op": "clear_validations", "range": "Lists!A:XFD"}]"#,
        expect![[r#""#]],
    );
}

#[test]
fn validations() {
    check(
        r#"[{"op": "validation", "range": "Data!D3:E4", "type": "list", "values": ["a", "b \"c\"", 3]},
            {"op": "validation", "range": "Data!F1:F9", "type": "list", "source": "Lists!A2:A9", "dropdown": false, "allow_blank": false},
            {"op": "validation", "range": "Data!G1", "type": "decimal", "operator": "greater_or_equal", "values": [0.5], "error_style": "warning", "error_title": "No", "error": "give more", "prompt": "a share"},
            {"op": "validation", "range": "Data!G2", "type": "date", "values": ["2026-01-01", {"date": "2026-12-31"}]},
            {"op": "validation", "range": "Data!G3", "type": "time", "operator": "less_than", "values": ["14:30"]},
            {"op": "validation", "range": "Data!G4", "type": "text_length", "operator": "not_between", "values": [1, "=A1"]},
            {"op": "validation", "range": "Data!H:H", "type": "custom", "values": ["=ISNUMBER(H1)"]}]"#,
        expect![[r#"
            Data validation D1:D2 D5:D9 whole None 1 10 blank true None None
            Data validation D3:E4 list None "a,b ""c"",3" - blank true None None
            Data validation F1:F9 list None Lists!$A$2:$A$9 - blank false None None
            Data validation G1 decimal Some("greaterThanOrEqual") 0.5 - blank true Some("a share") Some("give more")
            Data validation G2 date None 46023 46387 blank true None None
            Data validation G3 time Some("lessThan") 0.6041666666666666 - blank true None None
            Data validation G4 textLength Some("notBetween") 1 A1 blank true None None
            Data validation H:H custom None ISNUMBER(H1) - blank true None None
            Data rule 1 A1:B9 cellIs Some("greaterThan") ["5"] stop false dxf Some(0) None
            Data rule 2 C1:C9 dataBar None [] stop false dxf None None
            Data rule 0 C1:C9 dataBar None [] stop false dxf None None
        "#]],
    );
    let mut draft = draft_of(book());
    apply(
        &mut draft,
        r#"[{"op": "validation", "range": "Data!A1", "type": "list", "source": "=Names", "dropdown": false, "error_style": "information"},
            {"op": "validation", "range": "Data!A2", "type": "whole", "operator": "not_equal", "values": [0], "error": "a\nb"}]"#,
    );
    expect![[r#"<dataValidations count="3"><dataValidation type="whole" allowBlank="1" showInputMessage="1" showErrorMessage="1" sqref="D1:D9"><formula1>1</formula1><formula2>10</formula2></dataValidation><dataValidation type="list" errorStyle="information" allowBlank="1" showDropDown="1" showInputMessage="1" showErrorMessage="1" sqref="A1"><formula1>Names</formula1></dataValidation><dataValidation type="whole" operator="notEqual" allowBlank="1" showInputMessage="1" showErrorMessage="1" error="a&#10;b" sqref="A2"><formula1>0</formula1></dataValidation></dataValidations>"#]].assert_eq(&element(&draft, SHEET, "dataValidations"));
}

#[test]
fn what_the_log_keeps_is_explicit() {
    let mut draft = draft_of(book());
    let edits =
        edits(r#"[{"op": "validation", "range": "data!b1", "type": "list", "source": "lists!A2:A9"}]"#);
    let explicit = draft.apply(&edits, &ExplicitPlaces).unwrap();
    let json = serde_json::to_string(&explicit).unwrap();
    assert_eq!(json, r#"[{"op":"validation","range":"Data!B1","type":"list","source":"=Lists!$A$2:$A$9"}]"#);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut draft = draft_of(book());
    let mut check = |json: &str, expected: &str| {
        let told = refusal(&mut draft, json);
        assert!(told.contains(expected), "{told}");
        assert!(!draft.is_changed());
    };
    let mut rule = |rule: &str, rest: &str, expected: &str| {
        check(
            &format!(r#"[{{"op": "conditional_format", "range": "Data!A1", "rule": {rule}{rest}}}]"#),
            expected,
        );
    };
    let bold = r#", "format": {"font": {"bold": true}}"#;
    rule(r#"{"type": "duplicate"}"#, "", "the rule has no format");
    rule(r#"{"type": "cell_is", "values": [1, 2, 3]}"#, bold, "needs 1");
    rule(r#"{"type": "expression", "formula": " = "}"#, bold, "the formula is empty");
    rule(r#"{"type": "top", "rank": 0}"#, bold, "write 1 to 1000");
    rule(r#"{"type": "icon_set", "icons": "3Stars"}"#, "", "write one of 3Arrows");
    rule(r#"{"type": "icon_set", "icons": "3Flags", "points": [1]}"#, "", "give 3 points");
    rule(r##"{"type": "color_scale", "colors": ["#FF0000"]}"##, "", "give two or three colours");
    rule(
        r#"{"type": "blanks"}"#,
        r#", "format": {"font": {"size": 9}}"#,
        "a rule cannot change the name or size",
    );
    rule(
        r#"{"type": "blanks"}"#,
        r#", "format": {"font": {"bold": true}}, "priority": 0"#,
        "priorities start at 1",
    );
    let mut validation = |rest: &str, expected: &str| {
        check(&format!(r#"[{{"op": "validation", "range": "Data!A1", {rest}}}]"#), expected);
    };
    validation(r#""type": "list""#, "a list has 1 to 255 characters");
    validation(r#""type": "list", "values": ["a,b"]"#, "let them stand in cells");
    validation(r#""type": "list", "source": "Nope!A1:A9""#, "there is no sheet");
    validation(
        r#""type": "whole", "operator": "between", "values": [1]"#,
        "1 values are given where between needs 2",
    );
    validation(r#""type": "whole", "values": ["ten"]"#, "is no number");
    validation(r#""type": "date", "values": ["31.1.2026"]"#, "write for example 2026-01-31");
    validation(r#""type": "time", "values": ["25:00"]"#, "write for example 14:30");
    validation(r#""type": "custom", "values": [1]"#, "custom needs one formula");
    validation(r#""type": "whole", "source": "Lists!A1", "values": [1]"#, "source is for a list");
}
