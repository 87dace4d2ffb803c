//! A PostgreSQL cluster for tests: durable as a real one, in a temporary folder, on a port of loopback.

use std::{
    ffi::CString,
    fs::{self, File},
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;

use crate::{Component, eventually, free_port};

/// How long a server may take to answer after it was started.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a cluster is told beside what all are.
#[derive(Debug, Clone, Default)]
pub struct PostgresOptions {
    /// The certificate of the server and its key, in PEM; none for a server that speaks no TLS.
    pub tls: Option<(String, String)>,
    /// The rules of who may connect and how (`pg_hba.conf`); none for everyone on loopback.
    pub access: Option<String>,
    /// Settings, as in `postgresql.conf`.
    pub settings: Vec<(String, String)>,
}

/// A running cluster. It is gone, with what it kept, when this is dropped.
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    port: u16,
    settings: Vec<(String, String)>,
    server: Option<Component>,
}

impl Postgres {
    /// Makes a cluster and starts it.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, or does not start.
    pub fn start(options: &PostgresOptions) -> anyhow::Result<Postgres> {
        let owner = owner()?;
        let folder = folder_of(owner)?;
        let data = folder.path().join("data");
        let made = as_owner(&mut Command::new(program("initdb")?), owner)
            .args([
                "--no-sync",
                "--auth=trust",
                "--username=postgres",
                "--encoding=UTF8",
                "--no-locale",
                "-D",
            ])
            .arg(&data)
            .output()?;
        ensure!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));

        let mut settings = options.settings.clone();
        if let Some((certificate, key)) = &options.tls {
            for (name, text) in [("server.crt", certificate), ("server.key", key)] {
                let path = data.join(name);
                fs::write(&path, text)?;
                fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
                chown(&path, owner.map(|(user, _)| user), owner.map(|(_, group)| group))?;
            }
            settings.push(("ssl".to_owned(), "on".to_owned()));
        }
        if let Some(access) = &options.access {
            fs::write(data.join("pg_hba.conf"), access)?;
        }
        let mut postgres = Postgres { folder, port: free_port(), settings, server: None };
        postgres.start_again()?;
        Ok(postgres)
    }

    /// A cluster that the tests of a process share; it is gone when the process is. Each test makes a database of its own.
    ///
    /// # Panics
    /// When there is none to be had.
    pub fn shared() -> &'static Postgres {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| {
            let settings = [("max_connections".to_owned(), "400".to_owned())].into();
            let options = PostgresOptions { settings, ..PostgresOptions::default() };
            Postgres::start(&options).expect("PostgreSQL must run: install it by `make setup`")
        })
    }

    /// Starts a standby of this cluster. From then on a transaction is acknowledged only when it is on the disks of both.
    ///
    /// # Errors
    /// When it does not start, or does not follow.
    pub fn standby(&self) -> anyhow::Result<Postgres> {
        let owner = owner()?;
        let folder = folder_of(owner)?;
        let copied = as_owner(&mut Command::new(program("pg_basebackup")?), owner)
            .args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "-U", "postgres", "-h"])
            .arg(self.folder.path())
            .args(["-p", &self.port.to_string(), "-D"])
            .arg(folder.path().join("data"))
            .output()?;
        ensure!(copied.status.success(), "pg_basebackup: {}", String::from_utf8_lossy(&copied.stderr));
        let settings = self.settings.clone();
        let mut standby = Postgres { folder, port: free_port(), settings, server: None };
        standby.start_again()?;
        self.try_execute("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'")?;
        self.try_execute("postgres", "SELECT pg_reload_conf()")?;
        let is_followed = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'";
        eventually("the standby does not follow", || {
            (self.execute("postgres", is_followed) == "1").then_some(())
        });
        Ok(standby)
    }

    /// Makes a standby the primary. Whoever does this sees to it that the old one is gone for good.
    pub fn promote(&self) {
        self.execute("postgres", "SELECT pg_promote()");
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where its files, its log and its socket are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the database is, for its superuser.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes a database of a name that no other has, and gives the name.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn new_database(&self) -> String {
        static MADE: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = MADE.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("test_{number}");
        self.execute("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    /// Runs SQL as the superuser, and gives what `psql` prints of its rows: without headings, columns separated by `|`.
    ///
    /// # Panics
    /// When it fails.
    pub fn execute(&self, database: &str, sql: &str) -> String {
        self.try_execute(database, sql).expect("the statement is right")
    }

    /// As [`Postgres::execute`].
    ///
    /// # Errors
    /// What `psql` says.
    pub fn try_execute(&self, database: &str, sql: &str) -> anyhow::Result<String> {
        let done = Command::new(program("psql")?)
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h"])
            .arg(self.folder.path())
            .args(["-p", &self.port.to_string(), "-U", "postgres", "-d", database, "-c", sql])
            .output()?;
        ensure!(done.status.success(), "{sql}: {}", String::from_utf8_lossy(&done.stderr));
        Ok(String::from_utf8_lossy(&done.stdout).trim_end().to_owned())
    }

    /// Kills the server, as a crash would. What it had acknowledged is there after [`Postgres::start_again`].
    pub fn kill(&mut self) {
        self.server = None;
    }

    /// Stops the server; connections are cut.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.stop(libc::SIGINT);
        }
    }

    /// Starts the server over what it kept, on the same port, and waits until it answers.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        let until = Instant::now() + PATIENCE;
        loop {
            let mut server = self.spawn()?;
            while server.ended().is_none() {
                if self.try_execute("postgres", "SELECT 1").is_ok() {
                    self.server = Some(server);
                    return Ok(());
                }
                ensure!(Instant::now() < until, "the server does not answer: {}", self.log());
                thread::sleep(Duration::from_millis(20));
            }
            // Processes of a killed server may be there for a moment.
            if Instant::now() > until {
                bail!("the server does not start: {}", self.log());
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// What the server has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn spawn(&self) -> anyhow::Result<Component> {
        let log = File::options().create(true).append(true).open(self.folder.path().join("log"))?;
        let mut command = Command::new(program("postgres")?);
        as_owner(&mut command, owner()?)
            .arg("-D")
            .arg(self.folder.path().join("data"))
            .arg("-k")
            .arg(self.folder.path())
            .args(["-p", &self.port.to_string(), "-h", "127.0.0.1"])
            .args(self.settings.iter().map(|(name, value)| format!("--{name}={value}")))
            .stdin(std::process::Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        Ok(Component::start(&mut command, self.folder.path())?)
    }
}

fn folder_of(owner: Option<(u32, u32)>) -> anyhow::Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("pg-").tempdir()?;
    chown(folder.path(), owner.map(|(user, _)| user), owner.map(|(_, group)| group))?;
    Ok(folder)
}

/// A program of PostgreSQL, of the newest version that is installed.
fn program(name: &str) -> anyhow::Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin").join(name)).collect();
    found.retain(|path| path.is_file());
    found.sort();
    let on_path = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
    };
    found.pop().or_else(on_path).with_context(|| {
        format!("{name} is missing: install postgresql, or run tests/clients/system-packages.sh")
    })
}

/// The user and the group that PostgreSQL runs as where this process is root's, as which it refuses to run.
fn owner() -> anyhow::Result<Option<(u32, u32)>> {
    // SAFETY: it has no preconditions.
    if unsafe { libc::geteuid() } != 0 {
        return Ok(None);
    }
    static OWNER: OnceLock<Option<(u32, u32)>> = OnceLock::new();
    let owner = OWNER.get_or_init(|| {
        let name = CString::new("postgres").ok()?;
        // SAFETY: the name ends with a zero; the entry is read before anybody here asks for another one.
        let entry = unsafe { libc::getpwnam(name.as_ptr()).as_ref()? };
        Some((entry.pw_uid, entry.pw_gid))
    });
    owner.context("there is no user postgres: install postgresql").map(Some)
}

fn as_owner(command: &mut Command, owner: Option<(u32, u32)>) -> &mut Command {
    if let Some((user, group)) = owner {
        command.uid(user).gid(group).current_dir(Path::new("/"));
    }
    command
}
