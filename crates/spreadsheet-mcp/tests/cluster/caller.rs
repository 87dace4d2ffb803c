//! Clients of the replicas, and what they are told: plain JSON-RPC over one connection, and the SDK's own client.

use std::time::Duration;

use rmcp::{
    RoleClient, ServiceExt, model::CallToolRequestParams, service::RunningService,
    transport::StreamableHttpClientTransport,
};
use serde_json::{Value, json};
use tokio::runtime::Handle;

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(60);

/// How a call ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Told {
    /// It was answered.
    Done(Value),
    /// The server gave an error of its own.
    Refused(Refusal),
    /// No answer came, or one of somebody in between: nobody knows what became of the call.
    Lost(String),
}

/// An error that a tool gave.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) code: String,
    pub(crate) message: String,
    /// After how many seconds the same call may go through.
    pub(crate) retry_after: Option<u64>,
}

impl Refusal {
    fn of(error: &Value) -> Refusal {
        let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
        Refusal {
            code: text("code"),
            message: format!("{} ({})", text("message"), text("hint")),
            retry_after: error["retry_after_seconds"].as_u64(),
        }
    }
}

impl Told {
    /// The answer.
    #[track_caller]
    pub(crate) fn done(self) -> Value {
        match self {
            Told::Done(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    /// The server's error.
    #[track_caller]
    pub(crate) fn refused(self) -> Refusal {
        match self {
            Told::Refused(refusal) => refusal,
            other => panic!("{other:?}"),
        }
    }
}

/// Somebody who calls tools, one at a time.
pub(crate) trait Caller: Send {
    fn call(&mut self, tool: &str, arguments: &Value) -> Told;
}

/// One that does as little as a client can, and keeps its connection.
pub(crate) struct Plain {
    http: reqwest::blocking::Client,
    url: String,
}

impl Plain {
    pub(crate) fn new(port: u16) -> Plain {
        Plain::patient(port, LIMIT)
    }

    /// One that waits for answers for so long.
    pub(crate) fn patient(port: u16, limit: Duration) -> Plain {
        server::outbound::install_crypto();
        let http = reqwest::blocking::Client::builder().no_proxy().timeout(limit).build().expect("a client");
        Plain { http, url: format!("http://127.0.0.1:{port}/mcp") }
    }

    fn answer(&self, tool: &str, arguments: &Value) -> Result<Told, String> {
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
            .send();
        let answer = sent.map_err(|error| format!("{error:?}"))?;
        let status = answer.status().as_u16();
        let text = answer.text().map_err(|error| error.to_string())?;
        let body: Value = serde_json::from_str(&text).map_err(|_| format!("{status}: {text}"))?;
        // What is refused before it is a call has its error at the top.
        if body["error"]["code"].is_string() {
            return Ok(Told::Refused(Refusal::of(&body["error"])));
        }
        let content = &body["result"]["structuredContent"];
        match body["result"]["isError"].as_bool() {
            Some(false) => Ok(Told::Done(content.clone())),
            Some(true) => Ok(Told::Refused(Refusal::of(&content["error"]))),
            None => Err(format!("{status}: {text}")),
        }
    }
}

impl Caller for Plain {
    fn call(&mut self, tool: &str, arguments: &Value) -> Told {
        self.answer(tool, arguments).unwrap_or_else(Told::Lost)
    }
}

/// The client of the SDK.
pub(crate) struct Sdk {
    runtime: Handle,
    client: Option<RunningService<RoleClient, ()>>,
    url: String,
}

impl Sdk {
    pub(crate) fn new(port: u16, runtime: &Handle) -> Sdk {
        server::outbound::install_crypto();
        Sdk { runtime: runtime.clone(), client: None, url: format!("http://127.0.0.1:{port}/mcp") }
    }

    async fn answer(&mut self, request: CallToolRequestParams) -> Result<Told, String> {
        let client = match self.client.take() {
            Some(client) => client,
            None => {
                let transport = StreamableHttpClientTransport::from_uri(self.url.clone());
                ().serve(transport).await.map_err(|error| error.to_string())?
            }
        };
        let answered = tokio::time::timeout(LIMIT, client.call_tool(request)).await;
        let result = answered.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        // A client that lost a call is not asked again.
        self.client = Some(client);
        let content = result.structured_content.unwrap_or_default();
        match result.is_error {
            Some(true) => Ok(Told::Refused(Refusal::of(&content["error"]))),
            _ => Ok(Told::Done(content)),
        }
    }
}

impl Caller for Sdk {
    fn call(&mut self, tool: &str, arguments: &Value) -> Told {
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let request = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        let runtime = self.runtime.clone();
        runtime.block_on(self.answer(request)).unwrap_or_else(Told::Lost)
    }
}
