//! Vault, or OpenBao, where secrets may come from.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use super::{SecureUrl, secret::SecretFile, wrong_values::WrongValue};
use crate::outbound;

/// How Vault is reached, and how this server says there who it is.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Vault")]
pub struct VaultConfig {
    /// The Vault or OpenBao that values like vault:MOUNT/PATH#FIELD are read from, as in `https://vault.example.org:8200`
    #[arg(long, value_name = "URL", env = "SPREADSHEET_MCP_VAULT_ADDR")]
    pub vault_addr: Option<SecureUrl>,
    /// How the server says to Vault who it is
    #[arg(long, env = "SPREADSHEET_MCP_VAULT_AUTH", value_enum, default_value_t = VaultAuth::TokenFile)]
    pub vault_auth: VaultAuth,
    /// The file of the token (token-file); read again when it changes
    #[arg(long, value_name = "FILE", env = "SPREADSHEET_MCP_VAULT_TOKEN_FILE")]
    pub vault_token_file: Option<SecretFile>,
    /// The file of the role's id (approle)
    #[arg(long, value_name = "FILE", env = "SPREADSHEET_MCP_VAULT_ROLE_ID_FILE")]
    pub vault_role_id_file: Option<SecretFile>,
    /// The file of the secret id (approle)
    #[arg(long, value_name = "FILE", env = "SPREADSHEET_MCP_VAULT_SECRET_ID_FILE")]
    pub vault_secret_id_file: Option<SecretFile>,
    /// The role (kubernetes)
    #[arg(long, value_name = "NAME", env = "SPREADSHEET_MCP_VAULT_ROLE")]
    pub vault_role: Option<String>,
    /// The file of the service account's token (kubernetes)
    #[arg(
        long,
        value_name = "FILE",
        env = "SPREADSHEET_MCP_VAULT_JWT_FILE",
        default_value = "/var/run/secrets/kubernetes.io/serviceaccount/token"
    )]
    pub vault_jwt_file: PathBuf,
    /// Where the way to log in is mounted; approle or kubernetes unless it is elsewhere
    #[arg(long, value_name = "MOUNT", env = "SPREADSHEET_MCP_VAULT_AUTH_MOUNT")]
    pub vault_auth_mount: Option<String>,
    /// The namespace
    #[arg(long, value_name = "NAME", env = "SPREADSHEET_MCP_VAULT_NAMESPACE")]
    pub vault_namespace: Option<String>,
    /// Certificates (PEM) of the authority that issued Vault's, beside those of the system
    #[arg(long, value_name = "FILE", env = "SPREADSHEET_MCP_VAULT_CA")]
    pub vault_ca: Option<PathBuf>,
    /// How often secrets are read again, in seconds
    #[arg(
        long,
        value_name = "SECONDS",
        env = "SPREADSHEET_MCP_VAULT_REFRESH_INTERVAL",
        default_value_t = 60
    )]
    pub vault_refresh_interval: u64,
}

/// How the server says to Vault who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VaultAuth {
    /// By a token in a file, which an agent may replace
    TokenFile,
    /// By the ids of a role and a secret, in files
    Approle,
    /// By the token of the pod's service account
    Kubernetes,
}

impl VaultConfig {
    /// How often secrets are read again.
    pub fn refresh_interval(&self) -> Duration {
        Duration::from_secs(self.vault_refresh_interval)
    }

    /// What is wrong beyond types: options that need others, files that can't be read. `used_by` is an
    /// option whose value is there.
    pub(super) fn wrong_values(&self, used_by: Option<&'static str>) -> Vec<WrongValue> {
        let mut wrong = Vec::new();
        let mut tell = |key, what: &str| wrong.push(WrongValue::new(key, what.to_owned()));
        if self.vault_addr.is_none() {
            let options = [
                ("vault_token_file", self.vault_token_file.is_some()),
                ("vault_role_id_file", self.vault_role_id_file.is_some()),
                ("vault_secret_id_file", self.vault_secret_id_file.is_some()),
                ("vault_role", self.vault_role.is_some()),
                ("vault_auth_mount", self.vault_auth_mount.is_some()),
                ("vault_namespace", self.vault_namespace.is_some()),
                ("vault_ca", self.vault_ca.is_some()),
            ];
            for (key, _) in options.into_iter().filter(|(_, is_given)| *is_given) {
                tell(key, "it means nothing without --vault-addr: name Vault");
            }
            if let Some(key) = used_by {
                tell(key, "it is in Vault: name that by --vault-addr");
            }
            return wrong;
        }
        if used_by.is_none() {
            tell(
                "vault_addr",
                "nothing is read from there: name a secret, as in --keys-file vault:secret/spreadsheet-mcp#keys",
            );
        }
        let needed: Vec<(&'static str, bool)> = match self.vault_auth {
            VaultAuth::TokenFile => vec![("--vault-token-file", self.vault_token_file.is_some())],
            VaultAuth::Approle => vec![
                ("--vault-role-id-file", self.vault_role_id_file.is_some()),
                ("--vault-secret-id-file", self.vault_secret_id_file.is_some()),
            ],
            VaultAuth::Kubernetes => vec![("--vault-role", self.vault_role.is_some())],
        };
        for (flag, _) in needed.into_iter().filter(|(_, is_given)| !is_given) {
            tell("vault_auth", &format!("this way to log in needs {flag}"));
        }
        let is_plain = |text: &str| {
            text.split('/').all(|part| {
                !part.is_empty()
                    && part != ".."
                    && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
            })
        };
        for (key, text) in
            [("vault_auth_mount", &self.vault_auth_mount), ("vault_namespace", &self.vault_namespace)]
        {
            if text.as_deref().is_some_and(|text| !is_plain(text)) {
                tell(key, "write names of A-Z, a-z, 0-9, . _ and -, with / between them");
            }
        }
        if let Some(what) = self.vault_ca.as_deref().and_then(|path| outbound::certificates(path).err()) {
            tell("vault_ca", &what);
        }
        wrong
    }
}
