//! Somebody who speaks TLS to a server.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
    crypto::ring,
    pki_types::{CertificateDer, ServerName},
};
use serde_json::{Value, json};

use crate::authority::{Authority, Identity};

/// What takes longer hangs.
const MAX_TIME: Duration = Duration::from_secs(60);

/// Somebody who speaks TLS to a server.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) address: String,
    config: Arc<ClientConfig>,
}

/// A connection that stays.
pub(crate) struct Connection {
    stream: StreamOwned<ClientConnection, TcpStream>,
    address: String,
}

impl Client {
    /// Trusts an authority, and shows a certificate if it has one.
    pub(crate) fn new(
        address: &str,
        trusted: &Authority,
        versions: &[&'static SupportedProtocolVersion],
        identity: Option<&Identity>,
    ) -> Client {
        let mut roots = RootCertStore::empty();
        roots.add(trusted.der()).expect("an authority");
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .expect("versions")
            .with_root_certificates(roots);
        let mut config = match identity {
            Some(identity) => builder
                .with_client_auth_cert(vec![identity.der.clone()], identity.private.clone_key())
                .expect("a certificate"),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // Every connection is to shake hands anew.
        config.resumption = rustls::client::Resumption::disabled();
        Client { address: address.to_owned(), config: Arc::new(config) }
    }

    /// Trusts an authority, speaks any version, has no certificate.
    pub(crate) fn trusting(address: &str, trusted: &Authority) -> Client {
        Client::new(address, trusted, rustls::ALL_VERSIONS, None)
    }

    /// Shakes hands.
    pub(crate) fn connect(&self) -> io::Result<Connection> {
        let mut tcp = TcpStream::connect(&self.address)?;
        tcp.set_read_timeout(Some(MAX_TIME))?;
        let name = ServerName::try_from("localhost").expect("a name");
        let mut session = ClientConnection::new(Arc::clone(&self.config), name).expect("a session");
        while session.is_handshaking() {
            session.complete_io(&mut tcp)?;
        }
        Ok(Connection { stream: StreamOwned::new(session, tcp), address: self.address.clone() })
    }

    /// What a page says, after its status. In TLS 1.3 clients whose certificate is refused learn it here.
    pub(crate) fn get(&self, path: &str) -> io::Result<(u16, String)> {
        self.connect()?.ask("GET", path, "", "")
    }

    /// What a tool answers, over a connection of its own.
    pub(crate) fn call(&self, tool: &str, arguments: &Value) -> io::Result<Value> {
        self.connect()?.call(tool, arguments)
    }

    /// The certificate that the server shows now.
    pub(crate) fn shown(&self) -> CertificateDer<'static> {
        self.connect().expect("they shake hands").certificate()
    }
}

impl Connection {
    /// The certificate that the server showed.
    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        self.stream.conn.peer_certificates().expect("certificates")[0].clone().into_owned()
    }

    /// The protocol within that was agreed on.
    pub(crate) fn protocol(&self) -> Option<&[u8]> {
        self.stream.conn.alpn_protocol()
    }

    /// The version that was agreed on.
    pub(crate) fn version(&self) -> Option<rustls::ProtocolVersion> {
        self.stream.conn.protocol_version()
    }

    /// What comes until the server closes the connection, which it has to say.
    pub(crate) fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest)?;
        Ok(rest)
    }

    /// What a tool answers.
    pub(crate) fn call(&mut self, tool: &str, arguments: &Value) -> io::Result<Value> {
        let params = json!({ "name": tool, "arguments": arguments });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string();
        let headers = "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n\
                       MCP-Protocol-Version: 2025-11-25\r\n";
        let (status, body) = self.ask("POST", "/mcp", headers, &body)?;
        assert_eq!(status, 200, "{body}");
        let mut answer: Value = serde_json::from_str(&body)?;
        Ok(answer["result"]["structuredContent"].take())
    }

    /// What the server answers, whose answers have a length.
    pub(crate) fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> io::Result<(u16, String)> {
        let (address, length) = (&self.address, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        );
        self.stream.write_all(request.as_bytes())?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.stream.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).expect("text").to_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.unwrap_or_else(|| panic!("{head}")).parse().expect("a length");
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok((status, String::from_utf8(body).expect("text")))
    }
}
