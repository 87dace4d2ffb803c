//! Replicas are killed again and again.

use std::time::{Duration, Instant};

use fixtures::Sequence;

use crate::{
    cluster::{Cluster, REPLICAS, Setup},
    load::Load,
    seconds,
};

/// From one kill to the next.
const BETWEEN: Duration = Duration::from_millis(1500);

#[test]
fn no_acknowledged_edit_is_lost_when_replicas_are_killed() {
    let Some(cluster) = Cluster::start(&Setup::default()) else { return };
    let load = Load::of(&cluster, 4, 8);
    let (ran, kills) = load.run(|progress| {
        let (mut sequence, begun, mut kills) = (Sequence::new(1), Instant::now(), 0);
        while begun.elapsed() < seconds(15) {
            std::thread::sleep(BETWEEN);
            let victim = sequence.below(REPLICAS as u64) as usize;
            cluster.kill(victim);
            cluster.start_again(victim);
            kills += 1;
        }
        progress.wait_for(100);
        kills
    });
    println!("  {kills} replicas killed");
    assert!(kills > 3, "{kills}");
    ran.check_only(&["lost"]);
    assert_eq!(ran.records.unsettled(), 0, "every edit got through in the end");
    ran.records.check(&*cluster.store());
}
