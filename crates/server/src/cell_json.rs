//! How cells are told in answers.

pub(crate) use analysis::cell_json::{cell_json, number_json, value_json};

/// A text of at most `most` characters, and `…` where it was cut.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
