//! One connection comes to speak TLS, or does not.

use std::{io, sync::Arc, time::Duration};

use rustls::{Error, ServerConfig};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::metrics::labels::HandshakeFailure;

/// How long a client may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// What a connection that speaks TLS begins with: a record of the handshake.
const HANDSHAKE_RECORD: u8 = 22;
/// What plain HTTP is told; what other protocols are told nothing of.
const SPEAK_TLS: &str = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n\
    {\"error\":{\"code\":\"invalid_argument\",\"message\":\"this port speaks TLS\",\"hint\":\"use https:// instead of http://\"}}";
/// Bytes that are read of a request that gets that answer, so that it is not lost with them.
const MAX_UNREAD: u64 = 64 << 10;
/// How long they are waited for.
const MAX_WAIT: Duration = Duration::from_secs(1);

/// Why a connection does not speak TLS.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub(super) struct Failure {
    pub(super) reason: HandshakeFailure,
    error: io::Error,
}

/// Lets a client shake hands, but not for long.
pub(super) async fn shake(
    stream: TcpStream,
    config: Arc<ServerConfig>,
) -> Result<TlsStream<TcpStream>, Failure> {
    match tokio::time::timeout(PATIENCE, greet(stream, config)).await {
        Ok(greeted) => greeted,
        Err(elapsed) => Err(Failure { reason: HandshakeFailure::Timeout, error: elapsed.into() }),
    }
}

async fn greet(stream: TcpStream, config: Arc<ServerConfig>) -> Result<TlsStream<TcpStream>, Failure> {
    let mut first = [0];
    let length = stream.peek(&mut first).await.map_err(Failure::of)?;
    if length == 0 {
        return Err(Failure::of(io::ErrorKind::UnexpectedEof.into()));
    }
    if first[0] != HANDSHAKE_RECORD {
        // A method of HTTP.
        if first[0].is_ascii_uppercase() {
            let _gone = tokio::time::timeout(MAX_WAIT, answer_plainly(stream)).await;
        }
        return Err(Failure {
            reason: HandshakeFailure::NotTls,
            error: io::Error::new(io::ErrorKind::InvalidData, "it speaks another protocol"),
        });
    }
    TlsAcceptor::from(config).accept(stream).await.map_err(Failure::of)
}

async fn answer_plainly(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(SPEAK_TLS.as_bytes()).await?;
    stream.shutdown().await?;
    // What closes with bytes unread is reset, and the answer may be lost.
    tokio::io::copy(&mut stream.take(MAX_UNREAD), &mut tokio::io::sink()).await?;
    Ok(())
}

impl Failure {
    fn of(error: io::Error) -> Failure {
        let reason = match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(Error::InvalidMessage(_) | Error::InappropriateMessage { .. }) => HandshakeFailure::NotTls,
            Some(Error::PeerIncompatible(_) | Error::NoApplicationProtocol) => HandshakeFailure::Incompatible,
            Some(Error::NoCertificatesPresented) => HandshakeFailure::NoClientCertificate,
            Some(Error::InvalidCertificate(_)) => HandshakeFailure::ClientCertificate,
            Some(Error::AlertReceived(_)) => HandshakeFailure::RefusedByClient,
            Some(_) => HandshakeFailure::Other,
            None => match error.kind() {
                io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe => HandshakeFailure::HungUp,
                _ => HandshakeFailure::Other,
            },
        };
        Failure { reason, error }
    }
}
