//! Whoever is slow, sends garbage or connects in crowds holds up nobody.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    time::{Duration, Instant},
};

use serde_json::json;

use crate::place::{Secure, failures};
use components::eventually;

/// More than shake hands at the same time.
const CROWD: usize = 300;

#[test]
fn slow_and_garbled_handshakes_hold_up_nobody() {
    let secure = Secure::new("");
    let server = secure.serve();
    let (client, scraper) = (secure.client(&server), secure.scraper(&server));
    let connect = || TcpStream::connect(&server.address).expect("it listens");
    // Some say nothing, some begin a record and say no more.
    let mut silent: Vec<TcpStream> = (0..CROWD).map(|_| connect()).collect();
    for stream in silent.iter_mut().skip(CROWD / 2) {
        let _may_be_cut_off = stream.write_all(&[22, 3, 1, 2, 0, 1]);
    }
    let begun = Instant::now();
    let listed = client.call("list_workbooks", &json!({})).expect("answered");
    assert_eq!(listed["total"], 1);
    assert!(begun.elapsed() < Duration::from_secs(3), "a call took {:?}", begun.elapsed());
    assert!(failures(&scraper, "crowded_out") >= (CROWD - 256) as f64);

    let garbage: [&[u8]; 4] = [
        b"\x00\x01\x02",
        b"SSH-2.0-x\r\n",
        b"\x16\x03\x01\x00\x05hello",
        b"\x16\x03\x01\xff\xff\x01\x02\x03\x04\x05",
    ];
    for bytes in garbage {
        let mut stream = connect();
        stream.write_all(bytes).expect("sent");
        // The server may have closed it by now.
        let _may_be_gone = stream.shutdown(Shutdown::Write);
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("set");
        let mut answer = Vec::new();
        let ended = stream.read_to_end(&mut answer);
        let is_reset = |error: &std::io::Error| error.kind() == std::io::ErrorKind::ConnectionReset;
        assert!(ended.as_ref().is_ok() || ended.as_ref().is_err_and(is_reset), "{bytes:?}: {ended:?}");
    }
    assert!(failures(&scraper, "not_tls") >= 3.0);
    drop(connect());
    eventually("who hangs up is not counted", || (failures(&scraper, "hung_up") >= 1.0).then_some(()));
    // Their time ends.
    let mut last = silent.pop().expect("one of them");
    last.set_read_timeout(Some(Duration::from_secs(15))).expect("set");
    let mut answer = Vec::new();
    last.read_to_end(&mut answer).expect("it is closed");
    assert!(begun.elapsed() > Duration::from_secs(5), "it is closed for its slowness, and not before");
    eventually("the slow are not counted", || (failures(&scraper, "timeout") >= 200.0).then_some(()));
    assert_eq!(client.call("list_workbooks", &json!({})).expect("answered")["total"], 1);
}
