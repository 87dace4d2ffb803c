//! SIGTERM while fifty clients call: who was taken gets an answer, who comes later is told to come again, and who balances load
//! knows before.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    processes::wait_for,
    program::{Place, Server, fork_of, set, values},
};

const CLIENTS: usize = 50;
/// Calls that are answered before the signal comes.
const WARM_UP: usize = 150;
const LIMIT: Duration = Duration::from_secs(60);

/// A client that keeps its connection, as clients do.
struct Caller {
    http: reqwest::Client,
    url: String,
    fork: String,
    edits: u64,
}

/// How the last call of a client ended.
#[derive(Debug)]
enum Last {
    /// It was told to come again.
    Refused(Instant),
    /// The server was gone already.
    Gone,
}

impl Caller {
    async fn call(&self, tool: &str, arguments: Value) -> Result<Value, Last> {
        let request = json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool, "arguments": arguments }
        });
        let sent = self
            .http
            .post(&self.url)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25")
            .body(request.to_string())
            .send()
            .await;
        let answer = match sent {
            Ok(answer) => answer,
            // Nothing of an answer came: that is only so where nobody listens any more.
            Err(_) => return Err(Last::Gone),
        };
        let status = answer.status().as_u16();
        let after = answer.headers().get("retry-after").cloned();
        let body: Value = serde_json::from_str(&answer.text().await.expect("a whole answer")).expect("json");
        if status == 503 {
            assert_eq!(body["error"]["code"], "shutting_down", "{body}");
            assert!(body["error"]["hint"].is_string(), "{body}");
            assert_eq!(after.expect("Retry-After"), "1");
            return Err(Last::Refused(Instant::now()));
        }
        assert_eq!((status, &body["result"]["isError"]), (200, &json!(false)), "{tool}: {body}");
        Ok(body["result"]["structuredContent"].clone())
    }

    /// Reads and writes until it is refused.
    async fn call_on(&mut self, number: usize, answered: &AtomicUsize) -> Last {
        loop {
            let row = number + 1;
            let read = json!({ "workbook": "book.xlsx", "ranges": [format!("Data!C{row}:H{row}")] });
            match self.call("read_range", read).await {
                Ok(answer) => {
                    let expected: Vec<usize> = (2..8).map(|col| number * 7 + col).collect();
                    assert_eq!(answer["ranges"][0]["values"], json!([expected]));
                }
                Err(last) => return last,
            }
            let cell = format!("A{}", self.edits + 1);
            match self.call("edit_cells", set(&self.fork, &cell, self.edits + 1)).await {
                Ok(answer) => assert_eq!(answer["head"], self.edits + 1, "{answer}"),
                Err(last) => return last,
            }
            self.edits += 1;
            answered.fetch_add(2, Ordering::Relaxed);
        }
    }
}

/// When the server first said that it is not ready.
async fn not_ready(http: reqwest::Client, url: String) -> Instant {
    loop {
        match http.get(&url).send().await {
            Ok(answer) if answer.status().as_u16() == 503 => return Instant::now(),
            Ok(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            Err(error) => panic!("it is gone and never said so: {error}"),
        }
    }
}

fn serve(place: &Place) -> Server {
    place.serve(&["--drain-delay-ms", "2000", "--drain-timeout-ms", &LIMIT.as_millis().to_string()])
}

#[test]
fn no_call_of_fifty_clients_is_lost() {
    server::outbound::install_crypto();
    let place = Place::new();
    place.write_long_workbook("book.xlsx", 200);
    let server = serve(&place);
    let forks: Vec<String> = (0..CLIENTS).map(|_| fork_of(server.call("create_fork", &json!({})))).collect();
    let address = server.client().address;
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let answered = Arc::<AtomicUsize>::default();
    let calling: Vec<_> = forks
        .into_iter()
        .enumerate()
        .map(|(number, fork)| {
            let http = reqwest::Client::builder().no_proxy().timeout(LIMIT).build().expect("a client");
            let url = format!("http://{address}/mcp");
            let answered = Arc::clone(&answered);
            runtime.spawn(async move {
                let mut caller = Caller { http, url, fork, edits: 0 };
                let last = caller.call_on(number, &answered).await;
                (caller, last)
            })
        })
        .collect();
    let prober = reqwest::Client::builder().no_proxy().build().expect("a client");
    let probing = runtime.spawn(not_ready(prober, format!("http://{address}/health/ready")));

    wait_for("nobody is answered", || answered.load(Ordering::Relaxed) >= WARM_UP);
    let signalled = Instant::now();
    server.terminate();
    let callers: Vec<(Caller, Last)> =
        calling.into_iter().map(|call| runtime.block_on(call).expect("no panic")).collect();
    let told = runtime.block_on(probing).expect("no panic");
    let (code, log) = server.ended();
    let took = signalled.elapsed();
    assert_eq!(code, Some(0), "{log}");
    assert!(took < LIMIT, "{took:?}");

    let refusals: Vec<Instant> = callers
        .iter()
        .filter_map(|(_, last)| match last {
            Last::Refused(at) => Some(*at),
            Last::Gone => None,
        })
        .collect();
    let first = refusals.iter().min().expect("somebody is refused");
    assert!(told < *first, "a call was refused {:?} before readiness turned", told.duration_since(*first));
    println!(
        "{} calls answered; of {CLIENTS} clients {} were told to come again, {} found nobody; ended within {took:?}",
        answered.load(Ordering::Relaxed),
        refusals.len(),
        CLIENTS - refusals.len()
    );

    // What was answered was done, and nothing was done that was not answered.
    let server = place.serve(&[]);
    for (caller, _) in callers {
        let range = format!("A1:A{}", caller.edits + 2);
        let read = server.call("read_range", &json!({ "workbook": caller.fork, "ranges": [range] }));
        let kept = values(read).iter().flatten().filter(|value| !value.is_null()).count() as u64;
        assert_eq!(kept, caller.edits);
    }
}

#[test]
fn a_stream_ends_with_its_answer() {
    server::outbound::install_crypto();
    let place = Place::new();
    place.write_slow_workbook("slow.xlsx");
    let server = place.serve(&["--tool-timeout-ms", "4000"]);
    let fork = fork_of(server.call("create_fork", &json!({ "workbook": "slow.xlsx" })));
    let request = json!({
        "jsonrpc": "2.0", "id": 7, "method": "tools/call",
        "params": { "name": "recalculate", "arguments": { "workbook": fork }, "_meta": { "progressToken": "p" } },
    });
    let url = format!("http://{}/mcp", server.client().address);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let http = reqwest::Client::builder().no_proxy().timeout(LIMIT).build().expect("a client");
        let answer = http
            .post(url)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25")
            .body(request.to_string())
            .send()
            .await
            .expect("it begins to answer");
        let kind = answer.headers()["content-type"].to_str().expect("text").to_owned();
        assert!(kind.starts_with("text/event-stream"), "{kind}");
        server.terminate();
        // A stream that is cut off is an error here: it has to end by itself.
        let events = answer.text().await.expect("a whole stream");
        let messages: Vec<Value> = events
            .lines()
            .filter_map(|line| line.strip_prefix("data:"))
            .map(|data| serde_json::from_str(data.trim()).expect("json"))
            .collect();
        let (last, before) = messages.split_last().expect("messages");
        assert_eq!(before[0]["method"], "notifications/progress");
        assert_eq!(last["id"], 7, "{last}");
        assert_eq!(last["result"]["structuredContent"]["error"]["code"], "timeout", "{last}");
    });
    let (code, log) = server.ended();
    assert_eq!(code, Some(0), "{log}");
}
