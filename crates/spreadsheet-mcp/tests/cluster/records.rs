//! What clients did and saw, as the checker wants it, and the logs to hold it against.

use std::collections::{BTreeMap, HashSet};

use forks::{ForkId, Seq, Store};
use history::{Call, Entry, Nanos, Outcome, Span, What, check};
use serde_json::Value;

/// Calls by their forks.
#[derive(Default)]
pub(crate) struct Records {
    calls: BTreeMap<String, Vec<Call>>,
}

/// The time, the same for all processes of this machine.
pub(crate) fn now() -> Nanos {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a value of ours that is written to during the call alone.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    assert_eq!(failed, 0, "there is such a clock");
    u64::try_from(time.tv_sec).expect("a time") * 1_000_000_000 + u64::try_from(time.tv_nsec).expect("a time")
}

impl Records {
    pub(crate) fn add(&mut self, fork: &str, client: usize, begun: Nanos, what: What) {
        self.add_call(fork, Call { client, span: Span { begun, ended: now() }, what });
    }

    pub(crate) fn add_call(&mut self, fork: &str, call: Call) {
        self.calls.entry(fork.to_owned()).or_default().push(call);
    }

    /// The newest acknowledged edit of that mark: its answers, to add one.
    pub(crate) fn answers(&mut self, fork: &str, mark: &str) -> Option<&mut Vec<history::Answer>> {
        self.calls.get_mut(fork)?.iter_mut().rev().find_map(|call| match &mut call.what {
            What::Edit { mark: known, outcome: Outcome::Done(answers), .. } if known == mark => Some(answers),
            _ => None,
        })
    }

    pub(crate) fn join(&mut self, other: Records) {
        for (fork, calls) in other.calls {
            self.calls.entry(fork).or_default().extend(calls);
        }
    }

    /// How many edits did not get through that could have at any state of their fork: nobody knows their end. One that expects a
    /// state may find another one when it is sent again.
    pub(crate) fn unsettled(&self) -> usize {
        let is_unsettled = |call: &&Call| {
            matches!(
                &call.what,
                What::Edit { expected: None, outcome: Outcome::Unknown | Outcome::Refused, .. }
            )
        };
        self.calls.values().flatten().filter(is_unsettled).count()
    }

    fn unknown(&self) -> usize {
        let is_unknown = |call: &&Call| matches!(&call.what, What::Edit { outcome: Outcome::Unknown, .. });
        self.calls.values().flatten().filter(is_unknown).count()
    }

    /// How many edits were acknowledged.
    pub(crate) fn acknowledged(&self) -> usize {
        let is_done = |call: &&Call| matches!(&call.what, What::Edit { outcome: Outcome::Done(_), .. });
        self.calls.values().flatten().filter(is_done).count()
    }

    /// Holds them against what the store has. Panics with everything that has no explanation.
    #[track_caller]
    pub(crate) fn check(&self, store: &dyn Store) {
        let (mut entries, mut calls) = (0, 0);
        for (fork, told) in &self.calls {
            let log = log(store, fork);
            let anomalies = check(&log, told);
            let said: Vec<String> = anomalies.iter().take(20).map(ToString::to_string).collect();
            assert!(anomalies.is_empty(), "{fork}: {} anomalies: {said:#?}", anomalies.len());
            entries += log.len();
            calls += told.len();
        }
        println!(
            "  {} forks, {entries} entries in their logs, {calls} calls checked, {} edits acknowledged, {} of unknown end: no anomaly",
            self.calls.len(),
            self.acknowledged(),
            self.unknown()
        );
    }
}

/// The log of a fork that nobody moved the head of.
fn log(store: &dyn Store, fork: &str) -> Vec<Entry> {
    let id: ForkId = fork.parse().expect("an id");
    let head = store.fork(&id).expect("the fork").head;
    let path = store.path(&id, Seq::BASE, head).expect("its log");
    path.into_iter()
        .map(|entry| {
            let (mark, cells) = written(&entry.payload);
            Entry { seq: entry.summary.seq.get(), parent: entry.summary.parent.get(), mark, cells }
        })
        .collect()
}

/// What an entry wrote, and where. Results of formulas are written by no client.
fn written(payload: &str) -> (Option<String>, Vec<String>) {
    let payload: Value = serde_json::from_str(payload).expect("json");
    let (mut marks, mut cells) = (HashSet::new(), Vec::new());
    for op in payload["ops"].as_array().expect("edits") {
        if op["op"] != "set" {
            continue;
        }
        let range = op["range"].as_str().expect("an address");
        cells.push(range.rsplit('!').next().unwrap_or(range).replace('$', ""));
        let mark = op["values"][0][0].as_str().unwrap_or_else(|| panic!("no mark: {op}"));
        marks.insert(mark.to_owned());
    }
    assert!(marks.len() <= 1, "an entry has one mark: {marks:?}");
    (marks.into_iter().next(), cells)
}
