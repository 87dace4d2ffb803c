//! Measures the program over workbooks that it generates: each figure against a floor or a peer of the same run, or
//! against what was promised. Fails when a bound does not hold.

mod client;
mod forks;
mod load;
mod recalc;
mod report;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use calamine::Reader;
use clap::Parser;
use serde_json::{Value, json};

use client::{Client, time_to_ready};
use report::{Report, median, timed};

const MIXED: &str = "mixed-500k.xlsx";
const LOOKUPS: &str = "lookups-50k.xlsx";
const CHAIN: &str = "chain-100k.xlsx";
const SMALL: &str = "small.xlsx";
/// Times that something cold is measured.
const COLD_ROUNDS: usize = 5;
/// Times that something warm is measured.
const WARM_ROUNDS: usize = 30;

/// Measures the program.
#[derive(Parser)]
struct Arguments {
    /// The program
    program: PathBuf,
    /// Where the workbooks are kept; they are generated when they are missing
    folder: PathBuf,
    /// Also write the report as a page of Markdown
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Measure one thing alone
    #[arg(long)]
    only: Option<Only>,
    /// How long many clients use a server for more than it takes
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    endurance: humantime::Duration,
}

/// What can be measured alone.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Only {
    Reading,
    Forks,
    Recalculation,
    Overhead,
    Replicas,
    Capacity,
    Stress,
    Endurance,
}

fn main() -> Result<ExitCode> {
    let Arguments { program, folder, report: page, only, endurance } = Arguments::parse();
    generate(&folder)?;
    let mut report = Report::default();
    let is_wanted = |what: Only| only.is_none_or(|only| only == what);
    if is_wanted(Only::Reading) {
        let ready = median(COLD_ROUNDS, || time_to_ready(&program, &folder).map(drop))?;
        report.time("ready for the first request, over HTTP", ready, Some(Duration::from_millis(50)));
        cold(&program, &folder, &mut report)?;
        warm(&program, &folder, &mut report)?;
        others(&program, &folder, &mut report)?;
    }
    if is_wanted(Only::Forks) {
        forks::forks(&program, &folder, &mut report)?;
    }
    if is_wanted(Only::Recalculation) {
        recalc::recalc(&program, &folder, &mut report)?;
    }
    if is_wanted(Only::Overhead) {
        load::overhead(&program, &folder, &mut report)?;
    }
    if is_wanted(Only::Replicas) {
        load::replicas(&program, &folder, &mut report)?;
    }
    if is_wanted(Only::Capacity) {
        load::capacity(&program, &folder, &mut report)?;
    }
    if is_wanted(Only::Stress) {
        load::stress(&program, &folder, &mut report)?;
    }
    if is_wanted(Only::Endurance) {
        load::endurance(&program, &folder, endurance.into(), &mut report)?;
    }
    let all_hold = report.print();
    if let Some(page) = page {
        fs::write(&page, report.markdown()).with_context(|| format!("failed to write {}", page.display()))?;
    }
    Ok(if all_hold { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn generate(folder: &Path) -> Result<()> {
    type Make = fn() -> Result<Vec<u8>>;
    let files: [(&str, Make); 4] = [
        (MIXED, || fixtures::benchmark::mixed(500_000)),
        (LOOKUPS, fixtures::benchmark::lookups),
        (CHAIN, fixtures::benchmark::chain),
        (SMALL, fixtures::benchmark::small),
    ];
    fs::create_dir_all(folder)?;
    for (name, make) in files {
        keep(folder, name, make)?;
    }
    Ok(())
}

/// Makes a workbook unless it is there.
fn keep(folder: &Path, name: &str, make: impl FnOnce() -> Result<Vec<u8>>) -> Result<()> {
    let path = folder.join(name);
    if !path.exists() {
        fs::write(&path, make()?).with_context(|| format!("failed to write {}", path.display()))?;
    }
    println!("{} ({:.1} MB)", path.display(), path.metadata()?.len() as f64 / 1e6);
    Ok(())
}

/// From nothing to the last row of the largest workbook, against inflating its sheet alone.
fn cold(program: &Path, folder: &Path, report: &mut Report) -> Result<()> {
    let mut opened = Vec::new();
    let mut inflated = Vec::new();
    let mut peak = 0;
    for _ in 0..COLD_ROUNDS {
        inflated.push(timed(|| inflate(&folder.join(MIXED)))?.0);
        let mut client = Client::start(program, folder)?;
        let (time, answer) = timed(|| client.call("read_range", &last_row()))?;
        ensure!(answer["ranges"][0]["values"][0][0] == json!(500_000), "the last row is another: {answer}");
        opened.push(time);
        peak = peak.max(client.peak_memory()?);
    }
    opened.sort_unstable();
    inflated.sort_unstable();
    let (opened, inflated) = (opened[COLD_ROUNDS / 2], inflated[COLD_ROUNDS / 2]);
    report.ratio(
        "open 500,000 x 10 and read its last row",
        opened,
        ("unzip -p | wc -c", inflated),
        Some(1.0),
    );
    report.memory("peak memory of that", peak, 250_000_000);
    let peer = timed(|| read_with_calamine(&folder.join(MIXED)))?.0;
    report.ratio("the same", opened, ("calamine", peer), None);
    Ok(())
}

fn last_row() -> Value {
    json!({ "workbook": MIXED, "ranges": ["Data!A500001:J500001"] })
}

fn inflate(path: &Path) -> Result<()> {
    let mut unzip = Command::new("unzip")
        .arg("-p")
        .arg(path)
        .arg("xl/worksheets/sheet1.xml")
        .stdout(Stdio::piped())
        .spawn()
        .context("unzip is needed: make setup")?;
    let output = unzip.stdout.take().context("its output")?;
    let counted = Command::new("wc").arg("-c").stdin(output).stderr(Stdio::inherit()).output()?;
    ensure!(unzip.wait()?.success() && counted.status.success(), "unzip failed");
    Ok(())
}

fn read_with_calamine(path: &Path) -> Result<()> {
    let mut book: calamine::Xlsx<_> = calamine::open_workbook(path)?;
    let range = book.worksheet_range("Data")?;
    ensure!(range.height() == 500_001, "calamine read {} rows", range.height());
    Ok(())
}

/// Questions to the largest workbook once it is open.
fn warm(program: &Path, folder: &Path, report: &mut Report) -> Result<()> {
    let mut client = Client::start(program, folder)?;
    client.call("read_range", &last_row())?;

    let overview = json!({ "workbook": MIXED, "sheet": "Data" });
    let (first, answer) = timed(|| client.call("sheet_overview", &overview))?;
    ensure!(answer["regions"][0]["header_rows"] == json!(1), "no header was found: {answer}");
    report.time("regions of the sheet, the first time", first, None);

    let range = json!({ "workbook": MIXED, "ranges": ["Data!A250001:J250050"] });
    let slice = median(WARM_ROUNDS, || client.call("read_range", &range))?;
    report.time("50 rows from the middle, read_range", slice, Some(Duration::from_millis(2)));

    let table = json!({ "workbook": MIXED, "range": "Data!A250001:J250050", "limit": 50 });
    let answer = client.call("read_table", &table)?;
    ensure!(answer["rows"].as_array().is_some_and(|rows| rows.len() == 50), "not 50 rows: {answer}");
    let slice = median(WARM_ROUNDS, || client.call("read_table", &table))?;
    report.time("50 rows from the middle, read_table", slice, Some(Duration::from_millis(2)));

    let score = client.call("read_range", &json!({ "workbook": MIXED, "ranges": ["Data!J499990"] }))?;
    let score = &score["ranges"][0]["values"][0][0];
    let number = json!({ "workbook": MIXED, "text": score.to_string() });
    let answer = client.call("find", &number)?;
    ensure!(answer["hits"][0]["at"] == json!("Data!J499990"), "found elsewhere: {answer}");
    let found = median(WARM_ROUNDS, || client.call("find", &number))?;
    report.time("find a number near the end", found, Some(Duration::from_millis(60)));

    let text = json!({ "workbook": MIXED, "text": "Customer 01234", "range": "Data!A499000:J500001" });
    let everywhere = json!({ "workbook": MIXED, "text": "Customer 01234" });
    client.call("find", &text)?;
    let found = median(WARM_ROUNDS, || client.call("find", &everywhere))?;
    report.time("find a text, everywhere", found, Some(Duration::from_millis(60)));

    let filtered = json!({
        "workbook": MIXED, "range": "Data",
        "filters": [{ "column": "City", "op": "eq", "value": "Hanoi" }], "sort": ["-Price"], "limit": 20
    });
    let sorted = median(COLD_ROUNDS, || client.call("read_table", &filtered))?;
    report.time("filter and sort all rows", sorted, None);
    let profile = json!({ "workbook": MIXED, "range": "Data" });
    let profiled = median(COLD_ROUNDS, || client.call("table_profile", &profile))?;
    report.time("profile all columns", profiled, None);
    report.memory("peak memory after all of that", client.peak_memory()?, 250_000_000);
    Ok(())
}

/// The workbooks of formulas.
fn others(program: &Path, folder: &Path, report: &mut Report) -> Result<()> {
    let mut client = Client::start(program, folder)?;
    for (name, formulas) in [(LOOKUPS, 5_000), (CHAIN, 100_000)] {
        let (time, answer) = timed(|| client.call("describe_workbook", &json!({ "workbook": name })))?;
        let found: u64 = answer["sheets"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|sheet| sheet["formulas"].as_u64())
            .sum();
        if found < formulas {
            bail!("{name} has {found} formulas, not {formulas}");
        }
        report.time(&format!("open and describe {name}"), time, None);
        let map = median(COLD_ROUNDS, || client.call("formula_map", &json!({ "workbook": name })))?;
        report.time(&format!("map the formulas of {name}"), map, None);
    }
    Ok(())
}
