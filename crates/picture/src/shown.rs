//! What a cell shows: its value as text, and what becomes of a number that is wider than its column.

use grid::{DateSystem, Value};
use number_format::{Color as FormatColor, NumberFormat};
use workbook::{Color, Styles};

use crate::look::{Horizontal, Look, SPARE_ROOM};

/// The longest text that is looked at in one cell; Excel holds 32,767 characters, a screen shows fewer.
const MAX_CHARACTERS: usize = 8192;

/// What a cell shows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shown {
    /// May have line breaks, and one [`SPARE_ROOM`].
    pub(crate) text: String,
    /// Whether it is a text: the others never flow into their neighbours.
    pub(crate) is_text: bool,
    /// A number in the `General` format, which is rounded to fit.
    pub(crate) general: Option<f64>,
    /// The colour that the number format asks for.
    pub(crate) color: Option<u32>,
    /// Where it stands, [`Horizontal::General`] resolved.
    pub(crate) horizontal: Horizontal,
}

/// A value through its format; `None` if there is nothing to see.
pub(crate) fn shown(value: Value<'_>, look: &Look, styles: &Styles, dates: DateSystem) -> Option<Shown> {
    let (text, color) = match (&look.number_format, value) {
        (_, Value::Empty) => return None,
        (Some(format), value) => {
            let head = head_of(value);
            (format.format(head, dates), format.color(head).and_then(|color| rgb(styles, color)))
        }
        (None, value) => (NumberFormat::default().format(head_of(value), dates), None),
    };
    if text.is_empty() {
        return None;
    }
    let by_kind = match value {
        Value::Number(_) => Horizontal::Right,
        Value::Bool(_) | Value::Error(_) => Horizontal::Center,
        Value::Text(_) | Value::Empty => Horizontal::Left,
    };
    Some(Shown {
        text,
        is_text: matches!(value, Value::Text(_)),
        general: value.as_number().filter(|_| look.number_format.is_none()),
        color,
        horizontal: if look.horizontal == Horizontal::General { by_kind } else { look.horizontal },
    })
}

/// The value, a very long text cut short.
fn head_of(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Text(text) => {
            let end = text.char_indices().nth(MAX_CHARACTERS).map_or(text.len(), |(at, _)| at);
            Value::Text(&text[..end])
        }
        other => other,
    }
}

fn rgb(styles: &Styles, color: FormatColor) -> Option<u32> {
    Some(match color {
        FormatColor::Black => 0x000000,
        FormatColor::Blue => 0x0000FF,
        FormatColor::Cyan => 0x00FFFF,
        FormatColor::Green => 0x00FF00,
        FormatColor::Magenta => 0xFF00FF,
        FormatColor::Red => 0xFF0000,
        FormatColor::White => 0xFFFFFF,
        FormatColor::Yellow => 0xFFFF00,
        // The palette's first eight colours are there twice; codes count from the second time.
        FormatColor::Indexed(index) => return styles.rgb(Color::Indexed(u32::from(index) + 7)),
    })
}

/// The parts of a text before and behind the column's spare room; the first is empty where there is none.
pub(crate) fn around_spare_room(text: &str) -> (&str, &str) {
    text.split_once(SPARE_ROOM).unwrap_or(("", text))
}

/// A number in the `General` format with as many digits as fit: decimals go first, then an exponent comes. `None` if
/// nothing fits.
pub(crate) fn general_that_fits(number: f64, fits: &mut dyn FnMut(&str) -> bool) -> Option<String> {
    let whole = NumberFormat::default().format(Value::Number(number), DateSystem::Date1900);
    if fits(&whole) {
        return Some(whole);
    }
    let render = |code: &str| NumberFormat::parse(code).format(Value::Number(number), DateSystem::Date1900);
    // A tiny number gets its exponent before it loses digits.
    let is_plain = !whole.contains('E') && !(1e-300..1e-4).contains(&number.abs());
    let decimals = whole.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    if is_plain {
        for places in (0..decimals).rev() {
            let code = if places == 0 { "0".to_owned() } else { format!("0.{}", "#".repeat(places)) };
            let text = render(&code);
            // A small number is not shown as zero while an exponent has room.
            let is_lost = number != 0.0 && text.trim_matches(['-', '0', '.']).is_empty();
            let text = text.trim_end_matches('.').to_owned();
            if !is_lost && fits(&text) {
                return Some(text);
            }
        }
    }
    (0..5).rev().find_map(|places| {
        let code = if places == 0 { "0E+00".to_owned() } else { format!("0.{}E+00", "#".repeat(places)) };
        let text = render(&code).replace(".E", "E");
        fits(&text).then_some(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(number: f64, characters: usize, expected: Option<&str>) {
        let shown = general_that_fits(number, &mut |text| text.len() <= characters);
        assert_eq!(shown.as_deref(), expected);
    }

    #[test]
    fn general_numbers_lose_digits_as_excel_takes_them() {
        check(2.61828183, 20, Some("2.61828183"));
        check(2.61828183, 6, Some("2.6183"));
        check(2.61828183, 1, Some("3"));
        check(1234.5, 4, Some("1235"));
        check(123456789.0, 7, Some("1.2E+08"));
        check(123456789.0, 5, Some("1E+08"));
        check(123456789.0, 4, None);
        check(0.000012, 7, Some("1.2E-05"));
        check(-2.75, 2, Some("-3"));
    }

    #[test]
    fn spare_room_parts_a_text() {
        assert_eq!(around_spare_room("$\u{F8FF}1.00 "), ("$", "1.00 "));
        assert_eq!(around_spare_room("1.00"), ("", "1.00"));
    }
}
