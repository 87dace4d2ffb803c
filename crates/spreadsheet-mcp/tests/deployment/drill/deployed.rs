//! A server with the configuration that is deployed, over a real PostgreSQL.

use std::process::Command;

use components::{Postgres, PostgresOptions, eventually};

use super::{Patient, watch::Watch};
use crate::{manifests, program::Server};

/// Who may connect: the server by its password, the test without one.
const ACCESS: &str = "host all spreadsheet_mcp 127.0.0.1/32 scram-sha-256\nhost all postgres 127.0.0.1/32 trust\nlocal all all trust\n";

pub(super) struct Deployed {
    pub(super) patient: Patient,
    database: Postgres,
}

impl Deployed {
    /// Nothing, said aloud, where there is no PostgreSQL.
    pub(super) fn new() -> Option<Deployed> {
        let options = PostgresOptions { access: Some(ACCESS.to_owned()), ..PostgresOptions::default() };
        let database = match Postgres::start(&options) {
            Ok(database) => database,
            Err(error) => {
                eprintln!("SKIPPED: PostgreSQL does not start (make setup): {error:#}");
                return None;
            }
        };
        database.execute("postgres", "CREATE ROLE spreadsheet_mcp LOGIN PASSWORD 'replace-me'");
        database.execute("postgres", "CREATE DATABASE spreadsheet_mcp OWNER spreadsheet_mcp");
        let (place, config) = manifests::configured(&manifests::of_folder());
        let text = std::fs::read_to_string(&config).expect("read");
        let here = format!("127.0.0.1:{}", database.port());
        std::fs::write(&config, text.replace("spreadsheet-mcp-postgres:5432", &here)).expect("written");
        let ran = Command::new(env!("CARGO_BIN_EXE_spreadsheet-mcp"))
            .args(["migrate", "--config", &config])
            .output()
            .expect("it runs");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        Some(Deployed { patient: Patient::of(place, config.into()), database })
    }

    pub(super) fn goes_through_it(&mut self, watch: &Watch, server: &Server) {
        let (alert, metrics) = ("SpreadsheetMcpDatabaseAway", &self.patient.metrics);
        let client = server.client();
        eventually("it is not ready", || (client.get("/health/ready").0 == 200).then_some(()));
        self.database.stop();
        watch.sees(alert);
        let page = watch.pages(alert);
        watch.follow(alert, "## First commands", &client.address, metrics);
        assert_eq!(client.get("/health/ready").0, 503);
        self.database.start_again().expect("it starts");
        watch.sees_the_end_of(alert, &client.address, metrics);
        watch.takes_back(&page);
    }
}
