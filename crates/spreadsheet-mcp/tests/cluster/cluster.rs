//! Three servers on one PostgreSQL and one bucket, behind a balancer. Each can be killed, ended and started again at its place,
//! and what it asks can be made to fail.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use components::{FaultyProxy, Haproxy, Postgres, S3, eventually, free_port};
use forks::{Clock, PostgresOptions, PostgresStore, Store};
use tempfile::TempDir;
use tokio::runtime::{Handle, Runtime};

use crate::{
    caller::{Plain, Sdk},
    program::{Client, Place, Server},
};

pub(crate) const REPLICAS: usize = 3;

/// What a cluster is made of.
#[derive(Default)]
pub(crate) struct Setup<'a> {
    /// A database server of its own, to be killed; otherwise all share one.
    pub(crate) postgres: Option<&'a Postgres>,
    /// What follows that, and may take its place.
    pub(crate) standby: Option<&'a Postgres>,
    pub(crate) flags: &'a [&'a str],
    /// What the first replica has besides.
    pub(crate) first: Vec<(&'static str, String)>,
    /// Where the first replica keeps its files.
    pub(crate) folder_of_first: Option<&'a Path>,
}

/// The replicas with everything that they need; all of it is gone with this value.
pub(crate) struct Cluster {
    replicas: [Replica; REPLICAS],
    pub(crate) balancer: Haproxy,
    /// What lies between the replicas and the bucket.
    pub(crate) bucket: FaultyProxy,
    /// Where files are that all see.
    pub(crate) workspace: PathBuf,
    state_url: String,
    runtime: Runtime,
    _s3: S3,
    _folder: TempDir,
}

/// A server's place, and the server unless it is away.
struct Replica {
    port: u16,
    place: Place,
    /// What lies between it and the database.
    database: FaultyProxy,
    flags: Vec<String>,
    environment: Vec<(String, String)>,
    server: Mutex<Option<Server>>,
}

impl Cluster {
    /// Three that are ready; `None`, said aloud, where something is not installed.
    pub(crate) fn start(setup: &Setup<'_>) -> Option<Cluster> {
        let ports = [(); REPLICAS].map(|()| free_port());
        let (balancer, s3) = (Haproxy::before(&ports)?, S3::start()?);
        let postgres = setup.postgres.unwrap_or_else(|| Postgres::shared());
        let database = postgres.new_database();
        let bucket = FaultyProxy::before(s3.port());
        let folder = tempfile::tempdir().expect("a folder");
        let workspace = folder.path().join("workspace");
        let mut index = 0;
        let replicas = ports.map(|port| {
            let mut place = match setup.folder_of_first {
                Some(own) if index == 0 => Place::below(own),
                _ => Place::below(&folder.path().join(index.to_string())),
            };
            workspace.clone_into(&mut place.workspace);
            let proxy = FaultyProxy::before(postgres.port());
            let state = state_url(proxy.port(), setup.standby, &database);
            let mut environment = vec![
                ("SPREADSHEET_MCP_STATE_URL".to_owned(), state),
                ("SPREADSHEET_MCP_BLOB_URL".to_owned(), format!("{}/blobs", s3.url())),
            ];
            let settings = s3.settings_by(bucket.port()).into_iter();
            environment.extend(settings.map(|(name, value)| (name.to_uppercase(), value)));
            if index == 0 {
                let first = setup.first.iter();
                environment.extend(first.map(|(name, value)| ((*name).to_owned(), value.clone())));
            }
            index += 1;
            let flags = setup.flags.iter().map(ToString::to_string).collect();
            Replica { port, place, database: proxy, flags, environment, server: Mutex::default() }
        });
        std::fs::create_dir_all(&workspace).expect("a folder");
        let cluster = Cluster {
            replicas,
            balancer,
            bucket,
            workspace,
            state_url: state_url(postgres.port(), setup.standby, &database),
            runtime: Runtime::new().expect("a runtime"),
            _s3: s3,
            _folder: folder,
        };
        cluster.migrate();
        for index in 0..REPLICAS {
            cluster.start_again(index);
        }
        cluster.wait_for_all();
        Some(cluster)
    }

    fn migrate(&self) {
        let migrated = self.replicas[0]
            .place
            .program()
            .arg("migrate")
            .env("SPREADSHEET_MCP_STATE_URL", &self.state_url)
            .output()
            .expect("it runs");
        assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    }

    fn server(&self, index: usize) -> MutexGuard<'_, Option<Server>> {
        self.replicas[index].server.lock().expect("a server")
    }

    /// Starts a replica that is away.
    pub(crate) fn start_again(&self, index: usize) {
        let replica = &self.replicas[index];
        let mut command = replica.place.command(&format!("127.0.0.1:{}", replica.port));
        command.args(&replica.flags).envs(replica.environment.iter().map(|(name, value)| (name, value)));
        let mut server = self.server(index);
        assert!(server.is_none(), "replica {index} is there already");
        *server = Some(Server::start(&mut command));
    }

    /// Ends a replica by SIGKILL.
    pub(crate) fn kill(&self, index: usize) {
        self.server(index).take().expect("it is there").kill();
    }

    /// Ends a replica by SIGTERM, and waits for its end.
    pub(crate) fn end(&self, index: usize) -> String {
        let server = self.server(index).take().expect("it is there");
        server.end()
    }

    /// What lies between a replica and the database.
    pub(crate) fn database(&self, index: usize) -> &FaultyProxy {
        &self.replicas[index].database
    }

    /// One replica, past the balancer.
    pub(crate) fn replica(&self, index: usize) -> Client {
        Client { address: format!("127.0.0.1:{}", self.replicas[index].port) }
    }

    /// A client of one replica, past the balancer.
    pub(crate) fn plain_of(&self, index: usize) -> Plain {
        Plain::new(self.replicas[index].port)
    }

    /// Whether a replica says that it is ready.
    pub(crate) fn is_ready(&self, index: usize) -> bool {
        self.replica(index).get("/health/ready").0 == 200
    }

    /// Waits until a replica says that it is not ready, and gives what it says.
    pub(crate) fn wait_until_unready(&self, index: usize) -> serde_json::Value {
        eventually("a replica stays ready", || {
            let (status, body) = self.replica(index).get("/health/ready");
            (status == 503).then_some(body)
        })
    }

    /// Waits until a replica says that it is ready, and the balancer has had time to hear it.
    pub(crate) fn wait_for(&self, index: usize) {
        eventually("a replica is not ready", || self.is_ready(index).then_some(()));
        std::thread::sleep(Duration::from_millis(500));
    }

    /// Waits until all are ready.
    pub(crate) fn wait_for_all(&self) {
        for index in 0..REPLICAS {
            self.wait_for(index);
        }
    }

    /// The logs, as they are in the database.
    pub(crate) fn store(&self) -> Box<dyn Store> {
        let options = PostgresOptions {
            connections: 1,
            patience: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            password: Box::new(|| Ok(None)),
            random: Box::new(|| [0; 16]),
            clock: Clock::Database,
        };
        let url = self.state_url.parse().expect("a URL");
        Box::new(PostgresStore::new(&url, options, self.runtime().clone()).expect("the store"))
    }

    pub(crate) fn runtime(&self) -> &Handle {
        self.runtime.handle()
    }

    /// A client of whichever replica is next.
    pub(crate) fn plain(&self) -> Plain {
        Plain::new(self.balancer.port())
    }

    /// The same, of the SDK.
    pub(crate) fn sdk(&self) -> Sdk {
        Sdk::new(self.balancer.port(), self.runtime())
    }
}

/// A URL that names the standby as well.
fn state_url(port: u16, standby: Option<&Postgres>, database: &str) -> String {
    let other = standby.map(|standby| format!(",127.0.0.1:{}", standby.port())).unwrap_or_default();
    format!("postgres://postgres@127.0.0.1:{port}{other}/{database}")
}
