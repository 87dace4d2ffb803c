//! Forks of the largest workbook: edited, compared, saved.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::client::Client;
use crate::report::{Report, median, timed};
use crate::{COLD_ROUNDS, MIXED, WARM_ROUNDS, inflate};

/// A file that rounds save into and take away again.
const SAVED: &str = "saved.xlsx";

/// The state directory of one round, gone with it.
pub(crate) struct State(pub(crate) PathBuf);

impl State {
    pub(crate) fn new(folder: &Path, round: usize) -> Result<State> {
        let path = folder.join(format!("state-{round}"));
        if path.exists() {
            fs::remove_dir_all(&path)?;
        }
        Ok(State(path))
    }
}

impl Drop for State {
    fn drop(&mut self) {
        let _already_gone = fs::remove_dir_all(&self.0);
    }
}

/// Each figure against inflating the sheet alone, or against what was promised.
pub(crate) fn forks(program: &Path, folder: &Path, report: &mut Report) -> Result<()> {
    let floor = median(COLD_ROUNDS, || inflate(&folder.join(MIXED)))?;
    let edit = json!([{ "op": "set", "range": "Data!C250000", "values": [[42]] }]);
    let (time, peak) = edited_and_saved(program, folder, "edit_cells", &edit)?;
    report.ratio("from nothing: fork, edit one cell, save", time, ("unzip -p | wc -c", floor), Some(1.5));
    report.memory("peak memory of that", peak, 300_000_000);
    let insert = json!([{ "op": "insert_rows", "range": "Data!1:1" }]);
    let (time, _) = edited_and_saved(program, folder, "edit_structure", &insert)?;
    report.ratio(
        "from nothing: fork, insert a row at the top, save",
        time,
        ("unzip -p | wc -c", floor),
        Some(3.0),
    );
    warm(program, folder, report)
}

/// The median time from a server's start to a saved file, and the most memory that it had.
fn edited_and_saved(program: &Path, folder: &Path, tool: &str, ops: &Value) -> Result<(Duration, u64)> {
    let mut times = Vec::new();
    let mut peak = 0;
    for round in 0..COLD_ROUNDS {
        let state = State::new(folder, round)?;
        let mut client = Client::start_with_state(program, folder, &state.0)?;
        let (time, saved) = timed(|| {
            let fork = client.call("create_fork", &json!({ "workbook": MIXED }))?["fork"].clone();
            client.call(tool, &json!({ "workbook": fork, "ops": ops }))?;
            client.call("save_fork", &json!({ "fork": fork, "path": SAVED }))
        })?;
        ensure!(saved["bytes"].as_u64().is_some_and(|bytes| bytes > 1_000_000), "nothing was saved: {saved}");
        times.push(time);
        peak = peak.max(client.peak_memory()?);
        fs::remove_file(folder.join(SAVED)).context("the saved file")?;
    }
    times.sort_unstable();
    Ok((times[COLD_ROUNDS / 2], peak))
}

fn warm(program: &Path, folder: &Path, report: &mut Report) -> Result<()> {
    let state = State::new(folder, COLD_ROUNDS)?;
    let mut client = Client::start_with_state(program, folder, &state.0)?;
    let create = json!({ "workbook": MIXED });
    let fork = client.call("create_fork", &create)?["fork"].clone();
    let created = median(WARM_ROUNDS, || client.call("create_fork", &create))?;
    report.time("create a fork", created, Some(Duration::from_millis(5)));
    let mut number = 0;
    let named = median(WARM_ROUNDS, || {
        number += 1;
        client.call("checkpoint", &json!({ "fork": fork, "action": "create", "name": format!("c{number}") }))
    })?;
    report.time("create a checkpoint", named, Some(Duration::from_millis(2)));
    for edit in 0..10 {
        let range = format!("Data!C{}", 2 + edit * 50_000);
        let ops = json!([{ "op": "set", "range": range, "values": [[edit]] }]);
        client.call("edit_cells", &json!({ "workbook": fork, "ops": ops }))?;
    }
    let compare = json!({ "workbook": fork });
    let answer = client.call("diff", &compare)?;
    ensure!(answer["change_count"] == json!(10), "not ten changes: {answer}");
    let compared = median(WARM_ROUNDS, || client.call("diff", &compare))?;
    report.time("diff of base and fork after 10 edits", compared, Some(Duration::from_millis(50)));
    let mut value = 0;
    let edited = median(WARM_ROUNDS, || {
        value += 1;
        let ops = json!([{ "op": "set", "range": "Data!C250000", "values": [[value]] }]);
        client.call("edit_cells", &json!({ "workbook": fork, "ops": ops }))
    })?;
    report.time("edit one cell", edited, None);
    let (saved, _) = timed(|| client.call("save_fork", &json!({ "fork": fork, "path": SAVED })))?;
    report.time("save", saved, None);
    Ok(fs::remove_file(folder.join(SAVED))?)
}
