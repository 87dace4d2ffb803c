//! Clients that call everything at once, and go on through faults as clients should: again, under the same idempotency key.

use std::{
    collections::{BTreeMap, HashMap},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use fixtures::Sequence;
use history::{Answer, Nanos, Outcome, Seq, What};
use serde_json::{Value, json};

use crate::{
    caller::{Caller, Refusal, Told},
    cluster::Cluster,
    program::{fork_of, set},
    records::{Records, now},
    sheet,
};

/// How long a client goes on with one call.
const PATIENCE: Duration = Duration::from_secs(45);
/// Until it tries again.
const PAUSE: Duration = Duration::from_millis(50);

/// Who calls, and on what.
pub(crate) struct Load {
    pub(crate) forks: Vec<String>,
    pub(crate) callers: Vec<Box<dyn Caller>>,
    /// Whether clients also have forks of their own, which takes a server that is there.
    pub(crate) has_private_forks: bool,
}

impl Load {
    /// So many clients of the balancer, every fourth of the SDK, on new forks.
    pub(crate) fn of(cluster: &Cluster, forks: usize, clients: usize) -> Load {
        sheet::write(&cluster.workspace, sheet::NAME, "row");
        let mut first = cluster.plain();
        let mut new = || fork_of(Ok(first.call("create_fork", &json!({ "workbook": sheet::NAME })).done()));
        let forks = (0..forks).map(|_| new()).collect();
        let caller = |number: usize| -> Box<dyn Caller> {
            match number % 4 {
                3 => Box::new(cluster.sdk()),
                _ => Box::new(cluster.plain()),
            }
        };
        Load { forks, callers: (0..clients).map(caller).collect(), has_private_forks: false }
    }

    /// Lets clients call until what happens meanwhile has happened.
    pub(crate) fn run<T>(self, meanwhile: impl FnOnce(&Progress) -> T) -> (Ran, T) {
        let progress = Progress::default();
        let begun = Instant::now();
        let (forks, has_private_forks) = (&self.forks, self.has_private_forks);
        std::thread::scope(|scope| {
            let progress = &progress;
            let clients: Vec<_> = self
                .callers
                .into_iter()
                .enumerate()
                .map(|(number, caller)| {
                    let client = Client {
                        number,
                        caller,
                        forks,
                        progress,
                        has_private_forks,
                        sequence: Sequence::new(number as u64),
                        edits: 0,
                        heads: HashMap::new(),
                        last: None,
                        ran: Ran::default(),
                    };
                    scope.spawn(move || {
                        let _over = Over(progress);
                        client.call_on()
                    })
                })
                .collect();
            let over = Over(progress);
            let happened = meanwhile(progress);
            drop(over);
            let mut ran = Ran::default();
            for client in clients {
                ran.join(client.join().expect("a client's calls are right"));
            }
            println!("{} in {:.1?}", ran.said(), begun.elapsed());
            (ran, happened)
        })
    }
}

/// How far the clients are.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    answered: AtomicU64,
    is_over: AtomicBool,
}

impl Progress {
    /// Calls that were answered so far.
    pub(crate) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Waits until so many calls more were answered.
    #[track_caller]
    pub(crate) fn wait_for(&self, calls: u64) {
        let (target, begun) = (self.answered() + calls, Instant::now());
        while self.answered() < target {
            assert!(!self.is_over.load(Ordering::Relaxed), "a client failed");
            assert!(begun.elapsed() < Duration::from_secs(300), "{} calls answered", self.answered());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Tells all clients to end, and who waits for them, also when somebody panics.
struct Over<'a>(&'a Progress);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

/// What clients did and saw.
#[derive(Default)]
pub(crate) struct Ran {
    pub(crate) records: Records,
    pub(crate) answered: u64,
    conflicts: u64,
    repeated: u64,
    /// What stood in the way of calls that went on: how often, by the error's code.
    pub(crate) troubles: BTreeMap<String, u64>,
    /// The first that was told of each.
    pub(crate) told: BTreeMap<String, String>,
    /// The longest that a call took with all its attempts.
    pub(crate) slowest: Duration,
}

impl Ran {
    fn join(&mut self, other: Ran) {
        self.records.join(other.records);
        self.answered += other.answered;
        self.conflicts += other.conflicts;
        self.repeated += other.repeated;
        for (code, count) in other.troubles {
            *self.troubles.entry(code).or_default() += count;
        }
        for (code, told) in other.told {
            self.told.entry(code).or_insert(told);
        }
        self.slowest = self.slowest.max(other.slowest);
    }

    fn said(&self) -> String {
        format!(
            "  {} calls answered, {} conflicts, {} calls repeated, troubles {:?}, the slowest call took {:.2?}",
            self.answered, self.conflicts, self.repeated, self.troubles, self.slowest
        )
    }

    fn trouble(&mut self, code: &str, told: String) {
        *self.troubles.entry(code.to_owned()).or_default() += 1;
        self.told.entry(code.to_owned()).or_insert(told);
    }

    /// Nothing else stood in the way of calls.
    #[track_caller]
    pub(crate) fn check_only(&self, expected: &[&str]) {
        let is_expected = |code: &String| expected.contains(&code.as_str());
        assert!(self.troubles.keys().all(is_expected), "{:#?}", self.told);
    }

    /// Nothing stood in the way of any call.
    #[track_caller]
    pub(crate) fn check_undisturbed(&self) {
        assert!(self.troubles.is_empty(), "{:#?}", self.told);
    }
}

/// How a call ended after all its attempts.
pub(crate) enum Ended {
    Done(Value),
    Refused,
    Unknown,
}

pub(crate) struct Client<'a> {
    pub(crate) number: usize,
    caller: Box<dyn Caller>,
    forks: &'a [String],
    progress: &'a Progress,
    has_private_forks: bool,
    sequence: Sequence,
    pub(crate) edits: u64,
    /// The newest head of each fork that it was told.
    heads: HashMap<&'a str, Seq>,
    /// The edit that was acknowledged last: its fork, mark and call.
    last: Option<(&'a str, String, Value)>,
    ran: Ran,
}

/// Errors after which the same call would fail again. Nothing was changed.
fn is_final(refusal: &Refusal) -> bool {
    match refusal.code.as_str() {
        "conflict" => true,
        "busy" | "rate_limited" | "short_of_memory" | "shutting_down" | "storage_full"
        | "state_unavailable" | "file_unreadable" | "timeout" => false,
        _ => panic!("{refusal:?}"),
    }
}

/// Errors after which the call may have been done nevertheless.
fn is_uncertain(refusal: &Refusal) -> bool {
    refusal.code == "timeout" || refusal.message.contains("may have been made")
}

impl<'a> Client<'a> {
    fn call_on(mut self) -> Ran {
        while !self.progress.is_over.load(Ordering::Relaxed) {
            let forks = self.forks;
            let fork = self.sequence.pick(forks).as_str();
            match self.sequence.below(100) {
                0..40 => self.edit(fork, None),
                40..48 => self.edit(fork, self.heads.get(fork).copied()),
                48..54 => self.repeat(),
                54..80 => self.read_range(fork),
                80..86 => self.read_table(fork),
                86..90 => self.name_state(fork),
                90..93 => self.list_forks(),
                93..96 => self.recalculate(fork),
                96.. if self.has_private_forks => self.use_own_fork(),
                96.. => self.history(fork),
            }
        }
        self.ran
    }

    /// Calls until there is an answer that settles it.
    pub(crate) fn insist(&mut self, tool: &str, arguments: &Value) -> Ended {
        let (begun, mut is_unknown) = (Instant::now(), false);
        let ended = loop {
            match self.caller.call(tool, arguments) {
                Told::Done(answer) => break Ended::Done(answer),
                Told::Refused(refusal) if is_final(&refusal) => {
                    self.ran.conflicts += 1;
                    if arguments.get("expected_head").is_none() {
                        self.ran.trouble("conflict", format!("{tool}: {refusal:?}"));
                    }
                    break if is_unknown { Ended::Unknown } else { Ended::Refused };
                }
                Told::Refused(refusal) => {
                    is_unknown |= is_uncertain(&refusal);
                    self.ran.trouble(&refusal.code, format!("{tool}: {refusal:?}"));
                }
                Told::Lost(why) => {
                    is_unknown = true;
                    self.ran.trouble("lost", format!("{tool}: {why}"));
                }
            }
            if begun.elapsed() > PATIENCE {
                break if is_unknown { Ended::Unknown } else { Ended::Refused };
            }
            std::thread::sleep(PAUSE);
        };
        self.ran.slowest = self.ran.slowest.max(begun.elapsed());
        self.ran.answered += 1;
        self.progress.answered.fetch_add(1, Ordering::Relaxed);
        ended
    }

    /// The error of a call that fails.
    pub(crate) fn refusal(&mut self, tool: &str, arguments: &Value) -> Refusal {
        self.caller.call(tool, arguments).refused()
    }

    /// What stood in the way so far.
    pub(crate) fn told(&self) -> &BTreeMap<String, String> {
        &self.ran.told
    }

    fn edit(&mut self, fork: &'a str, expected: Option<Seq>) {
        self.edits += 1;
        let mark = format!("c{}-{}", self.number, self.edits);
        let cell = sheet::cell(&mut self.sequence);
        let mut arguments = set(fork, &format!("Data!{cell}"), mark.clone());
        arguments["idempotency_key"] = json!(mark);
        if let Some(expected) = expected {
            arguments["expected_head"] = json!(expected);
        }
        let begun = now();
        let outcome = match self.insist("edit_cells", &arguments) {
            Ended::Done(answer) => {
                let seq = head_of(&answer);
                self.heads.insert(fork, seq);
                self.last = Some((fork, mark.clone(), arguments));
                Outcome::Done(vec![Answer { seq, text: answer.to_string() }])
            }
            Ended::Refused => {
                // Whoever is told of a conflict looks before trying again.
                self.heads.remove(fork);
                Outcome::Refused
            }
            Ended::Unknown => Outcome::Unknown,
        };
        self.ran.records.add(fork, self.number, begun, What::Edit { mark, expected, outcome });
    }

    /// Sends a call again that was answered, as a client does that lost the answer.
    fn repeat(&mut self) {
        let Some((fork, mark, arguments)) = self.last.clone() else { return };
        if let Ended::Done(answer) = self.insist("edit_cells", &arguments) {
            self.ran.repeated += 1;
            let again = Answer { seq: head_of(&answer), text: answer.to_string() };
            self.ran.records.answers(fork, &mark).expect("it was answered before").push(again);
        }
    }

    fn saw(&mut self, fork: &str, begun: Nanos, head: Option<Seq>, cells: Vec<(String, Option<String>)>) {
        self.ran.records.add(fork, self.number, begun, What::Read { head, cells });
    }

    fn read_range(&mut self, fork: &'a str) {
        let begun = now();
        let asked = json!({ "workbook": fork, "ranges": [sheet::CELLS] });
        if let Ended::Done(answer) = self.insist("read_range", &asked) {
            self.saw(fork, begun, None, sheet::cells(&answer["ranges"][0]["values"]));
        }
    }

    fn read_table(&mut self, fork: &'a str) {
        let begun = now();
        let asked = json!({ "workbook": fork, "range": sheet::TABLE, "header_rows": 1, "limit": 100 });
        if let Ended::Done(answer) = self.insist("read_table", &asked) {
            self.saw(fork, begun, None, sheet::cells(&answer["rows"]));
        }
    }

    fn name_state(&mut self, fork: &'a str) {
        self.edits += 1;
        let name = format!("c{}-{}", self.number, self.edits);
        let begun = now();
        let asked = json!({ "fork": fork, "action": "create", "name": name });
        // A name can be given once, so that this is not tried again.
        let told = match self.caller.call("checkpoint", &asked) {
            Told::Done(answer) => Some(answer),
            Told::Refused(refusal) => {
                self.ran.trouble(&refusal.code, format!("checkpoint: {refusal:?}"));
                None
            }
            Told::Lost(why) => {
                self.ran.trouble("lost", why);
                None
            }
        };
        let Some(answer) = told else { return };
        let seq = head_of(&answer);
        self.saw(fork, begun, Some(seq), Vec::new());
        let begun = now();
        let state = json!({ "workbook": format!("{fork}@{name}"), "ranges": [sheet::CELLS] });
        if let Ended::Done(answer) = self.insist("read_range", &state) {
            let cells = sheet::cells(&answer["ranges"][0]["values"]);
            self.ran.records.add(fork, self.number, begun, What::Past { seq, cells });
        }
    }

    fn history(&mut self, fork: &'a str) {
        let begun = now();
        if let Ended::Done(answer) = self.insist("checkpoint", &json!({ "fork": fork, "action": "list" })) {
            let head = head_of(&answer);
            if let Some(newest) = answer["history"].get(0) {
                assert_eq!(newest["head"], head, "{answer}");
            }
            self.saw(fork, begun, Some(head), Vec::new());
        }
    }

    fn list_forks(&mut self) {
        let begun = now();
        let Ended::Done(answer) = self.insist("list_forks", &json!({ "limit": 200 })) else { return };
        for fork in answer["forks"].as_array().expect("forks") {
            let id = fork["fork"].as_str().expect("an id");
            if let Some(known) = self.forks.iter().find(|known| *known == id) {
                self.saw(known, begun, Some(head_of(fork)), Vec::new());
            }
        }
    }

    fn recalculate(&mut self, fork: &'a str) {
        self.edits += 1;
        let key = format!("c{}-{}", self.number, self.edits);
        let begun = now();
        let asked = json!({ "workbook": fork, "idempotency_key": key });
        let head = match self.insist("recalculate", &asked) {
            Ended::Done(answer) => Some(head_of(&answer)),
            Ended::Refused | Ended::Unknown => None,
        };
        self.ran.records.add(fork, self.number, begun, What::Compute(head));
    }
}

pub(crate) fn head_of(answer: &Value) -> Seq {
    answer["head"].as_u64().unwrap_or_else(|| panic!("no head: {answer}"))
}
