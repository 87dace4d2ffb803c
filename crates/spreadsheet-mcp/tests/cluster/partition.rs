//! A replica and the database do not hear each other.

use std::time::{Duration, Instant};

use components::Fault;
use serde_json::json;

use crate::{
    caller::{Caller, Plain},
    cluster::{Cluster, REPLICAS, Setup},
    load::Load,
    program::set,
    seconds,
};

/// Who is cut off.
const AWAY: usize = 1;
/// How long a call takes at most whose answer the database does not give.
const MAX_WAIT: Duration = Duration::from_secs(10);
/// How long others take, which ask at most whether it is back, on a machine with much else to do.
const AT_ONCE: Duration = Duration::from_millis(2500);

/// Calls of a replica that is cut off are refused: typed, with when to try again, and soon at once.
fn check_refused(client: &mut Plain, fork: &str) {
    let calls = [
        ("edit_cells", set(fork, "Data!B2", "nobody sees this")),
        ("read_range", json!({ "workbook": fork, "ranges": ["Data!B2"] })),
        ("list_forks", json!({})),
    ];
    let mut took = Vec::new();
    for _ in 0..4 {
        for (tool, arguments) in &calls {
            let begun = Instant::now();
            let refusal = client.call(tool, arguments).refused();
            assert_eq!(refusal.code, "state_unavailable", "{refusal:?}");
            let says_when = refusal.retry_after.is_some();
            assert!(says_when || refusal.message.contains("the same idempotency key"), "{refusal:?}");
            took.push(begun.elapsed());
        }
    }
    let (first, later) = took.split_at(6);
    println!("  refused after {first:.2?}, then after {later:.2?}");
    assert!(took.iter().all(|took| *took < MAX_WAIT), "{took:?}");
    assert!(later.iter().all(|took| *took < AT_ONCE), "{later:?}");
    // What needs no database is answered.
    client.call("list_workbooks", &json!({})).done();
}

#[track_caller]
fn check_partition(fault: Fault) {
    let Some(cluster) = Cluster::start(&Setup::default()) else { return };
    let load = Load::of(&cluster, 4, 8);
    let aside =
        cluster.plain().call("create_fork", &json!({})).done()["fork"].as_str().expect("an id").to_owned();
    let (ran, ()) = load.run(|progress| {
        progress.wait_for(200);
        let begun = Instant::now();
        cluster.database(AWAY).set(fault);
        let mut client = cluster.plain_of(AWAY);
        let said = cluster.wait_until_unready(AWAY);
        println!("  {fault:?}: not ready after {:.1?}: {}", begun.elapsed(), said["reasons"]);
        check_refused(&mut client, &aside);
        // The others answer everybody.
        progress.wait_for(300);
        while begun.elapsed() < seconds(8) {
            progress.wait_for(20);
        }
        assert!(!cluster.is_ready(AWAY));
        cluster.database(AWAY).set(Fault::None);
        let begun = Instant::now();
        cluster.wait_for(AWAY);
        println!("  ready again after {:.1?}", begun.elapsed());
        client.call("read_range", &json!({ "workbook": aside, "ranges": ["A1"] })).done();
        progress.wait_for(100 * REPLICAS as u64);
    });
    ran.check_only(&["state_unavailable", "lost", "timeout"]);
    assert_eq!(ran.records.unsettled(), 0, "every edit got through in the end");
    ran.records.check(&*cluster.store());
}

#[test]
fn a_replica_whose_packets_are_lost_is_routed_around() {
    check_partition(Fault::Silence);
}

#[test]
fn a_replica_whose_connections_are_refused_is_routed_around() {
    check_partition(Fault::Refuse);
}
