//! Text as lines.

use crate::typesetter::{Type, Typesetter};

/// Pixels at 96 dpi between a cell's edge and its text.
pub(crate) const PADDING: f32 = 2.0;

/// A line of a text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TextLine<'t> {
    pub(crate) text: &'t str,
    /// Pixels at 96 dpi.
    pub(crate) width: f32,
}

/// Breaks a text into lines that are no wider than `room` pixels at 96 dpi: at its own line breaks, between words, and
/// within a word that is wider than a line. Reads no further than `max_lines`.
pub(crate) fn wrap<'t>(
    setter: &mut Typesetter<'_>,
    of: Type,
    text: &'t str,
    room: f32,
    max_lines: usize,
) -> Vec<TextLine<'t>> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        wrap_paragraph(setter, of, paragraph, room, max_lines, &mut lines);
        if lines.len() >= max_lines {
            break;
        }
    }
    lines
}

fn wrap_paragraph<'t>(
    setter: &mut Typesetter<'_>,
    of: Type,
    paragraph: &'t str,
    room: f32,
    max_lines: usize,
    lines: &mut Vec<TextLine<'t>>,
) {
    let mut start = 0;
    let mut width = 0.0;
    // Where the line can be broken: behind a space or a hyphen, and its width up to there without the space.
    let mut stop: Option<(usize, f32)> = None;
    let mut width_of_words = 0.0;
    for (at, character) in paragraph.char_indices() {
        let advance = setter.advance(of, character);
        if character == ' ' || character == '\t' {
            width += advance;
            stop = Some((at + character.len_utf8(), width_of_words));
            continue;
        }
        if width + advance > room && at > start {
            let (end, line_width) = stop.filter(|(end, _)| *end > start).unwrap_or((at, width_of_words));
            push(lines, &paragraph[start..end], line_width);
            if lines.len() >= max_lines {
                return;
            }
            start = end;
            width = setter.width(of, &paragraph[start..at]);
            stop = None;
        }
        width += advance;
        width_of_words = width;
        if character == '-' {
            stop = Some((at + 1, width));
        }
    }
    push(lines, &paragraph[start..], width_of_words);
}

fn push<'t>(lines: &mut Vec<TextLine<'t>>, text: &'t str, width: f32) {
    let text = text.trim_end();
    lines.push(TextLine { text, width: if text.is_empty() { 0.0 } else { width } });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fonts::Fonts;

    fn check(text: &str, room: f32, expected: &[&str]) {
        let fonts = Fonts::embedded();
        let mut setter = Typesetter::new(&fonts);
        let of = setter.resolve(None, false);
        let lines = wrap(&mut setter, of, text, room, 100);
        let texts: Vec<&str> = lines.iter().map(|line| line.text).collect();
        assert_eq!(texts, expected);
        for line in &lines {
            assert_eq!(line.width, setter.width(of, line.text), "{line:?}");
        }
    }

    #[test]
    fn breaks_between_words() {
        check("one two three", 60.0, &["one two", "three"]);
        check("one two three", 500.0, &["one two three"]);
        check("one\ntwo", 500.0, &["one", "two"]);
        check("", 10.0, &[""]);
        check("a\n\nb", 100.0, &["a", "", "b"]);
    }

    #[test]
    fn breaks_long_words_and_after_hyphens() {
        check("7777777777", 35.0, &["77777", "77777"]);
        check("aa-bb-cc", 40.0, &["aa-bb-", "cc"]);
        check("77", 0.0, &["7", "7"]);
        check("7 7777777", 35.0, &["7", "77777", "77"]);
    }

    #[test]
    fn reads_no_further_than_asked() {
        let fonts = Fonts::embedded();
        let mut setter = Typesetter::new(&fonts);
        let of = setter.resolve(None, false);
        assert_eq!(wrap(&mut setter, of, &"word ".repeat(10_000), 40.0, 3).len(), 3);
        assert_eq!(wrap(&mut setter, of, &"\n".repeat(10_000), 40.0, 3).len(), 3);
    }
}
