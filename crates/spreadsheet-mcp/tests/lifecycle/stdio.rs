//! A client over standard streams that leaves, and one whose server is ended: what was asked is answered.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::{Value, json};

use crate::{
    processes::{below, wait_for},
    program::Place,
};

struct Session {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Session {
    fn start(place: &Place, flags: &[&str]) -> Session {
        let mut child = Command::new(env!("CARGO_BIN_EXE_spreadsheet-mcp"))
            .args(["serve", "--transport", "stdio", "--workspace"])
            .arg(&place.workspace)
            .arg("--state-dir")
            .arg(&place.state)
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let (input, output) = (child.stdin.take(), child.stdout.take().expect("its output"));
        let mut session = Session { child, input, output: BufReader::new(output) };
        let client = json!({ "name": "test", "version": "1" });
        let params = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client });
        session.send(&json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params }));
        session.next().expect("an answer");
        session.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        session
    }

    fn send(&mut self, message: &Value) {
        let input = self.input.as_mut().expect("it is open");
        input.write_all(format!("{message}\n").as_bytes()).expect("written");
    }

    fn call(&mut self, id: u64, tool: &str, arguments: &Value) {
        let params = json!({ "name": tool, "arguments": arguments });
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }));
    }

    /// The next answer; none at the end.
    fn next(&mut self) -> Option<Value> {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("text");
        (!line.is_empty()).then(|| serde_json::from_str(&line).expect("json"))
    }

    fn ask(&mut self, tool: &str, arguments: &Value) -> Value {
        self.call(1, tool, arguments);
        self.next().expect("an answer")["result"]["structuredContent"].clone()
    }

    /// Asks for a calculation that goes on until its time is up.
    fn call_endless(&mut self, id: u64) {
        let fork = self.ask("create_fork", &json!({ "sheets": ["Data"] }))["fork"].clone();
        let endless = "=REDUCE(0,SEQUENCE(100000),LAMBDA(a,b,a+SUM(SEQUENCE(100000))))";
        let ops = json!([{ "op": "set", "range": "Data!A1", "values": [[endless]] }]);
        self.ask("edit_cells", &json!({ "workbook": fork, "ops": ops }));
        self.call(id, "recalculate", &json!({ "workbook": fork, "engine": "ironcalc" }));
    }

    fn terminate(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()));
    }

    /// The answers that are left, by their ids, and the exit code.
    fn end(mut self) -> (Vec<(u64, Value)>, Option<i32>) {
        let mut answers = Vec::new();
        while let Some(answer) = self.next() {
            answers
                .push((answer["id"].as_u64().expect("an id"), answer["result"]["structuredContent"].clone()));
        }
        answers.sort_by_key(|(id, _)| *id);
        (answers, self.child.wait().expect("ended").code())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _already_ended = self.child.kill();
        let _status = self.child.wait();
    }
}

fn place() -> Place {
    let place = Place::new();
    std::fs::write(place.file("sales.csv"), "region,amount\nnorth,1\n").expect("written");
    place
}

#[test]
fn who_asks_and_closes_its_end_is_answered() {
    let place = place();
    // Longer than the protocol's library would wait.
    let mut session = Session::start(&place, &["--tool-timeout-ms", "8000"]);
    session.call_endless(100);
    for id in 2..20 {
        session.call(id, "read_range", &json!({ "workbook": "sales.csv", "ranges": ["B2"] }));
    }
    session.input.take();
    let (answers, code) = session.end();
    let ids: Vec<u64> = answers.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, (2..20).chain([100]).collect::<Vec<u64>>());
    assert_eq!(answers[0].1["ranges"][0]["values"], json!([[1]]));
    assert_eq!(answers[18].1["error"]["code"], "timeout");
    assert_eq!(code, Some(0));
}

#[test]
fn what_was_withdrawn_is_not_waited_for() {
    let place = place();
    let mut session = Session::start(&place, &["--tool-timeout-ms", "600000"]);
    session.call_endless(100);
    let id = session.child.id();
    wait_for("nothing is computed", || !below(id).is_empty());
    session.send(
        &json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 100 } }),
    );
    session.input.take();
    let (answers, code) = session.end();
    assert_eq!((answers, code), (Vec::new(), Some(0)));
}

#[test]
fn a_signal_lets_calls_in_flight_be_answered_and_refuses_others() {
    let place = place();
    let mut session = Session::start(&place, &["--tool-timeout-ms", "8000"]);
    session.call_endless(100);
    let id = session.child.id();
    wait_for("nothing is computed", || !below(id).is_empty());
    session.terminate();
    let mut refused = false;
    let mut answered = 0;
    for id in 2..2_000 {
        session.call(id, "list_workbooks", &json!({}));
        let answer = session.next().expect("an answer");
        assert_eq!(answer["id"], id);
        if answer["result"]["structuredContent"]["error"]["code"] == "shutting_down" {
            refused = true;
            break;
        }
        answered += 1;
    }
    assert!(refused, "{answered} calls were taken after the signal");
    let (answers, code) = session.end();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!((answers[0].0, &answers[0].1["error"]["code"]), (100, &json!("timeout")));
    assert_eq!(code, Some(0));
}
