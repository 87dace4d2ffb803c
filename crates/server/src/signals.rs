//! SIGTERM and SIGINT: what ends the server.

use std::io;

/// What ends the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: a supervisor, which may have others to tell first.
    Terminate,
    /// SIGINT: somebody at a keyboard, who waits.
    Interrupt,
}

/// The signals that come from now on; none of them ends the process by itself any more.
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    /// Listens. Has to be called within a runtime.
    ///
    /// # Errors
    /// When the system does not let it.
    #[cfg(unix)]
    pub fn listen() -> io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next one.
    #[cfg(unix)]
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::Terminate,
            _ = self.interrupt.recv() => Signal::Interrupt,
        }
    }

    /// Listens. Has to be called within a runtime.
    ///
    /// # Errors
    /// None where there are no such signals.
    #[cfg(not(unix))]
    pub fn listen() -> io::Result<Signals> {
        Ok(Signals {})
    }

    /// Waits for the next one.
    #[cfg(not(unix))]
    pub async fn next(&mut self) -> Signal {
        let _unavailable = tokio::signal::ctrl_c().await;
        Signal::Interrupt
    }
}
