//! How the server is reached, and how it ends.

use std::{net::SocketAddr, time::Duration};

use clap::{Args, ValueEnum};

use super::SecureUrl;
use crate::serve::Drain;

/// How `serve` listens.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Listening")]
pub struct ListenConfig {
    /// How clients connect
    #[arg(long, env = "SPREADSHEET_MCP_TRANSPORT", value_enum, default_value_t = Transport::Http)]
    pub transport: Transport,
    /// Address and port of the http transport
    #[arg(long, value_name = "ADDRESS", env = "SPREADSHEET_MCP_BIND", default_value = "127.0.0.1:8079")]
    pub bind: SocketAddr,
    /// Let anybody call without a key, from other machines too
    #[arg(
        long,
        value_name = "BOOL",
        env = "SPREADSHEET_MCP_INSECURE",
        default_value_t = false,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        action = clap::ArgAction::Set
    )]
    pub insecure: bool,
    /// Names by which clients may reach the server (`Host`), with or without a port; any where others can reach it and need keys,
    /// otherwise (on loopback, and with --insecure)
    /// those of this machine, and the address of `bind`
    #[arg(long, value_name = "LIST", env = "SPREADSHEET_MCP_ALLOWED_HOSTS", value_delimiter = ',')]
    pub allowed_hosts: Vec<String>,
    /// Web pages that may call (`Origin`), as in `https://app.example.org`; pages of this machine may
    #[arg(long, value_name = "LIST", env = "SPREADSHEET_MCP_ALLOWED_ORIGINS", value_delimiter = ',')]
    pub allowed_origins: Vec<String>,
    /// The URL by which clients reach the server, without /mcp, as in `https://sheets.example.org`: what tokens are asked for
    #[arg(long, value_name = "URL", env = "SPREADSHEET_MCP_PUBLIC_URL")]
    pub public_url: Option<SecureUrl>,
    /// How long the server may take to end after SIGTERM, calls in flight included, in milliseconds
    #[arg(long, value_name = "MS", env = "SPREADSHEET_MCP_DRAIN_TIMEOUT_MS", default_value_t = 30_000)]
    pub drain_timeout_ms: u64,
    /// For how long after SIGTERM calls over HTTP are taken still, while /health/ready answers 503 already, in milliseconds:
    /// until whoever balances load has seen it; half of the drain's time at most
    #[arg(long, value_name = "MS", env = "SPREADSHEET_MCP_DRAIN_DELAY_MS", default_value_t = 1_000)]
    pub drain_delay_ms: u64,
}

/// How clients connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Transport {
    /// A client starts the server and talks over its standard streams
    Stdio,
    /// Streamable HTTP at /mcp
    Http,
}

impl ListenConfig {
    /// Whether other machines can connect.
    pub fn is_open_to_others(&self) -> bool {
        self.transport == Transport::Http && !self.bind.ip().is_loopback()
    }

    /// Whether requests have to name this machine: a page whose name leads to it could otherwise call what lets anybody in.
    pub fn takes_own_names_only(&self) -> bool {
        self.allowed_hosts.is_empty() && (self.insecure || !self.is_open_to_others())
    }

    /// How the server ends after a signal.
    pub fn drain(&self) -> Drain {
        let limit = Duration::from_millis(self.drain_timeout_ms);
        // Half of the time at least is for calls in flight.
        Drain { limit, delay: Duration::from_millis(self.drain_delay_ms).min(limit / 2) }
    }
}
