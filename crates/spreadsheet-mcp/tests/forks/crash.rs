//! A server that is killed at any moment: what it acknowledged is there after its restart, and no fork is damaged.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::program::{Client, Place, fork_of, set, values};

const KILLS: u64 = 200;
/// Kills that one fork has to survive, before the next fork is written to.
const KILLS_OF_A_FORK: u64 = 40;
/// How long it may write before it is killed.
const MAX_DELAY: Duration = Duration::from_millis(120);

/// The delays are the same in every run.
pub(crate) struct Delays(u64);

impl Delays {
    pub(crate) fn new(seed: u64) -> Delays {
        Delays(seed)
    }

    pub(crate) fn below(&mut self, longest: Duration) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        longest.mul_f64((self.0 >> 33) as f64 / f64::from(1_u32 << 31))
    }
}

/// A fork whose column A holds 1, 2, 3, …: one edit each.
struct Column {
    fork: String,
    kept: u64,
}

impl Column {
    /// The next edit. Its key is the same for as long as it is not acknowledged.
    fn next_edit(&self) -> Value {
        let number = self.kept + 1;
        let mut arguments = set(&self.fork, &format!("A{number}"), number);
        arguments["idempotency_key"] = json!(format!("edit-{number}"));
        arguments
    }

    /// Writes until the server dies. Gives how many edits it acknowledged.
    fn write(&mut self, client: &Client) -> u64 {
        let before = self.kept;
        while let Ok(told) = client.try_call("edit_cells", &self.next_edit()) {
            let answer = told.expect("an edit is applied");
            self.kept += 1;
            assert_eq!(answer["head"], self.kept, "{answer}");
        }
        self.kept - before
    }

    /// Everything that was acknowledged is there, and at most one edit more. Gives whether that is.
    fn check(&self, client: &Client, workbook: &str) -> bool {
        let range = format!("A1:A{}", self.kept + 2);
        let read = values(client.call("read_range", &json!({ "workbook": workbook, "ranges": [range] })));
        let mut cells: Vec<Value> =
            read.into_iter().map(|row| row.into_iter().next().unwrap_or_default()).collect();
        while cells.last().is_some_and(Value::is_null) {
            cells.pop();
        }
        let count = cells.len() as u64;
        assert!(
            (self.kept..=self.kept + 1).contains(&count),
            "{} acknowledged, {count} in {workbook}",
            self.kept
        );
        let expected: Vec<Value> = (1..=count).map(Value::from).collect();
        assert!(cells == expected, "{workbook}: {cells:?}");
        count > self.kept
    }

    /// Finds out what became of the edit that nobody heard of: by calling again, or by looking.
    fn settle(&mut self, client: &Client, is_kept: bool, calls_again: bool) {
        if calls_again {
            let answer = client.call("edit_cells", &self.next_edit()).expect("applied, or told again");
            assert_eq!(answer["head"], self.kept + 1, "an edit is not applied twice");
            self.kept += 1;
        } else if is_kept {
            self.kept += 1;
        }
    }
}

#[test]
fn acknowledged_edits_survive_200_kills() {
    let place = Place::new();
    let mut delays = Delays::new(20_260_731);
    let (mut acknowledged, mut kept_unheard) = (0, 0);
    let mut columns: Vec<Column> = Vec::new();
    let start = Instant::now();
    let mut server = place.serve(&[]);
    for kill in 0..KILLS {
        if kill % KILLS_OF_A_FORK == 0 {
            let fork = fork_of(server.call("create_fork", &json!({})));
            columns.push(Column { fork, kept: 0 });
        }
        let column = columns.last_mut().expect("there is one");
        let (client, delay) = (server.client(), delays.below(MAX_DELAY));
        acknowledged += std::thread::scope(|scope| {
            scope.spawn(move || {
                std::thread::sleep(delay);
                server.kill();
            });
            column.write(&client)
        });

        server = place.serve(&[]);
        let client = server.client();
        let is_kept = column.check(&client, &column.fork);
        kept_unheard += u64::from(is_kept);
        column.settle(&client, is_kept, kill % 2 == 0);
    }
    let elapsed = start.elapsed();
    println!("{KILLS} kills in {elapsed:?}: {acknowledged} edits acknowledged, {kept_unheard} kept unheard");
    assert!(acknowledged > KILLS, "most kills came before anything was written");

    let client = server.client();
    for (number, column) in columns.iter().enumerate() {
        let path = format!("saved{number}.xlsx");
        let saved = client.call("save_fork", &json!({ "fork": column.fork, "path": path })).expect("saved");
        assert_eq!(saved["head"], column.kept);
        for workbook in [&column.fork, &path] {
            assert!(!column.check(&client, workbook), "nothing is left in flight");
        }
    }
}
