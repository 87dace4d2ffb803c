//! `spreadsheet-mcp backup`: copies of what a server keeps, and the way back.

mod arguments;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use arguments::VerifyBackupArguments;
pub(crate) use arguments::{BackupCommand, EXAMPLES};

use ::backup::{
    BackupError, BackupId, Damage, Depth, Identities, KeysBack, Lock, Manifest, Recipients, Repository, Seal,
    State, Verified, create, delete_damaged, prune, restore, verify,
};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use objects::{Bucket, BucketUrl, InvalidUrl};
use serde_json::{Value, json};
use server::{
    Server,
    config::{BackupConfig, Config, SecretSource},
    error::ToolError,
    forks::{Opened, Sweeping, keep_during},
    signals::Signals,
};
use tokio::runtime::Handle;

use crate::{
    cli::Format,
    exit,
    render::{self, print},
};

/// Damaged objects that are told of one by one.
const MOST_TOLD: usize = 20;

/// Makes, reads or takes away backups.
pub(crate) fn run(command: BackupCommand, config: Config) -> ExitCode {
    if let BackupCommand::Keygen(arguments) = &command {
        return keygen(arguments.output.as_deref());
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::failed("the runtime could not start", &error),
    };
    let done = {
        // Buckets and databases are asked from here.
        let _entered = runtime.enter();
        Job { config, runtime: runtime.handle().clone() }.run(command)
    };
    runtime.shutdown_background();
    match done {
        Ok((told, Format::Json)) => print(&told.to_string()),
        Ok((told, Format::Text)) => print(&render::as_text(&told)),
        Err(Failure::Usage(problem)) => {
            eprintln!("spreadsheet-mcp: {problem}");
            ExitCode::from(exit::BAD_CONFIGURATION)
        }
        Err(Failure::Failed(problem)) => {
            eprintln!("spreadsheet-mcp: {problem}");
            ExitCode::from(exit::CALL_FAILED)
        }
    }
}

/// Prints a key pair, or writes it to a file that nobody else reads, and prints the public key alone.
fn keygen(output: Option<&Path>) -> ExitCode {
    let (secret, public) = Identities::generate();
    let pair = format!("# public key: {public}\n{secret}");
    let Some(path) = output else { return print(&pair) };
    let mut options = fs::File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.write(true).create_new(true).open(path).and_then(|mut file| {
        file.write_all(format!("{pair}\n").as_bytes())?;
        file.sync_all()
    });
    match written {
        Ok(()) => print(&public),
        Err(error) => {
            eprintln!("spreadsheet-mcp: the identity can't be written: {}: {error}", path.display());
            ExitCode::from(exit::CALL_FAILED)
        }
    }
}

enum Failure {
    /// Something was not said that has to be.
    Usage(String),
    /// It did not work.
    Failed(String),
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Failure {
        match error {
            BackupError::Keys(_) => Failure::Usage(error.to_string()),
            _ => Failure::Failed(error.to_string()),
        }
    }
}

impl From<ToolError> for Failure {
    fn from(error: ToolError) -> Failure {
        Failure::Failed(error.to_string())
    }
}

struct Job {
    config: Config,
    runtime: Handle,
}

impl Job {
    fn run(&self, command: BackupCommand) -> Result<(Value, Format), Failure> {
        let repository = self.repository()?;
        if !matches!(command, BackupCommand::Create(_)) {
            repository.exists()?;
        }
        Ok(match command {
            BackupCommand::Keygen(_) => (Value::Null, Format::Text),
            BackupCommand::Create(arguments) => {
                let mut told = self.create(&repository)?;
                if arguments.prune {
                    told["pruned"] = self.prune(&repository)?;
                }
                (told, arguments.about.format)
            }
            BackupCommand::List(arguments) => (list(&repository, arguments.format)?, arguments.format),
            BackupCommand::Verify(arguments) => {
                (self.verify(&repository, &arguments)?, arguments.about.format)
            }
            BackupCommand::Restore(arguments) => {
                (self.restore(&repository, arguments.id.as_deref())?, arguments.format)
            }
            BackupCommand::Prune(arguments) => (self.prune(&repository)?, arguments.format),
        })
    }

    fn create(&self, repository: &Repository) -> Result<Value, Failure> {
        let seal = self.seal()?;
        let opened = self.state()?;
        let began = Instant::now();
        let stop = self.stop_at_signal()?;
        let lock = repository.lock()?;
        let sweeping = hold_sweeping_off(&opened)?;
        let keep = || {
            lock.keep()?;
            keep(&sweeping)
        };
        let go_on = || if stop.load(Ordering::Relaxed) { Err(BackupError::Stopped) } else { keep() };
        let audit = self.config.fixed.access.audit_dir.as_deref();
        let keys = self.keys_file();
        let parts = State { store: &opened.store, blobs: &opened.blobs, audit, keys: keys.as_deref() };
        let random = random()?;
        let made =
            keep_during(&|| drop(keep()), || create(parts, repository, &seal, Utc::now(), random, &go_on))?;
        let mut told = summary(&made.manifest);
        told["written_bytes"] = json!(made.written);
        told["seconds"] = json!(began.elapsed().as_secs_f64());
        Ok(told)
    }

    fn verify(&self, repository: &Repository, arguments: &VerifyBackupArguments) -> Result<Value, Failure> {
        let manifest = manifest_of(repository, arguments.about.id.as_deref())?;
        let depth = match self.identities()? {
            Some(identities) => Depth::Content(identities),
            None if manifest.encrypted => Depth::Stored,
            None => Depth::Content(Identities::default()),
        };
        let old = arguments.max_age.and_then(|most| is_old(&manifest, *most, Utc::now()));
        let began = Instant::now();
        let lock = arguments.delete_damaged.then(|| repository.lock()).transpose()?;
        let keep = || drop(lock.as_ref().map(Lock::keep));
        let found = keep_during(&keep, || verify(repository, &manifest, &depth))?;
        if !found.damaged.is_empty() {
            let deleted = match lock {
                Some(lock) => {
                    lock.keep()?;
                    Some(delete_damaged(repository, &found.damaged)?.len())
                }
                None => None,
            };
            let mut told = is_damaged(&manifest, &found, deleted);
            if let Some(old) = old {
                told += &format!("\nAlso, {old}");
            }
            return Err(Failure::Failed(told));
        }
        if let Some(old) = old {
            return Err(Failure::Failed(old));
        }
        let mut told = summary(&manifest);
        told["objects"] = json!(found.objects);
        match depth {
            Depth::Content(_) => told["rows"] = json!(found.rows),
            Depth::Stored => {
                told["note"] =
                    json!("it is what was written; with --backup-identity-file its content is read, too");
            }
        }
        told["seconds"] = json!(began.elapsed().as_secs_f64());
        Ok(told)
    }

    fn restore(&self, repository: &Repository, id: Option<&str>) -> Result<Value, Failure> {
        let manifest = manifest_of(repository, id)?;
        let identities = match self.identities()? {
            Some(identities) => identities,
            None if manifest.encrypted => {
                return Err(Failure::Usage(
                    "the backup is encrypted: say who reads it, --backup-identity-file FILE".to_owned(),
                ));
            }
            None => Identities::default(),
        };
        let opened = self.state()?;
        let began = Instant::now();
        let stop = self.stop_at_signal()?;
        let sweeping = hold_sweeping_off(&opened)?;
        let go_on = || if stop.load(Ordering::Relaxed) { Err(BackupError::Stopped) } else { keep(&sweeping) };
        let audit = self.config.fixed.access.audit_dir.as_deref();
        let keys = self.keys_file();
        let parts = State { store: &opened.store, blobs: &opened.blobs, audit, keys: keys.as_deref() };
        let restore = || restore(repository, &manifest, &identities, parts, Utc::now(), &go_on);
        let done = sweeping.keep_during(restore)?;
        drop(sweeping);
        let seconds = began.elapsed().as_secs_f64();
        Ok(json!({
            "backup": manifest.id, "created": manifest.created, "forks": manifest.forks, "edits": manifest.edits,
            "versions": manifest.versions, "rows": done.rows, "blobs": done.blobs, "blob_bytes": done.blob_bytes,
            "audit_files": done.audit_files, "seconds": seconds, "keys": keys_back(&manifest, done.keys, keys.as_deref()),
            "lost_since": format!("what was acknowledged after {}", manifest.created.to_rfc3339()),
        }))
    }

    fn prune(&self, repository: &Repository) -> Result<Value, Failure> {
        let keep = TimeDelta::days(self.backup().backup_keep_days.into());
        let lock = repository.lock()?;
        let prune = || prune(repository, keep, 1, Utc::now(), &|| lock.keep());
        let pruned = keep_during(&|| drop(lock.keep()), prune)?;
        Ok(json!({ "backups": pruned.backups, "objects": pruned.objects, "bytes": pruned.bytes }))
    }

    /// Is true once SIGTERM or SIGINT came: what is held is given back then. The second one ends the program.
    fn stop_at_signal(&self) -> Result<Arc<AtomicBool>, Failure> {
        let listening = Signals::listen();
        let mut signals =
            listening.map_err(|error| Failure::Failed(format!("signals can't be listened to: {error}")))?;
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        self.runtime.spawn(async move {
            signals.next().await;
            told.store(true, Ordering::Relaxed);
            signals.next().await;
            std::process::exit(exit::CALL_FAILED.into());
        });
        Ok(stop)
    }

    /// The file of API keys, where keys are in one.
    fn keys_file(&self) -> Option<PathBuf> {
        match self.config.fixed.keys_source() {
            SecretSource::File(path) => Some(path),
            SecretSource::Vault(_) => None,
        }
    }

    fn backup(&self) -> &BackupConfig {
        &self.config.fixed.backup
    }

    fn repository(&self) -> Result<Repository, Failure> {
        let Some(place) = self.backup().backup_destination.as_deref() else {
            return Err(Failure::Usage(
                "say where backups are: --backup-destination PLACE, or SPREADSHEET_MCP_BACKUP_DESTINATION"
                    .to_owned(),
            ));
        };
        if !BucketUrl::is_meant(place) {
            return Ok(Repository::Folder(PathBuf::from(place)));
        }
        let url: BucketUrl = place.parse().map_err(|error: InvalidUrl| {
            Failure::Usage(format!("{place} is no place of backups: {error}"))
        })?;
        let options = self.config.fixed.objects.options().map_err(Failure::Usage)?;
        let bucket = Bucket::open(&url, &options, self.runtime.clone());
        Ok(Repository::Bucket(Box::new(bucket.map_err(|error| Failure::Failed(error.to_string()))?)))
    }

    fn seal(&self) -> Result<Seal, Failure> {
        match (&self.backup().backup_recipients_file, self.backup().backup_unencrypted) {
            (Some(_), true) => Err(Failure::Usage(
                "there are recipients, and backups are not to be encrypted: say one of both".to_owned(),
            )),
            (Some(file), false) => Recipients::parse(&read(file)?).map(Seal::To).map_err(|error| {
                let file = file.display();
                Failure::Usage(format!("--backup-recipients-file {file}: {error}"))
            }),
            (None, true) => Ok(Seal::Open),
            (None, false) => Err(Failure::Usage(
                "say whom backups are encrypted to: --backup-recipients-file FILE (spreadsheet-mcp backup keygen makes \
                 keys), or --backup-unencrypted"
                    .to_owned(),
            )),
        }
    }

    fn identities(&self) -> Result<Option<Identities>, Failure> {
        match &self.backup().backup_identity_file {
            Some(file) => Ok(Some(Identities::parse(&read(file)?)?)),
            None => Ok(None),
        }
    }

    /// The state, as a server of this configuration uses it.
    fn state(&self) -> Result<Arc<Opened>, Failure> {
        let server = Server::of_command_line(self.config.clone())
            .map_err(|error| Failure::Failed(format!("the workspace can't be opened: {error}")))?;
        Ok(server.context.forks.open()?)
    }
}

fn list(repository: &Repository, format: Format) -> Result<Value, Failure> {
    let backups: Vec<Value> = repository.backups()?.iter().map(summary).collect();
    if backups.is_empty() && repository.is_blank()? {
        eprintln!("spreadsheet-mcp: nothing at all is in {repository}: is that where backups are?");
    }
    Ok(match format {
        Format::Json => json!({ "backups": backups }),
        Format::Text if backups.is_empty() => {
            json!("no backups yet; make one with `spreadsheet-mcp backup create`")
        }
        Format::Text => Value::Array(backups),
    })
}

fn summary(manifest: &Manifest) -> Value {
    json!({
        "backup": manifest.id, "created": manifest.created, "encrypted": manifest.encrypted, "forks": manifest.forks,
        "edits": manifest.edits, "versions": manifest.versions, "blobs": manifest.blob_count(),
        "audit_trails": manifest.audit_trails(), "keys": manifest.has_keys(), "bytes": manifest.bytes(),
    })
}

fn manifest_of(repository: &Repository, id: Option<&str>) -> Result<Manifest, Failure> {
    Ok(match id {
        Some(id) => repository.backup(&id.parse::<BackupId>()?)?,
        None => repository.latest()?,
    })
}

/// What is said of a backup that is older than it may be.
fn is_old(manifest: &Manifest, most: Duration, now: DateTime<Utc>) -> Option<String> {
    // One of a clock that is ahead is new.
    let age = (now - manifest.created).to_std().unwrap_or_default();
    let told = |time: Duration| humantime::format_duration(Duration::from_secs(time.as_secs()));
    (age > most).then(|| {
        format!(
            "backup {} is too old: it was made {} ago, at {}, and --max-age is {}; make one now, `spreadsheet-mcp backup \
             create`, and see why there is no later one",
            manifest.id,
            told(age),
            manifest.created.to_rfc3339_opts(SecondsFormat::Secs, true),
            humantime::format_duration(most)
        )
    })
}

/// What is damaged, and what to do about it.
fn is_damaged(manifest: &Manifest, found: &Verified, deleted: Option<usize>) -> String {
    let damaged = &found.damaged;
    let mut told =
        format!("{} of {} objects of backup {} are damaged:\n", damaged.len(), found.objects, manifest.id);
    for damage in damaged.iter().take(MOST_TOLD) {
        told += &format!("  {} {}\n", damage.key, damage.problem);
    }
    if damaged.len() > MOST_TOLD {
        told += &format!("  and {} more\n", damaged.len() - MOST_TOLD);
    }
    told += &match deleted {
        None if !damaged.iter().any(Damage::is_shared) => {
            "Use another backup, and make a new one: later ones need nothing of that".to_owned()
        }
        None => format!(
            "Later backups may use them again: `spreadsheet-mcp backup verify {} --delete-damaged` takes them away, so that \
             the next `backup create` writes them anew",
            manifest.id
        ),
        Some(deleted) => format!(
            "{deleted} that later backups would use were taken away; make a backup now, `spreadsheet-mcp backup create`: it \
             writes them anew. Use another one than this"
        ),
    };
    told
}

/// What becomes of API keys, which decide who may call.
fn keys_back(manifest: &Manifest, done: KeysBack, file: Option<&Path>) -> String {
    let Some(file) = file.map(Path::display) else { return "they are in Vault".to_owned() };
    match done {
        KeysBack::Restored => format!(
            "they came back to {file}; those that were revoked after {} are valid again: revoke them",
            manifest.created.to_rfc3339()
        ),
        KeysBack::Kept => format!("those that are in {file} stay, and none of the backup came back"),
        KeysBack::None => format!(
            "the backup holds none; without any in {file} callers will need none on loopback: `spreadsheet-mcp keys create`"
        ),
    }
}

/// Nobody sweeps blobs until it is dropped.
fn hold_sweeping_off(state: &Arc<Opened>) -> Result<Sweeping, Failure> {
    let taken = Sweeping::take(state).map_err(BackupError::from)?;
    Ok(taken.ok_or_else(in_use)?)
}

fn keep(sweeping: &Sweeping) -> Result<(), BackupError> {
    if sweeping.keep()? { Ok(()) } else { Err(in_use()) }
}

fn in_use() -> BackupError {
    BackupError::InUse { killed: Some(Utc::now() + Sweeping::SPAN) }
}

/// What tells two backups of the same second apart.
fn random() -> Result<u32, Failure> {
    getrandom::u32().map_err(|error| Failure::Failed(format!("there are no random numbers: {error}")))
}

fn read(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file).map_err(|error| Failure::Failed(format!("{}: {error}", file.display())))
}
