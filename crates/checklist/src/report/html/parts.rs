//! What there is to say before the boxes.

use maud::{Markup, html};

use super::{clean, words};
use crate::{
    assessment::Assessment,
    report::{
        bound_to, count, left, parts, ruling, runs_out,
        text::{moment, timestamp, took},
        waivers_in_use, why,
    },
    verdict::{Judgement, Ruling},
};

/// The ruling, and of what it is.
pub fn heading(assessment: &Assessment, judgement: &Judgement) -> Markup {
    let subject = &assessment.subject;
    let class = if judgement.ruling == Ruling::Ship { "ruling good" } else { "ruling bad" };
    let why = why(assessment, judgement);
    html! {
        header {
            h1 { (words(&assessment.title)) }
            p class=(class) {
                strong { (ruling(judgement)) }
                @if !why.is_empty() { ": " (clean(&why)) }
                " (exit code " (judgement.ruling.code()) ")"
            }
            dl {
                dt { "Service" } dd { (clean(&assessment.service)) }
                dt { "Profile" } dd { (clean(&subject.profile)) }
                dt { "Environment" } dd { (clean(&subject.environment)) }
                @for (name, is) in &subject.facts {
                    dt { "Fact " (clean(name)) } dd { (clean(is)) }
                }
                dt { "Run" }
                dd {
                    (time(assessment.began)) " by " (clean(&assessment.author)) ", in " (took(assessment.took_ms)) ": "
                    (count(assessment.executed, "check")) " by machine"
                }
                dt { "Judged" } dd { (time(assessment.at)) }
            }
            details {
                summary { "Digests" }
                dl {
                    @for (name, digest) in bound_to(assessment) {
                        dt { (name) } dd { code { (digest.to_string()) } }
                    }
                    dt { "record" } dd { code { (assessment.record.to_string()) } }
                    dt { "state" } dd { code { (assessment.state.to_string()) } }
                    dt { "ledger, " (assessment.head.entries) " entries" }
                    dd { code { (assessment.head.digest.to_string()) } }
                }
            }
        }
    }
}

/// How far each section is.
pub fn progress(assessment: &Assessment) -> Markup {
    let checked = assessment.boxes.iter().filter(|assessed| assessed.status.is_checked()).count();
    html! {
        section aria-labelledby="progress" {
            h2 id="progress" { "Progress" }
            p { (checked) " of the " (assessment.boxes.len()) " boxes are checked off." }
            table {
                thead { tr { th scope="col" { "Section" } th scope="col" { "Checked off" } th scope="col" { "Open" } } }
                tbody {
                    @for part in parts(assessment) {
                        tr {
                            th scope="row" {
                                a href={ "#section-" (part.id) } { (words(part.title)) }
                                // The numbers are in the next cell.
                                progress max=(part.boxes.len()) value=(part.checked()) aria-hidden="true" {}
                            }
                            td { (part.checked()) " of " (part.boxes.len()) }
                            td { (part.open()) }
                        }
                    }
                }
            }
        }
    }
}

/// Who has signed, and who has to.
pub fn sign_offs(assessment: &Assessment) -> Markup {
    html! {
        @if !assessment.sign_offs.is_empty() {
            section aria-labelledby="sign-offs" {
                h2 id="sign-offs" { "Sign-offs" }
                table {
                    thead { tr { th scope="col" { "For" } th scope="col" { "Is" } th scope="col" { "By" } } }
                    tbody {
                        @for sign_off in &assessment.sign_offs {
                            tr {
                                th scope="row" { (clean(&sign_off.title)) }
                                @if let Some(by) = &sign_off.sign_off {
                                    td { span class="status good" { "signed" } }
                                    td {
                                        (clean(&by.signed.person)) ", " (time(by.signed.at))
                                        ", key " code { (by.key.fingerprint()) }
                                    }
                                } @else {
                                    td { span class="status waits" { "missing" } }
                                    td { (clean(sign_off.problem.as_deref().unwrap_or_default())) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The waivers that boxes rest on, the first to run out first.
pub fn waivers(assessment: &Assessment) -> Markup {
    let waivers = waivers_in_use(assessment);
    html! {
        @if !waivers.is_empty() {
            section aria-labelledby="waivers" {
                h2 id="waivers" { "Waivers" }
                ul {
                    @for waived in waivers {
                        @let waiver = &waived.waiver;
                        @let class = if runs_out(waived, assessment) { "status bad" } else { "status waits" };
                        li {
                            span class=(class) { (left(waived, assessment)) } " "
                            a href={ "#box-" (waiver.id) } { code { (waiver.id) } }
                            dl {
                                dt { "Until" } dd { (time(waiver.expires)) }
                                dt { "Takes the risk" } dd { (clean(&waiver.approver)) }
                                dt { "Sets it right" } dd { (clean(&waiver.owner)) }
                                dt { "Risk" } dd { (clean(&waiver.risk)) }
                                dt { "Meanwhile" } dd { (clean(&waiver.control)) }
                                dt { "Ticket" } dd { (clean(&waiver.ticket)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A moment, for people and programs.
pub(super) fn time(at: chrono::DateTime<chrono::Utc>) -> Markup {
    html! { time datetime=(timestamp(at)) { (moment(at)) } }
}
