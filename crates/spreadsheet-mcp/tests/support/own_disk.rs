//! A small disk that a test has for itself.

use std::{path::PathBuf, process::Command};

const DISK: &str = "SPREADSHEET_TEST_DISK";

/// Runs the test of that name in a process of its own, which sees a disk of that size of its own.
pub(crate) fn on_small_disk(test: &str, size: &str) {
    let disk = tempfile::tempdir().expect("a folder");
    let script = "mount -t tmpfs -o size=\"$1\" tmpfs \"$0\" || exit 77; shift; exec \"$@\"";
    let ran = Command::new("unshare")
        .args(["--mount", "--map-root-user", "sh", "-c", script])
        .arg(disk.path())
        .arg(size)
        .arg(std::env::current_exe().expect("this program"))
        .args(["--exact", test, "--nocapture"])
        .env(DISK, disk.path())
        .output();
    match ran {
        Ok(ran) if ran.status.success() => print!("{}", String::from_utf8_lossy(&ran.stdout)),
        // `unshare` fails with 1, the script with 77 when it may not mount.
        Ok(ran) if !matches!(ran.status.code(), Some(1 | 77)) => {
            panic!("{test}: {}\n{}", ran.status, String::from_utf8_lossy(&ran.stderr))
        }
        other => eprintln!("SKIPPED {test}: no disk can be mounted here: {other:?}"),
    }
}

/// The disk of the process that this is.
pub(crate) fn disk() -> Option<PathBuf> {
    std::env::var_os(DISK).map(PathBuf::from)
}
