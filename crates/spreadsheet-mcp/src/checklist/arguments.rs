//! The arguments of `spreadsheet-mcp checklist`.

use std::path::PathBuf;

use checklist::{digest::Digest, ledger::Head, report};
use clap::{Args, Subcommand};
use server::config::command_line::GivenFlags;
use url::Url;

use crate::cli::{Format, ServeArguments};

pub(crate) const EXAMPLES: &str = "\
Examples:
  spreadsheet-mcp checklist run --profile development                   what a laptop can know
  spreadsheet-mcp checklist run --profile staging --target http://127.0.0.1:8079 --api-key-file key --config server.toml
  spreadsheet-mcp checklist explain sec.container.non-root              what a box is about, and what to do
  spreadsheet-mcp checklist attest post.communication.announced --person ada --role operations --statement 'in #releases'
  spreadsheet-mcp checklist sign --role security --person grace --key grace.pem
  spreadsheet-mcp checklist gate --output verdict.json                  whether it ships: exit code 0
  spreadsheet-mcp serve --require-verdict verdict.json --checklist-keys checklist/keys.toml
Exit codes: 0 ship, 1 the tool failed, 2 the checklist is wrong, 3 fail, 4 incomplete, 5 expired or of something else, 6 the ledger was \
tampered with.";

/// What to do with the checklist.
#[derive(Debug, Subcommand)]
pub(crate) enum ChecklistCommand {
    /// Find out what machines can, and write it into the ledger
    Run(Box<RunArguments>),
    /// Show the last run, and what was stated, waived and signed since
    Show(ShowArguments),
    /// Say what a box is about, how it is known, and what to do
    Explain(ExplainArguments),
    /// State what only people know
    Attest(AttestArguments),
    /// Take the risk of a box for a while, or take that back
    Waive(WaiveArguments),
    /// Sign everything, for a role
    Sign(SignArguments),
    /// Say whether it ships, and give the verdict by which servers start
    Gate(Box<GateArguments>),
    /// Write the last run as a report
    Report(ReportArguments),
    /// Say what is different between two runs, and what may be the cause
    Diff(DiffArguments),
    /// Say whether the ledger, its evidence and reports are what was written
    Verify(VerifyArguments),
    /// Make, list and revoke the keys that sign
    #[command(subcommand)]
    Keys(ChecklistKeysCommand),
    /// Guide through the rollback plan, step by step and against the clock
    Rollback(RollbackArguments),
}

/// Where the checklist and its ledger are.
#[derive(Debug, Clone, Args)]
pub(crate) struct Place {
    /// The checklist
    #[arg(long, value_name = "FILE", default_value = "checklist/production.yaml")]
    pub(crate) checklist: PathBuf,
    /// The folder of the ledger; otherwise `ledger` beside the checklist
    #[arg(long, value_name = "DIR")]
    pub(crate) ledger: Option<PathBuf>,
    /// The keys that are trusted to sign; otherwise `keys.toml` beside the checklist
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,
}

/// What is judged.
#[derive(Debug, Clone, Args)]
pub(crate) struct Judged {
    /// The occasion, as the checklist names it: development, staging, production, post-deployment, complete
    #[arg(long, value_name = "NAME", default_value = "development")]
    pub(crate) profile: String,
    /// Where it is deployed, as production-eu; otherwise as the profile is called
    #[arg(long, value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// The digest of the image, as `sha256:…`
    #[arg(long, value_name = "DIGEST")]
    pub(crate) image: Option<Digest>,
    /// A fact that decides which boxes apply, as deployment=canary; several times for several
    #[arg(long = "set", value_name = "FACT=VALUE", value_parser = fact)]
    pub(crate) facts: Vec<(String, String)>,
}

/// The arguments of `checklist run`.
#[derive(Debug, Args)]
#[command(mut_args(hidden_configuration))]
pub(crate) struct RunArguments {
    /// Where the checklist is.
    #[command(flatten)]
    pub(crate) place: Place,
    /// What is judged.
    #[command(flatten)]
    pub(crate) judged: Judged,
    /// The server that is judged, as http://127.0.0.1:8079
    #[arg(long, value_name = "URL")]
    pub(crate) target: Option<Url>,
    /// Where it tells metrics; otherwise port 9090 of the target
    #[arg(long, value_name = "URL")]
    pub(crate) metrics_target: Option<Url>,
    /// The Prometheus that watches it
    #[arg(long, value_name = "URL")]
    pub(crate) prometheus: Option<Url>,
    /// The file of an API key for the target
    #[arg(long, value_name = "FILE")]
    pub(crate) api_key_file: Option<PathBuf>,
    /// The source tree, or a copy of what matters of it; otherwise the folder above the checklist's
    #[arg(long, value_name = "DIR")]
    pub(crate) repository: Option<PathBuf>,
    /// Where tests, benches and scanners have written what they found; otherwise target/evidence of the repository
    #[arg(long, value_name = "DIR")]
    pub(crate) evidence: Option<PathBuf>,
    /// Only boxes whose ids begin so, as sec.container; several times for several
    #[arg(long, value_name = "ID")]
    pub(crate) only: Vec<String>,
    /// Only checks of this kind, as manifest; several times for several
    #[arg(long = "kind", value_name = "KIND")]
    pub(crate) kinds: Vec<String>,
    /// How long a check may take
    #[arg(long, value_name = "TIME", default_value = "20s")]
    pub(crate) timeout: humantime::Duration,
    /// How many checks run at a time
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(crate) parallel: usize,
    /// Who runs it; otherwise the user of the system
    #[arg(long, value_name = "NAME")]
    pub(crate) author: Option<String>,
    /// Write nothing into the ledger
    #[arg(long)]
    pub(crate) no_ledger: bool,
    /// How what was found is printed: terminal, json, junit, sarif, markdown, html or vsa
    #[arg(long, value_name = "FORMAT", default_value = "terminal")]
    pub(crate) format: report::Format,
    /// The configuration of the server that is judged.
    #[command(flatten)]
    pub(crate) serve: ServeArguments,
}

/// The arguments of `checklist show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    /// Where the checklist is.
    #[command(flatten)]
    pub(crate) place: Place,
    /// Of which environment; otherwise that of the last run
    #[arg(long, value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// Only boxes with this status, as fail
    #[arg(long, value_name = "STATUS")]
    pub(crate) status: Option<String>,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// The arguments of `checklist explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// The box, as sec.container.non-root
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Where the checklist is.
    #[command(flatten)]
    pub(crate) place: Place,
}

/// The arguments of `checklist attest`.
#[derive(Debug, Args)]
pub(crate) struct AttestArguments {
    /// The box
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Where the checklist is.
    #[command(flatten)]
    pub(crate) place: Place,
    /// Of which environment; otherwise that of the last run
    #[arg(long, value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// Who states it
    #[arg(long, value_name = "NAME")]
    pub(crate) person: String,
    /// As what; otherwise the role that has to
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Option<String>,
    /// What is stated; otherwise what the checklist says
    #[arg(long, value_name = "TEXT")]
    pub(crate) statement: Option<String>,
    /// A file that shows it; it is kept in the ledger
    #[arg(long, value_name = "FILE")]
    pub(crate) evidence: Option<PathBuf>,
    /// For how long it counts; otherwise, and at most, as the checklist says
    #[arg(long, value_name = "TIME")]
    pub(crate) expires: Option<humantime::Duration>,
}

/// The arguments of `checklist waive`.
#[derive(Debug, Args)]
pub(crate) struct WaiveArguments {
    /// The box
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Where the checklist is.
    #[command(flatten)]
    pub(crate) place: Place,
    /// In which environment; otherwise that of the last run
    #[arg(long, value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// Who will set it right, or takes the waiver back
    #[arg(long, value_name = "NAME")]
    pub(crate) owner: String,
    /// Who takes the risk: somebody else
    #[arg(long, value_name = "NAME", required_unless_present = "withdraw")]
    pub(crate) approver: Option<String>,
    /// What may go wrong
    #[arg(long, value_name = "TEXT", required_unless_present = "withdraw")]
    pub(crate) risk: Option<String>,
    /// What is done meanwhile, so that it does not
    #[arg(long, value_name = "TEXT", required_unless_present = "withdraw")]
    pub(crate) control: Option<String>,
    /// Where it is followed up
    #[arg(long, value_name = "TICKET", required_unless_present = "withdraw")]
    pub(crate) ticket: Option<String>,
    /// For how long, as in 14d
    #[arg(long, value_name = "TIME", required_unless_present = "withdraw")]
    pub(crate) expires: Option<humantime::Duration>,
    /// Take the waiver back
    #[arg(long, conflicts_with_all = ["approver", "risk", "control", "ticket", "expires"])]
    pub(crate) withdraw: bool,
}

/// The arguments of `checklist sign`.
#[derive(Debug, Args)]
pub(crate) struct SignArguments {
    /// Where the checklist is.
    #[command(flatten)]
    pub(crate) place: Place,
    /// Of which environment; otherwise that of the last run
    #[arg(long, value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// For whom: development, operations, security, product-owner
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: String,
    /// Who signs
    #[arg(long, value_name = "NAME")]
    pub(crate) person: String,
    /// The file of the private key, as `checklist keys create` writes it
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
}

/// The arguments of `checklist gate`.
#[derive(Debug, Args)]
#[command(mut_args(hidden_configuration))]
pub(crate) struct GateArguments {
    /// Where the checklist is.
    #[command(flatten)]
    pub(crate) place: Place,
    /// What ships.
    #[command(flatten)]
    pub(crate) judged: Judged,
    /// Where to write the verdict by which servers start, if it ships
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// The configuration that ships.
    #[command(flatten)]
    pub(crate) serve: ServeArguments,
}

/// The arguments of `checklist report`.
#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// Where the checklist is.
    #[command(flatten)]
    pub(crate) place: Place,
    /// Of which environment; otherwise that of the last run
    #[arg(long, value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// How: terminal, json, junit, sarif, markdown, html or vsa (an in-toto verification summary)
    #[arg(long, value_name = "FORMAT", default_value = "markdown")]
    pub(crate) format: report::Format,
    /// Where to write it, so that `checklist verify` knows it again; otherwise it is printed
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// The arguments of `checklist diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffArguments {
    /// The older run: its digest or the beginning of it, or a number counted back, as 2 for the last but one
    #[arg(value_name = "OLD", default_value = "2")]
    pub(crate) old: String,
    /// The newer run
    #[arg(value_name = "NEW", default_value = "1")]
    pub(crate) new: String,
    /// Where the checklist is.
    #[command(flatten)]
    pub(crate) place: Place,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// The arguments of `checklist verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    /// Reports that have to be what was written
    #[arg(value_name = "REPORT")]
    pub(crate) reports: Vec<PathBuf>,
    /// Where the checklist is.
    #[command(flatten)]
    pub(crate) place: Place,
    /// A head that was noted elsewhere, NUMBER:DIGEST: the ledger has to go on from it
    #[arg(long, value_name = "HEAD")]
    pub(crate) head: Option<Head>,
}

/// What to do with keys that sign.
#[derive(Debug, Subcommand)]
pub(crate) enum ChecklistKeysCommand {
    /// Make a key: the private half is a file of its owner, the public half is trusted from now on
    Create(CreateSigningKeyArguments),
    /// Trust the public half of a key that somebody has made
    Trust(TrustKeyArguments),
    /// List the keys that are trusted
    List(ListSigningKeysArguments),
    /// Trust the keys of a person no more
    Revoke(RevokeSigningKeyArguments),
}

/// The arguments of `checklist keys create`.
#[derive(Debug, Args)]
pub(crate) struct CreateSigningKeyArguments {
    /// Whose it is
    #[arg(long, value_name = "NAME")]
    pub(crate) person: String,
    /// For which role
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: String,
    /// Where to write the private half; there must be no file yet
    #[arg(long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Where the checklist is.
    #[command(flatten)]
    pub(crate) place: Place,
}

/// The arguments of `checklist keys trust`.
#[derive(Debug, Args)]
pub(crate) struct TrustKeyArguments {
    /// Whose it is
    #[arg(long, value_name = "NAME")]
    pub(crate) person: String,
    /// For which role
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: String,
    /// The public half, in Base64
    #[arg(long, value_name = "KEY")]
    pub(crate) public: String,
    /// Where the checklist is.
    #[command(flatten)]
    pub(crate) place: Place,
}

/// The arguments of `checklist keys list`.
#[derive(Debug, Args)]
pub(crate) struct ListSigningKeysArguments {
    /// Where the checklist is.
    #[command(flatten)]
    pub(crate) place: Place,
    /// How to print the list
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// The arguments of `checklist keys revoke`.
#[derive(Debug, Args)]
pub(crate) struct RevokeSigningKeyArguments {
    /// Whose keys
    #[arg(long, value_name = "NAME")]
    pub(crate) person: String,
    /// Somebody else may have had them: nothing that they have ever signed counts
    #[arg(long)]
    pub(crate) compromised: bool,
    /// Where the checklist is.
    #[command(flatten)]
    pub(crate) place: Place,
}

/// The arguments of `checklist rollback`.
#[derive(Debug, Args)]
pub(crate) struct RollbackArguments {
    /// Where the checklist is.
    #[command(flatten)]
    pub(crate) place: Place,
    /// Say every step, and wait for nobody
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Where to write what was done, and when
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
}

fn fact(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a fact is given as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// The configuration is what `serve` takes: its many options are told by the help of that.
fn hidden_configuration(arg: clap::Arg) -> clap::Arg {
    let is_hidden = arg.get_help_heading().is_some();
    arg.hide(is_hidden)
}

impl ChecklistCommand {
    /// The configuration's flags that were given.
    pub(crate) fn flags(&self) -> GivenFlags {
        match self {
            ChecklistCommand::Run(arguments) => arguments.serve.flags(),
            ChecklistCommand::Gate(arguments) => arguments.serve.flags(),
            _ => GivenFlags::new(),
        }
    }
}
