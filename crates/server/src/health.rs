//! Whether calls can be answered, and why not: looked at when somebody asks, at most once a moment, and never waited for long.

use std::{
    fmt::Debug,
    fs,
    io::{self, Write as _},
    path::Path,
    sync::{Arc, OnceLock, PoisonError, RwLock},
    time::{Duration, Instant},
};

use office::Availability;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use crate::{
    call::Context,
    lifecycle::{Lifecycle, Phase},
    tls::Tls,
};

/// For how long what was seen is told again: probes of several watchers cost as one.
const KEPT: Duration = Duration::from_secs(1);
/// How long a look may take; a disk that hangs is no healthy one.
const MAX_TIME: Duration = Duration::from_secs(2);
/// What the state directory is tried with.
const TRIAL: &str = ".health";

/// The health of a server.
#[derive(Debug)]
pub struct Health {
    context: Arc<Context>,
    lifecycle: Arc<Lifecycle>,
    tls: OnceLock<Arc<Tls>>,
    seen: Mutex<Option<(Instant, Vec<Check>)>>,
    watched: RwLock<Vec<Arc<dyn Watched>>>,
}

/// Something elsewhere that this server asks. Its absence is told, and does not make the server unready: every replica would be, and
/// those who do without it could not call either.
pub trait Watched: Debug + Send + Sync {
    /// What it is, in one word.
    fn name(&self) -> &'static str;

    /// How it is, without waiting.
    fn said(&self) -> String;
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Check {
    name: &'static str,
    said: String,
    /// Whether calls can't be answered without it, and it is not there.
    is_missing: bool,
}

/// What a probe is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Whether calls are taken, and can be answered.
    pub is_ready: bool,
    /// What was looked at, by name, and what is wrong.
    pub body: Value,
}

impl Health {
    /// The health of what calls share.
    pub fn new(context: Arc<Context>, lifecycle: Arc<Lifecycle>) -> Health {
        let (seen, watched) = (Mutex::default(), RwLock::default());
        Health { context, lifecycle, tls: OnceLock::new(), seen, watched }
    }

    /// Tells of the certificate, too, from now on.
    pub fn watch_certificate(&self, tls: Arc<Tls>) {
        let _once = self.tls.set(tls);
    }

    /// Tells of something elsewhere, too.
    pub fn watch(&self, watched: Arc<dyn Watched>) {
        self.watched.write().unwrap_or_else(PoisonError::into_inner).push(watched);
    }

    /// Whether calls are taken, and can be answered: nothing drains, the workspace can be read, the state directory written, and
    /// what is required is there.
    pub async fn ready(&self) -> Report {
        let mut checks = self.checks().await;
        checks.extend(self.tls.get().map(|tls| {
            let (said, is_missing) = tls.health();
            Check { name: "certificate", said, is_missing }
        }));
        // After the look, which may take its time: nobody is told that calls are taken once one was refused.
        let phase = self.lifecycle.phase();
        let missing = checks.iter().filter(|check| check.is_missing);
        let mut reasons: Vec<String> =
            missing.map(|check| format!("{}: {}", check.name, check.said)).collect();
        if phase != Phase::Ready {
            reasons.insert(0, format!("phase: {}", phase.as_str()));
        }
        let mut told = Map::from_iter([("phase".to_owned(), json!(phase.as_str()))]);
        told.extend(checks.into_iter().map(|check| (check.name.to_owned(), json!(check.said))));
        let watched = self.watched.read().unwrap_or_else(PoisonError::into_inner);
        told.extend(watched.iter().map(|watched| (watched.name().to_owned(), json!(watched.said()))));
        drop(watched);
        let is_ready = reasons.is_empty();
        let mut body = json!({ "status": if is_ready { "ready" } else { "not ready" }, "checks": told });
        if !is_ready {
            body["reasons"] = json!(reasons);
        }
        Report { is_ready, body }
    }

    /// What was seen a moment ago, or is now.
    async fn checks(&self) -> Vec<Check> {
        // Who comes meanwhile waits for the same look.
        let mut seen = self.seen.lock().await;
        if let Some((at, checks)) = seen.as_ref()
            && at.elapsed() < KEPT
        {
            return checks.clone();
        }
        let context = Arc::clone(&self.context);
        let look = tokio::task::spawn_blocking(move || look(&context));
        let checks = match tokio::time::timeout(MAX_TIME, look).await {
            Ok(Ok(checks)) => checks,
            Ok(Err(_)) | Err(_) => vec![Check {
                name: "disk",
                said: format!(
                    "the workspace and the state directory do not answer within {} s",
                    MAX_TIME.as_secs()
                ),
                is_missing: true,
            }],
        };
        let mut checks = checks;
        checks.extend(self.database().await);
        *seen = Some((Instant::now(), checks.clone()));
        checks
    }

    /// What is said of the database, if there is one.
    async fn database(&self) -> Option<Check> {
        let context = Arc::clone(&self.context);
        let look = tokio::task::spawn_blocking(move || context.forks.database());
        let said = match tokio::time::timeout(MAX_TIME, look).await {
            Ok(looked) => looked.unwrap_or(Some(Err("looking at it failed"))),
            Err(_) => Some(Err("does not answer in time")),
        };
        said.map(|said| Check {
            name: "database",
            said: said.unwrap_or_else(|problem| problem).to_owned(),
            is_missing: said.is_err(),
        })
    }
}

fn look(context: &Arc<Context>) -> Vec<Check> {
    let check = |name, said: String, is_missing| Check { name, said, is_missing };
    let workspace = context.workspace.check_readable();
    let state = writable(context.forks.folder());
    let free = context.disk_room().map(|room| room.free);
    let least = context.config.health.min_free_bytes;
    let is_needed = context.config.health.require_libreoffice;
    let (libreoffice, has_libreoffice) = match context.recalc.office().known_availability() {
        Some(Availability::Available { version, .. }) => (version, true),
        Some(Availability::Missing { .. }) => ("not installed".to_owned(), false),
        None => {
            // Looking for it takes seconds: that is done aside, and told when it is known.
            let context = Arc::clone(context);
            std::thread::spawn(move || context.recalc.office().availability());
            ("being looked for".to_owned(), false)
        }
    };
    let mut checks = vec![
        match workspace {
            Ok(()) => check("workspace", "readable".to_owned(), false),
            Err(problem) => check("workspace", format!("unreadable: {problem}"), true),
        },
        match state {
            Ok(()) => check("state", "writable".to_owned(), false),
            Err(error) => check("state", format!("not writable: {error}"), true),
        },
        check("libreoffice", libreoffice, is_needed && !has_libreoffice),
    ];
    if let Some(free) = free {
        let said = format!("{free} bytes are free where the state is; at least {least} have to be");
        checks.insert(2, check("disk", said, free < least));
    }
    checks
}

/// Whether something can be written, and is on the disk.
fn writable(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    // One name for all processes: whoever is killed here leaves nothing that the next look does not take away.
    let path = folder.join(TRIAL);
    let written = fs::File::create(&path).and_then(|mut file| {
        file.write_all(b"ok")?;
        file.sync_data()
    });
    let _gone = fs::remove_file(&path);
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::context;

    async fn report(arguments: &[&str], change: impl FnOnce(&Context)) -> Report {
        let (context, _folder) = context(arguments);
        change(&context);
        let lifecycle = Arc::<Lifecycle>::default();
        lifecycle.ready();
        Health::new(context, lifecycle).ready().await
    }

    #[tokio::test]
    async fn what_is_missing_is_told() {
        let state = tempfile::tempdir().expect("a folder");
        let file = state.path().join("file");
        fs::write(&file, "").expect("a file");
        let state = state.path().to_str().expect("text");
        let well = report(&["--state-dir", state], |_| {}).await;
        assert!(well.is_ready && well.body.get("reasons").is_none(), "{}", well.body);
        let unwritable = report(&["--state-dir", file.to_str().expect("text")], |_| {}).await;
        assert!(!unwritable.is_ready);
        assert!(unwritable.body["reasons"][0].as_str().expect("a reason").starts_with("state: not writable"));
        let full = report(&["--state-dir", state, "--min-free-bytes", &u64::MAX.to_string()], |_| {}).await;
        assert!(full.body["reasons"][0].as_str().expect("a reason").starts_with("disk: "), "{}", full.body);
        let remove = |context: &Context| {
            fs::remove_dir_all(context.workspace.location().folder().expect("a folder")).expect("it goes");
        };
        let gone = report(&["--state-dir", state], remove).await;
        let reasons = gone.body["reasons"].as_array().expect("reasons");
        assert!(
            reasons.len() == 1 && reasons[0].as_str().expect("text").starts_with("workspace: unreadable: ")
        );
    }

    #[tokio::test]
    async fn libreoffice_is_needed_where_it_is_required() {
        let state = tempfile::tempdir().expect("a folder");
        let state = state.path().to_str().expect("text");
        let look = |context: &Context| drop(context.recalc.office().availability());
        let there = report(&["--state-dir", state, "--require-libreoffice"], look).await;
        let is_installed = there.body["checks"]["libreoffice"] != "not installed";
        assert_eq!(there.is_ready, is_installed, "{}", there.body);
        let elsewhere = ["--state-dir", state, "--soffice", "/nowhere/soffice", "--require-libreoffice"];
        let required = report(&elsewhere, look).await;
        assert_eq!(required.body["reasons"], json!(["libreoffice: not installed"]));
        let optional = report(&elsewhere[..4], look).await;
        assert!(optional.is_ready, "{}", optional.body);
    }

    #[tokio::test]
    async fn draining_is_not_ready_and_looks_are_shared() {
        let state = tempfile::tempdir().expect("a folder");
        let (context, _folder) = context(&["--state-dir", state.path().to_str().expect("text")]);
        let lifecycle = Arc::<Lifecycle>::default();
        let health = Health::new(Arc::clone(&context), Arc::clone(&lifecycle));
        assert_eq!(health.ready().await.body["reasons"], json!(["phase: starting"]));
        lifecycle.ready();
        fs::remove_dir_all(context.workspace.location().folder().expect("a folder")).expect("it goes");
        assert!(health.ready().await.is_ready, "it is looked at again within a moment");
        lifecycle.leave();
        assert_eq!(health.ready().await.body["reasons"], json!(["phase: leaving"]));
        lifecycle.drain();
        assert_eq!(health.ready().await.body["reasons"], json!(["phase: draining"]));
    }
}
