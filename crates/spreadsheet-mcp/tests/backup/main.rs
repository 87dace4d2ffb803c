//! The drill: a backup of a server that serves, the state gone, and everything back; in a folder and a bucket, from SQLite to
//! PostgreSQL. What a restore took and what it would lose is printed.

#[path = "../support/program.rs"]
#[allow(dead_code, reason = "each test needs some of it")]
mod program;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use components::{Postgres, S3};
use program::{Place, Server, fork_of, set, values};
use serde_json::{Value, json};

/// A place with a workbook that was replaced once, keys of backups, and what names all of that to the program.
struct Drill {
    place: Place,
    destination: String,
    recipients: String,
    identity: String,
}

impl Drill {
    fn new(destination: Option<String>) -> Drill {
        let place = Place::new();
        place.write_workbook("book.xlsx");
        let folder = place.temporary.clone();
        let pair = run(&["backup", "keygen"], None);
        let pair = String::from_utf8(pair.stdout).expect("text");
        let public = pair.lines().find_map(|line| line.strip_prefix("# public key: ")).expect("a key");
        let file = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).expect("written");
            path.to_str().expect("text").to_owned()
        };
        let (recipients, identity) = (file("recipients.txt", public), file("identity.txt", &pair));
        let in_folder = || folder.join("backups").to_str().expect("text").to_owned();
        Drill { destination: destination.unwrap_or_else(in_folder), place, recipients, identity }
    }

    fn backup(&self, command: &[&str], state: &[&str], s3: Option<&S3>) -> Output {
        let workspace = self.place.workspace.to_str().expect("text");
        let common =
            ["--workspace", workspace, "--backup-destination", &self.destination, "--format", "json"];
        run(&[&["backup"], command, &common, state].concat(), s3)
    }

    fn create(&self, state: &[&str], s3: Option<&S3>) -> Value {
        told(&self.backup(&["create", "--backup-recipients-file", &self.recipients], state, s3))
    }

    fn restore(&self, state: &[&str], s3: Option<&S3>) -> Output {
        self.backup(&["restore", "--backup-identity-file", &self.identity], state, s3)
    }
}

fn run(arguments: &[&str], s3: Option<&S3>) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_spreadsheet-mcp"));
    program.args(arguments);
    if let Some(s3) = s3 {
        s3.tell(&mut program);
    }
    program.output().expect("it runs")
}

fn told(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// A fork with edits and a checkpoint, whose file was replaced by a save.
fn work(server: &Server) -> String {
    let fork = fork_of(server.call("create_fork", &json!({ "workbook": "book.xlsx" })));
    for number in 1..=20 {
        server.call("edit_cells", &set(&fork, "Data!B2", number)).expect("edited");
    }
    let named = json!({ "fork": fork, "action": "create", "name": "twenty" });
    server.call("checkpoint", &named).expect("named");
    server.call("edit_cells", &set(&fork, "Data!B3", 21)).expect("edited");
    let save = json!({ "fork": fork, "path": "book.xlsx", "overwrite": true });
    server.call("save_fork", &save).expect("saved");
    fork
}

fn check(server: &Server, fork: &str) {
    let read = |workbook: &str, range: &str| {
        values(server.call("read_range", &json!({ "workbook": workbook, "ranges": [range] })))
    };
    assert_eq!(read(fork, "Data!B2:B3"), [[json!(20)], [json!(21)]]);
    assert_eq!(read(&format!("{fork}@twenty"), "Data!B2:B3"), [[json!(20)]]);
    let versions = server.call("list_forks", &json!({ "versions_of": "book.xlsx" })).expect("told");
    assert_eq!(versions["versions"].as_array().map(Vec::len), Some(1), "{versions}");
    let before = fork_of(server.call("create_fork", &json!({ "workbook": "book.xlsx", "version": 1 })));
    assert_eq!(read(&before, "Data!A1"), [[json!("first")]]);
    assert_eq!(read(&before, "Data!B2:B3"), Vec::<Vec<Value>>::new());
    server.call("edit_cells", &set(fork, "Data!B4", 22)).expect("it goes on");
}

#[test]
fn everything_is_back_after_the_state_is_gone() {
    let drill = Drill::new(None);
    let state = drill.place.state.to_str().expect("text").to_owned();
    let fork = {
        let server = drill.place.serve(&["--allow-overwrite"]);
        let fork = work(&server);
        // Others go on meanwhile.
        let other = fork_of(server.call("create_fork", &json!({ "workbook": "book.xlsx" })));
        let is_over = AtomicBool::new(false);
        let made = std::thread::scope(|scope| {
            let busy = scope.spawn(|| {
                let mut edits = 0;
                while !is_over.load(Ordering::Relaxed) || edits == 0 {
                    edits += 1;
                    server.call("edit_cells", &set(&other, "Data!C1", edits)).expect("edited");
                }
                edits
            });
            let made = drill.create(&["--state-dir", &state], None);
            is_over.store(true, Ordering::Relaxed);
            println!("{} edits were made while the backup was: {made}", busy.join().expect("ends"));
            made
        });
        assert_eq!((&made["forks"], &made["versions"]), (&json!(2), &json!(1)));
        // The workspace holds what was saved last; the next backup writes no blob again.
        let again = drill.create(&["--state-dir", &state], None);
        assert!(again["written_bytes"].as_u64() < made["written_bytes"].as_u64(), "{again}");
        fork
    };
    fs::remove_dir_all(&state).expect("gone");
    let done = told(&drill.restore(&["--state-dir", &state], None));
    println!(
        "restored in {} s, {} bytes of blobs; {}",
        done["seconds"], done["blob_bytes"], done["lost_since"]
    );
    check(&drill.place.serve(&[]), &fork);
    let refused = drill.restore(&["--state-dir", &state], None);
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1));
    assert!(error.contains("is not empty; restore into an empty one"), "{error}");
}

#[test]
fn a_backup_in_a_bucket_moves_a_server_to_a_database() {
    let Some(s3) = S3::start() else { return };
    let drill = Drill::new(Some(s3.url()));
    let s3 = Some(&s3);
    let state = drill.place.state.to_str().expect("text").to_owned();
    let fork = {
        let server = drill.place.serve(&["--allow-overwrite"]);
        let fork = work(&server);
        drill.create(&["--state-dir", &state], s3);
        fork
    };
    let listed = told(&drill.backup(&["list"], &[], s3));
    assert_eq!(listed["backups"].as_array().map(Vec::len), Some(1), "{listed}");
    let checked = told(&drill.backup(&["verify", "--backup-identity-file", &drill.identity], &[], s3));
    assert_eq!(checked["edits"], 21, "{checked}");
    fs::remove_dir_all(&state).expect("gone");

    let postgres = Postgres::shared();
    let url = postgres.url(&postgres.new_database());
    told_text(&run(&["migrate", "--state-url", &url], None));
    let place = ["--state-dir", &state, "--state-url", &url];
    told(&drill.restore(&place, s3));
    check(&drill.place.serve(&["--state-url", &url]), &fork);
    let pruned = told(&drill.backup(&["prune"], &[], s3));
    assert_eq!(pruned["objects"], 0, "the newest stays");
}

/// Two replicas write a trail each while a backup of both is made and the command line is used; what comes back is sound, and goes
/// on.
#[test]
fn audit_trails_come_along_while_they_are_written() {
    let drill = Drill::new(None);
    let folder = drill.place.temporary.join("audit");
    let text = |path: &Path| path.to_str().expect("text").to_owned();
    let of_replica = |folder: &Path, name: &str| text(&folder.join(name));
    let all = text(&folder);
    let state = text(&drill.place.state);
    // Of backups of one second, nobody knows which is the latest.
    let last = {
        let one = drill.place.serve(&["--audit-dir", &of_replica(&folder, "pod-1")]);
        let other = drill.place.beside();
        let other = other.serve(&["--audit-dir", &of_replica(&folder, "pod-2")]);
        let fork = fork_of(one.call("create_fork", &json!({ "workbook": "book.xlsx" })));
        other.call("list_workbooks", &json!({})).expect("listed");
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let busy = || {
                for number in 0.. {
                    one.call("edit_cells", &set(&fork, "Data!C1", number)).expect("edited");
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                }
            };
            scope.spawn(busy);
            for _ in 0..3 {
                let made = drill.create(&["--state-dir", &state, "--audit-dir", &all], None);
                assert_eq!(made["audit_trails"], 2, "{made}");
                let alone = of_replica(&folder, "pod-1");
                let made = drill.create(&["--state-dir", &state, "--audit-dir", &alone], None);
                assert_eq!(made["audit_trails"], 1, "{made}");
            }
            let workspace = text(&drill.place.workspace);
            let call = ["call", "list_workbooks", "{}", "--workspace", &workspace];
            told(&run(&[&call[..], &["--audit-dir", &of_replica(&folder, "pod-1")]].concat(), None));
            let last = drill.create(&["--state-dir", &state, "--audit-dir", &all], None);
            is_over.store(true, Ordering::Relaxed);
            last["backup"].as_str().expect("its name").to_owned()
        })
    };
    fs::remove_dir_all(&drill.place.state).expect("gone");
    fs::remove_dir_all(&folder).expect("gone");
    let restore = ["restore", &last, "--backup-identity-file", &drill.identity];
    let done = told(&drill.backup(&restore, &["--state-dir", &state, "--audit-dir", &all], None));
    assert_eq!(done["audit_files"], 4, "{done}");
    let audit = |command: &str, folder: &str| {
        let limit: &[&str] = if command == "list" { &["--limit", "100000"] } else { &[] };
        let ran = run(&[&["audit", command, "--audit-dir", folder], limit].concat(), None);
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8_lossy(&ran.stdout).into_owned()
    };
    let verified = audit("verify", &all);
    assert!(verified.contains("pod-1") && verified.contains("pod-2"), "{verified}");
    let listed = audit("list", &all);
    for told in ["create_fork", "edit_cells", "list_workbooks", "pod-1", "pod-2"] {
        assert!(listed.contains(told), "{told}: {listed}");
    }
    let server = drill.place.serve(&["--audit-dir", &of_replica(&folder, "pod-1")]);
    server.call("describe_workbook", &json!({ "workbook": "book.xlsx" })).expect("described");
    drop(server);
    assert!(audit("list", &of_replica(&folder, "pod-1")).contains("describe_workbook"));
    audit("verify", &all);
}

#[test]
fn a_lock_in_a_bucket_says_when_it_ends() {
    let Some(s3) = S3::start() else { return };
    let drill = Drill::new(Some(s3.url()));
    let state = drill.place.state.to_str().expect("text");
    drill.create(&["--state-dir", state], Some(&s3));
    let lock = s3.folder().join("lock");
    assert!(!lock.exists(), "it is given back");
    let until = (Utc::now() + TimeDelta::seconds(50)).to_rfc3339_opts(SecondsFormat::Secs, true);
    fs::write(&lock, &until).expect("written");
    let create = ["create", "--backup-recipients-file", &drill.recipients];
    let refused = drill.backup(&create, &["--state-dir", state], Some(&s3));
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{error}");
    assert!(error.contains(&format!("or at {until} if it was killed")), "{error}");
    fs::write(&lock, "2020-01-01T00:00:00Z").expect("written");
    drill.create(&["--state-dir", state], Some(&s3));
}

#[test]
fn a_damaged_blob_does_not_get_into_later_backups() {
    let drill = Drill::new(None);
    let state = drill.place.state.to_str().expect("text").to_owned();
    work(&drill.place.serve(&["--allow-overwrite"]));
    let place = ["--state-dir", &state];
    drill.create(&place, None);
    for blob in files_below(&Path::new(&drill.destination).join("blobs")) {
        let mut bytes = fs::read(&blob).expect("read");
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(&blob, bytes).expect("written");
    }
    let verify = ["verify", "--backup-identity-file", &drill.identity];
    let refused = |arguments: &[&str]| {
        let output = drill.backup(arguments, &[], None);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let error = refused(&verify);
    assert!(error.contains("1 of 2 objects") && error.contains("--delete-damaged"), "{error}");
    let error = refused(&[&verify[..], &["--delete-damaged"]].concat());
    assert!(error.contains("1 that later backups would use were taken away"), "{error}");
    drill.create(&place, None);
    told(&drill.backup(&verify, &[], None));
    // What each backup has of its own is not in the way of the next one.
    for rows in files_below(&Path::new(&drill.destination).join("rows")) {
        fs::write(rows, "short").expect("written");
    }
    let error = refused(&verify);
    assert!(error.contains("Use another backup") && !error.contains("--delete-damaged"), "{error}");
}

/// One that is told to end gives back what it holds; one that is killed holds it for a minute at most.
#[test]
fn a_backup_that_was_ended_does_not_block_the_next() {
    let drill = Drill::new(None);
    let state = drill.place.state.to_str().expect("text").to_owned();
    work(&drill.place.serve(&["--allow-overwrite"]));
    // Reading it waits until somebody writes it.
    let blob = files_below(&drill.place.state.join("blobs")).into_iter().max().expect("a blob");
    fs::remove_file(&blob).expect("deleted");
    assert!(Command::new("mkfifo").arg(&blob).status().expect("it runs").success());
    let rows = || match Path::new(&drill.destination).join("rows").is_dir() {
        true => files_below(&Path::new(&drill.destination).join("rows")).len(),
        false => 0,
    };
    let begin = || {
        let before = rows();
        let workspace = drill.place.workspace.to_str().expect("text");
        let place =
            ["--workspace", workspace, "--backup-destination", &drill.destination, "--state-dir", &state];
        let begun = Command::new(env!("CARGO_BIN_EXE_spreadsheet-mcp"))
            .args(["backup", "create", "--backup-recipients-file", &drill.recipients])
            .args(place)
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        let begun_at = Instant::now();
        while rows() == before {
            assert!(begun_at.elapsed() < Duration::from_secs(30), "it does not begin");
            thread::sleep(Duration::from_millis(20));
        }
        begun
    };
    let told_to_end = begin();
    let id = told_to_end.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().expect("it runs").success());
    thread::sleep(Duration::from_millis(200));
    drop(fs::File::options().write(true).open(&blob).expect("opened"));
    let ended = told_to_end.wait_with_output().expect("ends");
    let error = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(1), "{error}");

    let mut killed = begin();
    killed.kill().expect("killed");
    killed.wait().expect("ends");
    let create = ["create", "--backup-recipients-file", &drill.recipients];
    let refused = drill.backup(&create, &["--state-dir", &state], None);
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{error}");
    let until = error.split_once("or at ").and_then(|(_, told)| told.split_once(" if it was killed"));
    let until: DateTime<Utc> = until.expect("until when").0.parse().expect("a time");
    assert!(until <= Utc::now() + TimeDelta::seconds(60), "{error}");
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let below = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files_below(&path) } else { vec![path] }
    };
    fs::read_dir(folder).expect("a folder").flat_map(below).collect()
}

#[test]
fn api_keys_come_back_for_their_owner_alone() {
    let drill = Drill::new(None);
    let state = drill.place.state.to_str().expect("text").to_owned();
    let workspace = drill.place.workspace.to_str().expect("text").to_owned();
    let place = ["--state-dir", &state];
    let restored = || told(&drill.restore(&place, None))["keys"].as_str().expect("told").to_owned();
    assert_eq!(drill.create(&place, None)["keys"], false);
    fs::remove_dir_all(&state).expect("gone");
    let told_of_none = restored();
    assert!(told_of_none.contains("callers will need none on loopback"), "{told_of_none}");

    let create = ["keys", "create", "reports", "--role", "viewer", "--workspace", &workspace];
    told_text(&run(&[&create[..], &place].concat(), None));
    let file = drill.place.state.join("keys.toml");
    let keys = fs::read_to_string(&file).expect("keys");
    assert_eq!(drill.create(&place, None)["keys"], true);
    told(&drill.backup(&["verify", "--backup-identity-file", &drill.identity], &[], None));
    fs::remove_dir_all(&state).expect("gone");
    let told_of_keys = restored();
    assert!(told_of_keys.contains("came back") && told_of_keys.contains("revoke them"), "{told_of_keys}");
    assert_eq!(fs::read_to_string(&file).expect("keys"), keys);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&file).expect("is there").permissions().mode() & 0o777, 0o600);
    }
    // Those that are there stay.
    fs::write(&file, "# others\n").expect("written");
    assert!(restored().contains("stay"));
    assert_eq!(fs::read_to_string(&file).expect("keys"), "# others\n");
}

#[test]
fn a_mistyped_place_is_refused_and_not_made() {
    let drill = Drill::new(None);
    let state = drill.place.state.to_str().expect("text").to_owned();
    for command in ["list", "verify", "prune", "restore"] {
        let arguments = [command, "--backup-identity-file", &drill.identity];
        let refused = drill.backup(&arguments, &["--state-dir", &state], None);
        let error = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{command}: {error}");
        assert!(error.contains(&format!("there is no folder {}", drill.destination)), "{command}: {error}");
        assert!(!Path::new(&drill.destination).exists(), "{command}");
    }
    // One that is empty may be right, or may not: it is told of by its name.
    fs::create_dir_all(&drill.destination).expect("made");
    check_blank(&drill, None);
    // One that is something else keeps what is in it.
    let other = Path::new(&drill.destination);
    fs::create_dir_all(other.join("blobs")).expect("made");
    fs::write(other.join("blobs/kept"), "kept").expect("written");
    told(&drill.backup(&["prune"], &[], None));
    assert!(other.join("blobs/kept").exists());
    let listed = drill.backup(&["list"], &[], None);
    assert_eq!((told(&listed)["backups"].as_array().map(Vec::len), listed.stderr.len()), (Some(0), 0));
}

#[test]
fn a_mistyped_place_in_a_bucket_is_told_of() {
    let Some(s3) = S3::start() else { return };
    let drill = Drill::new(Some(s3.url()));
    let state = drill.place.state.to_str().expect("text").to_owned();
    drill.create(&["--state-dir", &state], Some(&s3));
    let listed = drill.backup(&["list"], &[], Some(&s3));
    assert_eq!((told(&listed)["backups"].as_array().map(Vec::len), listed.stderr.len()), (Some(1), 0));
    let mistyped = Drill { destination: format!("{}/shets", s3.url()), ..drill };
    check_blank(&mistyped, Some(&s3));
}

fn check_blank(drill: &Drill, s3: Option<&S3>) {
    let listed = drill.backup(&["list"], &[], s3);
    let said = String::from_utf8_lossy(&listed.stderr).into_owned();
    assert_eq!(told(&listed)["backups"], json!([]));
    assert!(said.contains(&format!("nothing at all is in {}", drill.destination)), "{said}");
}

/// A whole backup does not help when it is of last month.
#[test]
fn a_backup_that_is_too_old_is_not_good_enough() {
    let drill = Drill::new(None);
    let state = drill.place.state.to_str().expect("text").to_owned();
    let place = ["--state-dir", &state];
    let made = drill.create(&place, None);
    let identity = ["--backup-identity-file", &drill.identity];
    let verify =
        |age: &str| drill.backup(&[&["verify", "--max-age", age], &identity[..]].concat(), &[], None);
    told(&verify("26h"));
    let id = made["backup"].as_str().expect("its name");
    let manifest = Path::new(&drill.destination).join(format!("backups/{id}.json"));
    let mut text: Value = serde_json::from_slice(&fs::read(&manifest).expect("read")).expect("JSON");
    text["created"] = json!(Utc::now() - TimeDelta::hours(30));
    fs::write(&manifest, text.to_string()).expect("written");
    let refused = verify("26h");
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{error}");
    assert!(
        error.contains(id) && error.contains("made 1day 6h ago") && error.contains("--max-age is 1day 2h"),
        "{error}"
    );
    told(&verify("31h"));
    assert_eq!(verify("soon").status.code(), Some(64));
    // What is damaged is told, too.
    for rows in files_below(&Path::new(&drill.destination).join("rows")) {
        fs::write(rows, "short").expect("written");
    }
    let error = String::from_utf8_lossy(&verify("26h").stderr).into_owned();
    assert!(error.contains("are damaged") && error.contains("is too old"), "{error}");
}

#[test]
fn keys_are_made_for_their_owner_alone_and_missing_ones_are_named() {
    let drill = Drill::new(None);
    let path = drill.place.temporary.join("pair.txt");
    let output = path.to_str().expect("text");
    let made = run(&["backup", "keygen", "--output", output], None);
    told_text(&made);
    let public = String::from_utf8(made.stdout).expect("text");
    assert!(public.starts_with("age1") && public.lines().count() == 1, "{public}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&path).expect("is there").permissions().mode() & 0o777, 0o600);
    }
    let again = run(&["backup", "keygen", "--output", output], None);
    assert_eq!(again.status.code(), Some(1), "an identity is never written over");

    fs::write(&drill.recipients, "# nobody yet\n").expect("written");
    let state = drill.place.state.to_str().expect("text");
    let create = ["create", "--backup-recipients-file", &drill.recipients];
    let refused = drill.backup(&create, &["--state-dir", state], None);
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(64), "{error}");
    for told in ["--backup-recipients-file", &drill.recipients, "spreadsheet-mcp backup keygen"] {
        assert!(error.contains(told), "{told}: {error}");
    }
}

#[test]
fn nothing_is_written_in_the_clear_by_mistake() {
    let drill = Drill::new(None);
    let state = drill.place.state.to_str().expect("text").to_owned();
    let refused = drill.backup(&["create"], &["--state-dir", &state], None);
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(64));
    assert!(error.contains("--backup-recipients-file"), "{error}");
    assert!(!Path::new(&drill.destination).join("backups").exists());
    drill.create(&["--state-dir", &state], None);
    let refused = drill.backup(&["restore"], &["--state-dir", &state], None);
    assert_eq!(refused.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--backup-identity-file"));
}

fn told_text(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
