//! A collector of traces.

use crate::{Listener, eventually, free_port, installed};

/// A collector that prints every span it is told, and where it listens.
#[derive(Debug)]
pub struct Collector {
    listener: Listener,
    /// Where it takes spans over gRPC.
    pub grpc: String,
    /// Where it takes spans over HTTP.
    pub http: String,
}

impl Collector {
    /// One on free ports of loopback; `None`, said aloud, where it is not installed.
    pub fn start() -> Option<Collector> {
        let program = installed("rotel-agent")?;
        let (grpc, http) = (free_port(), free_port());
        let listener = Listener::start(program, |folder| {
            let file = |name: &str| folder.path().join(name).display().to_string();
            [
                "start",
                "--exporter",
                "blackhole",
                "--debug-log",
                "traces",
                "--debug-log-verbosity",
                "detailed",
                "--otlp-grpc-endpoint",
                &format!("127.0.0.1:{grpc}"),
                "--otlp-http-endpoint",
                &format!("127.0.0.1:{http}"),
                "--pid-file",
                &file("pid"),
                "--log-file",
                &file("log"),
            ]
            .map(str::to_owned)
            .to_vec()
        });
        listener.wait_for(grpc);
        listener.wait_for(http);
        let url = |port| format!("http://127.0.0.1:{port}");
        Some(Collector { listener, grpc: url(grpc), http: url(http) })
    }

    /// What it was told so far, as it prints it.
    pub fn said(&self) -> String {
        self.listener.said()
    }

    /// Everything it was told, once `complete` holds of it.
    pub fn told(&self, complete: impl Fn(&str) -> bool) -> String {
        eventually("the collector was not told all", || Some(self.said()).filter(|said| complete(said)))
    }
}
