//! The pool: who gets which worker, in which order, and what becomes of workers.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::availability::{MissingProgram, Programs};
use crate::isolation::confines_files;
use crate::watch::{STOP_EVERY, Watch};
use crate::worker::Worker;
use crate::{
    Availability, CalculatedSheet, Document, OfficeCounts, OfficeError, OfficeOptions, PictureRequest,
    worker_folder,
};

/// Whether a caller wants its job to stop; asked many times a second.
type Stop<'a> = &'a (dyn Fn() -> bool + Sync);

/// A pool of LibreOffice workers. Calls block until the answer is there; make them from as many threads as you like.
///
/// Nothing is started before the first job. Dropping it ends every process and removes every file.
pub struct Office {
    options: OfficeOptions,
    job_timeout: Mutex<Duration>,
    programs: OnceLock<Result<Programs, MissingProgram>>,
    state: Mutex<State>,
    /// Told when a worker has become free, or somebody no longer waits.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Worker>,
    /// How many slots are taken, whether their workers are at work, starting or ending.
    busy: usize,
    /// Who waits, first come first served.
    waiting: VecDeque<u64>,
    next_ticket: u64,
    counts: OfficeCounts,
}

impl Office {
    /// A pool that has started nothing yet.
    pub fn new(options: OfficeOptions) -> Office {
        let options = OfficeOptions { workers: options.workers.max(1), ..options };
        Office {
            job_timeout: Mutex::new(options.job_timeout),
            options,
            programs: OnceLock::new(),
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Changes how long jobs may take that begin from now on.
    pub fn set_job_timeout(&self, timeout: Duration) {
        *self.job_timeout.lock().unwrap_or_else(PoisonError::into_inner) = timeout;
    }

    /// Whether jobs can be done here. It is found out once.
    pub fn availability(&self) -> Availability {
        match self.find_programs() {
            Ok(programs) => Availability::Available {
                version: programs.version.clone(),
                files_confined: confines_files(),
            },
            Err(missing) => missing.as_availability(),
        }
    }

    /// [`availability`](Office::availability), if that was found out already: finding it out starts a program.
    pub fn known_availability(&self) -> Option<Availability> {
        self.programs.get().map(|_| self.availability())
    }

    /// Recalculates a document, and gives the values of all its formula cells, sheet by sheet.
    ///
    /// `stop` is asked at least every 50 ms; once it says `true`, the job ends as cancelled.
    ///
    /// # Errors
    /// See [`OfficeError`]. A job whose worker dies is tried once more on a fresh one.
    pub fn calculate(
        &self,
        document: &Document<'_>,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<CalculatedSheet>, OfficeError> {
        self.run(stop, |worker, watch| worker.calculate(document, watch))
    }

    /// Draws a range of a sheet as PNG, cropped to what is drawn in it.
    ///
    /// # Errors
    /// As [`calculate`](Office::calculate), and [`OfficeError::PictureTooLarge`] before anything is drawn.
    pub fn picture(
        &self,
        document: &Document<'_>,
        request: &PictureRequest,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<u8>, OfficeError> {
        request.check()?;
        self.run(stop, |worker, watch| worker.picture(document, request, watch))
    }

    /// What has been done so far, and what goes on.
    pub fn counts(&self) -> OfficeCounts {
        let state = self.state();
        let mut counts = state.counts.clone();
        (counts.busy, counts.idle, counts.waiting) = (state.busy, state.idle.len(), state.waiting.len());
        counts
    }

    /// Removes what killed processes left behind, and says of how many workers. It costs a look at the scratch folder.
    pub fn sweep(&self) -> usize {
        worker_folder::sweep(&self.options.scratch)
    }

    /// Ends the workers that have no job now, and says how many: for hours without work. The next job starts one.
    pub fn end_idle(&self) -> usize {
        let idle = {
            let mut state = self.state();
            let idle = std::mem::take(&mut state.idle);
            // They are ended outside of the lock, and hold their slots until they are.
            state.busy += idle.len();
            idle
        };
        let count = idle.len();
        for worker in idle {
            let slot = Slot { office: self, worker: None };
            drop(worker);
            drop(slot);
        }
        count
    }

    /// Ends every worker, also those whose jobs are just being stopped, and says whether none is left. It takes no longer than
    /// `patience` and the end of one worker.
    pub fn end_all(&self, patience: Duration) -> bool {
        let begun = Instant::now();
        loop {
            self.end_idle();
            let counts = self.counts();
            if counts.busy + counts.idle == 0 {
                return true;
            }
            if begun.elapsed() > patience {
                return false;
            }
            thread::sleep(STOP_EVERY);
        }
    }

    fn run<T>(
        &self,
        stop: Stop<'_>,
        job: impl Fn(&mut Worker, &mut Watch<'_>) -> Result<T, OfficeError>,
    ) -> Result<T, OfficeError> {
        self.count(|counts| counts.jobs += 1);
        let result = self.run_on_worker(stop, job);
        if let Err(error) = &result {
            self.count(|counts| *counts.failures.entry(error.kind()).or_default() += 1);
        }
        result
    }

    fn run_on_worker<T>(
        &self,
        stop: Stop<'_>,
        job: impl Fn(&mut Worker, &mut Watch<'_>) -> Result<T, OfficeError>,
    ) -> Result<T, OfficeError> {
        let programs = self.find_programs().map_err(MissingProgram::as_error)?;
        let mut slot = self.wait_for_slot(stop)?;
        let mut is_retry = false;
        loop {
            let mut worker = match slot.worker.take() {
                Some(worker) => worker,
                None => self.start_worker(programs, stop)?,
            };
            let timeout = *self.job_timeout.lock().unwrap_or_else(PoisonError::into_inner);
            let mut watch = Watch::start(stop, timeout, self.options.memory_limit);
            let result = job(&mut worker, &mut watch);
            match &result {
                Err(OfficeError::Crashed) if !is_retry => {
                    self.end_worker(worker);
                    self.count(|counts| counts.retries += 1);
                    is_retry = true;
                    continue;
                }
                Err(error) if !error.leaves_worker_sound() => self.end_worker(worker),
                _ if self.has_done_its_share(&worker) => self.end_worker(worker),
                _ => slot.worker = Some(worker),
            }
            return result;
        }
    }

    /// Waits for its turn, first come first served.
    fn wait_for_slot(&self, stop: Stop<'_>) -> Result<Slot<'_>, OfficeError> {
        let mut state = self.state();
        if state.waiting.is_empty() && state.busy < self.options.workers {
            return Ok(self.take_slot(&mut state));
        }
        if state.waiting.len() >= self.options.queue {
            return Err(OfficeError::Busy { waiting: state.waiting.len() });
        }
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        state.waiting.push_back(ticket);
        let turn = loop {
            if state.waiting.front() == Some(&ticket) && state.busy < self.options.workers {
                break Ok(self.take_slot(&mut state));
            }
            // What the caller runs to decide may take locks of its own.
            drop(state);
            let is_stopped = stop();
            state = self.state();
            if is_stopped {
                break Err(OfficeError::Cancelled);
            }
            let waited = self.changed.wait_timeout(state, STOP_EVERY);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        };
        state.waiting.retain(|other| *other != ticket);
        drop(state);
        self.changed.notify_all();
        turn
    }

    /// Takes a free slot, and with it the worker that was used last, if any is warm.
    fn take_slot(&self, state: &mut State) -> Slot<'_> {
        let worker = state.idle.pop();
        state.busy += 1;
        debug_assert!(state.busy + state.idle.len() <= self.options.workers, "a slot for each worker");
        Slot { office: self, worker }
    }

    fn start_worker(&self, programs: &Programs, stop: Stop<'_>) -> Result<Worker, OfficeError> {
        let start = || {
            self.count(|counts| counts.starts += 1);
            Worker::start(programs, &self.options, stop)
        };
        // What ends one while it starts, such as a system short of memory, need not end the next one.
        let started = start().or_else(|error| match error {
            OfficeError::Crashed => start(),
            other => Err(other),
        });
        started.map_err(|error| match error {
            OfficeError::Crashed => {
                OfficeError::DoesNotStart { detail: "its bridge ended, twice".to_owned() }
            }
            other => other,
        })
    }

    fn end_worker(&self, worker: Worker) {
        drop(worker);
        self.count(|counts| counts.replaced += 1);
    }

    fn has_done_its_share(&self, worker: &Worker) -> bool {
        // What it keeps of documents that are closed is not the next one's fault.
        let is_grown = worker.resident_bytes() > self.options.memory_limit / 2;
        is_grown || worker.jobs_done() >= self.options.jobs_per_worker
    }

    fn find_programs(&self) -> Result<&Programs, &MissingProgram> {
        self.programs.get_or_init(|| Programs::find(&self.options)).as_ref()
    }

    fn count(&self, change: impl FnOnce(&mut OfficeCounts)) {
        change(&mut self.state().counts);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // It is whole between any two of its statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to have one worker, and that worker while it has no job. It becomes idle when the slot is given back.
struct Slot<'a> {
    office: &'a Office,
    worker: Option<Worker>,
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut state = self.office.state();
        state.busy -= 1;
        state.idle.extend(self.worker.take());
        drop(state);
        self.office.changed.notify_all();
    }
}
