//! Callers known by tokens of an identity provider.

use std::{path::PathBuf, time::Duration};

use access::{Role, token::Verifier};
use clap::Args;

use super::{ListenConfig, SecureUrl, wrong_values::WrongValue};
use crate::outbound;

/// Which identity provider's tokens are taken, and what they are read for.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "OIDC")]
pub struct OidcConfig {
    /// The identity provider whose tokens (JWT) are taken, as its tokens name it (iss), as in `https://id.example.org/realms/a`
    #[arg(long, value_name = "URL", env = "SPREADSHEET_MCP_OIDC_ISSUER")]
    pub oidc_issuer: Option<SecureUrl>,
    /// What tokens for this server name as their audience (aud), one of these; the URL of its /mcp where --public-url is given
    #[arg(long, value_name = "LIST", env = "SPREADSHEET_MCP_OIDC_AUDIENCE", value_delimiter = ',')]
    pub oidc_audience: Vec<String>,
    /// Scopes that every token needs
    #[arg(long, value_name = "LIST", env = "SPREADSHEET_MCP_OIDC_REQUIRED_SCOPES", value_delimiter = ',')]
    pub oidc_required_scopes: Vec<String>,
    /// The claim that names a caller's role: viewer, analyst, editor or admin, the highest of a list; dots lead into objects. The
    /// scopes spreadsheet:read, :analyze, :edit and :admin do, too, and bound the claim where both are there
    #[arg(long, value_name = "CLAIM", env = "SPREADSHEET_MCP_OIDC_ROLE_CLAIM", default_value = "roles")]
    pub oidc_role_claim: String,
    /// The role of tokens that name none; without it they are refused
    #[arg(long, value_name = "ROLE", env = "SPREADSHEET_MCP_OIDC_DEFAULT_ROLE")]
    pub oidc_default_role: Option<Role>,
    /// The claim that names a caller's tenant, whose forks are theirs; tokens without it are refused
    #[arg(long, value_name = "CLAIM", env = "SPREADSHEET_MCP_OIDC_TENANT_CLAIM")]
    pub oidc_tenant_claim: Option<String>,
    /// The claim that lists the folders and files a caller sees; tokens without it are refused
    #[arg(long, value_name = "CLAIM", env = "SPREADSHEET_MCP_OIDC_PATHS_CLAIM")]
    pub oidc_paths_claim: Option<String>,
    /// Certificates (PEM) of the authority that issued the provider's, beside those of the system
    #[arg(long, value_name = "FILE", env = "SPREADSHEET_MCP_OIDC_CA")]
    pub oidc_ca: Option<PathBuf>,
    /// How often the provider's keys are fetched, in seconds
    #[arg(
        long,
        value_name = "SECONDS",
        env = "SPREADSHEET_MCP_OIDC_REFRESH_INTERVAL",
        default_value_t = 300
    )]
    pub oidc_refresh_interval: u64,
    /// For how long keys are taken while the provider does not answer, in seconds
    #[arg(long, value_name = "SECONDS", env = "SPREADSHEET_MCP_OIDC_MAX_STALE", default_value_t = 3_600)]
    pub oidc_max_stale: u64,
}

impl OidcConfig {
    /// How often keys are fetched.
    pub fn refresh_interval(&self) -> Duration {
        Duration::from_secs(self.oidc_refresh_interval)
    }

    /// For how long keys are taken while the provider does not answer.
    pub fn max_stale(&self) -> Duration {
        Duration::from_secs(self.oidc_max_stale)
    }

    /// What looks at tokens, if any are taken.
    pub fn verifier(&self, listen: &ListenConfig) -> Option<Verifier> {
        let issuer = self.oidc_issuer.as_ref()?.as_str().to_owned();
        let mut audiences = given(&self.oidc_audience);
        if audiences.is_empty() {
            // RFC 8707 §2: a token is asked for with the URL of what it is for.
            audiences.extend(listen.public_url.as_ref().map(|url| format!("{}/mcp", url.trimmed())));
        }
        Some(Verifier {
            issuer,
            audiences,
            required_scopes: given(&self.oidc_required_scopes),
            role_claim: self.oidc_role_claim.clone(),
            default_role: self.oidc_default_role,
            tenant_claim: self.oidc_tenant_claim.clone(),
            paths_claim: self.oidc_paths_claim.clone(),
        })
    }

    /// What is wrong beyond types: options that need others.
    pub(super) fn wrong_values(&self, listen: &ListenConfig) -> Vec<WrongValue> {
        let mut wrong = Vec::new();
        if self.oidc_issuer.is_none() {
            let options = [
                ("oidc_audience", !given(&self.oidc_audience).is_empty()),
                ("oidc_required_scopes", !given(&self.oidc_required_scopes).is_empty()),
                ("oidc_default_role", self.oidc_default_role.is_some()),
                ("oidc_tenant_claim", self.oidc_tenant_claim.is_some()),
                ("oidc_paths_claim", self.oidc_paths_claim.is_some()),
                ("oidc_ca", self.oidc_ca.is_some()),
            ];
            let alone = options.into_iter().filter(|(_, is_given)| *is_given);
            let what = "it means nothing without --oidc-issuer: name the identity provider";
            wrong.extend(alone.map(|(key, _)| WrongValue::new(key, what.to_owned())));
            return wrong;
        }
        if given(&self.oidc_audience).is_empty() && listen.public_url.is_none() {
            let what = "name what tokens for this server have as their audience: --oidc-audience, or --public-url. \
                        Tokens for other servers must not be taken";
            wrong.push(WrongValue::new("oidc_issuer", what.to_owned()));
        }
        if listen.insecure {
            let what = "leave it out where --oidc-issuer is given: callers are known by their tokens";
            wrong.push(WrongValue::new("insecure", what.to_owned()));
        }
        if listen.is_open_to_others() && listen.public_url.is_none() {
            let what = "name the URL by which clients reach this server, --public-url: they are told where its tokens come from, \
                        and for what to ask";
            wrong.push(WrongValue::new("oidc_issuer", what.to_owned()));
        }
        let is_no_word = |text: &String| text.contains([' ', '"', '\\']);
        for (key, words) in
            [("oidc_audience", &self.oidc_audience), ("oidc_required_scopes", &self.oidc_required_scopes)]
        {
            if words.iter().any(is_no_word) {
                wrong.push(WrongValue::new(key, "give words without spaces and quotes".to_owned()));
            }
        }
        let unreadable = self.oidc_ca.as_deref().and_then(|path| outbound::certificates(path).err());
        wrong.extend(unreadable.map(|what| WrongValue::new("oidc_ca", what)));
        wrong
    }
}

/// The words of a list that is empty where its text is.
fn given(words: &[String]) -> Vec<String> {
    words.iter().filter(|word| !word.is_empty()).cloned().collect()
}
