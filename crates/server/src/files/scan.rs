//! A program of the operator's that looks at every upload: a virus scanner.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _},
    os::{
        fd::AsRawFd as _,
        unix::process::{CommandExt as _, ExitStatusExt as _},
    },
    path::PathBuf,
    process::{Child, ChildStderr, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::{
    call::Call,
    error::{ErrorCode, ToolError},
};

/// How often it is looked whether the program has ended.
const INTERVAL: Duration = Duration::from_millis(5);

/// Bytes of a line that a program said which are logged at most, and for how long it is waited for after its end.
const LONGEST_LINE: u64 = 300;
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Has an upload looked at, where that is configured.
///
/// # Errors
/// When the program says that it is infected, or nothing that can be understood.
pub(super) fn check_clean(call: &Call, file: &File) -> Result<(), ToolError> {
    let config = &call.context().config.files;
    let Some(command) = &config.scan_command else { return Ok(()) };
    let (program, arguments) = command.words();
    let mut command = Command::new(program);
    command.args(arguments).arg(place_of(file));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    // It ends with whatever it starts itself.
    command.process_group(0);
    let problem = match command.spawn().and_then(|child| wait(call, child, config.scan_timeout())) {
        Ok((Ended::Itself(status), said)) => match status.code() {
            Some(0) => return Ok(()),
            Some(1) => {
                return Err(ToolError::new(ErrorCode::ContentRefused, "the virus scanner refuses the file")
                    .at("path")
                    .hint("nothing was kept; look at the file where it came from"));
            }
            code => {
                let ended = match (code, status.signal()) {
                    (Some(code), _) => format!("it ended with the code {code}"),
                    (None, signal) => format!("it was killed by the signal {}", signal.unwrap_or_default()),
                };
                if said.is_empty() { ended } else { format!("{ended}, and said: {said}") }
            }
        },
        Ok((Ended::Late, _)) => {
            format!("it did not end within {} s, and was killed", config.scan_timeout().as_secs_f64())
        }
        Ok((Ended::Stopped, _)) => "its call was stopped, and it was killed".to_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            format!("there is no program {}", program.display())
        }
        Err(error) => format!("{} can't be run: {error}", program.display()),
    };
    tracing::error!(problem, "the program that looks at uploads did not say whether one is clean");
    Err(unavailable())
}

fn unavailable() -> ToolError {
    ToolError::new(ErrorCode::ScannerUnavailable, "the virus scanner did not say whether the file is clean")
        .hint("nothing was kept; send it again in a while, or tell whoever runs the server")
        .retry_after(30)
}

/// Where a file is, for another program: by its name, or where it has none, by our handle.
fn place_of(file: &File) -> PathBuf {
    let handle = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
    std::fs::read_link(&handle).ok().filter(|path| path.exists()).unwrap_or_else(|| handle.into())
}

/// How a program ended.
enum Ended {
    Itself(ExitStatus),
    Late,
    Stopped,
}

/// How a program ended, and the first line of what it said on standard error.
fn wait(call: &Call, mut child: Child, limit: Duration) -> io::Result<(Ended, String)> {
    let begun = Instant::now();
    let said = child.stderr.take().map(first_line);
    let ended = loop {
        if let Some(status) = child.try_wait()? {
            break Ended::Itself(status);
        }
        let is_late = begun.elapsed() >= limit;
        if is_late || call.is_stopped() {
            if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                let _already_gone = kill_process_group(group, Signal::KILL);
            }
            child.wait()?;
            break if is_late { Ended::Late } else { Ended::Stopped };
        }
        std::thread::sleep(INTERVAL);
    };
    // What it started may hold the pipe for longer than it lives.
    let said = said.and_then(|said| said.recv_timeout(LAST_WORDS).ok());
    Ok((ended, said.unwrap_or_default()))
}

/// The first line, as soon as it is there. All of the rest is read as well: a program must not wait for us.
fn first_line(stderr: ChildStderr) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut stderr = BufReader::new(stderr);
        let mut line = Vec::new();
        let _unread = stderr.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
        let line = String::from_utf8_lossy(&line).trim().replace(char::is_control, " ");
        let _nobody_waits = sender.send(line);
        let _ended = io::copy(&mut stderr, &mut io::sink());
    });
    receiver
}
