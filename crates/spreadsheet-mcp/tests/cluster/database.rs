//! The database is killed and comes back, again and again.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use components::{Postgres, PostgresOptions};

use crate::{
    cluster::{Cluster, Setup},
    load::Load,
    seconds,
};

#[test]
fn no_acknowledged_edit_is_lost_when_the_database_is_killed() {
    let postgres =
        Postgres::start(&PostgresOptions::default()).expect("PostgreSQL is installed (make setup)");
    let postgres = Mutex::new(postgres);
    let setup = |postgres: &Postgres| Cluster::start(&Setup { postgres: Some(postgres), ..Setup::default() });
    let Some(cluster) = setup(&postgres.lock().expect("it")) else { return };
    let load = Load::of(&cluster, 4, 8);
    let (ran, kills) = load.run(|progress| {
        let (begun, mut kills) = (Instant::now(), 0);
        while begun.elapsed() < seconds(15) {
            progress.wait_for(200);
            let mut postgres = postgres.lock().expect("it");
            postgres.kill();
            std::thread::sleep(Duration::from_millis(500));
            postgres.start_again().expect("it starts");
            kills += 1;
        }
        progress.wait_for(200);
        kills
    });
    println!("  the database was killed {kills} times");
    assert!(kills > 1, "{kills}");
    ran.check_only(&["state_unavailable", "lost", "busy"]);
    assert_eq!(ran.records.unsettled(), 0, "every edit got through in the end");
    cluster.wait_for_all();
    ran.records.check(&*cluster.store());
}
