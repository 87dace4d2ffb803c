//! Ports that nobody listens on.

use std::{
    net::{Ipv4Addr, TcpListener},
    sync::atomic::{AtomicU16, Ordering},
};

/// Below what the system gives to those who ask for any port (32768 and above).
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A port of loopback that nobody listens on. The system gives it to nobody who asks for any port, so that a server finds it free
/// when it comes back to it.
///
/// # Panics
/// When none is free.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test programs that run at the same time begin at places of their own.
    let begin = (u64::from(std::process::id()) * 61 % u64::from(COUNT)) as u16;
    for _ in 0..COUNT {
        let next = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = FIRST + (begin + next) % COUNT;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free")
}
