//! Texts that a spreadsheet program takes for formulas when it opens a text file (OWASP, "CSV Injection").

use grid::Value;

/// What becomes of a text that would be taken for a formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InjectionPolicy {
    /// It gets an apostrophe in front.
    #[default]
    Escape,
    /// It is written as it is.
    Keep,
    /// Nothing is written.
    Refuse,
}

/// Whether a program may take a field for a formula. A number never is one, unless its format says more than a number.
pub(super) fn looks_like_formula(value: Value<'_>, written: &str) -> bool {
    let Some(first) = written.chars().next() else { return false };
    match first {
        '=' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠' => true,
        // A call, a command (`|`), another book's cells: what a signed number has no use for.
        '+' | '-' => {
            matches!(value, Value::Text(_)) || written.contains(['(', '|', '!', '=', '@', '"', '\''])
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: Value<'_>, written: &str, expected: bool) {
        assert_eq!(looks_like_formula(value, written), expected, "{written:?}");
    }

    #[test]
    fn texts_that_begin_like_formulas() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "-"] {
            check(Value::Text(text), text, true);
        }
        for text in ["", "a=1", "1-2", " =1", "'=1", "007"] {
            check(Value::Text(text), text, false);
        }
    }

    #[test]
    fn numbers_stay_what_they_are() {
        for shown in ["-5", "-1,234.50 €", "-5%", "+1e+300", "-5 kg"] {
            check(Value::Number(-5.0), shown, false);
        }
        // A number format may carry any text.
        for shown in ["=5", "-cmd|'/C calc'!A0", "+HYPERLINK(\"x\")5"] {
            check(Value::Number(5.0), shown, true);
        }
    }
}
