//! What labels may say (CARDINALITY): every value comes from a set that is closed when the program is compiled, so that
//! no name of a file, fork or caller can become a label.

use std::fmt::{self, Debug, Write};
use std::hash::Hash;

use access::{Denied, token::TokenProblem};
use objects::Operation;
use office::OfficeError;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use workbook::FileFormat;

use crate::{error::ErrorCode, principal::Principal, tool::ToolEntry, tools};

/// A closed set of values.
pub trait ClosedSet: EncodeLabelValue + Copy {
    /// Every value there is.
    fn all() -> Vec<Self>;

    /// The value on the wire.
    fn text(self) -> &'static str;
}

/// Labels that belong to one metric, each from a closed set.
pub trait LabelSet: EncodeLabelSet + Clone + Eq + Hash + Debug + Send + Sync + 'static {
    /// The labels, and what they may say.
    fn labels() -> Vec<Label>;

    /// What is told as 0 before it first happens, so that its first time is seen as a change. Nothing where labels are many.
    fn known_before() -> Vec<Self>;
}

/// A label, and what it may say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// Every value there is; empty for what is fixed when the program is built.
    pub values: Vec<&'static str>,
}

impl Label {
    fn of<S: ClosedSet>(name: &'static str) -> Label {
        Label { name, values: S::all().into_iter().map(S::text).collect() }
    }
}

/// Makes a type a closed set: all of its values, and how one is told.
macro_rules! closed {
    ($name:ident, $all:expr, $text:expr) => {
        impl ClosedSet for $name {
            fn all() -> Vec<$name> {
                $all
            }

            fn text(self) -> &'static str {
                let text: fn($name) -> &'static str = $text;
                text(self)
            }
        }

        impl EncodeLabelValue for $name {
            fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
                encoder.write_str(self.text())
            }
        }
    };
}

macro_rules! closed_set {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "the texts say it")]
        pub enum $name { $($variant),+ }

        impl $name {
            /// The value on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }
        }

        closed!($name, vec![$($name::$variant),+], $name::as_str);
    };
}

macro_rules! label_set {
    ($(#[$meta:meta])* $name:ident { $label:ident: $set:ty }) => {
        label_set!(@ $(#[$meta])* $name { $label: $set }
            <$set as ClosedSet>::all().into_iter().map(|$label| $name { $label }).collect());
    };
    ($(#[$meta:meta])* $name:ident { $($label:ident: $set:ty),+ }) => {
        label_set!(@ $(#[$meta])* $name { $($label: $set),+ } Vec::new());
    };
    (@ $(#[$meta:meta])* $name:ident { $($label:ident: $set:ty),+ } $before:expr) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
        #[allow(missing_docs, reason = "the types say it")]
        pub struct $name { $(pub $label: $set),+ }

        impl LabelSet for $name {
            fn labels() -> Vec<Label> {
                vec![$(Label::of::<$set>(stringify!($label))),+]
            }

            fn known_before() -> Vec<$name> {
                $before
            }
        }
    };
}

closed_set! {
    /// In which role a call was made; `local` where nobody has to say who calls.
    Role { Local = "local", Viewer = "viewer", Analyst = "analyst", Editor = "editor", Admin = "admin" }
}
impl Role {
    /// In which role somebody calls.
    pub fn of(principal: &Principal) -> Role {
        match principal.role() {
            _ if principal.is_local() => Role::Local,
            access::Role::Viewer => Role::Viewer,
            access::Role::Analyst => Role::Analyst,
            access::Role::Editor => Role::Editor,
            access::Role::Admin => Role::Admin,
        }
    }
}

closed_set! {
    /// What became of something that is done or not.
    Outcome { Completed = "completed", Stopped = "stopped", Failed = "failed" }
}
closed_set! {
    /// Why a request was turned away before anything was done.
    Rejection {
        QueueFull = "queue_full",
        RateLimited = "rate_limited",
        TooManyOfCaller = "too_many_of_caller",
        ShortOfMemory = "short_of_memory",
        StateFull = "state_full",
        ShuttingDown = "shutting_down",
        ForbiddenOrigin = "forbidden_origin",
        RequestTooLarge = "request_too_large",
    }
}
closed_set! {
    /// Why a caller was not let in.
    AuthFailure {
        Missing = "missing",
        Malformed = "malformed",
        UnknownKey = "unknown_key",
        ExpiredKey = "expired_key",
        RevokedKey = "revoked_key",
        TokenMalformed = "token_malformed",
        TokenAlgorithm = "token_algorithm",
        TokenUnknownKey = "token_unknown_key",
        TokenUnusableKey = "token_unusable_key",
        TokenSignature = "token_signature",
        TokenIssuer = "token_issuer",
        TokenAudience = "token_audience",
        TokenExpired = "token_expired",
        TokenNotYetValid = "token_not_yet_valid",
        TokenClaims = "token_claims",
        InsufficientScope = "insufficient_scope",
        ProviderUnavailable = "provider_unavailable",
        ExpiredUrl = "expired_url",
        InvalidUrl = "invalid_url",
    }
}
impl From<&Denied> for AuthFailure {
    fn from(denied: &Denied) -> AuthFailure {
        match denied {
            Denied::Missing => AuthFailure::Missing,
            Denied::Malformed => AuthFailure::Malformed,
            Denied::UnknownKey => AuthFailure::UnknownKey,
            Denied::ExpiredKey { .. } => AuthFailure::ExpiredKey,
            Denied::RevokedKey { .. } => AuthFailure::RevokedKey,
            Denied::InvalidToken { problem, .. } => match problem {
                TokenProblem::Malformed => AuthFailure::TokenMalformed,
                TokenProblem::Algorithm => AuthFailure::TokenAlgorithm,
                TokenProblem::UnknownKey => AuthFailure::TokenUnknownKey,
                TokenProblem::UnusableKey => AuthFailure::TokenUnusableKey,
                TokenProblem::Signature => AuthFailure::TokenSignature,
                TokenProblem::Issuer => AuthFailure::TokenIssuer,
                TokenProblem::Audience => AuthFailure::TokenAudience,
                TokenProblem::Expired => AuthFailure::TokenExpired,
                TokenProblem::NotYetValid => AuthFailure::TokenNotYetValid,
                TokenProblem::Claims => AuthFailure::TokenClaims,
            },
            Denied::InsufficientScope { .. } => AuthFailure::InsufficientScope,
            Denied::ProviderUnavailable => AuthFailure::ProviderUnavailable,
            Denied::ExpiredUrl => AuthFailure::ExpiredUrl,
            Denied::InvalidUrl => AuthFailure::InvalidUrl,
        }
    }
}

closed_set! {
    /// What became of fetching an identity provider's keys; `limited` where a token named an unknown key too soon after the last
    /// time.
    KeyRefresh { Completed = "completed", Failed = "failed", Limited = "limited" }
}

closed_set! {
    /// What is asked of Vault.
    VaultOperation { Login = "login", Renew = "renew", Read = "read" }
}
closed_set! {
    /// What became of asking for something.
    Success { Completed = "completed", Failed = "failed" }
}

closed_set! {
    /// What is asked of a file over HTTP.
    FileMethod { Get = "get", Head = "head", Put = "put", Delete = "delete" }
}
impl FileMethod {
    /// What the audit trail calls it.
    pub const fn action(self) -> &'static str {
        match self {
            FileMethod::Get => "files/get",
            FileMethod::Head => "files/head",
            FileMethod::Put => "files/put",
            FileMethod::Delete => "files/delete",
        }
    }
}
closed_set! {
    /// Which way bytes go.
    Direction { In = "in", Out = "out" }
}
closed_set! {
    /// What happened to a fork.
    ForkEvent {
        Created = "created",
        Saved = "saved",
        Discarded = "discarded",
        Expired = "expired",
        Conflict = "conflict",
    }
}
closed_set! {
    /// What computed formulas; `auto` where none was chosen before it failed.
    RecalcEngine {
        Auto = "auto",
        Formualizer = "formualizer",
        Ironcalc = "ironcalc",
        Libreoffice = "libreoffice",
    }
}
impl RecalcEngine {
    /// The engine that calls itself so.
    pub fn of(name: &str) -> RecalcEngine {
        RecalcEngine::all().into_iter().find(|engine| engine.as_str() == name).unwrap_or(RecalcEngine::Auto)
    }
}

closed_set! {
    /// What was done with the store of forks.
    StoreOperation { Append = "append", Read = "read", Write = "write" }
}
closed_set! {
    /// What a LibreOffice is doing.
    WorkerState { Busy = "busy", Idle = "idle" }
}
closed_set! {
    /// What a connection to the database is doing.
    ConnectionState { Used = "used", Idle = "idle" }
}
closed_set! {
    /// Why the store did not do what it was asked.
    StoreFailure {
        Away = "away",
        InDoubt = "in_doubt",
        Busy = "busy",
        Full = "full",
        ReadOnly = "read_only",
        Refused = "refused",
        Format = "format",
        Corrupt = "corrupt",
        Unavailable = "unavailable",
    }
}
closed_set! {
    /// What the disk is taken for.
    DiskPurpose { State = "state", Screenshots = "screenshots", Temporary = "temporary" }
}
closed_set! {
    /// What is in a bucket.
    BucketPurpose { Blobs = "blobs", Workspace = "workspace" }
}
closed_set! {
    /// Whether there was a copy of a blob on the disk.
    BlobRead { Hit = "hit", Miss = "miss" }
}
closed_set! {
    /// Which port a certificate is for.
    Port { Mcp = "mcp", Metrics = "metrics" }
}
closed_set! {
    /// What became of certificate files that changed.
    Reload { Taken = "taken", Refused = "refused" }
}
closed_set! {
    /// Why a connection did not come to speak TLS.
    HandshakeFailure {
        NotTls = "not_tls",
        Incompatible = "incompatible",
        NoClientCertificate = "no_client_certificate",
        ClientCertificate = "client_certificate",
        RefusedByClient = "refused_by_client",
        HungUp = "hung_up",
        Timeout = "timeout",
        CrowdedOut = "crowded_out",
        Other = "other",
    }
}

/// What was asked of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BucketOperation(pub Operation);

closed!(BucketOperation, Operation::ALL.map(BucketOperation).to_vec(), |asked| asked.0.as_str());

/// How a request to a bucket ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BucketOutcome(pub objects::Outcome);

closed!(BucketOutcome, objects::Outcome::ALL.map(BucketOutcome).to_vec(), |ended| ended.0.as_str());

/// A tool of the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ToolName(&'static str);

impl ToolName {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl From<&ToolEntry> for ToolName {
    fn from(entry: &ToolEntry) -> ToolName {
        ToolName(entry.name)
    }
}

closed!(ToolName, tools::names().into_iter().map(ToolName).collect(), ToolName::as_str);

/// How a call ended: well, or with a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status(pub Option<ErrorCode>);

impl Status {
    /// The value on the wire.
    pub fn as_str(self) -> &'static str {
        self.0.map_or("ok", ErrorCode::as_str)
    }
}

closed!(Status, std::iter::once(None).chain(ErrorCode::ALL.map(Some)).map(Status).collect(), Status::as_str);

/// The format of a workbook, where its bytes could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LoadedFormat(pub Option<FileFormat>);

impl LoadedFormat {
    const ALL: [FileFormat; 9] = [
        FileFormat::Xlsx,
        FileFormat::Xlsm,
        FileFormat::Xltx,
        FileFormat::Xltm,
        FileFormat::Xlsb,
        FileFormat::Xls,
        FileFormat::Ods,
        FileFormat::Csv,
        FileFormat::Tsv,
    ];
}

closed!(
    LoadedFormat,
    LoadedFormat::ALL.map(Some).into_iter().chain([None]).map(LoadedFormat).collect(),
    |format| format.0.map_or("unknown", FileFormat::extension)
);

/// A kind of failure of LibreOffice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OfficeFailure(&'static str);

impl OfficeFailure {
    /// The kind of that name, if it is one.
    pub fn of(kind: &str) -> Option<OfficeFailure> {
        OfficeError::KINDS.iter().find(|known| **known == kind).map(|known| OfficeFailure(known))
    }
}

closed!(OfficeFailure, OfficeError::KINDS.map(OfficeFailure).to_vec(), |failure| failure.0);

label_set! {
    /// Of a call that ended.
    CallLabels { tool: ToolName, status: Status, role: Role }
}
label_set! {
    /// Of what is told by tool.
    ToolLabels { tool: ToolName }
}
label_set! {
    /// Of a request that was turned away.
    RejectionLabels { reason: Rejection }
}
label_set! {
    /// Of a caller that was not let in.
    AuthLabels { reason: AuthFailure }
}
label_set! {
    /// Of a request for a file that ended.
    FileLabels { method: FileMethod, status: Status }
}
label_set! {
    /// Of bytes of files.
    DirectionLabels { direction: Direction }
}
label_set! {
    /// Of fetching an identity provider's keys.
    KeyRefreshLabels { outcome: KeyRefresh }
}
label_set! {
    /// Of what is asked of Vault.
    VaultLabels { operation: VaultOperation, outcome: Success }
}
label_set! {
    /// Of a workbook that was loaded, or not.
    LoadLabels { format: LoadedFormat, outcome: Outcome }
}
label_set! {
    /// Of something that happened to a fork.
    ForkLabels { event: ForkEvent }
}
label_set! {
    /// Of a computation that ended.
    RecalcLabels { engine: RecalcEngine, outcome: Outcome }
}
label_set! {
    /// Of how long an engine takes.
    EngineLabels { engine: RecalcEngine }
}
label_set! {
    /// Of connections to the database.
    ConnectionLabels { state: ConnectionState }
}
label_set! {
    /// Of a use of the store that failed.
    StoreFailureLabels { kind: StoreFailure }
}
label_set! {
    /// Of how long the store takes.
    StoreLabels { operation: StoreOperation }
}
label_set! {
    /// Of LibreOffices.
    WorkerLabels { state: WorkerState }
}
label_set! {
    /// Of a job of LibreOffice that failed.
    OfficeFailureLabels { kind: OfficeFailure }
}
label_set! {
    /// Of a certificate.
    CertificateLabels { port: Port }
}
label_set! {
    /// Of certificate files that changed.
    ReloadLabels { outcome: Reload }
}
label_set! {
    /// Of a connection that did not come to speak TLS.
    HandshakeLabels { port: Port, reason: HandshakeFailure }
}
label_set! {
    /// Of a bucket.
    BucketLabels { bucket: BucketPurpose }
}
label_set! {
    /// Of requests to a bucket.
    BucketRequestLabels { bucket: BucketPurpose, operation: BucketOperation, outcome: BucketOutcome }
}
label_set! {
    /// Of the time that requests to a bucket take.
    BucketTimeLabels { bucket: BucketPurpose, operation: BucketOperation }
}
label_set! {
    /// Of reads of blobs.
    BlobReadLabels { copy: BlobRead }
}
label_set! {
    /// Of what is taken of the disk.
    DiskLabels { purpose: DiskPurpose }
}
