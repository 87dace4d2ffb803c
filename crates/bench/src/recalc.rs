//! Recalculation, against LibreOffice started for the same workbook.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::client::Client;
use crate::forks::State;
use crate::report::{Report, median, timed};
use crate::{CHAIN, COLD_ROUNDS, LOOKUPS, SMALL};

/// Times that LibreOffice is started for a workbook.
const SPAWNS: usize = 3;

/// Each figure against `soffice --convert-to xlsx` of the same workbook.
pub(crate) fn recalc(program: &Path, folder: &Path, report: &mut Report) -> Result<()> {
    let spawned = |name: &str| spawned(folder, name);
    let (chain, lookups, small) = (spawned(CHAIN)?, spawned(LOOKUPS)?, spawned(SMALL)?);
    let state = State::new(folder, COLD_ROUNDS + 1)?;
    let mut client = Client::start_with_state(program, folder, &state.0)?;
    const PEER: &str = "soffice --convert-to";

    let cold = cold(&mut client, CHAIN, 100_000)?;
    report.ratio("a chain of 100,000, loaded and computed", cold, (PEER, chain), Some(1.0 / 15.0));
    let fork = fork(&mut client, CHAIN)?;
    let recalculate = json!({ "workbook": fork });
    client.call("recalculate", &recalculate)?;
    let mut value = 1;
    let mut changed = |cell: &str, most: u64| -> Result<Duration> {
        let mut times = Vec::new();
        for _ in 0..COLD_ROUNDS {
            value += 1;
            let ops = json!([{ "op": "set", "range": format!("Chain!{cell}"), "values": [[value]] }]);
            client.call("edit_cells", &json!({ "workbook": fork, "ops": ops }))?;
            let (time, answer) = timed(|| client.call("recalculate", &recalculate))?;
            ensure!(answer["changed_cells"].as_u64() >= Some(most), "too little changed: {answer}");
            times.push(time);
        }
        times.sort_unstable();
        Ok(times[COLD_ROUNDS / 2])
    };
    let all = changed("A1", 100_000)?;
    let what = "its first cell changed: 100,000 results computed and logged";
    report.ratio(what, all, (PEER, chain), Some(1.0 / 20.0));
    let some = changed("A99001", 1_000)?;
    report.ratio("a cell changed that 1,000 depend on", some, (PEER, chain), Some(1.0 / 100.0));

    let time = self::cold(&mut client, LOOKUPS, 5_000)?;
    report.ratio(
        "recalculate 5,000 lookups over 50,000 rows, loaded for it",
        time,
        (PEER, lookups),
        Some(0.1),
    );
    let fork = self::fork(&mut client, SMALL)?;
    let office = json!({ "workbook": fork, "engine": "libreoffice" });
    let warm = median(COLD_ROUNDS, || client.call("recalculate", &office))?;
    report.ratio("a small workbook by the warm LibreOffice", warm, (PEER, small), Some(1.0 / 8.0));
    let native = median(COLD_ROUNDS, || client.call("recalculate", &json!({ "workbook": fork })))?;
    report.ratio("a small workbook natively", native, (PEER, small), None);
    let picture = json!({ "workbook": SMALL, "renderer": "native" });
    report.time(
        "a picture of it, natively",
        median(COLD_ROUNDS, || client.call("screenshot_sheet", &picture))?,
        None,
    );
    let picture = json!({ "workbook": SMALL, "renderer": "libreoffice" });
    let drawn = median(COLD_ROUNDS, || client.call("screenshot_sheet", &picture))?;
    report.time("a picture of it, by LibreOffice", drawn, None);
    Ok(())
}

fn fork(client: &mut Client, name: &str) -> Result<Value> {
    Ok(client.call("create_fork", &json!({ "workbook": name }))?["fork"].clone())
}

/// The median time to compute a fresh fork, whose workbook is open already.
fn cold(client: &mut Client, name: &str, formulas: u64) -> Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..COLD_ROUNDS {
        let fork = fork(client, name)?;
        let (time, answer) = timed(|| client.call("recalculate", &json!({ "workbook": fork })))?;
        ensure!(answer["formulas"].as_u64() >= Some(formulas), "not every formula was computed: {answer}");
        times.push(time);
    }
    times.sort_unstable();
    Ok(times[COLD_ROUNDS / 2])
}

/// Makes LibreOffice compute what it opens; it would believe the values of a file that calls Excel its author.
const RECALCULATE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry"><item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop
oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item></oor:items>"#;

/// The median time of LibreOffice started to compute the workbook and write it again.
fn spawned(folder: &Path, name: &str) -> Result<Duration> {
    let out = folder.join("converted");
    let profile = out.join("profile");
    fs::create_dir_all(profile.join("user"))?;
    fs::write(profile.join("user/registrymodifications.xcu"), RECALCULATE)?;
    let profile = format!("-env:UserInstallation=file://{}", fs::canonicalize(profile)?.display());
    median(SPAWNS, || {
        let status = Command::new("soffice")
            .args(["--headless", "--norestore", &profile, "--convert-to", "xlsx", "--outdir"])
            .arg(&out)
            .arg(folder.join(name))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .context("LibreOffice is needed: make setup")?;
        ensure!(status.success(), "soffice failed");
        Ok(())
    })
}
