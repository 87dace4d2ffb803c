//! All rows of a store, and what another one makes of them.

use forks::{
    Checkpoint, Digest, Idempotency, RowSource, SavedVersion, Seq, SqliteStore, Staged, StagedSummary, Store,
    StoreError,
};
use serde_json::Value;

use crate::{Place, append, entry, refusal};

type Rows = Vec<(String, String)>;

fn exported(store: &dyn Store) -> Rows {
    let mut rows = Rows::new();
    let mut sink = |row: forks::Row<'_>| {
        rows.push((row.table.to_owned(), row.columns.to_owned()));
        Ok(())
    };
    store.export(&mut sink).unwrap();
    rows
}

fn imported(store: &dyn Store, rows: &Rows) -> Result<u64, StoreError> {
    let mut rows = rows.clone().into_iter();
    let source: &mut RowSource<'_> = &mut || Ok(rows.next());
    store.import(source)
}

/// Databases write JSON with spaces, or without.
fn read(rows: &Rows) -> Vec<(String, Value)> {
    rows.iter().map(|(table, columns)| (table.clone(), serde_json::from_str(columns).unwrap())).collect()
}

#[test]
fn rows_go_from_one_store_to_another() {
    let place = Place::new();
    let store = &place.store;
    // More than go at once.
    for number in 0..3 {
        let fork = place.fork(number).id;
        for seq in 0..300 {
            append(store, &fork, seq, "\"ä\\n\t\"").unwrap();
        }
        store.move_head(&fork, Seq::new(300), forks::Move::Undo(2), 5).unwrap();
        let key = "key".parse().unwrap();
        let answer = |seq: Seq| format!("{{\"head\": {}}}", seq.get());
        let call = Idempotency { key: &key, request: Digest::of(b"asked"), answer: &answer };
        store.append(&fork, Seq::new(298), &entry("branch"), Some(&call), 6).unwrap();
        store.create_checkpoint(&fork, &"one".parse().unwrap(), 7).unwrap();
        let summary = StagedSummary {
            id: format!("staged-{number:010}").parse().unwrap(),
            seq: Seq::new(1),
            summary: "more".to_owned(),
            created: 8,
        };
        store.stage(&fork, &Staged { summary, payload: "{}".to_owned() }).unwrap();
        let version = SavedVersion {
            path: format!("Zahlen {number}.xlsx"),
            digest: Digest::of(&[1]),
            size: 1,
            saved_at: 9,
            fork: (number > 0).then(|| fork.clone()),
            seq: Seq::new(1),
            became: (number > 1).then(|| Digest::of(&[2])),
        };
        store.add_version(&version).unwrap();
    }
    let rows = exported(store);
    assert_eq!(rows.len(), 3 * (1 + 301 + 1 + 1 + 1 + 1));

    let folder = tempfile::tempdir().unwrap();
    let other = SqliteStore::open(&folder.path().join("forks.sqlite")).unwrap();
    assert_eq!(imported(&other, &rows).unwrap(), rows.len() as u64);
    assert_eq!(read(&exported(&other)), read(&rows));

    let back = Place::new();
    assert_eq!(imported(&back.store, &exported(&other)).unwrap(), rows.len() as u64);
    assert_eq!(read(&exported(&back.store)), read(&rows));

    // They go on as the ones that they were made of would.
    let fork = place.fork(9).id;
    assert_eq!(back.fork(9).id, fork);
    for store in [store as &dyn Store, &back.store] {
        let of_before = store.forks(&forks::ForkQuery { owner: None, after: None, limit: 10 }).unwrap();
        let one = of_before.iter().find(|fork| fork.head.get() == 301).unwrap();
        let path = store.path(&one.id, Seq::BASE, one.head).unwrap();
        assert_eq!(path.len(), 299);
        append(store, &one.id, 301, "next").unwrap();
        assert_eq!(store.fork(&one.id).unwrap().head, Seq::new(302));
        let named: Checkpoint = store.checkpoint(&one.id, &"one".parse().unwrap()).unwrap();
        assert_eq!(named.seq, Seq::new(301));
        let version = SavedVersion {
            path: "new.xlsx".to_owned(),
            digest: Digest::of(&[3]),
            size: 1,
            saved_at: 10,
            fork: None,
            seq: Seq::new(1),
            became: None,
        };
        assert_eq!(store.add_version(&version).unwrap().kept.number, 4);
        assert_eq!(store.count_forks().unwrap(), 4);
    }
}

#[test]
fn rows_come_into_an_empty_store_all_or_none() {
    let place = Place::new();
    place.fork(1);
    let rows = exported(&place.store);
    let told = refusal(imported(&place.store, &rows));
    assert!(told.starts_with("there is a state with forks already"), "{told}");
    let empty = Place::new();
    for wrong in [("nowhere".to_owned(), "{}".to_owned()), ("forks".to_owned(), "{\"id\": null}".to_owned())]
    {
        let mut rows = rows.clone();
        rows.push(wrong);
        imported(&empty.store, &rows).unwrap_err();
        assert_eq!(exported(&empty.store), Rows::new());
        assert_eq!(empty.store.count_forks().unwrap(), 0);
    }
    imported(&empty.store, &rows).unwrap();
}
