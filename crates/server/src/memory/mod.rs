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
    config::LimitsConfig,
    error::{ErrorCode, ToolError},
    metrics::labels::Rejection,
};

/// For how long what was measured is believed: loading takes a few hundred megabytes a second.
const BELIEVED: Duration = Duration::from_millis(100);

/// Of what the machine or the container has, how much the server and LibreOffice take if nobody says otherwise.
const PERCENT: u64 = 80;

/// How much of it the server takes at least, however much LibreOffice may.
const LEAST_PERCENT: u64 = 25;

/// When somebody who is refused may come again: calls that end leave room.
const RETRY_AFTER_SECONDS: u64 = 2;

/// Knows how much memory there may be, and how much there is.
#[derive(Debug)]
pub struct MemoryGuard {
    /// What the machine or the container has; none where nobody says.
    available: Option<u64>,
    measured: Mutex<Option<(Instant, u64)>>,
    /// Held by who makes room: others wait, and find it.
    making_room: Mutex<()>,
}

impl Default for MemoryGuard {
    /// By what the machine or the container has.
    fn default() -> MemoryGuard {
        MemoryGuard::of(bound::available())
    }
}

impl MemoryGuard {
    fn of(available: Option<u64>) -> MemoryGuard {
        MemoryGuard { available, measured: Mutex::default(), making_room: Mutex::default() }
    }

    /// The bound in force: what is configured, or where that is 0 what is left beside what others of us may take.
    fn bound(&self, configured: u64, beside: u64) -> u64 {
        match (configured, self.available) {
            (0, None) => u64::MAX,
            (0, Some(available)) => {
                let shared = available / 100 * PERCENT;
                shared.saturating_sub(beside).max(available / 100 * LEAST_PERCENT)
            }
            (bytes, _) => bytes,
        }
    }

    /// What is there and too little for a bound and what is beside it.
    fn shortage(&self, bound: u64, beside: u64) -> Option<u64> {
        self.available.filter(|available| bound.saturating_add(beside) > *available)
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
    /// Bytes of memory that the server may hold, LibreOffice aside.
    pub(crate) fn memory_bound(&self, limits: &LimitsConfig) -> u64 {
        self.memory.bound(limits.max_memory_bytes, self.recalc.most_office_memory())
    }

    /// Warns when all that may be taken is more than there is: the system would end whoever asks last.
    pub(crate) fn announce_memory(&self) {
        let bound = self.memory_bound(&self.live().limits);
        let libreoffice = self.recalc.most_office_memory();
        // Where LibreOffice is not, a bound above what is there was said on purpose.
        if let Some(available) = self.memory.shortage(bound, libreoffice).filter(|_| libreoffice > 0) {
            tracing::warn!(
                bound,
                libreoffice,
                available,
                "the server and LibreOffice may take more memory than there is, and be killed for it: lower --max-memory-bytes, \
                 --libreoffice-memory or --max-concurrent-recalcs"
            );
        }
    }

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
        let bound = context.memory_bound(&self.config().limits);
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
        assert!(guard.bound(0, 0) > guard.held(), "a test fits into the machine");
    }

    #[test]
    fn the_default_leaves_room_for_libreoffice() {
        let of = |available: u64| MemoryGuard::of(Some(available << 20));
        // What is available, what is configured and what LibreOffice may take, in MiB; the bound, and whether all of it fits.
        for (available, configured, beside, expected, fits) in [
            (2_000, 0, 0, 1_600, true),
            (2_000, 0, 1_000, 600, true),
            (2_000, 0, 4_000, 500, false),
            (16_000, 0, 4_000, 8_800, true),
            (2_000, 1_200, 1_000, 1_200, false),
            (2_000, 900, 1_000, 900, true),
        ] {
            let (guard, configured, beside) = (of(available), configured << 20, beside << 20);
            let bound = guard.bound(configured, beside);
            assert_eq!(bound >> 20, expected, "{available} {configured} {beside}");
            assert_eq!(guard.shortage(bound, beside).is_none(), fits, "{available} {configured} {beside}");
        }
        assert_eq!(MemoryGuard::of(None).bound(0, 1 << 30), u64::MAX);
        assert_eq!(MemoryGuard::of(None).shortage(u64::MAX, 1), None);
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
