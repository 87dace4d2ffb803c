//! A calculation in a process of its own, which can be ended and whose memory is bounded.
//!
//! For workbooks whose formulas may take any amount of work or memory, however little they read. The process gets the workbook
//! as a file, and gives the values of all cells that formulas compute.

use std::io::{self, Read, Write};
use std::os::unix::process::parent_id;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use recalc::{
    Engine, EngineError, Moment, Native, Source, Stop, formualizer::Formualizer, ironcalc::IronCalc,
};
use rustix::process::{Resource, Rlimit, setrlimit};
use serde::{Deserialize, Serialize};
use workbook::{Limits, Workbook};

use super::fetched::Fetched;
use crate::trace::traceparent;

/// The argument that makes the program calculate what it is given.
pub const SUBCOMMAND: &str = "evaluate-formulas";
/// How often it is asked whether to go on.
const POLL: Duration = Duration::from_millis(5);
/// How often it is looked whether the program that started the process is still there.
const PARENT_POLL: Duration = Duration::from_millis(50);
/// Bytes of address space: stacks of threads count, of which little is used.
const MEMORY: u64 = 6 << 30;

/// What the process is asked, before the file.
#[derive(Debug, Serialize, Deserialize)]
struct Request {
    is_ironcalc: bool,
    local_millis: i64,
    seed: u64,
}

/// Starts the program anew for each calculation.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) program: PathBuf,
}

impl Process {
    /// The values that an engine computes for a workbook file.
    ///
    /// # Errors
    /// When it is stopped, gives up, or needs too much memory.
    pub(super) fn calculate(
        &self,
        native: Native,
        file: &[u8],
        moment: Moment,
        stop: Stop<'_>,
    ) -> Result<Fetched, EngineError> {
        let failed = |what: &str| EngineError::Failed { engine: native.as_str(), what: what.to_owned() };
        let asked = Request {
            is_ironcalc: native == Native::IronCalc,
            local_millis: moment.local_millis,
            seed: moment.seed,
        };
        let mut head = serde_json::to_vec(&asked).map_err(|error| failed(&error.to_string()))?;
        head.push(b'\n');
        let mut child =
            start(&self.program).map_err(|error| failed(&format!("its process does not start: {error}")))?;
        let (Some(mut input), Some(mut output)) = (child.stdin.take(), child.stdout.take()) else {
            end(&mut child);
            return Err(failed("its process has no streams"));
        };
        let answer = thread::scope(|scope| {
            // A process that ends early does not read to the end: what it says tells why.
            scope.spawn(move || drop(input.write_all(&head).and_then(|()| input.write_all(file))));
            let reading = scope.spawn(move || {
                let mut answer = Vec::new();
                output.read_to_end(&mut answer).map(|_| answer)
            });
            while !reading.is_finished() {
                if stop() {
                    end(&mut child);
                    return Err(EngineError::Cancelled);
                }
                thread::sleep(POLL);
            }
            let read = reading.join().unwrap_or_else(|_| Err(io::Error::other("the reader panicked")));
            read.map_err(|error| failed(&error.to_string()))
        });
        end(&mut child);
        let answer = answer?;
        match answer.split_first() {
            Some((0, values)) => {
                Fetched::decode(native.as_str(), values).ok_or_else(|| failed("it answered nonsense"))
            }
            Some((_, problem)) => Err(failed(&String::from_utf8_lossy(problem))),
            None => Err(failed("its process ended, most likely for lack of memory")),
        }
    }
}

fn start(program: &Path) -> io::Result<Child> {
    let mut command = Command::new(program);
    command.arg(SUBCOMMAND).env_clear().envs(traceparent().map(|parent| ("TRACEPARENT", parent)));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()
}

/// Ends a process, and takes notice of its end.
fn end(child: &mut Child) {
    // One that ended already cannot be killed; it is waited for all the same.
    let _ended = child.kill();
    let _status = child.wait();
}

/// Ends this process when the one that started it is gone: nobody waits for its answer any more.
fn end_with_parent() {
    let parent = parent_id();
    while parent_id() == parent {
        thread::sleep(PARENT_POLL);
    }
    std::process::exit(1);
}

/// Reads a request from standard input and writes the answer to standard output: what the process does.
///
/// # Errors
/// When a stream breaks.
pub fn evaluate_stdin() -> io::Result<()> {
    thread::spawn(end_with_parent);
    setrlimit(Resource::As, Rlimit { current: Some(MEMORY), maximum: Some(MEMORY) })?;
    let mut asked = Vec::new();
    io::stdin().lock().read_to_end(&mut asked)?;
    let mut output = io::stdout().lock();
    match evaluated(&asked) {
        Ok(values) => {
            output.write_all(&[0])?;
            output.write_all(&values)
        }
        Err(problem) => {
            output.write_all(&[1])?;
            output.write_all(problem.as_bytes())
        }
    }
}

fn evaluated(asked: &[u8]) -> Result<Vec<u8>, String> {
    let cut = asked.iter().position(|byte| *byte == b'\n').ok_or("the request is cut off")?;
    let (head, file) = (&asked[..cut], &asked[cut + 1..]);
    let request: Request = serde_json::from_slice(head).map_err(|error| error.to_string())?;
    let said = |error: &dyn std::fmt::Display| error.to_string();
    // Who asks has read the workbook within its limits.
    let limits = Limits::default();
    let book = Workbook::open(file.into(), "workbook.xlsx", &limits, &()).map_err(|error| said(&error))?;
    let sheets = book.sheets(1, &()).map_err(|error| said(&error))?;
    let source = Source { book: &book, sheets: &sheets };
    let mut engine: Box<dyn Engine> = match request.is_ironcalc {
        true => Box::new(IronCalc::load(source).map_err(what)?),
        false => Box::new(Formualizer::load(source).map_err(what)?),
    };
    let moment = Moment { local_millis: request.local_millis, seed: request.seed };
    engine.calculate(moment, &|| false).map_err(what)?;
    Ok(Fetched::of(source, &*engine).encode())
}

/// What went wrong, without the engine's name, which is said by who asked.
fn what(error: EngineError) -> String {
    match error {
        EngineError::Cancelled => error.to_string(),
        EngineError::Failed { what, .. } => what,
    }
}
