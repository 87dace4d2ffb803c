//! Writing a trail, and looking into it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::chain::Digest;
use crate::entry::{Entry, Outcome, Record};
use crate::error::AuditError;
use crate::segment::{self, Head, Start, VERSION};

/// The file that says how far a trail went.
pub(crate) const HEAD: &str = "head.json";
/// The file that says who writes it.
pub(crate) const LOCK: &str = "writer.lock";
/// Bytes after which a segment ends.
const SEGMENT_BYTES: u64 = 16 << 20;

/// How long records are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// For how long at least.
    pub keep: TimeDelta,
}

/// Which records are asked for, the latest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// Of this principal.
    pub principal: Option<String>,
    /// Of this tenant.
    pub tenant: Option<String>,
    /// Of this action.
    pub action: Option<String>,
    /// About this workbook or fork.
    pub about: Option<String>,
    /// Ended so.
    pub outcome: Option<Outcome>,
    /// Written at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Before this record.
    pub before: Option<u64>,
    /// So many at most.
    pub limit: usize,
}

/// A trail that is being written. One program writes it at a time.
#[derive(Debug)]
pub struct Trail {
    folder: PathBuf,
    _lock: File,
    writer: Mutex<Writer>,
}

#[derive(Debug)]
struct Writer {
    head: Head,
    segment: File,
    path: PathBuf,
    bytes: u64,
    segment_bytes: u64,
    head_file: File,
}

impl Trail {
    /// Goes on with the trail of a folder, which is made where there is none. The last segment is checked; a last line that is
    /// not whole is taken away: its writer was stopped before it was acknowledged.
    ///
    /// # Errors
    /// When the folder can't be written, another program writes it, or its end is not what was written.
    pub fn open(folder: &Path) -> Result<Trail, AuditError> {
        Trail::with_segments_of(folder, SEGMENT_BYTES)
    }

    pub(crate) fn with_segments_of(folder: &Path, segment_bytes: u64) -> Result<Trail, AuditError> {
        make_folder(folder)?;
        let lock = locked(folder)?;
        let last = segment::list(folder)?.pop();
        let told = told_head(folder)?;
        let (head, path, whole) = match last {
            Some((_, path)) if is_unborn(folder)? => {
                let nothing = Head { seq: 0, digest: Digest::START };
                open_to_append(&path)?.set_len(0).map_err(AuditError::io(&path))?;
                (nothing, path, None)
            }
            Some((_, path)) => {
                let (_, head, whole) = segment::read(&path, |_| {})?;
                (head, path, Some(whole))
            }
            None => (Head { seq: 0, digest: Digest::START }, folder.join(segment::name(1)), None),
        };
        if let Some(told) = told
            && told.seq > head.seq
        {
            let problem = format!("records {} to {} are missing", head.seq + 1, told.seq);
            return Err(AuditError::broken(&folder.join(HEAD), 1, problem));
        }
        let segment = open_to_append(&path)?;
        if let Some(whole) = whole {
            segment.set_len(whole).map_err(AuditError::io(&path))?;
        }
        let head_path = folder.join(HEAD);
        let head_file = private().write(true).create(true).truncate(false).open(&head_path);
        let mut writer = Writer {
            head,
            segment,
            path,
            bytes: whole.unwrap_or(0),
            segment_bytes,
            head_file: head_file.map_err(AuditError::io(&head_path))?,
        };
        if whole.is_none() {
            writer.start()?;
        }
        writer.tell_head(folder)?;
        Ok(Trail { folder: folder.to_owned(), _lock: lock, writer: Mutex::new(writer) })
    }

    /// Adds a record. It outlives this program once this returns, and the machine a moment later.
    ///
    /// # Errors
    /// When it can't be written; then nothing of it is in the trail.
    pub fn append(&self, entry: Entry, now: DateTime<Utc>) -> Result<Record, AuditError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if writer.bytes >= writer.segment_bytes {
            writer.end_segment(&self.folder)?;
        }
        let record = segment::record(writer.head, now, entry);
        let mut line = serde_json::to_vec(&record).unwrap_or_default();
        line.push(b'\n');
        let path = writer.path.clone();
        if let Err(error) = writer.segment.write_all(&line) {
            // Half a line would break the chain for the next one.
            let _as_it_was = writer.segment.set_len(writer.bytes);
            return Err(AuditError::io(&path)(error));
        }
        writer.bytes += line.len() as u64;
        writer.head = Head { seq: record.seq, digest: record.digest };
        Ok(record)
    }

    /// Waits until all that was added outlives the machine, and then tells how far the trail went: a head that is on the disk
    /// before its records would, after a power failure, tell of some that are missing.
    ///
    /// # Errors
    /// When the system can't say so.
    pub fn sync(&self) -> Result<(), AuditError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.segment.sync_data().map_err(AuditError::io(&writer.path))?;
        writer.tell_head(&self.folder)?;
        writer.head_file.sync_data().map_err(AuditError::io(&self.folder))
    }

    /// Takes away the segments all of whose records are older than they have to be kept. Gives how many records went.
    ///
    /// # Errors
    /// When a segment can't be read or taken away.
    pub fn purge(&self, retention: Retention, now: DateTime<Utc>) -> Result<u64, AuditError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let keep_from = now - retention.keep;
        let mut purged = 0;
        let segments = segment::list(&self.folder)?;
        let last = segments.len().saturating_sub(1);
        for (index, (first, path)) in segments.into_iter().enumerate() {
            let mut latest = None;
            let (_, end, _) = segment::read(&path, |record| latest = Some(record.time))?;
            if latest.is_none_or(|latest| latest >= keep_from) {
                break;
            }
            if index == last {
                writer.end_segment(&self.folder)?;
            }
            fs::remove_file(&path).map_err(AuditError::io(&path))?;
            purged += end.seq + 1 - first;
        }
        Ok(purged)
    }
}

/// The records of a folder that are asked for, the latest first; also while it is written.
///
/// # Errors
/// When a segment can't be read, or is not what was written.
pub fn find(folder: &Path, query: &Query) -> Result<Vec<Record>, AuditError> {
    let mut found = Vec::new();
    if matches!(is_unborn(folder), Ok(true)) {
        return Ok(found);
    }
    for (first, path) in segment::list(folder)?.into_iter().rev() {
        if query.before.is_some_and(|before| first >= before) {
            continue;
        }
        let mut here = Vec::new();
        segment::read(&path, |record| {
            if query.asks_for(record) {
                here.push(record.clone());
            }
        })?;
        here.reverse();
        found.append(&mut here);
        if found.len() >= query.limit {
            break;
        }
    }
    found.truncate(query.limit);
    Ok(found)
}

impl Drop for Trail {
    fn drop(&mut self) {
        let _its_end_is_found_at_the_next_start = self.sync();
    }
}

impl Query {
    fn asks_for(&self, record: &Record) -> bool {
        let entry = &record.entry;
        let is = |asked: &Option<String>, told: Option<&String>| asked.is_none() || asked.as_ref() == told;
        is(&self.principal, Some(&entry.principal))
            && is(&self.tenant, entry.tenant.as_ref())
            && is(&self.action, Some(&entry.action))
            && (is(&self.about, entry.workbook.as_ref()) || is(&self.about, entry.fork.as_ref()))
            && self.outcome.is_none_or(|outcome| outcome == entry.outcome)
            && self.since.is_none_or(|since| record.time >= since)
            && self.before.is_none_or(|before| record.seq < before)
    }
}

impl Writer {
    fn start(&mut self) -> Result<(), AuditError> {
        let start = Start { version: VERSION, first: self.head.seq + 1, follows: self.head.digest };
        let mut line = serde_json::to_vec(&start).unwrap_or_default();
        line.push(b'\n');
        self.segment.write_all(&line).map_err(AuditError::io(&self.path))?;
        self.bytes = line.len() as u64;
        Ok(())
    }

    fn end_segment(&mut self, folder: &Path) -> Result<(), AuditError> {
        self.segment.sync_data().map_err(AuditError::io(&self.path))?;
        self.path = folder.join(segment::name(self.head.seq + 1));
        self.segment = open_to_append(&self.path)?;
        self.start()
    }

    /// Writes over the head: its length grows with the number only, so that it is never half of each.
    fn tell_head(&mut self, folder: &Path) -> Result<(), AuditError> {
        use std::io::{Seek as _, SeekFrom};
        let path = folder.join(HEAD);
        let text = serde_json::to_vec(&self.head).unwrap_or_default();
        self.head_file.seek(SeekFrom::Start(0)).map_err(AuditError::io(&path))?;
        self.head_file.write_all(&text).map_err(AuditError::io(&path))
    }
}

pub(crate) fn told_head(folder: &Path) -> Result<Option<Head>, AuditError> {
    let path = folder.join(HEAD);
    match fs::read(&path) {
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => serde_json::from_slice(&text)
            .map(Some)
            .map_err(|error| AuditError::broken(&path, 1, format!("it is no head: {error}"))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(AuditError::io(&path)(error)),
    }
}

/// Whether its writer was stopped before it told how far the trail is for the first time, or is about to: there is no head, and
/// no record that one could tell of.
pub(crate) fn is_unborn(folder: &Path) -> Result<bool, AuditError> {
    if told_head(folder)?.is_some() {
        return Ok(false);
    }
    match segment::list(folder)?.as_slice() {
        [] => Ok(true),
        [(1, path)] => {
            let text = fs::read(path).map_err(AuditError::io(path))?;
            let whole = &text[..segment::whole(&text)];
            let mut records = 0;
            Ok(whole.is_empty() || (segment::check(path, whole, |_| records += 1).is_ok() && records == 0))
        }
        _ => Ok(false),
    }
}

fn make_folder(folder: &Path) -> Result<(), AuditError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(AuditError::io(folder))
}

fn locked(folder: &Path) -> Result<File, AuditError> {
    let path = folder.join(LOCK);
    let file =
        private().write(true).create(true).truncate(false).open(&path).map_err(AuditError::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(AuditError::Locked(folder.to_owned())),
        Err(TryLockError::Error(error)) => Err(AuditError::io(&path)(error)),
    }
}

fn open_to_append(path: &Path) -> Result<File, AuditError> {
    private().append(true).create(true).open(path).map_err(AuditError::io(path))
}

/// Files for their owner alone.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn entry(principal: &str, action: &str) -> Entry {
        Entry {
            principal: principal.to_owned(),
            action: action.to_owned(),
            role: "editor".to_owned(),
            ..Entry::default()
        }
    }

    fn fill(trail: &Trail, from: i64, count: i64) {
        for second in from..from + count {
            let principal = if second % 2 == 0 { "ada" } else { "bob" };
            trail.append(entry(principal, "edit_cells"), at(second)).expect("a record");
        }
    }

    #[test]
    fn a_trail_goes_on_where_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        for from in [0, 10, 20] {
            let trail = Trail::with_segments_of(folder.path(), 1_000).expect("a trail");
            fill(&trail, from, 10);
        }
        let verified = verify(folder.path()).expect("a sound trail");
        assert_eq!((verified.records, verified.first, verified.last), (30, 1, 30));
        assert!(segment::list(folder.path()).expect("segments").len() > 2);
        let _trail = Trail::open(folder.path()).expect("a trail");
        assert!(matches!(Trail::open(folder.path()), Err(AuditError::Locked(_))));
        let query =
            Query { principal: Some("ada".to_owned()), since: Some(at(5)), limit: 3, ..Query::default() };
        let seqs: Vec<u64> =
            find(folder.path(), &query).expect("records").iter().map(|record| record.seq).collect();
        assert_eq!(seqs, [29, 27, 25]);
        let query = Query { before: Some(25), ..query };
        let seqs: Vec<u64> =
            find(folder.path(), &query).expect("records").iter().map(|record| record.seq).collect();
        assert_eq!(seqs, [23, 21, 19]);
    }

    #[test]
    fn retention_leaves_a_sound_trail() {
        let folder = tempfile::tempdir().expect("a folder");
        let trail = Trail::with_segments_of(folder.path(), 1_000).expect("a trail");
        fill(&trail, 0, 30);
        let keep = |seconds| Retention { keep: TimeDelta::seconds(seconds) };
        let purged = trail.purge(keep(10), at(30)).expect("a purge");
        let verified = verify(folder.path()).expect("a sound trail");
        assert!(purged > 0 && verified.first == purged + 1 && verified.last == 30, "{purged} {verified:?}");
        assert_eq!(trail.purge(keep(0), at(100)).expect("a purge"), 30 - purged);
        fill(&trail, 100, 1);
        let verified = verify(folder.path()).expect("a sound trail");
        assert_eq!((verified.records, verified.last), (1, 31));
    }

    /// Every byte of a trail that is changed, lost or doubled is found.
    #[test]
    fn tampering_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        fill(&Trail::with_segments_of(folder.path(), 600).expect("a trail"), 0, 6);
        let sound = verify(folder.path()).expect("a sound trail");
        let files: Vec<PathBuf> =
            segment::list(folder.path()).expect("segments").into_iter().map(|(_, path)| path).collect();
        for path in files.iter().chain([&folder.path().join(HEAD)]) {
            let text = fs::read(path).expect("a file");
            for index in 0..text.len() {
                let mut changed = text.clone();
                changed[index] ^= 1;
                fs::write(path, &changed).expect("a file");
                assert!(verify(folder.path()).is_err(), "byte {index} of {}", path.display());
            }
            fs::write(path, &text).expect("a file");
        }
        // Lines that go, from whatever end, or change places.
        for path in &files {
            let text = fs::read_to_string(path).expect("a file");
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            for index in 0..lines.len() {
                let mut fewer = lines.clone();
                fewer.remove(index);
                fs::write(path, fewer.concat()).expect("a file");
                assert!(verify(folder.path()).is_err(), "line {index} of {}", path.display());
            }
            let mut moved = lines.clone();
            moved[1..].reverse();
            if moved != lines {
                fs::write(path, moved.concat()).expect("a file");
                assert!(verify(folder.path()).is_err(), "reversed {}", path.display());
            }
            fs::write(path, &text).expect("a file");
            let aside = path.with_extension("aside");
            fs::rename(path, &aside).expect("a file");
            let is_first = path == &files[0];
            assert_eq!(verify(folder.path()).is_ok(), is_first, "without {}", path.display());
            fs::rename(&aside, path).expect("a file");
        }
        assert_eq!(verify(folder.path()).expect("a sound trail"), sound);
    }

    #[test]
    fn a_line_that_was_not_finished_is_taken_away() {
        let folder = tempfile::tempdir().expect("a folder");
        fill(&Trail::open(folder.path()).expect("a trail"), 0, 3);
        let (_, path) = segment::list(folder.path()).expect("segments").remove(0);
        let mut file = OpenOptions::new().append(true).open(&path).expect("a segment");
        file.write_all(b"{\"seq\":4,\"ti").expect("half a line");
        assert!(verify(folder.path()).expect("a sound trail").is_torn);
        fill(&Trail::open(folder.path()).expect("a trail"), 3, 1);
        let verified = verify(folder.path()).expect("a sound trail");
        assert_eq!((verified.records, verified.is_torn), (4, false));
    }
}
