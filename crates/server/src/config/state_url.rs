//! Where the store of forks is.

use std::{path::PathBuf, str::FromStr};

use forks::PostgresUrl;

/// `sqlite:///DIR`, or `postgres://USER@HOST:PORT/DATABASE`.
#[derive(Debug, Clone)]
pub enum StateUrl {
    /// In a folder of this machine.
    Sqlite(PathBuf),
    /// In a database that replicas share.
    Postgres(Box<PostgresUrl>),
}

impl FromStr for StateUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<StateUrl, String> {
        if let Some(folder) = text.strip_prefix("sqlite://") {
            let folder = PathBuf::from(folder);
            return match folder.is_absolute() {
                true => Ok(StateUrl::Sqlite(folder)),
                false => Err("write sqlite:///DIR with the whole path of a folder".to_owned()),
            };
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            let url: Result<PostgresUrl, _> = text.parse();
            return url.map(|url| StateUrl::Postgres(Box::new(url))).map_err(|error| error.to_string());
        }
        Err("write sqlite:///DIR, or postgres://USER@HOST:PORT/DATABASE".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_in_a_folder_or_in_postgresql() {
        assert!(
            matches!("sqlite:///var/state".parse(), Ok(StateUrl::Sqlite(folder)) if folder.as_os_str() == "/var/state")
        );
        let url = "postgresql://me@db.example:6432/sheets?sslmode=verify-full".parse();
        assert!(
            matches!(url, Ok(StateUrl::Postgres(url)) if url.to_string() == "postgres://db.example:6432/sheets")
        );
        for (wrong, said) in [
            ("sqlite://state", "whole path"),
            ("mysql://a/b", "write sqlite:///DIR"),
            ("postgres://me:canary@db/sheets", "must not hold a password"),
        ] {
            let refused = wrong.parse::<StateUrl>().expect_err(wrong);
            assert!(refused.contains(said) && !refused.contains("canary"), "{refused}");
        }
    }
}
