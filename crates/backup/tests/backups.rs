//! Backups of a store in SQLite with blobs in a folder: everything comes back, and nothing that is damaged does.

use std::{fs, path::Path};

use backup::{
    BackupError, Depth, Identities, Manifest, Recipients, Repository, Seal, State, create, delete_damaged,
    prune, restore, verify,
};
use chrono::{DateTime, TimeDelta, Utc};
use forks::{
    Base, Blobs, CheckpointName, Digest, ForkId, Idempotency, IdempotencyKey, Limits, NewEntry, NewFork,
    Origin, SavedVersion, Seq, SqliteStore, Staged, StagedId, StagedSummary, Store,
};
use tempfile::TempDir;

const LIMITS: Limits = Limits { forks: 100, forks_per_owner: 100, base_bytes: 1 << 30 };

/// A state, and a repository beside it.
struct World {
    folder: TempDir,
    store: SqliteStore,
    blobs: Blobs,
    repository: Repository,
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().expect("a folder");
        let store = SqliteStore::open(&folder.path().join("state/forks.sqlite")).expect("opens");
        let blobs = Blobs::open(&folder.path().join("state/blobs")).expect("opens");
        let repository = Repository::Folder(folder.path().join("backups"));
        World { folder, store, blobs, repository }
    }

    fn state(&self) -> State<'_> {
        State { store: &self.store, blobs: &self.blobs, audit: None, keys: None }
    }

    /// A fork with two edits, one of them under a key, a checkpoint, a staged change, and a version of its file.
    fn fork(&self, name: &str) -> ForkId {
        let id: ForkId = format!("fork-{name}000000000").parse().expect("an id");
        let digest = self.blobs.put(format!("base of {name}").as_bytes(), 1).expect("is put");
        let before = self.blobs.put(format!("before {name}").as_bytes(), 1).expect("is put");
        let path = format!("Ünter/{name} \"x\"\t.xlsx");
        let base = Base { digest, size: 10, file_name: format!("{name}.xlsx") };
        let origin = Some(Origin { path: path.clone(), digest });
        let label = Some(format!("line\nbreak and \\ of {name}"));
        let fork = NewFork { id: id.clone(), owner: "ada".to_owned(), base, origin, label, ttl: 1_000_000 };
        self.store.create_fork(&fork, &LIMITS, 5).expect("is made");
        let entry = NewEntry { payload: "{\"ops\":[1]}", summary: "one", actor: "ada", applies: None };
        self.store.append(&id, Seq::BASE, &entry, None, 6).expect("is appended");
        let key: IdempotencyKey = "key-1".parse().expect("a key");
        let answer = |seq: Seq| format!("{{\"head\":{}}}", seq.get());
        let call = Idempotency { key: &key, request: Digest::of(b"asked"), answer: &answer };
        self.store.append(&id, Seq::new(1), &entry, Some(&call), 7).expect("is appended");
        let named: CheckpointName = "before lunch".parse().expect("a name");
        self.store.create_checkpoint(&id, &named, 8).expect("is made");
        let staged: StagedId = "staged-0000000001".parse().expect("an id");
        let summary = StagedSummary { id: staged, seq: Seq::new(2), summary: "more".to_owned(), created: 9 };
        self.store.stage(&id, &Staged { summary, payload: "{}".to_owned() }).expect("is staged");
        let version = SavedVersion {
            path,
            digest: before,
            size: 3,
            saved_at: 10,
            fork: Some(id.clone()),
            seq: Seq::new(2),
            became: None,
        };
        self.store.add_version(&version).expect("is kept");
        id
    }

    fn rows(&self) -> Vec<(String, String)> {
        let mut rows = Vec::new();
        let mut sink = |row: forks::Row<'_>| {
            rows.push((row.table.to_owned(), row.columns.to_owned()));
            Ok(())
        };
        self.store.export(&mut sink).expect("is exported");
        rows
    }
}

fn keys() -> (Seal, Identities) {
    let (secret, public) = Identities::generate();
    let recipients = Recipients::parse(&format!("# who reads backups\n{public}\n")).expect("a recipient");
    (Seal::To(recipients), Identities::parse(&secret).expect("an identity"))
}

fn at(day: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000 + day)
}

fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    let below = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files_below(&path) } else { vec![path] }
    };
    entries.flat_map(below).collect()
}

#[test]
fn everything_comes_back() {
    let world = World::new();
    for name in ["a", "b", "c"] {
        world.fork(name);
    }
    let (seal, identities) = keys();
    let made = create(world.state(), &world.repository, &seal, at(0), 7, &|| Ok(())).expect("is made");
    assert_eq!((made.manifest.forks, made.manifest.edits, made.manifest.versions), (3, 6, 3));
    assert_eq!(made.manifest.blob_count(), 6);
    assert_eq!(world.repository.latest().expect("is there"), made.manifest);

    let other = World::new();
    let done = restore(&world.repository, &made.manifest, &identities, other.state(), at(0), &|| Ok(()))
        .expect("restored");
    assert_eq!((done.rows, done.blobs), (world.rows().len() as u64, 6));
    assert_eq!(other.rows(), world.rows());
    for digest in world.store.referenced_blobs().expect("are told") {
        assert_eq!(
            other.blobs.read(&digest, 1).expect("is there"),
            world.blobs.read(&digest, 1).expect("is there")
        );
    }
    // What goes on, goes on from there.
    let next = other.fork("d");
    assert_eq!(other.store.fork(&next).expect("is there").head, Seq::new(2));
    let numbers: Vec<u64> = other
        .store
        .versions("Ünter/d \"x\"\t.xlsx")
        .expect("are told")
        .iter()
        .map(|version| version.number)
        .collect();
    assert_eq!(numbers, [4]);
    let again = restore(&world.repository, &made.manifest, &identities, other.state(), at(0), &|| Ok(()));
    assert!(matches!(again, Err(BackupError::NotEmpty { .. })), "{again:?}");
}

#[test]
fn the_next_backup_writes_what_is_new() {
    let world = World::new();
    world.fork("a");
    let (seal, identities) = keys();
    let go_on = || Ok(());
    let first = create(world.state(), &world.repository, &seal, at(0), 1, &go_on).expect("is made");
    let same = create(world.state(), &world.repository, &seal, at(1), 2, &go_on).expect("is made");
    assert!(same.written < first.written, "{} then {}", first.written, same.written);
    world.fork("b");
    let third = create(world.state(), &world.repository, &seal, at(2), 3, &go_on).expect("is made");
    assert_eq!((same.manifest.blob_count(), third.manifest.blob_count()), (2, 4));
    // To somebody else, nothing of it is of use.
    let (others, their_identities) = keys();
    let fourth = create(world.state(), &world.repository, &others, at(3), 4, &go_on).expect("is made");
    let content = |identities: &Identities| Depth::Content(identities.clone());
    verify(&world.repository, &fourth.manifest, &content(&their_identities)).expect("is whole");
    let refused = verify(&world.repository, &fourth.manifest, &content(&identities));
    assert!(matches!(refused, Err(BackupError::Sealed { .. })), "{refused:?}");
    let told: Vec<_> = world.repository.backups().expect("are told").into_iter().map(|it| it.id).collect();
    let made = [fourth, third, same, first].map(|made| made.manifest.id);
    assert_eq!(told, made);
}

#[test]
fn every_damage_is_found() {
    let world = World::new();
    world.fork("a");
    let (seal, identities) = keys();
    let made = create(world.state(), &world.repository, &seal, at(0), 1, &|| Ok(())).expect("is made");
    let whole = verify(&world.repository, &made.manifest, &Depth::Content(identities.clone()));
    assert_eq!(whole.expect("is whole").rows, world.rows().len() as u64);
    let stored = |path: &std::path::PathBuf| path.extension().is_some_and(|ending| ending == "age");
    let files: Vec<_> =
        files_below(&world.folder.path().join("backups")).into_iter().filter(stored).collect();
    assert_eq!(files.len(), 3);
    for file in files {
        let bytes = fs::read(&file).expect("is read");
        let flipped = |at: usize| {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            Some(changed)
        };
        let truncated = |to: usize| Some(bytes[..to].to_vec());
        let last = bytes.len() - 1;
        for damaged in [flipped(0), flipped(last / 2), flipped(last), truncated(last), truncated(9), None] {
            match damaged {
                Some(damaged) => fs::write(&file, damaged).expect("is written"),
                None => fs::remove_file(&file).expect("is deleted"),
            }
            let found = verify(&world.repository, &made.manifest, &Depth::Stored);
            let damaged = found.expect("is read").damaged;
            assert_eq!(damaged.len(), 1, "{}: {damaged:?}", file.display());
            assert!(file.ends_with(&damaged[0].key), "{}: {damaged:?}", file.display());
            let other = World::new();
            let refused =
                restore(&world.repository, &made.manifest, &identities, other.state(), at(0), &|| Ok(()));
            assert!(matches!(refused, Err(BackupError::Damaged { .. })), "{}: {refused:?}", file.display());
            assert_eq!(other.store.count_forks().expect("is told"), 0);
        }
        fs::write(&file, bytes).expect("is written");
    }
    check_whole(&world, &made.manifest, &Depth::Stored);
}

fn check_whole(world: &World, manifest: &Manifest, depth: &Depth) {
    let found = verify(&world.repository, manifest, depth).expect("is read");
    assert_eq!(found.damaged, []);
}

/// What a later backup would use again: of a length that differs, it is written anew at once; otherwise once it was found.
#[test]
fn what_is_damaged_is_written_anew() {
    for seal_and_identities in [keys(), (Seal::Open, Identities::default())] {
        let (seal, identities) = seal_and_identities;
        let depth = Depth::Content(identities);
        let world = World::new();
        world.fork("a");
        let go_on = || Ok(());
        let first = create(world.state(), &world.repository, &seal, at(0), 1, &go_on).expect("is made");
        let blobs = files_below(&world.folder.path().join("backups/blobs"));
        let damage = |change: &dyn Fn(&mut Vec<u8>)| {
            for blob in &blobs {
                let mut bytes = fs::read(blob).expect("is read");
                change(&mut bytes);
                fs::write(blob, bytes).expect("is written");
            }
        };
        damage(&|bytes| bytes.truncate(bytes.len() - 1));
        let found = verify(&world.repository, &first.manifest, &depth).expect("is read");
        assert_eq!(found.damaged.len(), 2, "{found:?}");
        let second = create(world.state(), &world.repository, &seal, at(1), 2, &go_on).expect("is made");
        check_whole(&world, &second.manifest, &depth);

        for blob in files_below(&world.folder.path().join("backups/blobs")) {
            let mut bytes = fs::read(&blob).expect("is read");
            bytes[0] ^= 1;
            fs::write(&blob, bytes).expect("is written");
        }
        let found = verify(&world.repository, &second.manifest, &depth).expect("is read");
        assert_eq!(delete_damaged(&world.repository, &found.damaged).expect("are deleted").len(), 2);
        let third = create(world.state(), &world.repository, &seal, at(2), 3, &go_on).expect("is made");
        check_whole(&world, &third.manifest, &depth);
    }
}

/// A backup that did not end has no manifest: what it wrote is used if it is whole.
#[test]
fn what_no_manifest_names_is_read_before_it_is_used() {
    let world = World::new();
    world.fork("a");
    let (seal, identities) = keys();
    let first = create(world.state(), &world.repository, &seal, at(0), 1, &|| Ok(())).expect("is made");
    fs::remove_dir_all(world.folder.path().join("backups/backups")).expect("is deleted");
    let blob = &files_below(&world.folder.path().join("backups/blobs"))[0];
    let mut bytes = fs::read(blob).expect("is read");
    bytes[0] ^= 1;
    fs::write(blob, bytes).expect("is written");
    let second = create(world.state(), &world.repository, &seal, at(1), 2, &|| Ok(())).expect("is made");
    assert!(second.written < first.written, "{} then {}", first.written, second.written);
    check_whole(&world, &second.manifest, &Depth::Content(identities));
}

/// Names tell seconds only.
#[test]
fn the_latest_of_one_second_is_the_one_that_was_made_last() {
    let world = World::new();
    let later = at(0) + TimeDelta::milliseconds(1);
    for (at, random) in [(at(0), 9), (later, 1)] {
        create(world.state(), &world.repository, &Seal::Open, at, random, &|| Ok(())).expect("is made");
    }
    assert_eq!(world.repository.latest().expect("is told").created, later);
}

#[test]
fn old_backups_go_with_what_only_they_needed() {
    let world = World::new();
    let (seal, identities) = keys();
    let go_on = || Ok(());
    let a = world.fork("a");
    create(world.state(), &world.repository, &seal, at(0), 1, &go_on).expect("is made");
    world.store.discard(&a).expect("is discarded");
    world.store.prune_versions(0).expect("are dropped");
    world.fork("b");
    let kept = create(world.state(), &world.repository, &seal, at(20), 2, &go_on).expect("is made");
    let pruned = prune(&world.repository, TimeDelta::days(30), 1, at(31), &go_on).expect("is pruned");
    // Its rows, and two blobs.
    assert_eq!((pruned.backups.len(), pruned.objects), (1, 3));
    verify(&world.repository, &kept.manifest, &Depth::Content(identities)).expect("is whole");
    let last = prune(&world.repository, TimeDelta::days(30), 1, at(500), &go_on).expect("is pruned");
    assert_eq!((last.backups.len(), last.objects), (0, 0), "the last one stays");
    let held = world.repository.lock().expect("is free");
    assert!(matches!(world.repository.lock(), Err(BackupError::InUse { .. })));
    drop(held);
    drop(world.repository.lock().expect("is free again"));
}

#[test]
fn what_is_not_encrypted_is_read_without_a_key() {
    let world = World::new();
    world.fork("a");
    let made = create(world.state(), &world.repository, &Seal::Open, at(0), 1, &|| Ok(())).expect("is made");
    let other = World::new();
    restore(&world.repository, &made.manifest, &Identities::default(), other.state(), at(0), &|| Ok(()))
        .expect("restored");
    assert_eq!(other.rows(), world.rows());
}

#[test]
fn nothing_is_told_of_a_wrong_key() {
    let error = Identities::parse("AGE-SECRET-KEY-1QQQQ").expect_err("is none").to_string();
    assert!(!error.contains("QQQQ"), "{error}");
    assert!(matches!(Recipients::parse("# none\n"), Err(BackupError::Keys(_))));
}
