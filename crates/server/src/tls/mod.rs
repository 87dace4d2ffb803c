//! TLS on the ports of MCP and of metrics, by rustls.
//!
//! `files.rs` reads and judges the certificate, its key and the authorities of clients; `live.rs` keeps what is in force and
//! replaces it while connections go on; `listener.rs` accepts connections and `handshake.rs` makes one speak TLS.

mod files;
mod handshake;
mod listener;
mod live;

pub use files::validity;
pub use live::Tls;

pub(crate) use files::check;
pub(crate) use listener::{Listener, Peer};
