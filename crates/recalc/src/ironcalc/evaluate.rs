//! An evaluation, on a thread that has room for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use ironcalc_base::Model;
use ironcalc_base::types::Workbook;

use crate::engine::{EngineError, Moment};
use crate::ironcalc::IronCalc;

/// Stack of the thread: formulas nest; the engine unwinds before an evaluation uses a quarter of it.
const STACK_BYTES: usize = 256 << 20;

/// Every formula of a model evaluated.
pub(super) fn evaluated(workbook: Workbook, moment: Moment) -> Result<Workbook, EngineError> {
    deep(move || {
        ironcalc_base::mock_time::set_mock_time(moment.local_millis);
        let mut model = Model::from_workbook(workbook, "en").map_err(|error| failed(&error))?;
        model.set_max_evaluation_stack(STACK_BYTES / 4);
        model.evaluate();
        Ok(model.workbook)
    })?
}

/// Runs work on a thread with a large stack; a panic is a failure.
pub(super) fn deep<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, EngineError> {
    let done = thread::scope(|scope| {
        let work = || catch_unwind(AssertUnwindSafe(work));
        let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        thread.map(thread::ScopedJoinHandle::join)
    });
    match done {
        Ok(Ok(Ok(done))) => Ok(done),
        Ok(_) => Err(failed("it panicked")),
        Err(error) => Err(failed(&format!("no thread could be started: {error}"))),
    }
}

fn failed(what: &str) -> EngineError {
    EngineError::Failed { engine: IronCalc::NAME, what: what.to_owned() }
}
