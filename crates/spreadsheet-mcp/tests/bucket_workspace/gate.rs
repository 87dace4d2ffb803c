//! A proxy that knows enough of HTTP to stand between a server and its bucket.
//!
//! `s3s-fs` looks at a condition first and writes afterwards, so that two writers at once may both be let through, where S3
//! lets one. Here writes pass one after the other.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// The proxy; it listens until the test ends.
pub(crate) struct Gate {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    upstream: u16,
    writing: Mutex<()>,
    loses_next_answer: AtomicBool,
    ignores_conditions: AtomicBool,
}

impl Gate {
    /// Before the port of a store.
    pub(crate) fn before(upstream: u16) -> Gate {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("a port").port();
        let shared = Arc::new(Shared { upstream, ..Shared::default() });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                thread::spawn(move || shared.serve(client));
            }
        });
        Gate { port, shared }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The answer to the next write of a workbook is lost, after the store gave it.
    pub(crate) fn lose_next_answer(&self) {
        self.shared.loses_next_answer.store(true, Ordering::SeqCst);
    }

    /// Whether that answer was lost by now.
    pub(crate) fn has_lost_it(&self) -> bool {
        !self.shared.loses_next_answer.load(Ordering::SeqCst)
    }

    /// The store sees no conditions from now on.
    pub(crate) fn ignore_conditions(&self) {
        self.shared.ignores_conditions.store(true, Ordering::SeqCst);
    }
}

impl Shared {
    /// One request, one answer, and the end of the connection.
    fn serve(&self, client: TcpStream) -> io::Result<()> {
        let mut request = BufReader::new(client.try_clone()?);
        let mut head = String::new();
        let mut length = 0;
        let mut is_put = false;
        loop {
            let mut line = String::new();
            if request.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
            match name.trim() {
                "connection" => continue,
                "if-match" | "if-none-match" if self.ignores_conditions.load(Ordering::SeqCst) => continue,
                "content-length" => length = line[name.len() + 1..].trim().parse().expect("a length"),
                _ => is_put |= head.is_empty() && line.starts_with("PUT "),
            }
            if line == "\r\n" {
                head.push_str("connection: close\r\n\r\n");
                break;
            }
            head.push_str(&line);
        }
        let _alone = is_put.then(|| self.writing.lock().expect("the gate"));
        let mut store = TcpStream::connect(("127.0.0.1", self.upstream))?;
        store.write_all(head.as_bytes())?;
        io::copy(&mut request.take(length), &mut store)?;
        let mut answer = Vec::new();
        store.read_to_end(&mut answer)?;
        let is_of_workbook = is_put && head.lines().next().is_some_and(|line| line.contains(".xlsx"));
        if is_of_workbook && self.loses_next_answer.swap(false, Ordering::SeqCst) {
            return Ok(());
        }
        (&client).write_all(&answer)
    }
}
