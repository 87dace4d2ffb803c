//! The document of the checklist, line by line, with its boxes filled in.

use super::{
    bound_to, left, other_reasons, ruling,
    text::{clean, moment, took},
    waivers_in_use, why,
};
use crate::{
    assessment::{Assessed, Assessment},
    document::Document,
    ledger::Signed,
    spec::{Check, Loaded, Spec},
    status::Status,
    verdict::Judgement,
};

pub(super) fn render(assessment: &Assessment, judgement: &Judgement, checklist: &Loaded) -> String {
    let made;
    let document = match &checklist.document {
        Some(document) => document,
        None => {
            made = Document::parse(document_of(&checklist.spec));
            &made
        }
    };
    let mut lines: Vec<String> = Vec::new();
    let mut head = Some(head(assessment, judgement));
    if !document.lines().any(|(line, _)| line.starts_with("# ")) {
        lines.extend(head.take().into_iter().flatten());
        lines.push(String::new());
    }
    let mut after_head = false;
    for (line, found) in document.lines() {
        // Otherwise the quote would go on.
        if std::mem::take(&mut after_head) && !line.is_empty() {
            lines.push(String::new());
        }
        match found.and_then(|at| assessment.boxes.get(at)) {
            Some(assessed) => {
                lines.push(filled(line, assessed, signed(assessed, assessment, &checklist.spec)));
                let indent = line.len() - line.trim_start().len();
                lines.extend(told(assessed).into_iter().map(|told| " ".repeat(indent + 2) + &told));
            }
            None => lines.push(line.to_owned()),
        }
        if line.starts_with("# ")
            && let Some(head) = head.take()
        {
            lines.push(String::new());
            lines.extend(head);
            after_head = true;
        }
    }
    lines.join("\n") + "\n"
}

/// The document of a checklist that has none.
fn document_of(spec: &Spec) -> String {
    let mut lines = vec![format!("# {}", clean(&spec.title))];
    for section in &spec.sections {
        lines.extend([String::new(), format!("## {}", clean(&section.title)), String::new()]);
        for item in &section.items {
            lines.push(format!("- [ ] {}", clean(&item.title)));
            lines.extend(item.items.iter().map(|below| format!("  - [ ] {}", clean(&below.title))));
        }
    }
    lines.join("\n")
}

/// What the gate says, and of what: a quote, so that it is not taken for the document.
fn head(assessment: &Assessment, judgement: &Judgement) -> Vec<String> {
    let subject = &assessment.subject;
    let why = Some(why(assessment, judgement)).filter(|why| !why.is_empty());
    let why = why.map(|why| format!(": {}", escaped(&why))).unwrap_or_default();
    let mut lines = vec![
        format!("> **{}**{why} (exit code {})", ruling(judgement), judgement.ruling.code()),
        ">".to_owned(),
    ];
    let mut item = |name: &str, what: String| lines.push(format!("> - {name}: {what}"));
    item("Service", escaped(&assessment.service));
    item("Profile", escaped(&subject.profile));
    item("Environment", escaped(&subject.environment));
    for (name, digest) in bound_to(assessment) {
        item(&capital(name), format!("`{digest}`"));
    }
    let facts: Vec<String> =
        subject.facts.iter().map(|(name, is)| escaped(&format!("{name}={is}"))).collect();
    if !facts.is_empty() {
        item("Facts", facts.join(", "));
    }
    item(
        "Run",
        format!(
            "{} by {}, in {}, record `{}`",
            moment(assessment.began),
            escaped(&assessment.author),
            took(assessment.took_ms),
            assessment.record
        ),
    );
    item(
        "Judged",
        format!(
            "{}, with entry {} of the ledger as its last",
            moment(assessment.at),
            assessment.head.entries
        ),
    );
    for waiver in waivers_in_use(assessment) {
        let left = left(waiver, assessment);
        item("Waiver", format!("`{}`, {left}", waiver.waiver.id));
    }
    for reason in other_reasons(assessment, judgement) {
        item("Blocks", escaped(reason));
    }
    lines
}

fn capital(word: &str) -> String {
    word[..1].to_uppercase() + &word[1..]
}

/// The line of a box, filled in; if it is a signature, with who signed and when in place of the lines to write on.
fn filled(line: &str, assessed: &Assessed, signed: Option<&Signed>) -> String {
    let mut filled = line.to_owned();
    if assessed.status.is_checked() {
        filled = filled.replacen("[ ]", "[x]", 1);
    }
    let Some(signed) = signed else { return filled };
    for word in [escaped(&signed.person), signed.at.format("%Y-%m-%d").to_string()] {
        filled = fill_in(&filled, &word);
    }
    filled
}

/// Writes on the first line to write on: three or more underscores.
fn fill_in(line: &str, word: &str) -> String {
    let Some((before, after)) = line.split_once("___") else { return line.to_owned() };
    format!("{before}{word}{}", after.trim_start_matches('_'))
}

/// Who signed a box of a signature.
fn signed<'a>(assessed: &Assessed, assessment: &'a Assessment, spec: &Spec) -> Option<&'a Signed> {
    let Some(Check::SignOff(check)) = &spec.find(assessed.id.as_str())?.item.check else { return None };
    let of_role = assessment.sign_offs.iter().find(|sign_off| sign_off.role == check.role)?;
    let signed = &of_role.sign_off.as_ref()?.signed;
    (assessed.status == Status::Pass).then_some(signed)
}

/// What is known of a box, as items of a list below it.
fn told(assessed: &Assessed) -> Vec<String> {
    let mut first = format!("- **{}**: {}", assessed.status, escaped(&assessed.summary));
    if !assessed.is_group() {
        first += &format!(" (`{}`)", assessed.id);
    }
    let mut lines = vec![first];
    let known = assessed.known.map(|known| format!("known since {}", moment(known)));
    let expires = assessed.expires.map(|expires| format!("counts until {}", moment(expires)));
    let times: Vec<String> = known.into_iter().chain(expires).collect();
    if !times.is_empty() {
        lines.push(format!("- {}", times.join(", ")));
    }
    lines.extend(assessed.evidence.iter().map(|line| format!("- {}", code(line))));
    if !assessed.status.is_checked() && !assessed.remedy.is_empty() {
        lines.push(format!("- To do: {}", prose(&assessed.remedy)));
    }
    lines
}

/// A text that stands for itself. It never begins a line, so that only what has a meaning inside of one is escaped.
fn escaped(text: &str) -> String {
    without_marks(&clean(text))
}

fn without_marks(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let is_word =
        |at: Option<usize>| at.and_then(|at| characters.get(at)).is_some_and(|is| is.is_alphanumeric());
    let mut escaped = String::with_capacity(text.len());
    for (at, character) in characters.iter().enumerate() {
        let has_meaning = match character {
            // Inside of a word it is one of its letters.
            '_' => !(is_word(at.checked_sub(1)) && is_word(Some(at + 1))),
            _ => r"\`*[]<>&~$|".contains(*character),
        };
        if has_meaning {
            escaped.push('\\');
        }
        escaped.push(*character);
    }
    escaped
}

/// A text that stands for itself, in which what is between backticks is code.
fn prose(text: &str) -> String {
    let text = clean(text);
    let pieces: Vec<&str> = text.split('`').collect();
    // The last backtick of an odd number has no other to go with.
    let is_closed = pieces.len() % 2 == 1;
    let has_empty_code = pieces.iter().skip(1).step_by(2).any(|piece| piece.is_empty());
    if !is_closed || has_empty_code {
        return without_marks(&text);
    }
    let told = pieces.iter().enumerate().map(|(at, piece)| match at % 2 {
        0 => without_marks(piece),
        _ => code(piece),
    });
    told.collect()
}

/// A text as code: between more backticks than are in it.
fn code(text: &str) -> String {
    let text = clean(text);
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    if text.is_empty() {
        return text;
    }
    let fence = "`".repeat(longest + 1);
    // Blanks keep backticks at the ends apart from the fence; where there are two, they are not shown.
    if text.starts_with('`') || text.ends_with('`') {
        format!("{fence} {text} {fence}")
    } else {
        format!("{fence}{text}{fence}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stands_for_itself() {
        assert_eq!(escaped("a*b* <i> [x](y) snake_case _x_"), r"a\*b\* \<i\> \[x\](y) snake_case \_x\_");
        assert_eq!(prose("`a` is"), "`a` is");
        assert_eq!(prose("set `a_b` to <x>, then `c`."), r"set `a_b` to \<x\>, then `c`.");
        assert_eq!(prose("one ` alone"), r"one \` alone");
        assert_eq!(code("plain"), "`plain`");
        assert_eq!(code("a ``b`"), "``` a ``b` ```");
    }

    #[test]
    fn lines_to_write_on_are_filled_in() {
        let line = "- [x] Signed off by: ________ Date: ___";
        assert_eq!(fill_in(&fill_in(line, "Ada"), "2026-03-01"), "- [x] Signed off by: Ada Date: 2026-03-01");
        assert_eq!(fill_in("- [x] Signed", "Ada"), "- [x] Signed");
    }
}
