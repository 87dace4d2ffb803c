//! Clients of the Python SDK (`tests/clients/replicas_client.py`), in both eras of the protocol.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use history::{Answer, Call, Outcome, Span, What};
use serde_json::Value;

use crate::{cluster::Cluster, load::head_of, records::Records, sheet};
use components::python;

/// Numbers of these clients begin here.
const FIRST: u64 = 1000;

/// They run.
pub(crate) struct Clients(Child);

impl Clients {
    /// Makes so many calls; `None`, said aloud, where the SDK is not installed.
    pub(crate) fn start(cluster: &Cluster, forks: &[String], calls: usize) -> Option<Clients> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/replicas_client.py");
        let child = Command::new(python("mcp")?)
            .arg("-B")
            .arg(script.canonicalize().expect("the script"))
            .arg(format!("http://127.0.0.1:{}/mcp", cluster.balancer.port()))
            .arg(calls.to_string())
            .args(forks)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        Some(Clients(child))
    }

    /// Waits until they are done, and gives what they did and saw.
    pub(crate) fn records(self) -> Records {
        let output = self.0.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let told = String::from_utf8(output.stdout).expect("text");
        println!("  {} calls of the Python SDK", told.lines().count());
        let mut records = Records::default();
        for line in told.lines() {
            let told: Value = serde_json::from_str(line).expect("json");
            let number = |key: &str| told[key].as_u64().unwrap_or_else(|| panic!("{key} of {told}"));
            let what = match told["mark"].as_str() {
                Some(mark) => {
                    let answer = Answer { seq: head_of(&told), text: String::new() };
                    What::Edit { mark: mark.to_owned(), expected: None, outcome: Outcome::Done(vec![answer]) }
                }
                None => What::Read { head: None, cells: sheet::cells(&told["values"]) },
            };
            let span = Span { begun: number("begun"), ended: number("ended") };
            let client = (FIRST + number("client")) as usize;
            records.add_call(told["fork"].as_str().expect("a fork"), Call { client, span, what });
        }
        records
    }
}
