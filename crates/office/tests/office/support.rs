//! A pool for a test, and a look at what it has started.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, thread};

use office::{Availability, CalculatedSheet, CalculatedValue, Document, Office, OfficeError, OfficeOptions};
use tempfile::TempDir;

/// A pool with a scratch folder of its own, checked at its end for what it leaves behind.
pub(crate) struct Pool {
    pub(crate) office: Option<Office>,
    pub(crate) scratch: TempDir,
}

impl Pool {
    /// `None`, said aloud, where LibreOffice is not installed.
    pub(crate) fn start(change: impl FnOnce(&mut OfficeOptions)) -> Option<Pool> {
        let scratch = tempfile::tempdir().unwrap();
        let mut options = OfficeOptions::new(scratch.path());
        options.workers = 1;
        change(&mut options);
        let office = Office::new(options);
        if let Availability::Missing { what, remedy } = office.availability() {
            eprintln!("skipped: {what} is missing: {remedy}");
            return None;
        }
        Some(Pool { office: Some(office), scratch })
    }

    pub(crate) fn office(&self) -> &Office {
        self.office.as_ref().unwrap()
    }

    /// Whether a worker has a document now.
    pub(crate) fn scratch_has_document(&self) -> bool {
        let folders = fs::read_dir(self.scratch.path()).unwrap().flatten();
        folders.into_iter().any(|folder| folder.path().join("document.xlsx").exists())
    }

    /// The sockets that LibreOffice makes outside of its folder, where it does.
    pub(crate) fn sockets(&self) -> Vec<PathBuf> {
        let folders = fs::read_dir(self.scratch.path()).unwrap().flatten();
        let lists = folders.filter_map(|folder| fs::read_to_string(folder.path().join("sockets")).ok());
        let names: Vec<String> =
            lists.flat_map(|list| list.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        names.iter().map(|name| Path::new("/tmp").join(name)).collect()
    }

    /// Drops the pool, and checks that nothing of it is left.
    pub(crate) fn end(mut self) {
        let processes = processes_in(self.scratch.path());
        let sockets = self.sockets();
        self.office = None;
        for socket in sockets {
            assert!(!socket.exists(), "{socket:?}");
        }
        let left: Vec<_> =
            fs::read_dir(self.scratch.path()).unwrap().flatten().map(|entry| entry.path()).collect();
        assert!(left.is_empty(), "{left:?}");
        for process in processes {
            assert!(!is_alive(process.id), "{}", process.name);
        }
        // Other tests have workers that end at this moment.
        wait_for(|| zombies() == 0);
    }
}

/// Calculates, without ever stopping.
pub(crate) fn calculate(office: &Office, bytes: &[u8]) -> Result<Vec<CalculatedSheet>, OfficeError> {
    office.calculate(&Document { bytes, extension: "xlsx" }, &|| false)
}

/// The values of column A of the first sheet, from its first row on.
pub(crate) fn column_a(sheets: &[CalculatedSheet]) -> Vec<CalculatedValue> {
    let mut cells: Vec<_> = sheets[0].cells.iter().filter(|(_, column, _)| *column == 0).collect();
    cells.sort_by_key(|(row, ..)| *row);
    cells.into_iter().map(|(.., value)| value.clone()).collect()
}

/// What is answered to a workbook that needs no more than a moment.
pub(crate) fn check_works(office: &Office) {
    let sheets = calculate(office, &crate::workbooks::chain(10)).unwrap();
    assert_eq!(column_a(&sheets).last(), Some(&CalculatedValue::Number(10.0)));
}

pub(crate) struct Process {
    pub(crate) id: i32,
    pub(crate) name: String,
}

/// The processes that work below a folder.
pub(crate) fn processes_in(folder: &Path) -> Vec<Process> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let is_ours = fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder));
        let (true, Ok(id)) = (is_ours, entry.file_name().to_string_lossy().parse()) else { continue };
        let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default().trim().to_owned();
        found.push(Process { id, name });
    }
    found
}

/// The LibreOffice below a folder, once there is one.
pub(crate) fn libreoffice_in(folder: &Path) -> i32 {
    let find = || processes_in(folder).into_iter().find(|process| process.name == "soffice.bin");
    wait_for(|| find().is_some());
    find().unwrap().id
}

pub(crate) fn signal(process: i32, signal: libc::c_int) {
    // SAFETY: `kill` takes no pointers.
    assert_eq!(unsafe { libc::kill(process, signal) }, 0);
}

/// Whether a process runs; one that was left to the system to reap does not.
fn is_alive(process: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, fields)| !fields.starts_with(['Z', 'X']))
}

/// How many children of this process have ended and were not reaped.
fn zombies() -> usize {
    let own = std::process::id().to_string();
    let stats = fs::read_dir("/proc").unwrap().flatten();
    stats
        .filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok())
        .filter(|stat| {
            let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
            fields.starts_with(&format!("Z {own} "))
        })
        .count()
}

#[track_caller]
pub(crate) fn wait_for(condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(20), "it does not come about");
        thread::sleep(Duration::from_millis(10));
    }
}
