//! The bucket fails, stalls and loses answers, while clients edit.

use std::time::{Duration, Instant};

use components::Fault;
use serde_json::json;

use crate::{
    caller::Caller,
    cluster::{Cluster, REPLICAS, Setup},
    load::Load,
    sheet,
};

/// How long a call may take that is the first on its replica to find the bucket away.
const MAX_WAIT: Duration = Duration::from_secs(15);
/// And every other one, which asks whether it is back at most.
const SOON: Duration = Duration::from_secs(4);

#[test]
fn edits_go_on_while_the_bucket_is_away() {
    let Some(cluster) = Cluster::start(&Setup::default()) else { return };
    let load = Load::of(&cluster, 4, 8);
    let (ran, ()) = load.run(|progress| {
        // By now every replica has seen every fork.
        progress.wait_for(300);
        for fault in [Fault::Status(500), Fault::Stall, Fault::LoseAnswers, Fault::Refuse] {
            cluster.bucket.set(fault);
            let mut client = cluster.plain();
            // Bytes that are in no bucket and no cache.
            sheet::write(&cluster.workspace, "new.xlsx", &format!("{fault:?}"));
            let create = json!({ "workbook": "new.xlsx" });
            let mut took = Vec::new();
            for _ in 0..12 {
                let begun = Instant::now();
                let refusal = client.call("create_fork", &create).refused();
                took.push(begun.elapsed());
                assert_eq!(refusal.code, "state_unavailable", "{refusal:?}");
                assert!(refusal.retry_after.is_some(), "{refusal:?}");
            }
            println!("  {fault:?}: forks were refused after {took:.2?}");
            assert!(took.iter().all(|took| *took < MAX_WAIT), "{took:?}");
            assert!(took.iter().filter(|took| **took > SOON).count() <= REPLICAS, "{took:?}");
            progress.wait_for(200);
            cluster.bucket.set(Fault::None);
            components::eventually("the bucket is not found again", || {
                matches!(client.call("create_fork", &create), crate::caller::Told::Done(_)).then_some(())
            });
        }
    });
    ran.check_undisturbed();
    ran.records.check(&*cluster.store());
}
