//! Where an evaluation runs: here, or somewhere that can be ended.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use ironcalc_base::Model;
use ironcalc_base::types::Workbook;

use crate::engine::{EngineError, Moment, Stop};
use crate::ironcalc::IronCalc;

/// Stack of the thread that evaluates; the engine unwinds before it uses a quarter of it.
const STACK_BYTES: usize = 64 << 20;

/// Runs an evaluation, which does not stop by itself.
pub trait Evaluate: Send + Sync {
    /// Every formula evaluated.
    ///
    /// # Errors
    /// When it is stopped, or fails.
    fn evaluate(&self, model: Workbook, moment: Moment, stop: Stop<'_>) -> Result<Workbook, EngineError>;
}

/// Evaluates in this process: for workbooks that are known to take little.
#[derive(Debug, Clone, Copy, Default)]
pub struct InProcess;

impl Evaluate for InProcess {
    fn evaluate(&self, model: Workbook, moment: Moment, _: Stop<'_>) -> Result<Workbook, EngineError> {
        let evaluated = thread::scope(|scope| {
            let work = || catch_unwind(AssertUnwindSafe(|| evaluated(model, moment)));
            let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
            thread.map(thread::ScopedJoinHandle::join)
        });
        match evaluated {
            Ok(Ok(Ok(workbook))) => workbook,
            Ok(_) => Err(failed("it panicked")),
            Err(error) => Err(failed(&format!("no thread could be started: {error}"))),
        }
    }
}

/// Evaluates a model in the engine's own binary form, and gives it back in that form: what a process of its own does.
///
/// # Errors
/// When the bytes are no model, or the evaluation fails.
pub fn evaluate_bytes(bytes: &[u8], moment: Moment) -> Result<Vec<u8>, EngineError> {
    let model = bitcode::decode(bytes).map_err(|error| failed(&error.to_string()))?;
    Ok(bitcode::encode(&InProcess.evaluate(model, moment, &|| false)?))
}

fn evaluated(workbook: Workbook, moment: Moment) -> Result<Workbook, EngineError> {
    ironcalc_base::mock_time::set_mock_time(moment.local_millis);
    let mut model = Model::from_workbook(workbook, "en").map_err(|error| failed(&error))?;
    model.set_max_evaluation_stack(STACK_BYTES / 4);
    model.evaluate();
    Ok(model.workbook)
}

fn failed(what: &str) -> EngineError {
    EngineError::Failed { engine: IronCalc::NAME, what: what.to_owned() }
}
