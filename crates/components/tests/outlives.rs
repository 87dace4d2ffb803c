//! What is promised of the components: they are durable, and gone when they are dropped.

use components::{Postgres, PostgresOptions};

#[test]
fn what_a_database_committed_outlives_a_crash() -> anyhow::Result<()> {
    let mut postgres = Postgres::start(&PostgresOptions::default())?;
    let database = postgres.new_database();
    postgres.execute(&database, "CREATE TABLE kept (number int)");
    postgres.execute(&database, "INSERT INTO kept VALUES (7)");
    postgres.kill();
    assert!(postgres.try_execute(&database, "SELECT 1").is_err());
    postgres.start_again()?;
    assert_eq!(postgres.execute(&database, "SELECT number FROM kept"), "7");
    assert_eq!(postgres.execute(&database, "SHOW fsync"), "on");
    let folder = postgres.folder().to_owned();
    drop(postgres);
    assert!(!folder.exists(), "nothing is left behind");
    Ok(())
}
