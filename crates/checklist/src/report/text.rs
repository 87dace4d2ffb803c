//! Text that others wrote, as one line without surprises.

use chrono::{DateTime, Utc};

/// A text as one line: line ends and tabs become blanks; control characters, and those that turn the direction of what follows or are not
/// seen at all, are gone.
pub(super) fn clean(text: &str) -> String {
    let kept = text.chars().filter_map(|character| match character {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
        _ if is_dangerous(character) => None,
        _ => Some(character),
    });
    kept.collect::<String>().trim().to_owned()
}

fn is_dangerous(character: char) -> bool {
    character.is_control()
        || matches!(character,
            // Directions, and what has no width.
            '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            // What XML does not allow.
            | '\u{fffe}' | '\u{ffff}')
}

/// A moment, to the minute.
pub(super) fn moment(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// A moment as other programs read it (RFC 3339), to the second.
pub(super) fn timestamp(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// How long something took; no time at all, where a clock was set back.
pub(super) fn took(milliseconds: impl Into<i128>) -> String {
    let milliseconds = milliseconds.into().max(0);
    match milliseconds {
        0..1000 => format!("{milliseconds} ms"),
        _ => format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100),
    }
}

/// A text as a part of a URI: what is neither unreserved (RFC 3986, section 2.3) nor a slash as its bytes.
pub(super) fn uri(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_one_line_without_control_characters() {
        assert_eq!(clean("\u{1b}[31mred\u{7}\nnext\tone\u{202e}\u{9b} é\u{0}\r\n"), "[31mred next one é");
    }

    #[test]
    fn a_time_is_told_in_the_unit_that_fits() {
        assert_eq!([took(0), took(999), took(1_250)], ["0 ms", "999 ms", "1.2 s"]);
    }

    #[test]
    fn a_path_becomes_a_uri() {
        assert_eq!(uri("docs/a b/ü#.md"), "docs/a%20b/%C3%BC%23.md");
    }
}
