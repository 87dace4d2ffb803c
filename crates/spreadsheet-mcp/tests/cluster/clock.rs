//! The clock of one replica jumps: far ahead, so that everything had expired, and far back.

use std::{fs, path::Path};

use crate::{
    cluster::{Cluster, Setup},
    load::Load,
};

/// What Debian's `faketime` brings: it answers programs that ask for the time.
fn library() -> Option<String> {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut places = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    let found = places.find(|path| path.is_file());
    if found.is_none() {
        eprintln!("SKIPPED: faketime is not installed (make setup)");
    }
    found.map(|path| path.display().to_string())
}

fn jump(file: &Path, to: &str) {
    fs::write(file, to).expect("written");
}

#[test]
fn nothing_is_lost_when_a_clock_jumps() {
    let Some(library) = library() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let time = folder.path().join("time");
    jump(&time, "+0");
    let first = vec![
        ("LD_PRELOAD", library),
        ("FAKETIME_TIMESTAMP_FILE", time.display().to_string()),
        ("FAKETIME_NO_CACHE", "1".to_owned()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ("DONT_FAKE_MONOTONIC", "1".to_owned()),
    ];
    let Some(cluster) = Cluster::start(&Setup { first, ..Setup::default() }) else { return };
    let load = Load::of(&cluster, 4, 8);
    let (ran, ()) = load.run(|progress| {
        progress.wait_for(200);
        for to in ["+400d", "-400d", "+0"] {
            jump(&time, to);
            progress.wait_for(200);
            // It cleans up when it starts.
            cluster.end(0);
            cluster.start_again(0);
            cluster.wait_for(0);
            progress.wait_for(200);
        }
    });
    println!("  the clock of a replica was 400 days ahead, then as many behind");
    ran.check_only(&["lost", "shutting_down"]);
    ran.records.check(&*cluster.store());
}
