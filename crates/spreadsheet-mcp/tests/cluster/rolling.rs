//! All replicas are replaced, one after the other, as when a new version is rolled out.

use crate::{
    cluster::{Cluster, REPLICAS, Setup},
    load::Load,
};

#[test]
fn no_call_fails_while_all_replicas_are_restarted() {
    let setup = Setup { flags: &["--drain-delay-ms", "2500"], ..Setup::default() };
    let Some(cluster) = Cluster::start(&setup) else { return };
    let load = Load { has_private_forks: true, ..Load::of(&cluster, 4, 8) };
    let (ran, ()) = load.run(|progress| {
        progress.wait_for(200);
        for index in 0..REPLICAS {
            cluster.end(index);
            cluster.start_again(index);
            cluster.wait_for(index);
        }
        progress.wait_for(200);
    });
    println!("  {REPLICAS} replicas restarted");
    ran.check_undisturbed();
    ran.records.check(&*cluster.store());
}
