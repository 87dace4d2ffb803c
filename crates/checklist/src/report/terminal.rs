//! For a person at a terminal: 80 columns, what blocks in full, and the ruling in the last line.

use super::{
    Part, blocking, bound_to, count, left, other_reasons, parts, ruling, runs_out,
    text::{clean, moment, took},
    waivers_in_use, warnings, why,
};
use crate::{
    assessment::{Assessed, Assessment},
    ledger::SignOff,
    status::Status,
    verdict::{Judgement, Ruling},
};

const WIDTH: usize = 80;
/// How far what is told of a box is indented: two blanks, the longest status and two blanks.
const INDENT: usize = 18;

pub(super) fn render(assessment: &Assessment, judgement: &Judgement, colour: bool) -> String {
    let mut page = Page { text: String::new(), colour };
    page.heading(assessment);
    page.title("Sections");
    for part in parts(assessment) {
        page.part(&part);
    }
    page.blocking(assessment, judgement);
    page.warnings(assessment);
    page.waivers(assessment);
    page.sign_offs(assessment);
    page.ruling(assessment, judgement);
    page.text
}

#[derive(Clone, Copy)]
enum Style {
    Bold,
    Good,
    Bad,
    Waits,
}

struct Page {
    text: String,
    colour: bool,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn title(&mut self, title: &str) {
        let title = self.styled(Style::Bold, title);
        self.line("");
        self.line(&title);
    }

    fn styled(&self, style: Style, text: &str) -> String {
        let code = match style {
            Style::Bold => "1",
            Style::Good => "32",
            Style::Bad => "1;31",
            Style::Waits => "33",
        };
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn status(&self, status: Status) -> String {
        let style = match status {
            Status::Pass | Status::NotApplicable => Style::Good,
            Status::Fail | Status::Error | Status::Expired | Status::Stale => Style::Bad,
            Status::Waived | Status::Warn | Status::Pending | Status::NotRun => Style::Waits,
        };
        self.styled(style, &format!("{status:14}"))
    }

    fn heading(&mut self, assessment: &Assessment) {
        let subject = &assessment.subject;
        let title = self.styled(Style::Bold, &cut(&clean(&assessment.title), WIDTH));
        self.line(&title);
        let digests: Vec<String> =
            bound_to(assessment).iter().map(|(name, digest)| format!("{name} {}", digest.short())).collect();
        let run = format!(
            "{} by {}, in {}: {} by machine",
            moment(assessment.began),
            clean(&assessment.author),
            took(assessment.took_ms),
            count(assessment.executed, "check"),
        );
        for (name, what) in [
            ("service", clean(&assessment.service)),
            ("profile", clean(&subject.profile)),
            ("environment", clean(&subject.environment)),
            ("bound to", digests.join(", ")),
            ("run", run),
            ("judged", moment(assessment.at)),
        ] {
            self.wrapped(&format!("  {name:14}  "), &what);
        }
    }

    fn part(&mut self, part: &Part<'_>) {
        const BAR: usize = 10;
        let (checked, all) = (part.checked(), part.boxes.len());
        // A full bar is for sections that are done.
        let full = checked * BAR / all;
        let bar = "█".repeat(full) + &"░".repeat(BAR - full);
        let style = if checked == all { Style::Good } else { Style::Waits };
        let bar = self.styled(style, &bar);
        let title = cut(&clean(part.title), 30);
        let open = cut(&part.open(), 25);
        self.line(&format!("  {title:30}  {bar}  {checked:>3}/{all:<3}  {open}"));
    }

    /// What is told of a box: its status and id, and below them the rest.
    fn told(&mut self, assessed: &Assessed, with_remedy: bool) {
        let status = self.status(assessed.status);
        self.line(&format!("  {status}  {}", assessed.id));
        let indent = " ".repeat(INDENT);
        self.wrapped(&indent, &clean(&assessed.summary));
        if with_remedy && !assessed.remedy.is_empty() {
            self.wrapped(&format!("{indent}→ "), &clean(&assessed.remedy));
        }
    }

    fn blocking(&mut self, assessment: &Assessment, judgement: &Judgement) {
        let others = other_reasons(assessment, judgement);
        let boxes: Vec<&Assessed> = blocking(assessment).collect();
        if others.is_empty() && boxes.is_empty() {
            return;
        }
        self.title("What blocks");
        for reason in others {
            self.wrapped("  - ", &clean(reason));
        }
        for assessed in boxes {
            self.told(assessed, true);
        }
    }

    fn warnings(&mut self, assessment: &Assessment) {
        let warnings: Vec<&Assessed> = warnings(assessment).collect();
        if !warnings.is_empty() {
            self.title("Warnings");
        }
        for assessed in warnings {
            self.told(assessed, false);
        }
    }

    fn waivers(&mut self, assessment: &Assessment) {
        let waivers = waivers_in_use(assessment);
        if !waivers.is_empty() {
            self.title("Waivers");
        }
        for waived in waivers {
            let waiver = &waived.waiver;
            let style = if runs_out(waived, assessment) { Style::Bad } else { Style::Waits };
            let left = self.styled(style, &format!("{:14}", left(waived, assessment)));
            self.line(&format!("  {left}  {}", waiver.id));
            let told = format!(
                "{} takes the risk until {}, {} sets it right ({})",
                waiver.approver,
                moment(waiver.expires),
                waiver.owner,
                waiver.ticket
            );
            self.wrapped(&" ".repeat(INDENT), &clean(&told));
        }
    }

    fn sign_offs(&mut self, assessment: &Assessment) {
        if !assessment.sign_offs.is_empty() {
            self.title("Sign-offs");
        }
        for sign_off in &assessment.sign_offs {
            let (style, word, told) = match &sign_off.sign_off {
                Some(SignOff { signed, .. }) => {
                    (Style::Good, "signed", format!("{}, {}", signed.person, moment(signed.at)))
                }
                None => (Style::Waits, "missing", sign_off.problem.clone().unwrap_or_default()),
            };
            let word = self.styled(style, &format!("{word:14}"));
            self.line(&format!("  {word}  {}", cut(&clean(&sign_off.title), WIDTH - INDENT)));
            self.wrapped(&" ".repeat(INDENT), &clean(&told));
        }
    }

    fn ruling(&mut self, assessment: &Assessment, judgement: &Judgement) {
        let style = if judgement.ruling == Ruling::Ship { Style::Good } else { Style::Bad };
        let ruling = self.styled(style, ruling(judgement));
        let why = Some(why(assessment, judgement)).filter(|why| !why.is_empty());
        let why = why.map(|why| format!(": {}", clean(&why))).unwrap_or_default();
        self.line("");
        self.line(&format!("{ruling}{why} (exit code {})", judgement.ruling.code()));
    }

    /// Lines of words, the first after `first` and the others indented as far.
    fn wrapped(&mut self, first: &str, words: &str) {
        let indent = " ".repeat(first.chars().count());
        let mut line = first.to_owned();
        let mut is_empty = true;
        for word in words.split_whitespace() {
            let needed = usize::from(!is_empty) + word.chars().count();
            if !is_empty && line.chars().count() + needed > WIDTH {
                self.line(&line);
                line.clone_from(&indent);
                is_empty = true;
            }
            if !is_empty {
                line.push(' ');
            }
            line.push_str(word);
            is_empty = false;
        }
        self.line(&line);
    }
}

/// A text that is no longer than that.
fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars().take(longest - 1).chain(['…']).collect()
}
