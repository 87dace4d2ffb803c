//! Workers that die, hang and grow, and machines that lack something.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use office::{Availability, Document, Office, OfficeError, OfficeOptions};

use crate::support::{Pool, calculate, check_works, libreoffice_in, processes_in, signal, wait_for};
use crate::workbooks::{chain, slow};

#[test]
fn a_worker_killed_at_its_job_is_replaced_and_the_job_answered() {
    let Some(pool) = Pool::start(|_| ()) else { return };
    check_works(pool.office());
    let first = libreoffice_in(pool.scratch.path());
    let workbook = chain(200_000);
    let sheets = thread::scope(|scope| {
        let job = scope.spawn(|| calculate(pool.office(), &workbook));
        wait_for(|| pool.office().counts().busy == 1);
        thread::sleep(Duration::from_millis(150));
        signal(first, libc::SIGKILL);
        job.join().unwrap().unwrap()
    });
    assert_eq!(sheets[0].cells.len(), 199_999);
    let counts = pool.office().counts();
    assert_eq!((counts.retries, counts.starts, counts.replaced), (1, 2, 1));
    assert!(counts.failures.is_empty());
    assert_ne!(libreoffice_in(pool.scratch.path()), first);
    pool.end();
}

#[test]
fn a_worker_killed_between_jobs_is_not_noticed() {
    let Some(pool) = Pool::start(|_| ()) else { return };
    check_works(pool.office());
    for process in processes_in(pool.scratch.path()) {
        signal(process.id, libc::SIGKILL);
    }
    check_works(pool.office());
    pool.end();
}

#[test]
fn a_document_that_kills_every_worker_is_given_up() {
    let Some(pool) = Pool::start(|_| ()) else { return };
    let workbook = slow();
    let is_over = AtomicBool::new(false);
    let result = thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                for process in processes_in(pool.scratch.path()) {
                    // Only once it works: killed earlier, it is one that does not start.
                    if process.name == "soffice.bin" && pool.scratch_has_document() {
                        // SAFETY: `kill` takes no pointers. It may have ended meanwhile.
                        unsafe { libc::kill(process.id, libc::SIGKILL) };
                    }
                }
                thread::sleep(Duration::from_millis(20));
            }
        });
        let result = calculate(pool.office(), &workbook);
        is_over.store(true, Ordering::Relaxed);
        result
    });
    assert!(matches!(result, Err(OfficeError::Crashed)), "{result:?}");
    assert_eq!(pool.office().counts().failures.get("crashed"), Some(&1));
    check_works(pool.office());
    pool.end();
}

#[test]
fn a_calculation_without_end_is_timed_out() {
    let Some(pool) = Pool::start(|options| options.job_timeout = Duration::from_secs(3)) else { return };
    check_works(pool.office());
    let started = Instant::now();
    let result = calculate(pool.office(), &slow());
    assert!(matches!(result, Err(OfficeError::Timeout { .. })), "{result:?}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    check_works(pool.office());
    pool.end();
}

#[test]
fn a_worker_that_stands_still_is_timed_out() {
    let Some(pool) = Pool::start(|options| options.job_timeout = Duration::from_secs(2)) else { return };
    check_works(pool.office());
    for process in processes_in(pool.scratch.path()) {
        signal(process.id, libc::SIGSTOP);
    }
    let result = calculate(pool.office(), &chain(10));
    assert!(matches!(result, Err(OfficeError::Timeout { .. })), "{result:?}");
    check_works(pool.office());
    pool.end();
}

#[test]
fn a_document_that_needs_too_much_memory_is_given_up() {
    let Some(pool) = Pool::start(|options| options.memory_limit = 330 << 20) else { return };
    check_works(pool.office());
    let result = calculate(pool.office(), &chain(1_000_000));
    assert!(matches!(result, Err(OfficeError::OutOfMemory { .. })), "{result:?}");
    check_works(pool.office());
    pool.end();
}

#[test]
fn a_job_is_cancelled_at_once() {
    let Some(pool) = Pool::start(|_| ()) else { return };
    check_works(pool.office());
    let is_stopped = AtomicBool::new(false);
    let workbook = slow();
    let document = Document { bytes: &workbook, extension: "xlsx" };
    thread::scope(|scope| {
        let job = scope.spawn(|| pool.office().calculate(&document, &|| is_stopped.load(Ordering::Relaxed)));
        thread::sleep(Duration::from_secs(1));
        let stopped = Instant::now();
        is_stopped.store(true, Ordering::Relaxed);
        let result = job.join().unwrap();
        assert!(matches!(result, Err(OfficeError::Cancelled)), "{result:?}");
        assert!(stopped.elapsed() < Duration::from_millis(500), "{:?}", stopped.elapsed());
        assert!(processes_in(pool.scratch.path()).is_empty(), "it is really ended");
    });
    check_works(pool.office());
    pool.end();
}

#[test]
fn workers_are_replaced_after_their_share_of_jobs() {
    let Some(pool) = Pool::start(|options| options.jobs_per_worker = 2) else { return };
    for _ in 0..3 {
        check_works(pool.office());
    }
    let counts = pool.office().counts();
    assert_eq!((counts.starts, counts.replaced, counts.idle), (2, 1, 1));
    assert_eq!(pool.office().end_idle(), 1);
    assert!(processes_in(pool.scratch.path()).is_empty());
    pool.end();
}

#[test]
fn what_is_not_installed_is_missing() {
    for part in ["soffice", "python", "pdftoppm"] {
        let Some(pool) = Pool::start(|_| ()) else { return };
        let mut options = OfficeOptions::new(pool.scratch.path());
        let nowhere = Some("/nowhere/program".into());
        match part {
            "soffice" => options.soffice = nowhere,
            "python" => options.python = nowhere,
            _ => options.pdftoppm = nowhere,
        }
        let office = Office::new(options);
        assert!(matches!(office.availability(), Availability::Missing { .. }), "{part}");
        let error = calculate(&office, &chain(10)).unwrap_err();
        assert!(matches!(error, OfficeError::Missing { .. }), "{error:?}");
        assert!(error.to_string().contains("libreoffice-calc-nogui"), "{error}");
    }
}

#[test]
fn a_python_without_uno_is_missing() {
    let Some(pool) = Pool::start(|_| ()) else { return };
    let mut options = OfficeOptions::new(pool.scratch.path());
    // Any program that does not take Python's arguments.
    options.python = Some("/bin/false".into());
    let error = calculate(&Office::new(options), &chain(10)).unwrap_err();
    assert!(matches!(&error, OfficeError::Missing { what, .. } if what.contains("uno")), "{error:?}");
}

#[test]
fn a_scratch_folder_that_cannot_be_is_an_error() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let below_file = file.path().join("scratch");
    for scratch in [below_file.as_path(), Path::new("/proc/scratch")] {
        let Some(pool) = Pool::start(|options| options.scratch = scratch.to_owned()) else { return };
        let error = calculate(pool.office(), &chain(10)).unwrap_err();
        assert!(matches!(error, OfficeError::Io { .. }), "{error:?}");
        pool.end();
    }
}

#[test]
fn a_libreoffice_that_ends_at_once_does_not_start() {
    let Some(pool) = Pool::start(|options| options.soffice = Some("/bin/false".into())) else { return };
    let error = calculate(pool.office(), &chain(10)).unwrap_err();
    assert!(matches!(error, OfficeError::DoesNotStart { .. }), "{error:?}");
    pool.end();
}

#[test]
fn a_profile_that_cannot_be_written_does_not_start() {
    let Some(pool) = Pool::start(|options| options.start_timeout = Duration::from_secs(20)) else { return };
    // A soffice that is given a profile below a file.
    let script = pool.scratch.path().join("soffice");
    fs::write(&script, "#!/bin/sh\nexec /usr/lib/libreoffice/program/soffice.bin --headless -env:UserInstallation=file:///dev/null/x\n").unwrap();
    let made = Command::new("chmod").arg("700").arg(&script).status().unwrap();
    assert!(made.success());
    let mut options = OfficeOptions::new(pool.scratch.path());
    options.soffice = Some(script.clone());
    options.start_timeout = Duration::from_secs(20);
    let error = calculate(&Office::new(options), &chain(10)).unwrap_err();
    assert!(matches!(error, OfficeError::DoesNotStart { .. }), "{error:?}");
    fs::remove_file(script).unwrap();
    pool.end();
}

/// Runs in a process of its own, which the test below kills.
#[test]
#[ignore = "started by the test of what happens when its process is killed"]
fn holds_a_warm_worker_until_killed() {
    let Ok(scratch) = std::env::var("OFFICE_TEST_SCRATCH") else { return };
    let office = Office::new(OfficeOptions::new(scratch));
    check_works(&office);
    let _never = calculate(&office, &slow());
}

#[test]
fn a_killed_process_leaves_neither_processes_nor_files() {
    let Some(pool) = Pool::start(|_| ()) else { return };
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "trouble::holds_a_warm_worker_until_killed"])
        .env("OFFICE_TEST_SCRATCH", pool.scratch.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    wait_for(|| pool.scratch_has_document());
    assert!(!processes_in(pool.scratch.path()).is_empty());
    let sockets = pool.sockets();
    assert_eq!(sockets.len(), 2);
    assert!(sockets.iter().all(|socket| socket.exists()), "the test knows where they are");
    holder.kill().unwrap();
    holder.wait().unwrap();
    wait_for(|| processes_in(pool.scratch.path()).is_empty());
    wait_for(|| fs::read_dir(pool.scratch.path()).unwrap().count() == 0);
    assert!(!sockets.iter().any(|socket| socket.exists()));
    pool.end();
}

#[test]
fn folders_that_were_left_are_swept() {
    let Some(pool) = Pool::start(|_| ()) else { return };
    let folder = |name: &str, is_locked: bool| {
        let folder = pool.scratch.path().join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("document.xlsx"), "left").unwrap();
        if is_locked {
            fs::write(folder.join("lock"), "").unwrap();
        }
        folder
    };
    let (left, half_made, new) =
        (folder("office-1-0", true), folder("office-1-1", false), folder("office-1-2", false));
    let (used, foreign) = (folder("office-1-3", true), folder("other", true));
    let lock = fs::File::open(used.join("lock")).unwrap();
    lock.lock().unwrap();
    let long_ago = std::time::SystemTime::now() - Duration::from_secs(3600);
    fs::File::open(&half_made).unwrap().set_modified(long_ago).unwrap();
    assert_eq!(pool.office().sweep(), 2);
    assert!(!left.exists() && !half_made.exists());
    check_works(pool.office());
    for kept in [new, used, foreign] {
        fs::remove_dir_all(kept).expect("it is spared");
    }
    pool.end();
}
