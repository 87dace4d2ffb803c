//! A port whose connections speak TLS, or plain HTTP: what axum accepts connections from.
//!
//! Handshakes go on beside each other and beside accepting: whoever is slow or sends garbage holds up nobody.

use std::{collections::VecDeque, io, net::SocketAddr, sync::Arc};

use axum::{extract::connect_info::Connected, serve::IncomingStream};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet},
};
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

use super::{handshake::shake, live::Tls};
use crate::metrics::labels::{HandshakeFailure, Port};

/// Handshakes that go on at the same time. One more cuts off the oldest, which had the most time.
const MAX_HANDSHAKES: usize = 256;

/// A bound port.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    handshakes: Option<Handshakes>,
}

/// Who is connected.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Connections that are about to speak TLS.
#[derive(Debug)]
struct Handshakes {
    tls: Arc<Tls>,
    port: Port,
    running: JoinSet<Option<Greeted>>,
    by_age: VecDeque<AbortHandle>,
}

type Greeted = (TlsStream<TcpStream>, SocketAddr);

impl Listener {
    /// Binds a port, which speaks TLS where that is configured for it.
    ///
    /// # Errors
    /// When the port can't be bound.
    pub(crate) async fn bind(
        address: SocketAddr,
        port: Port,
        tls: Option<&Arc<Tls>>,
    ) -> io::Result<Listener> {
        let tcp = TcpListener::bind(address).await?;
        let tls = tls.filter(|tls| tls.speaks(port));
        let handshakes = tls.map(|tls| {
            tls.open(port);
            Handshakes { tls: Arc::clone(tls), port, running: JoinSet::new(), by_age: VecDeque::new() }
        });
        Ok(Listener { tcp, handshakes })
    }

    /// `https` where it speaks TLS.
    pub(crate) fn scheme(&self) -> &'static str {
        match self.handshakes {
            Some(_) => "https",
            None => "http",
        }
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not know.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

impl axum::serve::Listener for Listener {
    type Io = Either<TcpStream, TlsStream<TcpStream>>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        let Some(handshakes) = &mut self.handshakes else {
            let (stream, peer) = axum::serve::Listener::accept(&mut self.tcp).await;
            return (Either::Left(stream), peer);
        };
        loop {
            tokio::select! {
                Some(done) = handshakes.running.join_next() => {
                    // Nothing of those that failed or were cut off.
                    if let Ok(Some((stream, peer))) = done {
                        return (Either::Right(stream), peer);
                    }
                }
                (stream, peer) = axum::serve::Listener::accept(&mut self.tcp) => handshakes.begin(stream, peer),
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.address()
    }
}

impl Connected<IncomingStream<'_, Listener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Peer {
        Peer(*stream.remote_addr())
    }
}

impl Handshakes {
    fn begin(&mut self, stream: TcpStream, peer: SocketAddr) {
        let is_full = self.running.len() >= MAX_HANDSHAKES;
        // A handle keeps the memory of its task.
        if is_full || self.by_age.len() >= 2 * MAX_HANDSHAKES {
            self.by_age.retain(|handshake| !handshake.is_finished());
        }
        if is_full && let Some(oldest) = self.by_age.pop_front() {
            oldest.abort();
            self.tls.failed(self.port, HandshakeFailure::CrowdedOut);
        }
        // Records are sent as they are made: waiting for more gains nothing.
        let _slower = stream.set_nodelay(true);
        let (tls, port) = (Arc::clone(&self.tls), self.port);
        let handle = self.running.spawn(async move {
            match shake(stream, tls.in_force(port)).await {
                Ok(stream) => Some((stream, peer)),
                Err(failure) => {
                    tracing::debug!(port = port.as_str(), %peer, reason = failure.reason.as_str(), %failure, "a handshake failed");
                    tls.failed(port, failure.reason);
                    None
                }
            }
        });
        self.by_age.push_back(handle);
    }
}
