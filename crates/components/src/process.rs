//! A program that runs for a test.

use std::{
    io::{self, Write},
    path::Path,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How long a program may take to end by itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// A program that is killed when this is dropped, and also when the process of the test is gone without that.
#[derive(Debug)]
pub struct Component {
    child: Child,
    janitor: Janitor,
}

impl Component {
    /// Starts the program. The folder is deleted if the process of the test is gone without having dropped this.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: &mut Command, folder: &Path) -> io::Result<Component> {
        let child = command.spawn()?;
        let janitor = Janitor::start(child.id(), folder)?;
        Ok(Component { child, janitor })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: i32) {
        let id = i32::try_from(self.child.id()).expect("invariant: process ids are small");
        // SAFETY: the child is not waited for yet, so the number is its own.
        unsafe { libc::kill(id, signal) };
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Kills it, as a crash would.
    pub fn kill(&mut self) {
        let _dead_already = self.child.kill();
        let _status = self.child.wait();
    }

    /// Asks it to end by that signal, and kills it when it takes too long.
    pub fn stop(&mut self, signal: i32) {
        if self.ended().is_some() {
            return;
        }
        self.signal(signal);
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if self.ended().is_some() {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        self.kill();
    }
}

impl Drop for Component {
    fn drop(&mut self) {
        self.kill();
        self.janitor.dismiss();
    }
}

/// Waits for the end of this process, however it comes, and cleans up then.
#[derive(Debug)]
struct Janitor {
    child: Child,
    /// Closed when this process is gone.
    line: Option<ChildStdin>,
}

impl Janitor {
    fn start(process: u32, folder: &Path) -> io::Result<Janitor> {
        let script = "trap '' INT TERM HUP; read -r _ && exit; kill -9 \"$1\"; sleep 0.3; rm -rf -- \"$2\"";
        let mut child = Command::new("sh")
            .args(["-c", script, "janitor", &process.to_string()])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let line = child.stdin.take();
        Ok(Janitor { child, line })
    }

    /// There is nothing left to do.
    fn dismiss(&mut self) {
        if let Some(mut line) = self.line.take() {
            let _gone = line.write_all(b"done\n");
        }
        let _status = self.child.wait();
    }
}
