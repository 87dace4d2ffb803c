//! Conditional formats and data validations in words.

use workbook::{ConditionalFormat, DataValidation};

/// What a conditional format holds for: `cell > 100`, `formula B2>C2`, `icon set 3Flags`.
pub fn describe_condition(rule: &ConditionalFormat) -> String {
    let operands = || rule.formulas.join(" and ");
    let detail = rule.detail.as_deref();
    let words = match rule.kind.as_str() {
        "cellIs" => format!("cell {}", compared(rule.operator.as_deref(), &rule.formulas)),
        "expression" => format!("formula {}", operands()),
        "colorScale" => "colour scale".to_owned(),
        "dataBar" => "data bar".to_owned(),
        "iconSet" => with("icon set", detail),
        "top10" => with("top or bottom", detail),
        "aboveAverage" => "above or below average".to_owned(),
        "duplicateValues" => "duplicate values".to_owned(),
        "uniqueValues" => "unique values".to_owned(),
        "containsText" => with("contains", detail),
        "notContainsText" => with("does not contain", detail),
        "beginsWith" => with("begins with", detail),
        "endsWith" => with("ends with", detail),
        "containsBlanks" => "blank".to_owned(),
        "notContainsBlanks" => "not blank".to_owned(),
        "containsErrors" => "error".to_owned(),
        "notContainsErrors" => "no error".to_owned(),
        "timePeriod" => with("date in", detail),
        other => with(other, Some(operands().as_str()).filter(|text| !text.is_empty()).or(detail)),
    };
    if rule.stop_if_true { format!("{words}, then stop") } else { words }
}

/// What a data validation admits: `list Lists!$A$1:$A$4`, `whole between 1 and 5, or blank`.
pub fn describe_validation(rule: &DataValidation) -> String {
    let operands: Vec<String> = rule.formula1.iter().chain(&rule.formula2).cloned().collect();
    let words = match rule.kind.as_str() {
        "none" => return "anything".to_owned(),
        "list" | "custom" => with(&rule.kind, operands.first().map(String::as_str)),
        "textLength" => format!("text length {}", compared(rule.operator.as_deref(), &operands)),
        kind => format!("{kind} {}", compared(rule.operator.as_deref(), &operands)),
    };
    if rule.allow_blank { format!("{words}, or blank") } else { words }
}

fn with(words: &str, detail: Option<&str>) -> String {
    detail.map_or_else(|| words.to_owned(), |detail| format!("{words} {detail}"))
}

/// `> 5`, `between 1 and 5`; without an operator `between` is meant (§18.18.20).
fn compared(operator: Option<&str>, operands: &[String]) -> String {
    let sign = match operator.unwrap_or("between") {
        "lessThan" => "<",
        "lessThanOrEqual" => "<=",
        "equal" => "=",
        "notEqual" => "<>",
        "greaterThanOrEqual" => ">=",
        "greaterThan" => ">",
        "notBetween" => "not between",
        other => other,
    };
    format!("{sign} {}", operands.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(kind: &str, operator: Option<&str>, formulas: &[&str], detail: Option<&str>) -> String {
        describe_condition(&ConditionalFormat {
            ranges: Vec::new(),
            kind: kind.to_owned(),
            priority: 1,
            operator: operator.map(str::to_owned),
            formulas: formulas.iter().map(|text| (*text).to_owned()).collect(),
            stop_if_true: false,
            dxf: None,
            detail: detail.map(str::to_owned),
        })
    }

    #[test]
    fn conditions_read_as_one_would_say_them() {
        assert_eq!(condition("cellIs", Some("greaterThan"), &["100"], None), "cell > 100");
        assert_eq!(condition("cellIs", Some("between"), &["1", "$B$1"], None), "cell between 1 and $B$1");
        assert_eq!(condition("expression", None, &["A1>B1"], None), "formula A1>B1");
        assert_eq!(condition("iconSet", None, &[], Some("3Flags")), "icon set 3Flags");
        assert_eq!(
            condition("containsText", Some("containsText"), &["SEARCH(\"x\",A1)"], Some("x")),
            "contains x"
        );
        assert_eq!(condition("newKind", None, &["A1"], None), "newKind A1");
    }

    #[track_caller]
    fn check(kind: &str, operator: Option<&str>, operands: &[&str], allow_blank: bool, expected: &str) {
        let mut operands = operands.iter().map(|text| (*text).to_owned());
        let rule = DataValidation {
            ranges: Vec::new(),
            kind: kind.to_owned(),
            operator: operator.map(str::to_owned),
            formula1: operands.next(),
            formula2: operands.next(),
            allow_blank,
            prompt: None,
            error: None,
        };
        assert_eq!(describe_validation(&rule), expected);
    }

    #[test]
    fn validations_read_as_one_would_say_them() {
        check("list", None, &["Lists!$A$1:$A$4"], false, "list Lists!$A$1:$A$4");
        check("whole", None, &["1", "5"], true, "whole between 1 and 5, or blank");
        check("textLength", Some("lessThanOrEqual"), &["20"], false, "text length <= 20");
        check("none", None, &[], true, "anything");
    }
}
