//! The database is killed and comes back, again and again; or it is gone for good, and another one takes its place.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use components::{Fault, Postgres, PostgresOptions};

use crate::{
    cluster::{Cluster, REPLICAS, Setup},
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

#[test]
fn no_acknowledged_edit_is_lost_when_a_standby_takes_over() {
    let mut primary =
        Postgres::start(&PostgresOptions::default()).expect("PostgreSQL is installed (make setup)");
    let standby = primary.standby().expect("it follows");
    let setup = Setup { postgres: Some(&primary), standby: Some(&standby), ..Setup::default() };
    let Some(cluster) = Cluster::start(&setup) else { return };
    let (ran, away) = Load::of(&cluster, 4, 8).run(|progress| {
        progress.wait_for(200);
        primary.kill();
        let killed = Instant::now();
        // For two replicas it is as a machine that hangs: it takes connections, and says nothing.
        for index in 1..REPLICAS {
            cluster.database(index).set(Fault::Stall);
        }
        std::thread::sleep(Duration::from_secs(1));
        standby.promote();
        cluster.wait_for_all();
        let away = killed.elapsed();
        progress.wait_for(400);
        away
    });
    println!(
        "  the primary was killed; all replicas were ready on the standby {:.1} s later",
        away.as_secs_f64()
    );
    ran.check_only(&["state_unavailable", "lost", "busy"]);
    assert_eq!(ran.records.unsettled(), 0, "every edit got through in the end");
    ran.records.check(&*cluster.store());
}
