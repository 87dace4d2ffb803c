//! The disk of one replica is full.

use components::eventually;
use serde_json::json;

use crate::{
    caller::Caller,
    cluster::{Cluster, Setup},
    load::Load,
    own_disk::{disk, fill, on_small_disk},
};

#[test]
fn a_replica_whose_disk_is_full_is_routed_around() {
    on_small_disk("disk_full::full", "200m");
}

/// The process that sees the small disk. Without one it does nothing.
#[test]
fn full() {
    let Some(disk) = disk() else { return };
    let own = disk.join("first");
    let flags = ["--min-free-bytes", "20000000"];
    let setup = Setup { folder_of_first: Some(&own), flags: &flags, ..Setup::default() };
    let Some(cluster) = Cluster::start(&setup) else { return };
    let load = Load::of(&cluster, 4, 8);
    let (ran, ()) = load.run(|progress| {
        progress.wait_for(200);
        let ballast = disk.join("ballast");
        fill(&ballast);
        let said = cluster.wait_until_unready(0);
        println!("  not ready: {}", said["reasons"]);
        progress.wait_for(300);
        // Who comes past the balancer is answered, or told that there is no room.
        let mut client = cluster.plain_of(0);
        client.call("list_forks", &json!({})).done();
        std::fs::remove_file(ballast).expect("removed");
        cluster.wait_for(0);
        eventually("it answers nobody", || cluster.is_ready(0).then_some(()));
        progress.wait_for(200);
    });
    ran.check_only(&["storage_full"]);
    assert_eq!(ran.records.unsettled(), 0, "every edit got through in the end");
    ran.records.check(&*cluster.store());
}
