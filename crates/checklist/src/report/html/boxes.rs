//! Boxes: those that block first, and then all of them.

use maud::{Markup, html};

use super::{clean, parts::time, status, words};
use crate::{
    assessment::{Assessed, Assessment},
    report::{self, Part, other_reasons, parts, text::took},
    verdict::Judgement,
};

/// What keeps it from shipping, with links to the boxes.
pub fn blocking(assessment: &Assessment, judgement: &Judgement) -> Markup {
    let others = other_reasons(assessment, judgement);
    let boxes: Vec<&Assessed> = report::blocking(assessment).collect();
    html! {
        @if !others.is_empty() || !boxes.is_empty() {
            section aria-labelledby="blocks" {
                h2 id="blocks" { "What blocks" }
                ul {
                    @for reason in others {
                        li class="blocks" { (clean(reason)) }
                    }
                    @for assessed in boxes {
                        li class="blocks" {
                            (linked(assessed))
                            @if !assessed.remedy.is_empty() { p { strong { "To do: " } (words(&assessed.remedy)) } }
                        }
                    }
                }
            }
        }
    }
}

/// What is not as it should be, and stops nothing.
pub fn warnings(assessment: &Assessment) -> Markup {
    let warnings: Vec<&Assessed> = report::warnings(assessment).collect();
    html! {
        @if !warnings.is_empty() {
            section aria-labelledby="warnings" {
                h2 id="warnings" { "Warnings" }
                ul {
                    @for assessed in warnings {
                        li { (linked(assessed)) }
                    }
                }
            }
        }
    }
}

/// Every box with its evidence, section by section.
pub fn boxes(assessment: &Assessment) -> Markup {
    html! {
        section aria-labelledby="boxes" {
            h2 id="boxes" { "Boxes" }
            @for part in parts(assessment) {
                (section(&part))
            }
        }
    }
}

fn section(part: &Part<'_>) -> Markup {
    let outermost = part.boxes.iter().filter(|assessed| assessed.group.is_none());
    html! {
        // No landmark: there are many, and one may be called as another part of the page.
        div {
            h3 id={ "section-" (part.id) } { (words(part.title)) }
            ul {
                @for assessed in outermost {
                    (item(assessed, part.boxes))
                }
            }
        }
    }
}

/// A box, and those in it.
fn item(assessed: &Assessed, all: &[Assessed]) -> Markup {
    html! {
        li id={ "box-" (assessed.id) } {
            p { (status(assessed.status)) " " strong { (words(&assessed.title)) } }
            p class="quiet" { (clean(&assessed.summary)) }
            @if assessed.is_group() {
                ul {
                    @for below in all.iter().filter(|below| below.group.as_ref() == Some(&assessed.id)) {
                        (item(below, all))
                    }
                }
            } @else {
                (evidence(assessed))
            }
        }
    }
}

fn evidence(assessed: &Assessed) -> Markup {
    html! {
        details {
            summary { "Evidence of " code { (assessed.id) } }
            @if !assessed.evidence.is_empty() {
                pre {
                    @for line in &assessed.evidence { (clean(line)) "\n" }
                }
            }
            dl {
                dt { "Known by" } dd { (assessed.kind) }
                dt { "Owner" } dd { (clean(&assessed.owner)) }
                dt { "Severity" } dd { (assessed.severity.as_str()) }
                @if let Some(known) = assessed.known { dt { "Known since" } dd { (time(known)) } }
                @if let Some(expires) = assessed.expires { dt { "Counts until" } dd { (time(expires)) } }
                @if let Some(milliseconds) = assessed.took_ms { dt { "Took" } dd { (took(milliseconds)) } }
                @if !assessed.remedy.is_empty() { dt { "Remedy" } dd { (words(&assessed.remedy)) } }
            }
        }
    }
}

/// A box as it is told elsewhere on the page.
fn linked(assessed: &Assessed) -> Markup {
    html! {
        p {
            (status(assessed.status)) " "
            a href={ "#box-" (assessed.id) } { (words(&assessed.title)) } " "
            code class="quiet" { (assessed.id) }
        }
        p { (clean(&assessed.summary)) }
    }
}
