//! A proxy that makes what is behind it fail.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// What becomes of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// They go through.
    None,
    /// Every request gets this status, and nothing reaches the server.
    Status(u16),
    /// They are accepted, and nobody answers.
    Stall,
    /// So many bytes of an answer come, and then the end.
    Truncate(u64),
    /// Requests reach the server; answers are lost.
    LoseAnswers,
    /// They are closed as soon as they are there.
    Refuse,
    /// Nothing passes and nobody is told, as when packets are lost: those that are open stay so, and go on afterwards.
    Silence,
    /// They go through, each piece later by that.
    Delay(Duration),
}

/// A proxy before a port of loopback. Connections are cut when another fault comes, but for silence and delays.
#[derive(Debug)]
pub struct FaultyProxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    fault: Mutex<Fault>,
    open: Mutex<Vec<TcpStream>>,
    has_ended: AtomicBool,
    connections: AtomicU64,
}

impl FaultyProxy {
    /// Before that port; nothing fails yet.
    pub fn before(port: u16) -> FaultyProxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let own = listener.local_addr().expect("a port").port();
        let shared = Arc::new(Shared {
            fault: Mutex::new(Fault::None),
            open: Mutex::default(),
            has_ended: AtomicBool::new(false),
            connections: AtomicU64::new(0),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for accepted in listener.incoming().flatten() {
                if accepting.has_ended.load(Ordering::Acquire) {
                    return;
                }
                accepting.connections.fetch_add(1, Ordering::Relaxed);
                let shared = Arc::clone(&accepting);
                thread::spawn(move || {
                    // Whatever ends a connection ends it for both sides.
                    let _ended = shared.serve(accepted, port);
                });
            }
        });
        FaultyProxy { port: own, shared }
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on connections fail so.
    pub fn set(&self, fault: Fault) {
        let before = std::mem::replace(&mut *lock(&self.shared.fault), fault);
        let passes = |fault| matches!(fault, Fault::None | Fault::Silence | Fault::Delay(_));
        if !(passes(before) && passes(fault)) {
            self.shared.cut();
        }
    }

    /// Connections that were accepted so far.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }
}

impl Drop for FaultyProxy {
    fn drop(&mut self) {
        self.shared.has_ended.store(true, Ordering::Release);
        self.shared.cut();
        let _woken = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    fn cut(&self) {
        for stream in lock(&self.open).drain(..) {
            let _closed = stream.shutdown(Shutdown::Both);
        }
    }

    fn serve(self: &Arc<Shared>, mut client: TcpStream, port: u16) -> io::Result<()> {
        let fault = *lock(&self.fault);
        lock(&self.open).push(client.try_clone()?);
        match fault {
            Fault::Refuse => client.shutdown(Shutdown::Both),
            Fault::Stall => io::copy(&mut client, &mut io::sink()).map(drop),
            Fault::Status(status) => answer(&mut client, status),
            Fault::None | Fault::Silence | Fault::Delay(_) => self.forward(client, port, None),
            Fault::Truncate(bytes) => self.forward(client, port, Some(bytes)),
            Fault::LoseAnswers => self.forward(client, port, Some(0)),
        }
    }

    /// Both directions, the answers up to so many bytes.
    fn forward(self: &Arc<Shared>, client: TcpStream, port: u16, most: Option<u64>) -> io::Result<()> {
        let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else {
            return client.shutdown(Shutdown::Both);
        };
        lock(&self.open).push(server.try_clone()?);
        let (mut asking, mut asked) = (client.try_clone()?, server.try_clone()?);
        let shared = Arc::clone(self);
        let requests = thread::spawn(move || {
            let _ended = shared.pass(&mut asking, &mut asked);
            let _closed = asked.shutdown(Shutdown::Write);
        });
        let (mut answering, mut answered) = (server, client);
        let answered_all = match most {
            None => self.pass(&mut answering, &mut answered),
            Some(0) => answering.read(&mut [0; 1]).map(|_| 0),
            Some(most) => io::copy(&mut (&mut answering).take(most), &mut answered),
        };
        let _closed = (answered.shutdown(Shutdown::Both), answering.shutdown(Shutdown::Both));
        let _joined = requests.join();
        answered_all.map(drop)
    }
}

impl Shared {
    /// Passes on what comes, when it may.
    fn pass(&self, from: &mut TcpStream, to: &mut TcpStream) -> io::Result<u64> {
        let mut piece = vec![0; 64 << 10];
        let mut passed = 0;
        loop {
            let length = from.read(&mut piece)?;
            loop {
                let fault = *lock(&self.fault);
                match fault {
                    Fault::Silence if !self.has_ended.load(Ordering::Acquire) => {
                        thread::sleep(Duration::from_millis(5));
                    }
                    Fault::Delay(delay) => break thread::sleep(delay),
                    _ => break,
                }
            }
            if length == 0 {
                return Ok(passed);
            }
            to.write_all(&piece[..length])?;
            passed += length as u64;
        }
    }
}

/// Reads what comes for a moment, and answers with a status.
fn answer(client: &mut TcpStream, status: u16) -> io::Result<()> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !request.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
        match client.read(&mut buffer)? {
            0 => return Ok(()),
            read => request.extend_from_slice(&buffer[..read]),
        }
    }
    // What is left unread would reset the connection before the answer is seen.
    client.set_read_timeout(Some(Duration::from_millis(20)))?;
    while matches!(client.read(&mut buffer), Ok(read) if read > 0) {}
    write!(client, "HTTP/1.1 {status} Fault\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
