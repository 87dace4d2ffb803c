//! A program, and what it says. It gets no shell, few variables, no input, and a time.

use std::{
    io::{self, Read},
    os::unix::process::CommandExt as _,
    process::{Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use super::{Found, check_rules, check_text, excerpt};
use crate::{
    context::{Context, Finding},
    spec::CommandCheck,
};

/// How long what a program has said may take to arrive once it has ended.
const PATIENCE: Duration = Duration::from_millis(500);

/// Variables that every program gets.
const VARIABLES: [&str; 2] = ["PATH", "HOME"];

/// More of what it says is not kept.
const LARGEST: u64 = 16 << 20;

pub(super) fn find(check: &CommandCheck, context: &Context<'_>) -> Found {
    let run: Vec<String> = check.run.iter().map(|part| context.filled(part)).collect::<Result<_, _>>()?;
    let (program, arguments) =
        run.split_first().ok_or_else(|| Finding::error("there is no program to run"))?;
    let timeout = check.timeout.map_or(context.timeout, |timeout| timeout.0);
    let mut command = Command::new(program);
    command.args(arguments).current_dir(&context.repository).env_clear();
    for name in VARIABLES.iter().copied().chain(check.environment.iter().map(String::as_str)) {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    let name = program.rsplit('/').next().unwrap_or(program);
    let ran = run_within(command, timeout).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Finding::error(format!("{name} is not installed here")),
        _ => Finding::error(format!("{name} can't be run: {error}")),
    })?;
    let Some(code) = ran.code else {
        return Err(Finding::error(format!(
            "{name} did not end within {}, and was ended",
            humantime::format_duration(timeout)
        )));
    };
    let said = format!("{}\n{}", ran.output, ran.errors);
    let seen = std::iter::once(format!("{} ends with {code}", run.join(" "))).chain(excerpt(&said));
    let judged = (|| {
        if code != check.exit {
            return Err(Finding::fail(format!(
                "{name} ends with {code}, and has to end with {}",
                check.exit
            )));
        }
        check_text(&said, &check.holds, &check.lacks, &format!("what {name} says"))?;
        if !check.rules.is_empty() {
            let document = serde_json::from_str(&ran.output)
                .map_err(|error| Finding::fail(format!("{name} prints no JSON: {error}")))?;
            check_rules(&document, &check.rules, &format!("what {name} says: "))?;
        }
        Ok(Finding::pass(format!("{name} ends with {code}")))
    })();
    match judged {
        Ok(finding) | Err(finding) => Ok(finding.with(seen)),
    }
}

/// How a program ended.
struct Ran {
    /// Its code, or nothing where it was ended.
    code: Option<i32>,
    output: String,
    errors: String,
}

fn run_within(mut command: Command, timeout: Duration) -> io::Result<Ran> {
    // A group of its own, so that what it started ends with it.
    let mut child = command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take().map(read_aside);
    let errors = child.stderr.take().map(read_aside);
    let deadline = Instant::now() + timeout;
    let code = loop {
        match child.try_wait()? {
            Some(status) => break Some(status.code().unwrap_or(-1)),
            None if Instant::now() >= deadline => break None,
            None => thread::sleep(Duration::from_millis(10)),
        }
    };
    // What it has started and left behind would hold its pipes open.
    // SAFETY: it sends a signal to the group that was made above; as long as one of it lives, the number is no other's.
    unsafe { libc::kill(-(child.id() as libc::pid_t), libc::SIGKILL) };
    if code.is_none() {
        child.wait()?;
    }
    // Who left its group holds them still: for that nobody waits longer than for the program.
    let mut is_whole = true;
    let mut told = |said: Option<Receiver<String>>| {
        let patience = deadline.saturating_duration_since(Instant::now()).max(PATIENCE);
        let said = said.and_then(|said| said.recv_timeout(patience).ok());
        is_whole &= said.is_some();
        said.unwrap_or_default()
    };
    let (output, errors) = (told(output), told(errors));
    Ok(Ran { code: code.filter(|_| is_whole), output, errors })
}

/// Reads a pipe on a thread of its own, to its end.
fn read_aside(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (tell, said) = mpsc::channel();
    thread::spawn(move || {
        // Nobody may be waiting any more.
        let _gone = tell.send(read(pipe));
    });
    said
}

fn read(pipe: impl Read) -> String {
    let mut bytes = Vec::new();
    let mut pipe = pipe;
    let _read = pipe.by_ref().take(LARGEST).read_to_end(&mut bytes);
    // What is more is read and not kept, so that the program can end.
    let _rest = io::copy(&mut pipe, &mut io::sink());
    String::from_utf8_lossy(&bytes).into_owned()
}
