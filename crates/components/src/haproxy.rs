//! A balancer of load over HTTP.

use std::fs;

use crate::{Listener, free_port, installed};

/// HAProxy in front of servers: every request goes to the next one of those that are ready.
#[derive(Debug)]
pub struct Haproxy {
    _listener: Listener,
    port: u16,
}

impl Haproxy {
    /// Before servers at these ports; `None`, said aloud, where it is not installed.
    ///
    /// A request is sent to another server only if no connection to the first one came about. Whether to repeat one that may have
    /// arrived is the client's to say, who has an idempotency key.
    pub fn before(servers: &[u16]) -> Option<Haproxy> {
        let program = installed("haproxy")?;
        let port = free_port();
        let mut configuration = format!(
            "global\n  maxconn 2000\n\
             defaults\n  mode http\n  timeout connect 2s\n  timeout client 90s\n  timeout server 90s\n  timeout check 3s\n  \
             retries 4\n  option redispatch 1\n  retry-on conn-failure\n\
             frontend mcp\n  bind 127.0.0.1:{port}\n  default_backend replicas\n\
             backend replicas\n  balance roundrobin\n  option httpchk GET /health/ready\n  \
             http-check expect status 200\n  default-server check inter 200ms fall 2 rise 1\n"
        );
        for (index, server) in servers.iter().enumerate() {
            configuration.push_str(&format!("  server r{index} 127.0.0.1:{server}\n"));
        }
        let listener = Listener::start(program, |folder| {
            fs::write(folder.path().join("haproxy.cfg"), configuration).expect("written");
            ["-db", "-f", "haproxy.cfg"].map(str::to_owned).to_vec()
        });
        listener.wait_for(port);
        Some(Haproxy { _listener: listener, port })
    }

    /// The port of loopback that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }
}
