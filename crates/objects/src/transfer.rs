//! Objects that are larger than what should be in memory.

use std::io::{self, Read, Write};

use bytes::Bytes;
use futures_util::StreamExt as _;
use object_store::{
    Attribute, Attributes, GetOptions, MultipartUpload, ObjectStore as _, ObjectStoreExt as _,
    PutMultipartOptions, PutPayload,
};
use tokio::time::timeout;

use crate::{Bucket, Object, ObjectError, Operation, Precondition, Version};

/// Bytes of a part of an upload; stores want 5 MiB at least.
const PART: usize = 8 << 20;
/// The name of notes. Azure takes letters and underscores, and proxies may take underscores away.
const NOTE: &str = "spreadsheetnote";

impl Bucket {
    /// Reads an object into `to`, piece by piece. What was written to it before a failure is of no use.
    ///
    /// # Errors
    /// As [`Bucket::get`]; `Source` when `to` fails.
    pub fn get_into(&self, key: &str, to: &mut dyn Write) -> Result<Object, ObjectError> {
        self.receive(key, GetOptions::default(), |piece, _| {
            to.write_all(piece).map_err(|error| error.to_string())
        })
    }

    /// Hands out the pieces of an object in turn, each with how many bytes there will be in all. Every piece has to come within
    /// its time, and all of them.
    pub(crate) fn receive(
        &self,
        key: &str,
        options: GetOptions,
        mut each: impl FnMut(&[u8], u64) -> Result<(), String>,
    ) -> Result<Object, ObjectError> {
        let path = self.path(key)?;
        let receive = async {
            let result = self.explained(key, self.timeout, self.store.get_opts(&path, options)).await?;
            let object = self.object(result.meta.clone());
            let expected = result.range.end - result.range.start;
            let mut pieces = result.into_stream();
            let mut received: u64 = 0;
            let all = async {
                while let Some(piece) = timeout(self.stall_timeout, pieces.next()).await.transpose() {
                    let Ok(piece) = piece else {
                        let time = self.stall_timeout.as_secs_f64();
                        return Err(self.unavailable(format!("silent for {time} s within an object")));
                    };
                    let piece = self.explained(key, self.stall_timeout, async { piece }).await?;
                    received += piece.len() as u64;
                    self.counts.add_received(piece.len() as u64);
                    each(&piece, expected)
                        .map_err(|problem| ObjectError::Source { key: key.to_owned(), problem })?;
                }
                Ok(())
            };
            let time = self.time_for(expected);
            timeout(time, all).await.unwrap_or_else(|_| {
                Err(self.unavailable(format!("an object was not there within {} s", time.as_secs_f64())))
            })?;
            if received != expected {
                return Err(self.unavailable(format!("{received} of {expected} bytes came")));
            }
            Ok(object)
        };
        self.request(Operation::Get, receive)
    }

    /// Writes an object from a reader. Without a precondition no more than a part of it is in memory; with one all of it is, since
    /// not every store can make its parts an object under a condition. It is there as a whole or not at all; parts that a killed
    /// process leaves are for a rule of the bucket to drop.
    ///
    /// # Errors
    /// As [`Bucket::put`]; `Source` when `from` fails.
    pub fn put_from(
        &self,
        key: &str,
        from: &mut dyn Read,
        when: &Precondition,
    ) -> Result<Version, ObjectError> {
        self.put_reader(key, from, when, &Attributes::new())
    }

    /// As [`Bucket::put_from`], with a note beside the object that [`Bucket::note`] tells: whoever does not know what became of
    /// a write finds out whether the object that is there is theirs.
    ///
    /// # Errors
    /// As [`Bucket::put_from`].
    pub fn put_with_note(
        &self,
        key: &str,
        from: &mut dyn Read,
        when: &Precondition,
        note: &str,
    ) -> Result<Version, ObjectError> {
        let attributes = [(Attribute::Metadata(NOTE.into()), note.to_owned())];
        self.put_reader(key, from, when, &attributes.into_iter().collect())
    }

    /// What is under a key, and the note that it was written with.
    ///
    /// # Errors
    /// As [`Bucket::head`].
    pub fn note(&self, key: &str) -> Result<(Object, Option<String>), ObjectError> {
        let path = self.path(key)?;
        let options = GetOptions { head: true, ..GetOptions::default() };
        let get = async { self.explained(key, self.timeout, self.store.get_opts(&path, options)).await };
        let found = self.request(Operation::Head, get)?;
        let note = found.attributes.get(&Attribute::Metadata(NOTE.into()));
        Ok((self.object(found.meta.clone()), note.map(|note| note.as_ref().to_owned())))
    }

    fn put_reader(
        &self,
        key: &str,
        from: &mut dyn Read,
        when: &Precondition,
        attributes: &Attributes,
    ) -> Result<Version, ObjectError> {
        let put = async {
            let unread =
                |error: io::Error| ObjectError::Source { key: key.to_owned(), problem: error.to_string() };
            let first = part(from).map_err(unread)?;
            if first.len() < PART {
                return self.put_at_once(key, first.into(), when, attributes.clone()).await;
            }
            if *when == Precondition::None {
                return self.put_in_parts(key, first, from, attributes).await;
            }
            self.look_ahead(key, when).await?;
            let mut parts = vec![first];
            loop {
                let next = part(from).map_err(unread)?;
                if next.is_empty() {
                    break;
                }
                parts.push(next);
            }
            let payload = parts.into_iter().collect::<PutPayload>();
            self.put_at_once(key, payload, when, attributes.clone()).await
        };
        self.request(Operation::Put, put)
    }

    /// Refuses what the precondition refuses as of now. Stores refuse it without reading all, and the answer is lost when they
    /// close the connection on who still sends.
    async fn look_ahead(&self, key: &str, when: &Precondition) -> Result<(), ObjectError> {
        let path = self.path(key)?;
        let changed = || ObjectError::Changed { key: key.to_owned() };
        match (self.explained(key, self.timeout, self.store.head(&path)).await, when) {
            (Err(ObjectError::NotFound { .. }), Precondition::Unchanged(_)) => Err(changed()),
            (Err(ObjectError::NotFound { .. }), _) => Ok(()),
            (Err(error), _) => Err(error),
            (Ok(_), Precondition::Absent) => Err(changed()),
            (Ok(found), Precondition::Unchanged(known)) if found.e_tag != known.etag => Err(changed()),
            (Ok(_), _) => Ok(()),
        }
    }

    async fn put_in_parts(
        &self,
        key: &str,
        first: Bytes,
        from: &mut dyn Read,
        attributes: &Attributes,
    ) -> Result<Version, ObjectError> {
        let path = self.path(key)?;
        let upload = self.store.put_multipart_opts(&path, PutMultipartOptions::from(attributes.clone()));
        let mut upload = self.explained(key, self.timeout, upload).await?;
        let put = self.put_parts(key, upload.as_mut(), first, from).await;
        if put.is_err() {
            // What cannot be taken back now is left to the rule of the bucket.
            let _aborted = timeout(self.timeout, upload.abort()).await;
        }
        put
    }

    async fn put_parts(
        &self,
        key: &str,
        upload: &mut dyn MultipartUpload,
        first: Bytes,
        from: &mut dyn Read,
    ) -> Result<Version, ObjectError> {
        let mut next = first;
        while !next.is_empty() {
            let bytes = next.len() as u64;
            self.explained(key, self.time_for(bytes), upload.put_part(next.into())).await?;
            self.counts.add_sent(bytes);
            next = part(from)
                .map_err(|error| ObjectError::Source { key: key.to_owned(), problem: error.to_string() })?;
        }
        let put = self.explained(key, self.timeout, upload.complete()).await?;
        Ok(Version { etag: put.e_tag, version: put.version })
    }
}

/// The next part; a short one is the last.
fn part(from: &mut dyn Read) -> io::Result<Bytes> {
    let mut part = Vec::new();
    from.take(PART as u64).read_to_end(&mut part)?;
    Ok(part.into())
}
