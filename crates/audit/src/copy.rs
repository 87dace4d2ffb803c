//! Reading a trail as it is at one moment, also while it is written.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::chain::Digest;
use crate::error::AuditError;
use crate::segment::{self, Head};
use crate::trail::{HEAD, told_head};

/// Gives the files of a trail, by their names, as they are at one moment: whole lines up to one record, the latest segment
/// first, and last the head that tells of that record. Nobody's lock is needed: the trail may grow, and retention may take its
/// oldest segments away, meanwhile.
///
/// # Errors
/// When a segment can't be read, or the trail is not what was written; or what `write` says.
pub fn copy<E: From<AuditError>>(
    folder: &Path,
    mut write: impl FnMut(&str, &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    // Before the segments: they are written before it.
    let told = told_head(folder)?;
    let mut newest: Option<Head> = None;
    let mut follows: Option<Digest> = None;
    for (first, path) in segment::list(folder)?.into_iter().rev() {
        let text = match fs::read(&path) {
            Ok(text) => text,
            // Retention takes the oldest away first: what is older went before it.
            Err(error) if error.kind() == ErrorKind::NotFound => break,
            Err(error) => return Err(AuditError::io(&path)(error).into()),
        };
        let whole = segment::whole(&text);
        if whole == 0 && newest.is_none() {
            // It is being started.
            continue;
        }
        let (start, end) = segment::check(&path, &text[..whole], |_| {})?;
        let is_complete = whole == text.len() || newest.is_none();
        if start.first != first || !is_complete || follows.is_some_and(|digest| digest != end.digest) {
            return Err(AuditError::broken(&path, 1, "the next segment does not follow it").into());
        }
        follows = Some(start.follows);
        newest.get_or_insert(end);
        write(&segment::name(first), &text[..whole])?;
    }
    let end = newest.unwrap_or(Head { seq: 0, digest: Digest::START });
    if let Some(told) = told
        && (told.seq > end.seq || (told.seq == end.seq && told.digest != end.digest))
    {
        let problem =
            format!("it tells of record {}, and the last one that is there is {}", told.seq, end.seq);
        return Err(AuditError::broken(&folder.join(HEAD), 1, problem).into());
    }
    match newest {
        Some(head) => write(HEAD, &serde_json::to_vec(&head).unwrap_or_default()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use chrono::{DateTime, TimeDelta, Utc};

    use super::*;
    use crate::{Entry, Retention, Trail, verify};

    fn copied(from: &Path) -> Result<tempfile::TempDir, AuditError> {
        let to = tempfile::tempdir().expect("a folder");
        copy(from, |name, bytes| {
            let path = to.path().join(name);
            fs::write(&path, bytes).map_err(AuditError::io(&path))
        })?;
        Ok(to)
    }

    /// Whatever its writer is at, a copy is a sound trail, and nothing that was told before it is missing.
    #[test]
    fn a_copy_of_a_trail_that_grows_and_shrinks_is_sound() {
        let folder = tempfile::tempdir().expect("a folder");
        let trail = Trail::with_segments_of(folder.path(), 2_000).expect("a trail");
        let is_over = AtomicBool::new(false);
        let write = || {
            for second in 0.. {
                let now = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(second);
                trail.append(Entry::default(), now).expect("a record");
                if second % 50 == 49 {
                    trail.sync().expect("on the disk");
                    trail.purge(Retention { keep: TimeDelta::seconds(100) }, now).expect("purged");
                }
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
            }
        };
        std::thread::scope(|scope| {
            let writer = scope.spawn(write);
            let mut before = 0;
            for _ in 0..100 {
                let copy = copied(folder.path()).expect("a copy");
                let verified = verify(copy.path()).expect("a sound trail");
                assert!(verified.last >= before && !verified.is_torn, "{verified:?} after {before}");
                before = verified.last;
            }
            is_over.store(true, Ordering::Relaxed);
            assert!(before > 0);
            writer.join().expect("ends");
        });
        // Somebody goes on with a copy.
        let copy = copied(folder.path()).expect("a copy");
        let last = verify(copy.path()).expect("a sound trail").last;
        let next = Trail::open(copy.path()).expect("a trail").append(Entry::default(), Utc::now());
        assert_eq!(next.expect("a record").seq, last + 1);
    }

    #[test]
    fn half_a_line_is_left_out_and_a_cut_end_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let trail = Trail::open(folder.path()).expect("a trail");
        for _ in 0..3 {
            trail.append(Entry::default(), Utc::now()).expect("a record");
        }
        trail.sync().expect("on the disk");
        let path = folder.path().join(segment::name(1));
        let text = fs::read_to_string(&path).expect("a segment");
        fs::write(&path, format!("{text}{{\"seq\":4,\"ti")).expect("half a line");
        let verified = verify(copied(folder.path()).expect("a copy").path()).expect("a sound trail");
        assert_eq!((verified.last, verified.is_torn), (3, false));
        let cut = text.trim_end().rsplit_once('\n').expect("lines").0;
        fs::write(&path, format!("{cut}\n")).expect("cut");
        assert!(matches!(copied(folder.path()), Err(AuditError::Broken { .. })));
    }
}
