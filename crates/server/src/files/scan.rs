//! A program of the operator's that looks at every upload: a virus scanner.

use std::{
    fs::File,
    io,
    os::{fd::AsRawFd as _, unix::process::CommandExt as _},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::{
    call::Call,
    error::{ErrorCode, ToolError},
};

/// How often it is looked whether the program has ended.
const INTERVAL: Duration = Duration::from_millis(5);

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
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // It ends with whatever it starts itself.
    command.process_group(0);
    let ended = command.spawn().and_then(|child| wait(call, child, config.scan_timeout()));
    match ended.map(|status| status.and_then(|status| status.code())) {
        Ok(Some(0)) => Ok(()),
        Ok(Some(1)) => Err(ToolError::new(ErrorCode::ContentRefused, "the virus scanner refuses the file")
            .at("path")
            .hint("nothing was kept; look at the file where it came from")),
        Ok(told) => {
            tracing::error!(
                code = told,
                "the program that looks at uploads did not say whether one is clean"
            );
            Err(unavailable())
        }
        Err(error) => {
            tracing::error!(%error, "the program that looks at uploads can't be run");
            Err(unavailable())
        }
    }
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

/// How a program ended, if it did so by itself and in time.
fn wait(call: &Call, mut child: Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if begun.elapsed() >= limit || call.is_stopped() {
            if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                let _already_gone = kill_process_group(group, Signal::KILL);
            }
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(INTERVAL);
    }
}
