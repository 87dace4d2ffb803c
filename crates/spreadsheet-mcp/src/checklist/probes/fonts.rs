//! Fonts: that LibreOffice draws and measures texts with those that workbooks are made with, or such of the same widths.

use std::{
    collections::BTreeSet,
    io::{self, Read as _},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use checklist::context::Finding;
use serde::Deserialize;

use super::{
    ServiceProbes,
    question::{Found, Question},
};

/// Of the widths of Arial, Times New Roman and Courier New, and one for the scripts that those lack.
const FAMILIES: [&str; 4] = ["Liberation Sans", "Liberation Serif", "Liberation Mono", "DejaVu Sans"];

/// What lists fonts; it belongs to fontconfig, by which LibreOffice finds them.
const PROGRAM: &str = "fc-list";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default = "families")]
    families: Vec<String>,
}

fn families() -> Vec<String> {
    FAMILIES.map(str::to_owned).to_vec()
}

/// `fonts`: families of fonts are installed.
pub(super) fn find(_: &ServiceProbes, question: &Question<'_>) -> Found {
    let Wanted { families } = question.told("families, a list of names of fonts")?;
    let listed = match listed(question.context.timeout) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let remedy = "install fontconfig and the fonts beside LibreOffice";
            return Ok(Finding::fail(format!(
                "{PROGRAM} is not on the PATH, so that no font is known: {remedy}"
            )));
        }
        Err(error) => return Err(Finding::error(format!("{PROGRAM} does not list fonts: {error}"))),
    };
    Ok(judge(&listed, &families))
}

fn judge(listed: &str, wanted: &[String]) -> Finding {
    // A font of several names tells them with commas between.
    let there: BTreeSet<String> =
        listed.lines().flat_map(|line| line.split(',')).map(|name| name.trim().to_lowercase()).collect();
    let missing: Vec<&str> =
        wanted.iter().map(String::as_str).filter(|name| !there.contains(&name.to_lowercase())).collect();
    match missing.is_empty() {
        true => Finding::pass(format!("the fonts {} are installed", wanted.join(", "))),
        false => {
            Finding::fail(format!("fonts are missing, and have to be installed: {}", missing.join(", ")))
        }
    }
}

/// What the program says of families.
fn listed(limit: Duration) -> io::Result<String> {
    let mut child = Command::new(PROGRAM)
        .args([":", "family"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let output = child.stdout.take();
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        output.map_or(Ok(0), |mut output| output.read_to_end(&mut text)).map(|_| text)
    });
    let deadline = Instant::now() + limit;
    while child.try_wait()?.is_none() {
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::new(io::ErrorKind::TimedOut, "it did not end in time"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let text = reader.join().map_err(|_| io::Error::other("its output could not be read"))??;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_known_by_any_of_their_names() {
        let listed = "DejaVu Sans,DejaVu Sans Condensed\nLiberation Sans\n";
        let told = |wanted: &[&str]| {
            judge(listed, &wanted.iter().map(ToString::to_string).collect::<Vec<_>>()).summary
        };
        assert_eq!(
            told(&["dejavu sans condensed", "Liberation Sans"]),
            "the fonts dejavu sans condensed, Liberation Sans are installed"
        );
        assert_eq!(told(&["Carlito"]), "fonts are missing, and have to be installed: Carlito");
    }
}
