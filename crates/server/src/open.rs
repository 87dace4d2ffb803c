//! From the `workbook` of a call to the workbook: resolved, cached, or read.

use std::{ops::ControlFlow, sync::Arc, time::Instant};

use ::forks::{ForkId, InvalidName, Seq, Store};
use workbook::{OpenError, Watch, Workbook};

use crate::{
    book::Book,
    call::Call,
    error::{ErrorCode, ToolError},
    forks::{Replayed, store_error},
    metrics::labels::Outcome,
};

/// A workbook, and how the workspace calls it.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The stable id, or that of a fork.
    pub id: String,
    /// The path within the workspace, or the fork.
    pub path: String,
    /// The length of the file in bytes.
    pub file_bytes: u64,
    /// The workbook, and what is known about it.
    pub book: Arc<Book>,
    /// Names this state of the file: cursors of another one do not continue here.
    pub state: String,
}

/// A fork as calls name it: `fork-…` at its head, `fork-…@base`, `fork-…@7` (a state), `fork-…@name` (a checkpoint).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ForkReference {
    pub(crate) fork: ForkId,
    pub(crate) state: Option<String>,
}

impl ForkReference {
    /// Reads a reference; `None` for one that is no fork's.
    pub(crate) fn parse(text: &str) -> Result<Option<ForkReference>, ToolError> {
        let (fork, state) = match text.split_once('@') {
            Some((fork, state)) => (fork, Some(state.to_owned())),
            None => (text, None),
        };
        Ok(fork.parse().ok().map(|fork| ForkReference { fork, state }))
    }

    /// The fork that `workbook` names, to be written to: at its head, and no file. `how` says what is written how.
    ///
    /// # Errors
    /// For anything else.
    pub(crate) fn to_write(workbook: &str, how: &str) -> Result<ForkId, ToolError> {
        match ForkReference::parse(workbook)? {
            Some(ForkReference { fork, state: None }) => Ok(fork),
            _ => Err(ToolError::new(ErrorCode::InvalidArgument, format!("{workbook:?} is not a fork's id"))
                .at("workbook")
                .hint(how)),
        }
    }
}

impl Call {
    /// Opens the workbook that `reference` names: an id, or a path within the workspace.
    ///
    /// # Errors
    /// When there is none, it can't be read, or the call is stopped.
    pub fn open(&self, reference: &str) -> Result<Opened, ToolError> {
        if let Some(reference) = ForkReference::parse(reference)? {
            return self.open_fork(&reference);
        }
        let file = self.workspace().resolve(reference)?;
        let (id, path, identity) = (file.id, file.path.clone(), file.identity.clone());
        let book = self.workbooks().get(&identity, &|| self.is_stopped(), || {
            self.check_memory()?;
            let bytes: Arc<[u8]> = file.read(self.config().limits.max_file_bytes)?.into();
            Ok(Book::new(self.read_workbook(bytes, &path).map_err(|error| error.at(path.clone()))?))
        })?;
        let state = format!("{:?}.{:?}", identity.modified, identity.mark);
        Ok(Opened { id: id.to_string(), path, file_bytes: identity.size, book, state })
    }

    /// Reads a workbook from its bytes.
    ///
    /// # Errors
    /// When they are none, cost too much, or the call is stopped.
    pub(crate) fn read_workbook(&self, bytes: Arc<[u8]>, name: &str) -> Result<Workbook, ToolError> {
        self.check_memory()?;
        let begun = Instant::now();
        let limits = self.config().limits.for_reading();
        let opened = Workbook::open(bytes, name, &limits, self).map_err(ToolError::from);
        let format = opened.as_ref().ok().map(|book| book.format);
        self.metrics().work.loaded(format, Outcome::of(&opened), begun.elapsed());
        opened
    }

    /// Opens a fork at its head, or at the state that the reference names.
    fn open_fork(&self, reference: &ForkReference) -> Result<Opened, ToolError> {
        let seq = self.state_of(reference)?;
        let replayed = self.replayed(&reference.fork, seq)?;
        self.note_use(&replayed.fork.id)?;
        Ok(Opened::from(&replayed))
    }

    /// The state that a reference to a fork names; none for the head.
    ///
    /// # Errors
    /// When there is no such checkpoint.
    pub(crate) fn state_of(&self, reference: &ForkReference) -> Result<Option<Seq>, ToolError> {
        let Some(state) = &reference.state else { return Ok(None) };
        if state == "base" {
            return Ok(Some(Seq::BASE));
        }
        if let Ok(number) = state.parse::<u64>() {
            return Ok(Some(Seq::new(number)));
        }
        let name = state.parse().map_err(|error: InvalidName| {
            ToolError::new(ErrorCode::InvalidArgument, error.to_string()).at("workbook")
        })?;
        self.fork(&reference.fork)?;
        let store = &self.forks().open()?.store;
        Ok(Some(store.checkpoint(&reference.fork, &name).map_err(store_error)?.seq))
    }
}

/// A fork reads like any other workbook.
impl From<&Replayed> for Opened {
    fn from(replayed: &Replayed) -> Opened {
        let Replayed { fork, live } = replayed;
        Opened {
            id: fork.id.to_string(),
            path: fork.id.to_string(),
            file_bytes: fork.base.size,
            book: Arc::clone(&live.book),
            state: format!("{}.{}", fork.id, live.seq),
        }
    }
}

/// Reading tells its progress to the client, and stops when the call does.
impl Watch for Call {
    fn progress(&self, done: u64, total: u64) -> ControlFlow<()> {
        if self.is_stopped() {
            return ControlFlow::Break(());
        }
        if let Err(short) = self.check_memory() {
            self.stop_by(short);
            return ControlFlow::Break(());
        }
        self.progress(done as f64, (total > 0).then_some(total as f64), "reading the workbook");
        ControlFlow::Continue(())
    }
}

impl From<OpenError> for ToolError {
    fn from(error: OpenError) -> ToolError {
        let code = match &error {
            OpenError::NotASpreadsheet { .. } => ErrorCode::UnsupportedFile,
            OpenError::Encrypted => ErrorCode::EncryptedFile,
            OpenError::Damaged { .. } => ErrorCode::DamagedFile,
            OpenError::OverBudget { .. } => ErrorCode::LimitExceeded,
            OpenError::Cancelled => ErrorCode::Cancelled,
        };
        // The message ends with the remedy: "…; save a copy without one and open that".
        let message = error.to_string();
        match message.rsplit_once("; ") {
            Some((what, remedy)) => ToolError::new(code, what).hint(remedy),
            None => ToolError::new(code, message),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{call::StopSignal, principal::Principal, testing::context};

    #[test]
    fn workbooks_are_opened_once_and_again_when_they_change() {
        let (context, folder) = context(&[]);
        fs::write(folder.path().join("a.csv"), "x,y\n1,2\n").expect("written");
        let call = Call::new(Arc::clone(&context), Principal::local(), StopSignal::default(), None);
        let first = call.open("a.csv").expect("opens");
        let again = call.open(&first.id.to_string()).expect("opens");
        assert!(Arc::ptr_eq(&first.book, &again.book));
        fs::write(folder.path().join("a.csv"), "x,y\n1,2\n3,4\n").expect("written");
        let changed = call.open("a.csv").expect("opens");
        assert!(!Arc::ptr_eq(&first.book, &changed.book));
        assert_eq!((context.workbooks.counts().hits, context.workbooks.counts().misses), (1, 2));
    }

    #[track_caller]
    fn check_refused(name: &str, content: &[u8], code: ErrorCode) {
        let (context, folder) = context(&[]);
        fs::write(folder.path().join(name), content).expect("written");
        let call = Call::new(context, Principal::local(), StopSignal::default(), None);
        let error = call.open(name).map(|_| ()).expect_err("can't be read");
        assert_eq!((error.code, error.location.as_deref()), (code, Some(name)), "{error}");
        assert!(error.hint.is_some());
    }

    #[test]
    fn unreadable_files_say_what_they_are_and_what_to_do() {
        check_refused("a.xlsx", b"%PDF-1.7 this is not a workbook", ErrorCode::UnsupportedFile);
        check_refused("a.xlsx", b"", ErrorCode::UnsupportedFile);
        check_refused("a.xlsx", b"PK\x03\x04 cut off", ErrorCode::DamagedFile);
    }

    #[test]
    fn a_stopped_call_reads_nothing() {
        let (context, folder) = context(&[]);
        fs::write(folder.path().join("a.csv"), "x,y\n".repeat(100_000)).expect("written");
        let stop = StopSignal::default();
        stop.stop();
        let call = Call::new(context, Principal::local(), stop, None);
        assert_eq!(call.open("a.csv").map(|_| ()).expect_err("stopped").code, ErrorCode::Cancelled);
    }
}
