//! The `General` format: as many digits as fit eleven characters.

use crate::decimal::Decimal;

/// The characters, the sign apart, that `General` uses at most.
const WIDTH: i32 = 11;

/// Appends a finite number as `General` shows it.
pub(crate) fn write(out: &mut String, number: f64) {
    if number < 0.0 {
        out.push('-');
    }
    write_magnitude(out, number);
}

/// Appends the magnitude of a finite number as `General` shows it.
pub(crate) fn write_magnitude(out: &mut String, number: f64) {
    let decimal = Decimal::of(number);
    match fixed(decimal) {
        Some(rounded) => rounded.write_fixed(out),
        None => write_scientific(out, decimal),
    }
}

/// The number rounded to what fits in positional notation, unless it wants an exponent.
fn fixed(decimal: Decimal) -> Option<Decimal> {
    if decimal.is_zero() {
        return Some(decimal);
    }
    if decimal.point() < -3 {
        // Below 0.0001 only a number that needs no further digit stays without an exponent.
        let rounded = decimal.round(12);
        return (!rounded.is_zero() && rounded.lowest_power() >= 2 - WIDTH).then_some(rounded);
    }
    let decimals = (WIDTH - 1 - decimal.point().max(1)).max(0);
    let rounded = decimal.round(decimals);
    (rounded.point() <= WIDTH).then_some(rounded)
}

fn write_scientific(out: &mut String, decimal: Decimal) {
    // An exponent of three digits costs the mantissa one.
    let decimals = if (decimal.point() - 1).abs() >= 100 { WIDTH - 7 } else { WIDTH - 6 };
    let rounded = decimal.round(decimals + 1 - decimal.point());
    let exponent = rounded.point() - 1;
    rounded.shift(-exponent).write_fixed(out);
    out.push('E');
    out.push(if exponent < 0 { '-' } else { '+' });
    let exponent = exponent.unsigned_abs();
    if exponent < 10 {
        out.push('0');
    }
    out.push_str(&exponent.to_string());
}
