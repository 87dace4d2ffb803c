//! LibreOffice: whether it is there, which it is, whether it computes without a screen and runs no macro.
//!
//! It is looked for and started as the server does, at most once for all probes of a run.

use std::{
    env,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::{Duration, Instant},
};

use checklist::context::Finding;
use office::{Availability, CalculatedValue, Document};
use serde::Deserialize;
use server::{config::RecalcConfig, recalc::RecalcState};

use super::{
    ServiceProbes,
    question::{Found, Question},
};

/// A document with a formula, and with another that calls a macro of the document.
const DOCUMENT: &[u8] = include_bytes!("libreoffice.fods");

/// Releases that the tests are run with: of Debian 12, as the image has it.
const TESTED: [&str; 1] = ["7.4"];

/// What the formulas of the document come to: the first always, the second where macros run.
const COMPUTED: f64 = 42.0;
const OF_MACRO: f64 = 4711.0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    what: What,
    #[serde(default = "tested")]
    tested: Vec<String>,
}

fn tested() -> Vec<String> {
    TESTED.map(str::to_owned).to_vec()
}

/// What is asked of it.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum What {
    Installed,
    Program,
    Version,
    Headless,
    Macros,
}

/// What was seen of it.
pub(super) struct Seen {
    recalc: RecalcState,
    availability: Availability,
    /// What the formulas of the document came to.
    calculated: OnceLock<Result<Calculated, String>>,
}

/// What the formulas of the document came to.
#[derive(Clone, Copy)]
struct Calculated {
    is_right: bool,
    macro_ran: bool,
}

/// `libreoffice`: one thing about it.
pub(super) fn find(probes: &ServiceProbes, question: &Question<'_>) -> Found {
    let keys = "what (installed, program, version, headless or macros), and tested, a list of versions";
    let Wanted { what, tested } = question.told(keys)?;
    let config = &probes.settings()?.config.fixed.recalc;
    if matches!(what, What::Program) {
        return Ok(program(config));
    }
    let limit = question.context.timeout;
    let seen = probes.office.get_or_init(|| Seen::look(config, limit));
    let version = match &seen.availability {
        Availability::Available { version, .. } => version,
        Availability::Missing { what, remedy } => {
            return Ok(Finding::fail(format!("{what} is missing: {remedy}")));
        }
    };
    Ok(match what {
        What::Program | What::Installed => {
            Finding::pass(format!("LibreOffice {version} is installed, with all that it needs"))
        }
        What::Version => judge_version(version, &tested),
        What::Headless => match seen.calculated(limit) {
            Ok(Calculated { is_right: true, .. }) => {
                Finding::pass("LibreOffice computes a document without a screen")
            }
            Ok(_) => Finding::fail("LibreOffice computes a document, and wrongly"),
            Err(why) => Finding::fail(format!("LibreOffice does not compute a document: {why}")),
        },
        What::Macros => match seen.calculated(limit) {
            Ok(Calculated { macro_ran: false, .. }) => {
                Finding::pass("LibreOffice does not run the macro of a document")
            }
            Ok(_) => Finding::fail("LibreOffice runs the macro of a document, and must not"),
            Err(why) => Finding::error(format!("whether macros run is not known: {why}")),
        },
    })
}

/// The program that the configuration names, or that is on the PATH.
fn program(config: &RecalcConfig) -> Finding {
    let is_program = |path: &Path| {
        path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    let on_path = || -> Option<PathBuf> {
        let folders = env::var_os("PATH")?;
        env::split_paths(&folders).map(|folder| folder.join("soffice")).find(|path| is_program(path))
    };
    match (&config.soffice, on_path()) {
        (Some(named), _) if is_program(named) => {
            Finding::pass(format!("{} is a program, as the option soffice says", named.display()))
        }
        (Some(named), _) => Finding::fail(format!(
            "{} is no program, which the option soffice names as LibreOffice's",
            named.display()
        )),
        (None, Some(found)) => Finding::pass(format!("soffice is on the PATH: {}", found.display())),
        (None, None) => {
            Finding::fail("soffice is not on the PATH: put it there, or name it by the option soffice")
        }
    }
}

fn judge_version(version: &str, tested: &[String]) -> Finding {
    let is_of = |release: &String| {
        let rest = version.strip_prefix(release.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    match tested.iter().any(is_of) {
        true => Finding::pass(format!("LibreOffice is {version}, which is tested")),
        false => Finding::fail(format!(
            "LibreOffice is {version}, and has to be one that is tested: {}",
            tested.join(", ")
        )),
    }
}

impl Seen {
    /// Looks for it, and starts nothing yet.
    fn look(config: &RecalcConfig, limit: Duration) -> Seen {
        let recalc = RecalcState::new(config, limit);
        Seen { availability: recalc.office().availability(), recalc, calculated: OnceLock::new() }
    }

    /// What the formulas of the document come to.
    fn calculated(&self, limit: Duration) -> Result<Calculated, String> {
        self.calculated.get_or_init(|| self.calculate(limit)).clone()
    }

    fn calculate(&self, limit: Duration) -> Result<Calculated, String> {
        let office = self.recalc.office();
        let deadline = Instant::now() + limit;
        let document = Document { bytes: DOCUMENT, extension: "fods" };
        let done = office.calculate(&document, &|| Instant::now() > deadline);
        office.end_idle();
        let sheets = done.map_err(|error| match Instant::now() > deadline {
            true => "it did not answer in time".to_owned(),
            false => error.to_string(),
        })?;
        let cells = || sheets.iter().flat_map(|sheet| &sheet.cells).map(|(_, _, value)| value);
        let has = |number: f64| cells().any(|value| *value == CalculatedValue::Number(number));
        Ok(Calculated { is_right: has(COMPUTED), macro_ran: has(OF_MACRO) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_of_releases() {
        let is_tested = |version: &str| {
            judge_version(version, &tested()).conclusion == checklist::context::Conclusion::Pass
        };
        assert!(is_tested("7.4") && is_tested("7.4.7.2"));
        assert!(!is_tested("7.40") && !is_tested("7.3") && !is_tested("unknown"));
    }
}
