//! The memory that the server may take: above its bound what is kept for later goes, and if that is not enough nothing more is
//! loaded. A refusal is better than the end that the system has for who takes too much.

mod bound;
mod trim;

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    call::{Call, Context},
    error::{ErrorCode, ToolError},
    metrics::labels::Rejection,
};

/// For how long what was measured is believed: loading takes a few hundred megabytes a second.
const BELIEVED: Duration = Duration::from_millis(100);

/// Of what the machine or the container has, how much the server takes if nobody says otherwise.
const PERCENT: u64 = 80;

/// When somebody who is refused may come again: calls that end leave room.
const RETRY_AFTER_SECONDS: u64 = 2;

/// Knows how much memory there may be, and how much there is.
#[derive(Debug)]
pub struct MemoryGuard {
    /// The bound where none is configured; none where nobody says what there is.
    by_default: Option<u64>,
    measured: Mutex<Option<(Instant, u64)>>,
    /// Held by who makes room: others wait, and find it.
    making_room: Mutex<()>,
}

impl Default for MemoryGuard {
    /// By what the machine or the container has.
    fn default() -> MemoryGuard {
        let by_default = bound::available().map(|bytes| bytes / 100 * PERCENT);
        MemoryGuard { by_default, measured: Mutex::default(), making_room: Mutex::default() }
    }
}

impl MemoryGuard {
    /// The bound in force: what is configured, or the default where that is 0.
    pub fn bound(&self, configured: u64) -> u64 {
        match configured {
            0 => self.by_default.unwrap_or(u64::MAX),
            bytes => bytes,
        }
    }

    /// Bytes that the process holds in memory, as of a moment ago.
    fn held(&self) -> u64 {
        let mut measured = self.measured.lock().unwrap_or_else(PoisonError::into_inner);
        match *measured {
            Some((at, bytes)) if at.elapsed() < BELIEVED => bytes,
            _ => {
                let bytes = resident_bytes();
                *measured = Some((Instant::now(), bytes));
                bytes
            }
        }
    }

    fn forget(&self) {
        *self.measured.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Bytes that the process holds in memory; 0 where the system does not tell.
fn resident_bytes() -> u64 {
    let told = procfs::process::Process::myself().and_then(|process| process.statm());
    told.map_or(0, |pages| pages.resident.saturating_mul(procfs::page_size()))
}

impl Context {
    /// Makes room while too much is held: what was used least recently goes first. Gives whether there is enough now.
    fn make_room(&self, bound: u64) -> bool {
        let _making_room = self.memory.making_room.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            self.memory.forget();
            if self.memory.held() <= bound {
                return true;
            }
            let dropped = self.workbooks.evict_half() + self.forks.evict() + self.recalc.evict();
            trim::give_back();
            if dropped == 0 {
                self.memory.forget();
                return self.memory.held() <= bound;
            }
            tracing::info!(dropped, bound, "memory is short: dropped what was kept for later");
        }
    }
}

impl Call {
    /// Whether there is memory to load something.
    ///
    /// # Errors
    /// When there is not, also without everything that is kept for later.
    pub(crate) fn check_memory(&self) -> Result<(), ToolError> {
        let context = self.context();
        let bound = context.memory.bound(self.config().limits.max_memory_bytes);
        if context.memory.held() <= bound || context.make_room(bound) {
            return Ok(());
        }
        context.metrics.calls.rejected(Rejection::ShortOfMemory);
        Err(ToolError::new(
            ErrorCode::ShortOfMemory,
            format!("the server holds more than the {bound} bytes of memory that it may, and loads nothing now"),
        )
        .hint(
            "repeat it in a moment, when other calls have ended; ask for less at once, or have SPREADSHEET_MCP_MAX_MEMORY_BYTES raised",
        )
        .retry_after(RETRY_AFTER_SECONDS))
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::Arc};

    use super::*;
    use crate::{call::StopSignal, principal::Principal, testing::context};

    fn call(context: &Arc<Context>) -> Call {
        Call::new(Arc::clone(context), Principal::local(), StopSignal::default(), None)
    }

    #[test]
    fn what_is_held_is_measured() {
        let guard = MemoryGuard::default();
        assert!(guard.held() > 1 << 20);
        assert!(guard.bound(0) > guard.held(), "a test fits into the machine");
        assert_eq!(guard.bound(7), 7);
    }

    #[test]
    fn what_is_kept_goes_before_anybody_is_refused() {
        let (context, folder) = context(&["--max-memory-bytes", "1"]);
        fs::write(folder.path().join("a.csv"), "x,y\n1,2\n").expect("written");
        let refused = call(&context).open("a.csv").map(|_| ()).expect_err("no memory");
        assert_eq!((refused.code, refused.retry_after_seconds), (ErrorCode::ShortOfMemory, Some(2)));
        let enough = crate::testing::config(&[]).live;
        context.reconfigure(enough);
        call(&context).open("a.csv").expect("there is memory");
        assert_eq!(context.workbooks.counts().entries, 1);
        context.make_room(1);
        assert_eq!(context.workbooks.counts().entries, 0);
        assert_eq!(context.workbooks.counts().evictions, 1);
    }

    #[test]
    fn a_sheet_that_does_not_fit_any_more_is_not_read_on() {
        let (context, _folder) = context(&[]);
        let call = call(&context);
        context.reconfigure(crate::testing::config(&["--max-memory-bytes", "1"]).live);
        let late = Call::new(Arc::clone(&context), Principal::local(), StopSignal::default(), None);
        let stopped = workbook::Watch::progress(&late, 1, 2);
        assert!(stopped.is_break());
        assert_eq!(late.check().expect_err("stopped").code, ErrorCode::ShortOfMemory);
        assert!(workbook::Watch::progress(&call, 1, 2).is_continue(), "it keeps to what it began with");
    }
}
