//! For browsers: one page that needs nothing else, neither scripts nor other files.
//!
//! Its parts are for pages of servers, too: they stand in an element of the class `checklist`, with [`style()`] in a `<style>` element that
//! a policy allows by [`style_hash()`]. Nothing in them has a style or a handler of its own.

mod boxes;
mod parts;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

pub use boxes::{blocking, boxes, warnings};
pub use parts::{heading, progress, sign_offs, waivers};

use super::text::clean;
use crate::{assessment::Assessment, status::Status, verdict::Judgement};

/// The style of all parts.
pub fn style() -> &'static str {
    include_str!("style.css")
}

/// By what a Content-Security-Policy allows [`style()`]: `'sha256-…'`, quotes included (CSP 3, section 2.3.1).
pub fn style_hash() -> String {
    hash_of(style())
}

/// By what a Content-Security-Policy allows another style.
pub fn hash_of(style: &str) -> String {
    format!("'sha256-{}'", BASE64.encode(Sha256::digest(style)))
}

/// What a page is called.
pub fn title(assessment: &Assessment, judgement: &Judgement) -> Markup {
    html! { (super::ruling(judgement)) ": " (clean(&assessment.title)) }
}

/// The page.
pub(super) fn page(assessment: &Assessment, judgement: &Judgement) -> Markup {
    let policy =
        format!("default-src 'none'; style-src {}; base-uri 'none'; form-action 'none'", style_hash());
    html! {
        (DOCTYPE)
        html lang="en" class="checklist-page" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title(assessment, judgement)) }
                style { (PreEscaped(style())) }
            }
            body {
                main class="checklist" { (body(assessment, judgement)) }
            }
        }
        "\n"
    }
}

/// All parts, in order, with one heading of the first level.
pub fn body(assessment: &Assessment, judgement: &Judgement) -> Markup {
    body_to_sign(assessment, judgement, &html! {})
}

/// The same, with what it takes to sign after the sign-offs.
pub fn body_to_sign(assessment: &Assessment, judgement: &Judgement, signing: &Markup) -> Markup {
    html! {
        (heading(assessment, judgement))
        (blocking(assessment, judgement))
        (progress(assessment))
        (sign_offs(assessment))
        (signing)
        (waivers(assessment))
        (warnings(assessment))
        (boxes(assessment))
    }
}

/// A status as a word; its colour says nothing more.
fn status(status: Status) -> Markup {
    html! { span class={ "status " (class(status)) } { (status.as_str()) } }
}

fn class(status: Status) -> &'static str {
    match status {
        Status::Pass => "good",
        Status::NotApplicable => "quiet",
        Status::Waived | Status::Warn | Status::Pending | Status::NotRun => "waits",
        Status::Stale | Status::Expired | Status::Error | Status::Fail => "bad",
    }
}

/// Words in which what is between backticks is code.
fn words(text: &str) -> Markup {
    let text = clean(text);
    let pieces: Vec<&str> = text.split('`').collect();
    // The last backtick of an odd number has no other to go with, and is one.
    let is_closed = pieces.len() % 2 == 1;
    if !is_closed {
        return html! { (text) };
    }
    html! {
        @for (at, piece) in pieces.iter().enumerate() {
            @if at % 2 == 1 { code { (piece) } } @else { (piece) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The relative luminance of a colour (WCAG 2.2).
    fn luminance(colour: &str) -> f64 {
        let part = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    }

    #[test]
    fn texts_stand_out_from_their_ground_in_both_schemes() {
        let (light, dark) = style().split_once("prefers-color-scheme: dark").unwrap();
        for scheme in [light, dark] {
            let colour = |name: &str| {
                let (_, after) = scheme.split_once(&format!("--{name}: ")).unwrap();
                luminance(&after[..7])
            };
            for ground in ["ground", "raised"] {
                for text in ["text", "quiet", "link", "good", "bad", "waits"] {
                    let (a, b) = (colour(text), colour(ground));
                    let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                    // Level AA of WCAG 2.2, success criterion 1.4.3.
                    assert!(contrast >= 4.5, "{text} on {ground}: {contrast:.1}");
                }
            }
        }
    }

    #[test]
    fn what_is_between_backticks_is_code() {
        for (text, expected) in [
            ("set `a<b` now", "set <code>a&lt;b</code> now"),
            ("one ` alone", "one ` alone"),
            ("plain", "plain"),
        ] {
            assert_eq!(words(text).into_string(), expected);
        }
    }
}
