//! A small disk that a test has for itself.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const DISK: &str = "SPREADSHEET_TEST_DISK";

/// Runs the test of that name in a process of its own, which sees a disk of that size of its own.
pub(crate) fn on_small_disk(test: &str, size: &str) {
    let disk = tempfile::tempdir().expect("a folder");
    let script = "mount -t tmpfs -o size=\"$1\" tmpfs \"$0\" || exit 77; shift; exec \"$@\"";
    // Whoever may, stays among the users of the system: some programs want another one than the superuser.
    let alone = Command::new("unshare").args(["--mount", "true"]).output();
    let is_alone = !alone.is_ok_and(|tried| tried.status.success());
    let ran = Command::new("unshare")
        .arg("--mount")
        .args(is_alone.then_some("--map-root-user"))
        .args(["sh", "-c", script])
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

/// Takes all space that there is.
pub(crate) fn fill(path: &Path) {
    let mut ballast = fs::File::create(path).expect("a file");
    let mut size = 1 << 20;
    while size >= 64 {
        if std::io::Write::write_all(&mut ballast, &vec![1; size]).is_err() {
            size /= 2;
        }
    }
}
