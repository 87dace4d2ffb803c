//! `spreadsheet-mcp keys`: the API keys of callers over HTTP.

use std::{path::Path, process::ExitCode};

use access::{
    PathScope,
    keys::{KeyError, NewKey},
    store::{self, StoreError},
};
use chrono::{TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use server::config::{Config, SecretSource, VaultPath};

use crate::{
    cli::{CreateKeyArguments, Format, KeysCommand},
    exit,
    render::{self, print},
};

/// Changes or lists the keys.
pub(crate) fn run(command: &KeysCommand, config: &Config) -> ExitCode {
    let path = match config.fixed.keys_source() {
        SecretSource::File(path) => path,
        SecretSource::Vault(place) => return in_vault(&place),
    };
    let done = match command {
        KeysCommand::Create(arguments) => create(arguments, &path),
        KeysCommand::Rotate(arguments) => {
            let grace = time(arguments.grace);
            let rotate = |file: &mut access::keys::KeyFile| file.rotate(&arguments.name, grace, Utc::now());
            store::update(&path, rotate).map(Some)
        }
        KeysCommand::Revoke(arguments) => {
            store::update(&path, |file| file.revoke(&arguments.name, Utc::now())).map(|()| None)
        }
        KeysCommand::List(arguments) => return list(arguments.format, &path),
    };
    match done {
        // The secret alone on standard output, for scripts.
        Ok(Some(secret)) => {
            eprintln!(
                "spreadsheet-mcp: keep this key, it is not shown again; {} knows its digest",
                path.display()
            );
            print(secret.expose_secret())
        }
        Ok(None) => ExitCode::SUCCESS,
        Err(error) => refused(&error),
    }
}

fn create(arguments: &CreateKeyArguments, path: &Path) -> Result<Option<SecretString>, StoreError> {
    let paths = match arguments.paths.as_slice() {
        [] => Ok(PathScope::everything()),
        paths => PathScope::new(paths).map_err(KeyError::from),
    }?;
    let now = Utc::now();
    let new = NewKey {
        id: arguments.name.clone(),
        role: arguments.role,
        paths,
        tenant: arguments.tenant.clone(),
        expires: arguments.expires.map(|after| now + time(after)),
    };
    store::update(path, |file| file.create(new, now)).map(Some)
}

/// As far as a date can go.
fn time(given: humantime::Duration) -> TimeDelta {
    TimeDelta::from_std(*given).unwrap_or(TimeDelta::MAX).min(TimeDelta::days(36_500))
}

fn list(format: Format, path: &Path) -> ExitCode {
    let file = match store::read(path) {
        Ok(file) => file,
        Err(error) => return refused(&error),
    };
    let now = Utc::now();
    let keys: Vec<Value> = file
        .keys()
        .iter()
        .map(|key| {
            json!({
                "name": key.id, "role": key.role, "status": key.status(now).as_str(), "tenant": key.tenant,
                "paths": key.paths, "created": key.created, "expires": key.expires,
            })
        })
        .collect();
    match format {
        Format::Json => print(&json!({ "keys": keys }).to_string()),
        Format::Text if keys.is_empty() => print("no keys yet; make one with `spreadsheet-mcp keys create`"),
        Format::Text => print(&render::as_text(&Value::Array(keys))),
    }
}

/// The server reads Vault and never writes it.
fn in_vault(place: &VaultPath) -> ExitCode {
    eprintln!(
        "spreadsheet-mcp: the keys are in Vault ({place}), which this program only reads: change a file by \
         `spreadsheet-mcp keys … --keys-file FILE`, then put it there: `bao kv put -mount={} {} {}=@FILE`",
        place.mount, place.path, place.field
    );
    ExitCode::from(exit::CALL_FAILED)
}

fn refused(error: &StoreError) -> ExitCode {
    eprintln!("spreadsheet-mcp: {error}");
    ExitCode::from(exit::CALL_FAILED)
}
