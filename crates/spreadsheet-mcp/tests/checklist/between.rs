//! Somebody between the server and who asks it, who answers one path in its place.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

use crate::proofs::AnswerFault;

/// Where they listen. They go with the test.
pub(crate) fn answering(server: &str, fault: &AnswerFault) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    let (server, fault) = (server.to_owned(), fault.clone());
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (server, fault) = (server.clone(), fault.clone());
            thread::spawn(move || pass(client, &server, &fault));
        }
    });
    address
}

/// One request: its answer, from whomever, ends the connection.
fn pass(client: TcpStream, server: &str, fault: &AnswerFault) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let (mut head, mut length, mut is_anonymous) = (String::new(), 0, true);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        is_anonymous &= !lower.starts_with("authorization:");
        if !lower.starts_with("connection:") {
            head.push_str(&line);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let path = head.split(' ').nth(1).unwrap_or_default();
    let mut client = client;
    if path == fault.path && (is_anonymous || !fault.anonymous) {
        return write!(
            client,
            "HTTP/1.1 {} Seeded\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}",
            fault.status
        );
    }
    let mut server = TcpStream::connect(server)?;
    write!(server, "{head}connection: close\r\n\r\n")?;
    server.write_all(&body)?;
    std::io::copy(&mut server, &mut client).map(drop)
}
