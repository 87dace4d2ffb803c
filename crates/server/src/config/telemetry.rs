//! What the server tells of itself: metrics, logs, traces.

use std::{net::SocketAddr, str::FromStr};

use clap::{Args, ValueEnum};

use super::Transport;

/// How lines of the log are written.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Logging")]
pub struct LogLinesConfig {
    /// How lines of the log on standard error look
    #[arg(long, env = "SPREADSHEET_MCP_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// Let the log name the workbook of a call; contents are never logged
    #[arg(
        long,
        value_name = "BOOL",
        env = "SPREADSHEET_MCP_LOG_FILE_NAMES",
        default_value_t = false,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        action = clap::ArgAction::Set
    )]
    pub log_file_names: bool,
}

/// How lines of the log look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object per line, for programs that collect logs
    Json,
}

/// Where metrics are told.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Metrics")]
pub struct MetricsConfig {
    /// Address and port of /metrics, or off; 127.0.0.1:9090 if left out, and off over stdio
    #[arg(long, value_name = "ADDRESS", env = "SPREADSHEET_MCP_METRICS_BIND")]
    pub metrics_bind: Option<MetricsBind>,
    /// The Pushgateway that gets the last values when the server ends, such as http://127.0.0.1:9091
    #[arg(long, value_name = "URL", env = "SPREADSHEET_MCP_METRICS_PUSH_URL")]
    pub metrics_push_url: Option<PlainUrl>,
    /// The job that values are pushed as
    #[arg(
        long,
        value_name = "NAME",
        env = "SPREADSHEET_MCP_METRICS_PUSH_JOB",
        default_value = "spreadsheet-mcp"
    )]
    pub metrics_push_job: String,
}

/// Where spans go.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Tracing")]
pub struct TracingConfig {
    /// The OTLP collector that gets spans, such as http://127.0.0.1:4317; OTEL_EXPORTER_OTLP_ENDPOINT is heeded, too
    #[arg(long, value_name = "URL", env = "SPREADSHEET_MCP_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<PlainUrl>,
    /// How spans are sent
    #[arg(long, env = "SPREADSHEET_MCP_OTLP_PROTOCOL", value_enum, default_value_t = OtlpProtocol::Grpc)]
    pub otlp_protocol: OtlpProtocol,
    /// The share of traces that are kept, 0 to 1, where the caller has not decided
    #[arg(long, value_name = "RATIO", env = "SPREADSHEET_MCP_TRACE_SAMPLE_RATIO", default_value_t = 0.01)]
    pub trace_sample_ratio: f64,
}

/// How spans are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OtlpProtocol {
    /// gRPC, usually port 4317
    Grpc,
    /// Protobuf over HTTP, usually port 4318; /v1/traces is added to the URL
    Http,
}

/// Where metrics are served, if they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricsBind {
    /// Nowhere.
    Off,
    /// At this address.
    At(SocketAddr),
}

impl FromStr for MetricsBind {
    type Err = String;

    fn from_str(text: &str) -> Result<MetricsBind, String> {
        match text {
            "off" => Ok(MetricsBind::Off),
            address => address
                .parse()
                .map(MetricsBind::At)
                .map_err(|_| "give an address and a port such as 127.0.0.1:9090, or off".to_owned()),
        }
    }
}

/// An `http://` URL without credentials, which would be a secret in plain sight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainUrl(reqwest::Url);

impl PlainUrl {
    /// The URL with `path` after its own.
    pub fn with_path(&self, path: &str) -> String {
        format!("{}{path}", self.as_str())
    }

    /// The URL, without a slash at its end.
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }
}

impl FromStr for PlainUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<PlainUrl, String> {
        let url = reqwest::Url::parse(text).map_err(|error| error.to_string())?;
        if url.scheme() != "http" || !url.has_host() {
            return Err("give an http:// URL; for TLS put a local collector or proxy in between".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("leave user and password out: they would be in plain sight".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("leave out what begins with ? or #".to_owned());
        }
        Ok(PlainUrl(url))
    }
}

impl MetricsConfig {
    /// The address where a server is scraped by default.
    pub const DEFAULT: SocketAddr =
        SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9090);

    /// Where metrics are served, and whether somebody asked for that address: then it has to be free.
    pub fn address(&self, transport: Transport) -> Option<(SocketAddr, bool)> {
        match (self.metrics_bind, transport) {
            (Some(MetricsBind::At(address)), _) => Some((address, true)),
            (Some(MetricsBind::Off), _) | (None, Transport::Stdio) => None,
            (None, Transport::Http) => Some((MetricsConfig::DEFAULT, false)),
        }
    }

    /// What is wrong with the name of the job, if anything is.
    pub(super) fn wrong_job(&self) -> Option<String> {
        let is_name = |job: &str| {
            !job.is_empty() && job.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        };
        let job = &self.metrics_push_job;
        (!is_name(job)).then(|| format!("{job:?} is not made of letters, digits, . _ and -"))
    }
}

impl TracingConfig {
    /// Where spans go: what was asked for, or what the variable of OpenTelemetry says.
    ///
    /// # Errors
    /// When that variable holds no URL of the right kind.
    pub fn endpoint(&self) -> Result<Option<PlainUrl>, String> {
        if self.otlp_endpoint.is_some() {
            return Ok(self.otlp_endpoint.clone());
        }
        match std::env::var("OTEL_EXPORTER_OTLP_ENDPOINT") {
            Ok(url) if !url.is_empty() => url.parse().map(Some),
            _ => Ok(None),
        }
    }

    /// What is wrong with the headers that a variable of OpenTelemetry has sent along, if anything is: secrets are among them.
    pub fn wrong_headers(&self) -> Option<String> {
        let is_sent = self.endpoint().is_ok_and(|endpoint| endpoint.is_some());
        let variables = ["OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"].into_iter();
        variables.filter(|_| is_sent).find_map(|variable| {
            let secret = secret_header(&std::env::var(variable).ok()?)?;
            Some(format!(
                "{variable}: secrets are not taken from the environment, which other programs can see: let a collector on this \
                 machine send {secret}, and take it away here"
            ))
        })
    }

    /// What is wrong with the ratio, if anything is.
    pub(super) fn wrong_ratio(&self) -> Option<String> {
        let ratio = self.trace_sample_ratio;
        (!(0.0..=1.0).contains(&ratio)).then(|| format!("{ratio} is not between 0 and 1"))
    }
}

/// The name of a header that holds a secret, of headers as OpenTelemetry writes them: `name=value,name=value`.
fn secret_header(headers: &str) -> Option<String> {
    const WORDS: [&str; 7] = ["auth", "cookie", "credential", "key", "password", "secret", "token"];
    let names =
        headers.split(',').filter_map(|header| Some(header.split_once('=')?.0.trim().to_ascii_lowercase()));
    names.into_iter().find(|name| WORDS.iter().any(|word| name.contains(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_with_secrets_are_found() {
        assert_eq!(secret_header("x-scope=team, Authorization=Bearer%20x").as_deref(), Some("authorization"));
        assert_eq!(secret_header("x-api-key=x").as_deref(), Some("x-api-key"));
        assert_eq!(secret_header("x-scope=key,y"), None);
    }

    #[test]
    fn metrics_are_served_where_nothing_else_is_said() {
        let at = |bind: Option<&str>, transport| {
            let metrics_bind = bind.map(|bind| bind.parse().expect("an address"));
            MetricsConfig { metrics_bind, ..MetricsConfig::default() }.address(transport)
        };
        assert_eq!(at(None, Transport::Http), Some((MetricsConfig::DEFAULT, false)));
        assert_eq!(at(None, Transport::Stdio), None);
        assert_eq!(at(Some("off"), Transport::Http), None);
        let asked = "127.0.0.1:1".parse().expect("an address");
        assert_eq!(at(Some("127.0.0.1:1"), Transport::Stdio), Some((asked, true)));
    }

    #[test]
    fn what_is_wrong_is_told() {
        let job = |name: &str| {
            MetricsConfig { metrics_push_job: name.to_owned(), ..MetricsConfig::default() }.wrong_job()
        };
        assert_eq!(
            (job("sheets-2"), job("")),
            (None, Some("\"\" is not made of letters, digits, . _ and -".to_owned()))
        );
        assert!(job("a/b").is_some());
        let ratio = |ratio: f64| {
            let otlp_protocol = OtlpProtocol::Grpc;
            TracingConfig { otlp_endpoint: None, otlp_protocol, trace_sample_ratio: ratio }.wrong_ratio()
        };
        assert_eq!((ratio(0.0), ratio(1.0)), (None, None));
        assert!(ratio(1.5).is_some() && ratio(f64::NAN).is_some());
    }

    #[test]
    fn urls_carry_no_secrets() {
        let url: PlainUrl = "http://127.0.0.1:9091/".parse().expect("a URL");
        assert_eq!(url.with_path("/metrics"), "http://127.0.0.1:9091/metrics");
        for wrong in ["https://x", "http://user:word@x", "http://x/?token=1", "x", "file:///etc"] {
            assert!(wrong.parse::<PlainUrl>().is_err(), "{wrong}");
        }
    }
}
