//! Arguments that are texts: what is a number or a boolean there becomes the text that Excel makes of it.

use formualizer_common::LiteralValue;
use formualizer_eval::traits::{ArgumentHandle, CalcValue};

use crate::formualizer::overrides::arguments::Argument;
use crate::formualizer::overrides::convert::{number_in, text_of};

/// Whether a function takes a text for an argument.
fn is_text(name: &str, index: usize) -> bool {
    match name {
        "LEN" | "LEFT" | "RIGHT" | "MID" | "LOWER" | "UPPER" | "TRIM" | "PROPER" | "CLEAN" | "CODE"
        | "REPT" | "LENB" | "LEFTB" | "RIGHTB" | "MIDB" | "UNICODE" | "ASC" | "ENCODEURL" => index == 0,
        "FIND" | "SEARCH" | "EXACT" | "FINDB" | "SEARCHB" | "TEXTBEFORE" | "TEXTAFTER" | "REGEXTEST"
        | "REGEXEXTRACT" => index < 2,
        "SUBSTITUTE" | "TEXTSPLIT" | "REGEXREPLACE" => index < 3,
        "REPLACE" | "REPLACEB" => index == 0 || index == 3,
        _ => false,
    }
}

/// Whether a function of texts takes a number for an argument.
fn is_number(name: &str, index: usize) -> bool {
    match name {
        "LEFT" | "RIGHT" | "REPT" => index == 1,
        "MID" => index == 1 || index == 2,
        "FIND" | "SEARCH" => index == 2,
        "SUBSTITUTE" => index == 3,
        _ => false,
    }
}

/// Functions for which capitals are alike, or are made.
const KNOW_CAPITALS: &[&str] = &["LOWER", "SEARCH", "UPPER"];

/// Whether the library's own function takes these arguments as Excel does.
pub(super) fn are_plain(name: &str, args: &[ArgumentHandle<'_, '_>]) -> bool {
    let knows_capitals = KNOW_CAPITALS.contains(&name);
    args.iter().enumerate().all(|(index, arg)| match arg.value() {
        Ok(CalcValue::Scalar(value) | CalcValue::AnnotatedScalar(value, _)) => match value {
            LiteralValue::Text(_) if is_number(name, index) => false,
            _ if !is_text(name, index) => true,
            LiteralValue::Text(text) => !knows_capitals || text.is_ascii(),
            LiteralValue::Number(number) => number.fract() == 0.0 && number.abs() < 1e15,
            LiteralValue::Boolean(_) => false,
            _ => true,
        },
        _ => true,
    })
}

/// Writes the numbers and booleans among texts as Excel does, and reads the numbers that are texts.
pub(super) fn write(name: &str, arguments: &mut [Argument]) {
    let write = |value: &mut LiteralValue| {
        if matches!(value, LiteralValue::Number(_) | LiteralValue::Int(_) | LiteralValue::Boolean(_))
            && let Some(text) = text_of(value)
        {
            *value = LiteralValue::Text(text);
        }
    };
    for (index, argument) in arguments.iter_mut().enumerate() {
        if is_number(name, index)
            && let Argument::Value(value) | Argument::Cell(value) = argument
            && let LiteralValue::Text(text) = value
            && let Some(number) = number_in(text)
        {
            *argument = Argument::Value(LiteralValue::Number(number));
        }
        if is_text(name, index) {
            match argument {
                Argument::Omitted => {}
                Argument::Value(value) | Argument::Cell(value) => write(value),
                Argument::Array(rows) | Argument::Cells(rows) => rows.iter_mut().flatten().for_each(write),
            }
        }
    }
}
