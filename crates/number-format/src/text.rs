//! A number as it becomes text within formulas: what `&`, `LEN` and their like see.

use crate::decimal::Decimal;

/// The most characters without an exponent.
const WIDTH: i32 = 20;

/// The text that Excel makes of a number where a formula needs one: all of its 15 significant digits, and an exponent for
/// what would not fit 20 characters otherwise. `#NUM!` for what no cell holds.
pub fn number_text(number: f64) -> String {
    if !number.is_finite() {
        return "#NUM!".to_owned();
    }
    if number.fract() == 0.0 && number.abs() < 1e15 {
        // Most of them, and zero never has a sign.
        return (number as i64).to_string();
    }
    let mut out = String::new();
    if number < 0.0 {
        out.push('-');
    }
    let decimal = Decimal::of(number);
    // `0.`, zeros, digits.
    let below_one = 2 - decimal.lowest_power();
    let needs_exponent = if decimal.point() > 0 { decimal.point() > WIDTH } else { below_one > WIDTH };
    if !needs_exponent {
        decimal.write_fixed(&mut out);
        return out;
    }
    let exponent = decimal.point() - 1;
    decimal.shift(-exponent).write_fixed(&mut out);
    let sign = if exponent < 0 { '-' } else { '+' };
    out.push_str(&format!("E{sign}{:02}", exponent.unsigned_abs()));
    out
}

#[cfg(test)]
mod tests {
    use super::number_text;

    #[track_caller]
    fn check(number: f64, expected: &str) {
        assert_eq!(number_text(number), expected);
    }

    #[test]
    fn has_fifteen_digits() {
        check(0.0, "0");
        check(-0.0, "0");
        check(12.0, "12");
        check(-2.5, "-2.5");
        check(0.1 + 0.2, "0.3");
        check(1.0 / 3.0, "0.333333333333333");
        check(-2.0 / 3.0, "-0.666666666666667");
        check(123_456_789_012.0, "123456789012");
        check(1_234_567_890_123_456.0, "1234567890123460");
    }

    #[test]
    fn has_an_exponent_beyond_twenty_characters() {
        check(1e19, "10000000000000000000");
        check(1e20, "1E+20");
        check(-1.5e300, "-1.5E+300");
        check(0.00001, "0.00001");
        check(1.5e-10, "0.00000000015");
        check(1e-19, "1E-19");
        check(1.0 / 3.0 / 1e9, "3.33333333333333E-10");
    }
}
