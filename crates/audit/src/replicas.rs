//! Trails beside each other: each replica writes one, in a folder of its own.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use chrono::{DateTime, Utc};

use crate::error::AuditError;
use crate::segment;
use crate::trail::{HEAD, LOCK, Retention};

/// A trail of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name of its folder; none where it is the folder itself.
    pub name: Option<String>,
    /// Where it is.
    pub folder: PathBuf,
}

/// A trail that was taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abandoned {
    /// The name of its folder.
    pub name: String,
    /// How many records it had.
    pub records: u64,
}

/// What a folder of a trail that is taken away is called until it is gone.
const GOING: &str = ".going-";

/// The trails of a folder: its own, if there is one, and those of the folders in it, in the order of their names.
///
/// # Errors
/// When the folder can't be read.
pub fn trails(folder: &Path) -> Result<Vec<Named>, AuditError> {
    let mut trails = Vec::new();
    for name in folders(folder)?.into_iter().filter(|name| !name.starts_with('.')) {
        let below = folder.join(&name);
        if is_trail(&below)? {
            trails.push(Named { name: Some(name), folder: below });
        }
    }
    trails.sort_by(|one, other| one.name.cmp(&other.name));
    if is_trail(folder)? {
        trails.insert(0, Named { name: None, folder: folder.to_owned() });
    }
    Ok(trails)
}

/// Takes away the trails in the folders of a folder that nobody goes on with: none holds their lock, and their last record, and
/// the last time that a writer told how far it is, are longer ago than records have to be kept. Where a writer was stopped before it
/// told that, its files are as old. The rest stays as it is; what is not what was written stays as evidence. `went` is told of each trail, and of each one that can't be judged.
///
/// # Errors
/// When the folder can't be read.
pub fn purge_abandoned(
    folder: &Path,
    retention: Retention,
    now: DateTime<Utc>,
    mut went: impl FnMut(Result<Abandoned, AuditError>),
) -> Result<(), AuditError> {
    let keep_from = now - retention.keep;
    // A run before was stopped.
    for name in folders(folder)?.into_iter().filter(|name| name.starts_with(GOING)) {
        if let Err(error) = delete(&folder.join(name)) {
            went(Err(error));
        }
    }
    for trail in trails(folder)? {
        let Some(name) = trail.name else { continue };
        match purge(&trail.folder, &folder.join(format!("{GOING}{name}")), keep_from) {
            Ok(None) => {}
            Ok(Some(records)) => went(Ok(Abandoned { name, records })),
            Err(error) => went(Err(error)),
        }
    }
    Ok(())
}

fn purge(folder: &Path, aside: &Path, keep_from: DateTime<Utc>) -> Result<Option<u64>, AuditError> {
    let Some(_lock) = unwritten(folder)? else { return Ok(None) };
    // Locks may not reach to other machines. A server tells how far it is every few minutes.
    if last_written(folder)?.is_none_or(|last| last >= SystemTime::from(keep_from)) {
        return Ok(None);
    }
    let found = crate::verify(folder)?;
    if found.times.is_some_and(|(_, last)| last >= keep_from) {
        return Ok(None);
    }
    // At once, or not at all: half of a trail would look as if somebody had cut it.
    fs::rename(folder, aside).map_err(AuditError::io(folder))?;
    delete(aside)?;
    Ok(Some(found.records))
}

/// When a writer told how far a trail is; where none did, when one last was at its files.
fn last_written(folder: &Path) -> Result<Option<SystemTime>, AuditError> {
    let head = folder.join(HEAD);
    let files = if head.is_file() { vec![head] } else { files(folder)? };
    let mut last = None;
    for path in files {
        match fs::metadata(&path).and_then(|file| file.modified()) {
            Ok(at) => last = last.max(Some(at)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(AuditError::io(&path)(error)),
        }
    }
    Ok(last)
}

/// What a trail may consist of.
fn files(folder: &Path) -> Result<Vec<PathBuf>, AuditError> {
    let segments = segment::list(folder)?.into_iter().map(|(_, path)| path);
    Ok(segments.chain([folder.join(HEAD), folder.join(LOCK)]).collect())
}

/// The lock of a trail that nobody writes.
fn unwritten(folder: &Path) -> Result<Option<File>, AuditError> {
    let path = folder.join(LOCK);
    let file = File::options().write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(AuditError::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(AuditError::io(&path)(error)),
    }
}

/// Deletes the files of a trail, and its folder if it holds nothing else.
fn delete(folder: &Path) -> Result<(), AuditError> {
    for path in files(folder)? {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(AuditError::io(&path)(error)),
            _ => {}
        }
    }
    fs::remove_dir(folder).map_err(AuditError::io(folder))
}

fn is_trail(folder: &Path) -> Result<bool, AuditError> {
    Ok([HEAD, LOCK].iter().any(|name| folder.join(name).is_file()) || !segment::list(folder)?.is_empty())
}

/// The names of the folders in a folder; links are none.
fn folders(folder: &Path) -> Result<Vec<String>, AuditError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(AuditError::io(folder))? {
        let entry = entry.map_err(AuditError::io(folder))?;
        if entry.file_type().map_err(AuditError::io(folder))?.is_dir()
            && let Ok(name) = entry.file_name().into_string()
        {
            names.push(name);
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::{Entry, Trail};

    const KEEP: Retention = Retention { keep: TimeDelta::days(30) };

    fn write(folder: &Path, name: &str, at: DateTime<Utc>) -> Trail {
        let trail = Trail::open(&folder.join(name)).expect("a trail");
        trail.append(Entry::default(), at).expect("a record");
        trail.sync().expect("on the disk");
        trail
    }

    /// As if nobody had written for so long.
    fn age(folder: &Path, name: &str, at: DateTime<Utc>) {
        let head = File::options().write(true).open(folder.join(name).join(HEAD)).expect("a head");
        head.set_modified(at.into()).expect("a time");
    }

    fn purged(folder: &Path, now: DateTime<Utc>) -> Vec<Result<Abandoned, String>> {
        let mut went = Vec::new();
        let tell = |gone: Result<Abandoned, AuditError>| went.push(gone.map_err(|error| error.to_string()));
        purge_abandoned(folder, KEEP, now, tell).expect("purged");
        went
    }

    #[test]
    fn only_what_nobody_needs_any_more_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let now = Utc::now();
        let (long_ago, lately) = (now - TimeDelta::days(31), now - TimeDelta::days(29));
        drop(write(folder, "gone", long_ago));
        drop(write(folder, "gone-lately", lately));
        drop(write(folder, "changed", long_ago));
        drop(write(folder, "no-locks", long_ago));
        let _writer = write(folder, "idle", long_ago);
        for name in ["gone", "gone-lately", "changed", "idle"] {
            age(folder, name, long_ago);
        }
        fs::write(folder.join("changed").join(segment::name(1)), "other\n").expect("changed");
        drop(write(folder, ".", long_ago));
        fs::create_dir(folder.join("no-trail")).expect("a folder");
        let names = || -> Vec<_> {
            trails(folder).expect("trails").into_iter().filter_map(|trail| trail.name).collect()
        };
        assert_eq!(names(), ["changed", "gone", "gone-lately", "idle", "no-locks"]);

        let went = purged(folder, now);
        assert!(went.contains(&Ok(Abandoned { name: "gone".to_owned(), records: 1 })), "{went:?}");
        assert!(matches!(&went[..], [Err(error), Ok(_)] if error.contains("it is no start")), "{went:?}");
        assert_eq!(names(), ["changed", "gone-lately", "idle", "no-locks"]);
        assert!(!folder.join("gone").exists());
        assert_eq!(trails(folder).expect("trails")[0].name, None, "its own is not looked at");
    }

    /// What a writer leaves that is killed in its first instant: its lock, then an empty segment, then an empty head.
    #[test]
    fn what_was_never_begun_goes_when_it_is_old() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let now = Utc::now();
        let first = segment::name(1);
        let torn = "{\"version\":1,";
        let left: [(&str, &[(&str, &str)]); 5] = [
            ("1-lock", &[(LOCK, "")]),
            ("2-segment", &[(LOCK, ""), (&first, "")]),
            ("3-head", &[(LOCK, ""), (&first, ""), (HEAD, "")]),
            ("4-half", &[(LOCK, ""), (&first, torn), (HEAD, "")]),
            ("5-young", &[(LOCK, ""), (&first, "")]),
        ];
        for (name, files) in left {
            fs::create_dir(folder.join(name)).expect("a folder");
            for (file, text) in files {
                let path = folder.join(name).join(file);
                fs::write(&path, text).expect("written");
                let days = if name == "5-young" { 29 } else { 31 };
                let file = File::options().write(true).open(&path).expect("a file");
                file.set_modified((now - TimeDelta::days(days)).into()).expect("a time");
            }
        }
        for trail in trails(folder).expect("trails") {
            assert_eq!(crate::verify(&trail.folder).expect("sound").records, 0, "{trail:?}");
            let query = crate::Query { limit: 9, ..crate::Query::default() };
            assert_eq!(crate::find(&trail.folder, &query).expect("read"), [], "{trail:?}");
        }
        // The writer comes back.
        drop(Trail::open(&folder.join("4-half")).expect("goes on"));
        let went = purged(folder, now);
        let gone = |name: &str| Ok(Abandoned { name: name.to_owned(), records: 0 });
        assert_eq!(went, [gone("1-lock"), gone("2-segment"), gone("3-head")]);
        assert!(folder.join("4-half").exists() && folder.join("5-young").exists());
        let sound = crate::verify(&folder.join("4-half")).expect("sound");
        assert_eq!((sound.records, sound.is_torn), (0, false));
    }

    /// Records without a head are no trail that was never begun.
    #[test]
    fn a_head_that_is_gone_is_told_of() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let long_ago = Utc::now() - TimeDelta::days(31);
        drop(write(folder, "cut", long_ago));
        fs::remove_file(folder.join("cut").join(HEAD)).expect("deleted");
        for name in [LOCK, &segment::name(1)] {
            let file = File::options().write(true).open(folder.join("cut").join(name)).expect("a file");
            file.set_modified(long_ago.into()).expect("a time");
        }
        let went = purged(folder, Utc::now());
        assert!(
            matches!(&went[..], [Err(error)] if error.contains("head.json") && error.contains("missing")),
            "{went:?}"
        );
    }

    #[test]
    fn a_purge_that_was_stopped_is_ended() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        drop(write(folder, "gone", Utc::now()));
        fs::rename(folder.join("gone"), folder.join(".going-gone")).expect("moved");
        assert_eq!(purged(folder, Utc::now()), []);
        assert!(!folder.join(".going-gone").exists());
    }
}
