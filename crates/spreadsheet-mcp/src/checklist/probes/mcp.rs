//! Calls over MCP, as a client makes them: Streamable HTTP of the revision 2025-06-18
//! (<https://modelcontextprotocol.io/specification/2025-06-18/basic/transports>).

use std::{
    io::{BufReader, Read as _},
    time::Instant,
};

use checklist::{context::Finding, rule::Rule};
use reqwest::{
    StatusCode,
    blocking::Response,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    ServiceProbes,
    question::{Found, LARGEST, Question, below, check_rules, text},
};

/// The revision that is asked for.
const REVISION: &str = "2025-06-18";

/// Names the session, where a server keeps any.
const SESSION: &str = "mcp-session-id";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    tool: String,
    #[serde(default = "nothing")]
    arguments: Value,
    #[serde(default)]
    rules: Vec<Rule>,
}

fn nothing() -> Value {
    json!({})
}

/// `mcp-call`: a tool answers, and its structured answer fulfils rules.
pub(super) fn call(_: &ServiceProbes, question: &Question<'_>) -> Found {
    let Call { tool, arguments, rules } = question.told("tool, arguments and rules")?;
    let began = Instant::now();
    let mut client = Client::new(question)?;
    client.initialize()?;
    let params = json!({ "name": tool, "arguments": arguments });
    let result = client.ask("tools/call", &params)?;
    let content = content_of(&result);
    if result["isError"] == json!(true) {
        let code = content["error"]["code"].as_str().unwrap_or("no code");
        return Ok(Finding::fail(format!("{tool} fails with {code}, and has to answer")));
    }
    check_rules(&content, &rules, &format!("the answer of {tool}"))?;
    let took = began.elapsed().as_millis();
    Ok(Finding::pass(format!("{tool} answers as it has to")).with([format!("it took {took} ms")]))
}

/// `mcp-refused`: who does not say who calls is not let in, and is told how to be.
pub(super) fn refused(_: &ServiceProbes, question: &Question<'_>) -> Found {
    question.told_nothing()?;
    let client = Client { authorization: None, ..Client::new(question)? };
    let answer = client.send(&client.request("initialize", &hello()))?;
    let status = answer.status();
    let challenge = answer.headers().get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
    Ok(match challenge.filter(|_| status == StatusCode::UNAUTHORIZED) {
        Some(challenge) => Finding::pass("a call without credentials is refused with 401")
            .with([format!("WWW-Authenticate: {challenge}")]),
        None if status == StatusCode::UNAUTHORIZED => {
            Finding::fail("a call without credentials is refused without the header WWW-Authenticate")
        }
        None => Finding::fail(format!(
            "a call without credentials is answered with {status}, and has to be refused with 401"
        )),
    })
}

/// What a client begins with.
fn hello() -> Value {
    let client = json!({ "name": "spreadsheet-mcp checklist", "version": env!("CARGO_PKG_VERSION") });
    json!({ "protocolVersion": REVISION, "capabilities": {}, "clientInfo": client })
}

/// The structured answer, or the text that is the same.
fn content_of(result: &Value) -> Value {
    if let Some(content) = result.get("structuredContent") {
        return content.clone();
    }
    let text = result["content"][0]["text"].as_str().unwrap_or_default();
    serde_json::from_str(text).unwrap_or_default()
}

struct Client<'a> {
    question: &'a Question<'a>,
    url: String,
    authorization: Option<&'a str>,
    /// When it has to have ended.
    deadline: Instant,
    /// What the server answered to the first message with.
    session: Option<String>,
    revision: Option<String>,
    asked: u64,
}

impl<'a> Client<'a> {
    fn new(question: &'a Question<'a>) -> Result<Client<'a>, Finding> {
        Ok(Client {
            url: below(question.endpoint("mcp")?, "/mcp"),
            authorization: question.context.authorization.as_deref(),
            deadline: Instant::now() + question.context.timeout,
            question,
            session: None,
            revision: None,
            asked: 0,
        })
    }

    fn initialize(&mut self) -> Result<(), Finding> {
        let answer = self.send(&self.request("initialize", &hello()))?;
        self.session = answer.headers().get(SESSION).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let result = self.result(answer, "initialize")?;
        self.revision = result["protocolVersion"].as_str().map(str::to_owned);
        if self.revision.is_none() {
            return Err(Finding::fail("the server does not answer to initialize as a server of MCP does"));
        }
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).map(drop)
    }

    fn ask(&mut self, method: &str, params: &Value) -> Result<Value, Finding> {
        self.asked += 1;
        let answer = self.send(&self.request(method, params))?;
        self.result(answer, method)
    }

    fn request(&self, method: &str, params: &Value) -> Value {
        json!({ "jsonrpc": "2.0", "id": self.asked, "method": method, "params": params })
    }

    fn send(&self, message: &Value) -> Result<Response, Finding> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let mut request = self.question.context.client.post(&self.url).timeout(left);
        request = request
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json, text/event-stream")
            .body(message.to_string());
        let headers = [
            (AUTHORIZATION.as_str(), self.authorization),
            (SESSION, self.session.as_deref()),
            ("mcp-protocol-version", self.revision.as_deref()),
        ];
        for (name, value) in headers {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        request.send().map_err(|error| Finding::unanswered("a call over MCP", &error))
    }

    /// The result in an answer, which comes as JSON or in a stream of events.
    fn result(&self, answer: Response, method: &str) -> Result<Value, Finding> {
        let status = answer.status();
        match status {
            StatusCode::UNAUTHORIZED if self.authorization.is_none() => {
                return Err(Finding::not_run("the run was not given credentials"));
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let what = "the credentials of the run are not taken";
                return Err(Finding::fail(format!("{what}: {method} is answered with {status}")));
            }
            _ if !status.is_success() => {
                return Err(Finding::fail(format!(
                    "{method} is answered with {status}, and has to be with 200"
                )));
            }
            _ => {}
        }
        let kind = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let message = match kind.is_some_and(|kind| kind.starts_with("text/event-stream")) {
            true => message_of(BufReader::new(answer.take(LARGEST as u64)), self.asked),
            false => serde_json::from_str(&text(answer, method)?).ok(),
        };
        let Some(mut message) = message else {
            return Err(Finding::fail(format!("the answer to {method} is no message of JSON-RPC")));
        };
        match message.get("error") {
            Some(error) => {
                Err(Finding::fail(format!("{method} is answered with the error {}", error["code"])))
            }
            None => Ok(message["result"].take()),
        }
    }
}

/// The answer to a request in a stream of events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).
fn message_of(events: impl std::io::BufRead, id: u64) -> Option<Value> {
    let mut data = String::new();
    for line in events.lines() {
        let line = line.ok()?;
        if let Some(more) = line.strip_prefix("data:") {
            data.push_str(more.strip_prefix(' ').unwrap_or(more));
            data.push('\n');
        } else if line.is_empty() {
            let message: Option<Value> = serde_json::from_str(&data).ok();
            if let Some(message) = message.filter(|message| message["id"] == json!(id)) {
                return Some(message);
            }
            data.clear();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_found_among_events() {
        let events = "id: 0\nretry: 3000\ndata:\n\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n\
                      : still here\ndata: {\"jsonrpc\":\"2.0\",\ndata: \"id\":1,\"result\":{\"a\":2}}\n\n";
        let message = message_of(events.as_bytes(), 1).expect("the answer");
        assert_eq!(message["result"]["a"], 2);
        assert_eq!(message_of(events.as_bytes(), 2), None);
    }

    #[test]
    fn answers_are_structured_or_text() {
        assert_eq!(content_of(&json!({ "structuredContent": { "a": 1 } })), json!({ "a": 1 }));
        assert_eq!(
            content_of(&json!({ "content": [{ "type": "text", "text": "{\"a\":1}" }] })),
            json!({ "a": 1 })
        );
    }
}
