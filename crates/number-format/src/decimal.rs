//! A number as the 15 significant decimal digits that a spreadsheet keeps of it.

use std::fmt::Write;

/// How many significant digits Excel keeps.
const PRECISION: usize = 15;

/// A finite, non-negative number: 0.d₁d₂… × 10^`point`, without leading or trailing zeros (zero has no digits).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decimal {
    digits: [u8; PRECISION],
    len: usize,
    point: i32,
}

/// A formatter's target on the stack.
struct StackText {
    bytes: [u8; 32],
    len: usize,
}

impl Write for StackText {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

impl Decimal {
    const ZERO: Decimal = Decimal { digits: [0; PRECISION], len: 0, point: 0 };

    /// The magnitude of a finite number.
    pub(crate) fn of(number: f64) -> Decimal {
        let magnitude = number.abs();
        if magnitude == 0.0 || !magnitude.is_finite() {
            return Decimal::ZERO;
        }
        if magnitude < 1e15 && magnitude.fract() == 0.0 {
            return Decimal::of_integer(magnitude as u64);
        }
        // `d.dddddddddddddde±x`
        let mut text = StackText { bytes: [0; 32], len: 0 };
        if write!(text, "{:.*e}", PRECISION - 1, magnitude).is_err() {
            return Decimal::ZERO;
        }
        let mut decimal = Decimal { digits: [0; PRECISION], len: 0, point: 1 };
        let mut bytes = text.bytes[..text.len].iter();
        for byte in bytes.by_ref() {
            match byte {
                b'0'..=b'9' => {
                    decimal.digits[decimal.len] = byte - b'0';
                    decimal.len += 1;
                }
                b'.' => {}
                _ => break,
            }
        }
        let mut exponent = 0i32;
        let mut negative = false;
        for byte in bytes {
            match byte {
                b'-' => negative = true,
                digit => exponent = exponent * 10 + i32::from(digit - b'0'),
            }
        }
        decimal.point += if negative { -exponent } else { exponent };
        decimal.trim();
        decimal
    }

    fn of_integer(mut integer: u64) -> Decimal {
        let mut decimal = Decimal::ZERO;
        let mut reversed = [0u8; PRECISION];
        let mut len = 0;
        while integer > 0 && len < PRECISION {
            reversed[len] = (integer % 10) as u8;
            integer /= 10;
            len += 1;
        }
        for index in 0..len {
            decimal.digits[index] = reversed[len - 1 - index];
        }
        decimal.len = len;
        decimal.point = len as i32;
        decimal.trim();
        decimal
    }

    fn trim(&mut self) {
        while self.len > 0 && self.digits[self.len - 1] == 0 {
            self.len -= 1;
        }
        if self.len == 0 {
            self.point = 0;
        }
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.len == 0
    }

    /// The power of ten of the first digit, plus one: how many digits stand before the decimal point if positive.
    pub(crate) fn point(&self) -> i32 {
        self.point
    }

    /// How many digits stand before the decimal point, 0 for a number below one.
    pub(crate) fn integer_digits(&self) -> i32 {
        self.point.max(0)
    }

    /// The power of ten of the last digit that isn't zero; 0 for zero.
    pub(crate) fn lowest_power(&self) -> i32 {
        self.point - self.len as i32
    }

    /// The digit, as a character, that stands for a power of ten.
    pub(crate) fn digit(&self, power: i32) -> char {
        let index = self.point - 1 - power;
        let digit =
            usize::try_from(index).ok().filter(|&index| index < self.len).map_or(0, |i| self.digits[i]);
        char::from(b'0' + digit)
    }

    /// Multiplies by a power of ten.
    pub(crate) fn shift(mut self, powers: i32) -> Decimal {
        if !self.is_zero() {
            self.point += powers;
        }
        self
    }

    /// Rounds half away from zero to a number of digits after the decimal point (before it, if negative).
    pub(crate) fn round(mut self, decimals: i32) -> Decimal {
        let keep = self.point + decimals;
        if keep >= self.len as i32 {
            return self;
        }
        let Ok(keep) = usize::try_from(keep) else {
            return Decimal::ZERO;
        };
        let up = self.digits[keep] >= 5;
        self.len = keep;
        if up {
            while self.len > 0 && self.digits[self.len - 1] == 9 {
                self.len -= 1;
            }
            if self.len > 0 {
                self.digits[self.len - 1] += 1;
            } else {
                self.digits[0] = 1;
                self.len = 1;
                self.point += 1;
            }
        }
        self.trim();
        self
    }

    /// Appends all digits in positional notation, without trailing zeros.
    pub(crate) fn write_fixed(&self, out: &mut String) {
        for power in (0..self.integer_digits().max(1)).rev() {
            out.push(self.digit(power));
        }
        if self.lowest_power() < 0 && !self.is_zero() {
            out.push('.');
            for power in (self.lowest_power()..0).rev() {
                out.push(self.digit(power));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(number: f64, decimals: i32, expected: &str) {
        let mut out = String::new();
        Decimal::of(number).round(decimals).write_fixed(&mut out);
        assert_eq!(out, expected, "{number} to {decimals}");
    }

    #[test]
    fn rounds_on_fifteen_digits() {
        check(1.005, 2, "1.01");
        check(0.285, 2, "0.29");
        check(2.5, 0, "3");
        check(0.5, 0, "1");
        check(0.49999, 0, "0");
        check(0.05, 0, "0");
        check(999.95, 1, "1000");
        check(999.95, 9, "999.95");
        check(1234.5, -2, "1200");
        check(123456789012345678.0, 0, "123456789012346000");
        check(0.1 + 0.2, 20, "0.3");
        check(1e20, 2, "100000000000000000000");
    }
}
