//! One connection that writes, and as many as there are readers.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::failure::{Failure, explain};
use super::schema;
use crate::StoreError;

/// How long a writer waits for the others. An edit takes a millisecond; who holds the lock for longer hangs.
const PATIENCE: Duration = Duration::from_secs(15);

/// Idle readers that are kept open.
const IDLE_READERS: usize = 8;

/// More than the distinct statements of a connection, so that each is compiled once.
const STATEMENTS: usize = 64;

/// The connections to one database.
pub(super) struct Connections {
    path: PathBuf,
    /// Which file the path meant when it was opened.
    identity: FileIdentity,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
}

impl Connections {
    pub(super) fn open(path: &Path) -> Result<Connections, StoreError> {
        if let Some(folder) = path.parent() {
            crate::folder::create(folder)?;
        }
        let is_new = !path.exists();
        let mut writer =
            connect(path, OpenFlags::SQLITE_OPEN_CREATE).map_err(|error| explain(path, &error))?;
        if is_new {
            crate::folder::make_private(path)?;
        }
        schema::check_version(&writer, path)?;
        prepare_for_writing(&writer).map_err(|error| explain(path, &error))?;
        schema::migrate(&mut writer, path)?;
        if is_new && let Some(folder) = path.parent() {
            crate::folder::sync(folder)?;
        }
        let identity = FileIdentity::of(path).map_err(|problem| StoreError::from_io(path, &problem))?;
        let readers = Mutex::default();
        Ok(Connections { path: path.to_owned(), identity, writer: Mutex::new(writer), readers })
    }

    /// Runs `body` as one transaction that holds the write lock; what it fails with undoes it.
    pub(super) fn write<T>(
        &self,
        body: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.try_write(body).map_err(|failure| self.explain(failure))
    }

    /// Like [`write`](Self::write), for a body whose failure the caller explains.
    pub(super) fn try_write<T>(
        &self,
        body: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.check_identity()?;
        // A panic rolled its transaction back, so the connection is as good as before.
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = body(&transaction)?;
        transaction.commit()?;
        Ok(value)
    }

    /// Runs `body` over one state of the database.
    pub(super) fn read<T>(
        &self,
        body: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.try_read(body).map_err(|failure| self.explain(failure))
    }

    fn try_read<T>(&self, body: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
        self.check_identity()?;
        let idle = self.idle_readers().pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => connect(&self.path, OpenFlags::empty())?,
        };
        let value = body(&reader.transaction()?)?;
        let mut idle = self.idle_readers();
        if idle.len() < IDLE_READERS {
            idle.push(reader);
        }
        Ok(value)
    }

    pub(super) fn check(&self) -> Result<(), StoreError> {
        let verdict: String =
            self.read(|database| Ok(database.pragma_query_value(None, "quick_check", |row| row.get(0))?))?;
        if verdict == "ok" {
            return Ok(());
        }
        Err(StoreError::Corrupt { place: self.place(), problem: verdict })
    }

    pub(super) fn used_bytes(&self) -> Result<u64, StoreError> {
        self.read(|database| {
            let number = |pragma| database.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
            let pages = number("page_count")?.saturating_sub(number("freelist_count")?);
            let bytes = pages.saturating_mul(number("page_size")?);
            Ok(u64::try_from(bytes).unwrap_or(0))
        })
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn idle_readers(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn explain(&self, failure: Failure) -> StoreError {
        match failure {
            Failure::Store(error) => error,
            Failure::Sqlite(error) => explain(&self.path, &error),
            Failure::Stale { actual } => {
                debug_assert!(false, "only writes that expect a head are stale, and those explain it");
                StoreError::NotFound { what: "state", name: actual.to_string() }
            }
        }
    }

    /// Whoever deletes or replaces the file under us would otherwise let us write to a file that nobody finds again.
    fn check_identity(&self) -> Result<(), Failure> {
        let problem = match FileIdentity::of(&self.path) {
            Ok(identity) if identity == self.identity => return Ok(()),
            Ok(_) => "another file is in its place; restart the program to use that one".to_owned(),
            Err(problem) => {
                format!("{problem}; put the state directory back, or restart the program to begin anew")
            }
        };
        Err(Failure::Store(StoreError::Unavailable { place: self.place(), problem }))
    }
}

fn connect(path: &Path, more: OpenFlags) -> rusqlite::Result<Connection> {
    // Every connection is used by one thread at a time; the path is a path, never a URI.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.busy_timeout(PATIENCE)?;
    connection.execute_batch(
        "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;
         PRAGMA temp_store = MEMORY;",
    )?;
    Ok(connection)
}

fn prepare_for_writing(writer: &Connection) -> rusqlite::Result<()> {
    let pages: i64 = writer.pragma_query_value(None, "page_count", |row| row.get(0))?;
    if pages == 0 {
        // What is deleted is given back by `incremental_vacuum`; it must be said before the first page is written.
        writer.execute_batch("PRAGMA auto_vacuum = INCREMENTAL;")?;
    }
    let mode: String = writer.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    debug_assert_eq!(mode, "wal", "a file on a disk can have a write-ahead log");
    writer.execute_batch("PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216;")
}

/// Which file a path means, where the system can tell.
#[derive(PartialEq, Eq)]
struct FileIdentity(u64, u64);

impl FileIdentity {
    #[cfg(unix)]
    fn of(path: &Path) -> io::Result<FileIdentity> {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(path).map(|metadata| FileIdentity(metadata.dev(), metadata.ino()))
    }

    #[cfg(not(unix))]
    fn of(path: &Path) -> io::Result<FileIdentity> {
        fs::metadata(path).map(|_| FileIdentity(0, 0))
    }
}
