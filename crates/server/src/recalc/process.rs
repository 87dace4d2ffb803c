//! An evaluation in a process of its own, which can be ended.

use std::io::{self, Read, Write};
use std::os::unix::process::parent_id;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use ironcalc_base::types::Workbook;
use recalc::ironcalc::{Evaluate, IronCalc, evaluate_bytes};
use recalc::{EngineError, Moment, Stop};

/// The argument that makes the program evaluate what it is given.
pub const SUBCOMMAND: &str = "evaluate-formulas";
/// How often it is asked whether to go on.
const POLL: Duration = Duration::from_millis(5);
/// How often it is looked whether the program that started the process is still there.
const PARENT_POLL: Duration = Duration::from_millis(50);

/// Starts the program anew for each evaluation.
pub(super) struct Process {
    pub(super) program: PathBuf,
}

impl Evaluate for Process {
    fn evaluate(&self, model: Workbook, moment: Moment, stop: Stop<'_>) -> Result<Workbook, EngineError> {
        let mut request = moment.local_millis.to_le_bytes().to_vec();
        request.extend_from_slice(&moment.seed.to_le_bytes());
        request.extend_from_slice(&bitcode::encode(&model));
        let mut command = Command::new(&self.program);
        command.arg(SUBCOMMAND).env_clear();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| failed(&format!("it does not start: {error}")))?;
        let (Some(mut input), Some(mut output)) = (child.stdin.take(), child.stdout.take()) else {
            end(&mut child);
            return Err(failed("it has no streams"));
        };
        let answer = thread::scope(|scope| {
            // A process that ends early does not read to the end: what it says tells why.
            scope.spawn(move || drop(input.write_all(&request)));
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
        match answer?.split_first() {
            Some((0, model)) => bitcode::decode(model).map_err(|error| failed(&error.to_string())),
            Some((_, problem)) => Err(failed(&String::from_utf8_lossy(problem))),
            None => Err(failed("its process ended, most likely for lack of memory")),
        }
    }
}

/// Ends a process, and takes notice of its end.
fn end(child: &mut Child) {
    // One that ended already cannot be killed; it is waited for all the same.
    let _ended = child.kill();
    let _status = child.wait();
}

fn failed(what: &str) -> EngineError {
    EngineError::Failed { engine: IronCalc::NAME, what: what.to_owned() }
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
    let mut request = Vec::new();
    io::stdin().lock().read_to_end(&mut request)?;
    let mut output = io::stdout().lock();
    let evaluated = request
        .split_first_chunk::<8>()
        .and_then(|(millis, rest)| Some((millis, rest.split_first_chunk::<8>()?)))
        .ok_or_else(|| "the request is cut off".to_owned())
        .and_then(|(millis, (seed, model))| {
            let moment =
                Moment { local_millis: i64::from_le_bytes(*millis), seed: u64::from_le_bytes(*seed) };
            evaluate_bytes(model, moment).map_err(|error| error.to_string())
        });
    match evaluated {
        Ok(model) => {
            output.write_all(&[0])?;
            output.write_all(&model)
        }
        Err(problem) => {
            output.write_all(&[1])?;
            output.write_all(problem.as_bytes())
        }
    }
}
