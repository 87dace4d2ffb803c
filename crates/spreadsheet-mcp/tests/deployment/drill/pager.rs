//! Whom Alertmanager wakes: it speaks the protocols of PagerDuty and Slack as far as they are spoken to, and remembers.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use components::eventually;
use serde_json::Value;

/// What came, in order: the path, and the body.
type Heard = Arc<Mutex<Vec<(String, Value)>>>;

/// Somebody who listens until the program ends.
pub(crate) struct Pager {
    pub(crate) port: u16,
    heard: Heard,
}

impl Pager {
    pub(crate) fn listen() -> Pager {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let heard = Heard::default();
        let kept = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || hear(stream, &kept));
            }
        });
        Pager { port, heard }
    }

    /// The first message by that way that is as wanted.
    #[track_caller]
    pub(crate) fn hears(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        eventually(&format!("nothing such came to {path}"), || {
            let heard = self.heard.lock().expect("heard");
            heard.iter().find(|(to, body)| to == path && wanted(body)).map(|(_, body)| body.clone())
        })
    }
}

/// Takes one message. One that is cut off is none.
fn hear(stream: TcpStream, heard: &Heard) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        match header.trim().to_ascii_lowercase().split_once(':') {
            Some(("content-length", value)) => length = value.trim().parse().ok()?,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    heard.lock().expect("heard").push((path, serde_json::from_slice(&body).ok()?));
    let answer = "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 20\r\nConnection: close\r\n\r\n{\"status\":\"success\"}";
    reader.into_inner().write_all(answer.as_bytes()).ok()
}
