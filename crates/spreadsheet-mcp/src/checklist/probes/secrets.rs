//! Secrets: that they are in files or in Vault, and that nobody else reads the files.

use std::{ffi::OsString, fs, os::unix::fs::PermissionsExt as _, path::PathBuf, sync::LazyLock};

use checklist::context::Finding;
use regex::Regex;
use server::config::{SecretFile, SecretSource, Settings, secret::is_named_as_secret};

use super::{
    ServiceProbes,
    configuration::unknown_variable,
    question::{Found, Question},
};

/// What secrets look like, wherever they are written.
static SECRETS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    [
        ("an API key", r"smcp_[A-Za-z0-9.-]+_[A-Za-z0-9_-]{32,}"),
        ("a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
        ("an identity of age", r"(?i)AGE-SECRET-KEY-1[0-9A-Z]{20,}"),
        ("a token (JWT)", r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
        ("an access key of AWS", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
        ("a token of Vault", r"\bhv[sbr]\.[A-Za-z0-9_-]{20,}"),
        ("a password in a URL", r"[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@"),
        (
            "a password or token",
            r#"(?i)(?:password|passwd|secret|token|api[_-]?key)["']?\s*[=:]\s*["']?[^\s"'\[\]{}<$/]{8,}"#,
        ),
    ]
    .into_iter()
    .filter_map(|(what, pattern)| Some((what, Regex::new(pattern).ok()?)))
    .collect()
});

/// Variables that clients of object stores, of PostgreSQL and of Vault take a secret from.
const OF_CLIENTS: [&str; 12] = [
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_ACCESS_KEY",
    "AZURE_STORAGE_CLIENT_SECRET",
    "AZURE_STORAGE_SAS_KEY",
    "AZURE_STORAGE_TOKEN",
    "AZURE_CLIENT_SECRET",
    "GOOGLE_SERVICE_ACCOUNT_KEY",
    "GOOGLE_BEARER_TOKEN",
    "PGPASSWORD",
    "VAULT_TOKEN",
];

/// `secrets-in-files`: neither the configuration nor the environment holds a secret, but where it is.
pub(super) fn in_files(probes: &ServiceProbes, question: &Question<'_>) -> Found {
    question.told_nothing()?;
    let resolved = probes.resolved()?;
    let mut held: Vec<String> = Vec::new();
    let refused = probes.problems.iter().filter_map(unknown_variable);
    held.extend(refused.filter(|name| is_named_as_secret(name)).map(|name| format!("the variable {name}")));
    for value in &resolved.values {
        let text = value.text.as_deref().map(|text| text.to_string_lossy()).unwrap_or_default();
        held.extend(secret_in(&text).map(|what| format!("{what} in {}", value.option.name())));
    }
    if let Some(path) = &probes.sources.file {
        // Also what is commented out is told to whoever reads it.
        let text = fs::read_to_string(path).unwrap_or_default();
        held.extend(secret_in(&text).map(|what| format!("{what} in {}", path.display())));
    }
    held.extend(of_clients(std::env::vars_os()).map(|name| format!("the variable {name}")));
    let headers = resolved.settings.tracing.wrong_headers();
    held.extend(headers.map(|_| "a header with a secret in OTEL_EXPORTER_OTLP_HEADERS".to_owned()));
    Ok(match held.as_slice() {
        [] => Finding::pass("the configuration and the environment name places of secrets, and hold none"),
        [first, ..] => Finding::fail(format!(
            "there is {first}: secrets have to be in files or in Vault, which the configuration names"
        ))
        .with(held.clone()),
    })
}

/// What kind of secret is in a text.
fn secret_in(text: &str) -> Option<&'static str> {
    SECRETS.iter().find(|(_, pattern)| pattern.is_match(text)).map(|(what, _)| *what)
}

fn of_clients(environment: impl Iterator<Item = (OsString, OsString)>) -> impl Iterator<Item = String> {
    let given = environment.filter(|(_, value)| !value.is_empty());
    let named = given.filter_map(|(name, _)| name.into_string().ok());
    named.filter(|name| OF_CLIENTS.iter().any(|secret| name.eq_ignore_ascii_case(secret)))
}

/// `private-files`: files of secrets are read by nobody but the server's user and group, and written by no other user.
pub(super) fn private_files(probes: &ServiceProbes, question: &Question<'_>) -> Found {
    question.told_nothing()?;
    let files = secret_files(probes.settings()?);
    let mut seen = Vec::new();
    for (option, path) in &files {
        // Where secrets are is not told either: the option says it to who may know.
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) => {
                return Ok(Finding::fail(format!("the file of {option} can't be looked at: {error}")));
            }
        };
        let mode = metadata.permissions().mode() & 0o777;
        seen.push(format!("{option}: {mode:03o}"));
        if let Some(who) = who_else(mode) {
            let wanted = "only its user and group may read it, and only its user write it: chmod 600";
            return Ok(Finding::fail(format!("{who} the file of {option} ({mode:03o}): {wanted}")).with(seen));
        }
    }
    Ok(match files.len() {
        0 => Finding::not_applicable("the configuration names no file that holds a secret"),
        _ => Finding::pass("the files of secrets are closed to others").with(seen),
    })
}

/// Who else may do what with a file of this mode.
fn who_else(mode: u32) -> Option<&'static str> {
    match mode {
        _ if mode & 0o002 != 0 => Some("everybody may write"),
        _ if mode & 0o007 != 0 => Some("everybody may read"),
        _ if mode & 0o020 != 0 => Some("its group may write"),
        _ => None,
    }
}

/// Files that hold secrets, by the options that name them.
fn secret_files(settings: &Settings) -> Vec<(&'static str, PathBuf)> {
    let fixed = &settings.config.fixed;
    let file = |source: &SecretSource| match source {
        SecretSource::File(path) => Some(path.clone()),
        SecretSource::Vault(_) => None,
    };
    let hidden = |secret: &Option<SecretFile>| secret.as_ref().map(|file| file.path().to_owned());
    // The file of keys beside the forks is there when somebody made one.
    let keys = file(&fixed.keys_source()).filter(|path| fixed.access.keys_file.is_some() || path.exists());
    let named = [
        ("keys_file", keys),
        ("state_password_file", fixed.state.state_password_file.as_ref().and_then(file)),
        ("object_store_file", hidden(&fixed.objects.object_store_file)),
        ("vault_token_file", hidden(&fixed.vault.vault_token_file)),
        ("vault_role_id_file", hidden(&fixed.vault.vault_role_id_file)),
        ("vault_secret_id_file", hidden(&fixed.vault.vault_secret_id_file)),
        ("tls_key", settings.tls.tls_key.clone()),
        ("backup_identity_file", fixed.backup.backup_identity_file.clone()),
    ];
    named.into_iter().filter_map(|(option, path)| Some((option, path?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_looks() {
        let long = "A".repeat(43);
        for (text, what) in [
            (format!("smcp_reports_{long}"), "an API key"),
            ("-----BEGIN PRIVATE KEY-----".to_owned(), "a private key"),
            (format!("AGE-SECRET-KEY-1{long}"), "an identity of age"),
            ("https://me:hush-hush@host/a".to_owned(), "a password in a URL"),
            ("clamd --token=abcdefgh".to_owned(), "a password or token"),
            ("# password = \"hush-hush\"".to_owned(), "a password or token"),
        ] {
            assert_eq!(secret_in(&text), Some(what), "{text}");
        }
        for plain in [
            "vault:secret/spreadsheet-mcp#keys",
            "/run/secrets/password",
            "postgres://me@db:5432/sheets",
            "state_password_file = \"/run/secrets/database\"",
            "keys_file = \"/run/secrets/keys.toml\"",
            "http://127.0.0.1:4317",
            "# The file of the token (token-file); read again when it changes",
        ] {
            assert_eq!(secret_in(plain), None, "{plain}");
        }
    }

    #[test]
    fn variables_of_clients_are_secrets_where_they_say_something() {
        let variables = [("AWS_SECRET_ACCESS_KEY", "x"), ("AWS_REGION", "x"), ("AZURE_CLIENT_SECRET", "")];
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        assert_eq!(of_clients(variables).collect::<Vec<_>>(), ["AWS_SECRET_ACCESS_KEY"]);
    }

    #[test]
    fn modes_say_who_else() {
        for (mode, who) in [
            (0o600, None),
            (0o400, None),
            (0o440, None),
            (0o644, Some("everybody may read")),
            (0o666, Some("everybody may write")),
            (0o660, Some("its group may write")),
        ] {
            assert_eq!(who_else(mode), who, "{mode:o}");
        }
    }
}
