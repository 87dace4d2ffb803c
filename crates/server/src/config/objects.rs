//! Buckets, and what is kept in them.

use std::{fs, path::PathBuf, str::FromStr, time::Duration};

use ::objects::{BucketUrl, Options, Settings};
use clap::Args;
use reqwest::Url;

use super::secret::SecretFile;

/// What is kept in buckets, and how they are asked.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Objects")]
pub struct ObjectsConfig {
    /// Where the workbooks that forks were made of, previous versions of files and pictures are kept: `s3://BUCKET/PREFIX`, gs:// or
    /// az:// for several servers, or `file:///DIR` (blobs within the state directory)
    #[arg(long, value_name = "URL", env = "SPREADSHEET_MCP_BLOB_URL")]
    pub blob_url: Option<BlobUrl>,
    /// Bytes of copies of what is in the bucket that are kept in the state directory, those used last; 0 for none
    #[arg(long, value_name = "BYTES", env = "SPREADSHEET_MCP_BLOB_CACHE_BYTES", default_value_t = 2 << 30)]
    pub blob_cache_bytes: u64,
    /// The file of credentials and settings of object stores (TOML: `aws_access_key_id = "…"`), beside what the environment says
    #[arg(long, value_name = "FILE", env = "SPREADSHEET_MCP_OBJECT_STORE_FILE")]
    pub object_store_file: Option<SecretFile>,
    /// How long an object store may take for a request, in milliseconds, beside a second for each mebibyte
    #[arg(
        long,
        value_name = "MS",
        env = "SPREADSHEET_MCP_OBJECT_STORE_TIMEOUT_MS",
        default_value_t = 10_000,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub object_store_timeout_ms: u64,
}

impl ObjectsConfig {
    /// How stores are asked, with what the file says.
    ///
    /// # Errors
    /// What is wrong with the file, without what it says.
    pub fn options(&self) -> Result<Options, String> {
        let timeout = Duration::from_millis(self.object_store_timeout_ms);
        Ok(Options { timeout, settings: self.settings()?, ..Options::default() })
    }

    fn settings(&self) -> Result<Settings, String> {
        let Some(file) = &self.object_store_file else { return Ok(Settings::default()) };
        let text = fs::read_to_string(file.path()).map_err(|error| format!("can't be read: {error}"))?;
        let table: toml::Table = text.parse().map_err(|_| "is no TOML".to_owned())?;
        let settings = table.into_iter().map(|(name, value)| match value {
            toml::Value::String(value) => Ok((name, value)),
            toml::Value::Boolean(_) | toml::Value::Integer(_) => Ok((name, value.to_string())),
            _ => Err(format!("{name} is no text: write {name} = \"…\"")),
        });
        Settings::new(settings.collect::<Result<Vec<_>, String>>()?).map_err(|error| error.to_string())
    }
}

/// Where blobs are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlobUrl {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A bucket.
    Bucket(BucketUrl),
}

impl FromStr for BlobUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<BlobUrl, String> {
        if BucketUrl::is_meant(text) {
            return text
                .parse()
                .map(BlobUrl::Bucket)
                .map_err(|error: ::objects::InvalidUrl| error.to_string());
        }
        let folder = Url::parse(text).ok().filter(|url| url.scheme() == "file");
        let folder = folder.and_then(|url| url.to_file_path().ok()).filter(|folder| folder.is_absolute());
        folder
            .map(BlobUrl::Folder)
            .ok_or_else(|| "expected file:///DIR, s3://BUCKET/PREFIX, gs://… or az://…".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_blobs() {
        let folder = "file:///var/lib/a%20b".parse::<BlobUrl>().expect("a folder");
        assert_eq!(folder, BlobUrl::Folder(PathBuf::from("/var/lib/a b")));
        assert!(matches!("s3://books/team".parse(), Ok(BlobUrl::Bucket(_))));
        for wrong in ["", "/var/lib", "file://host/x", "http://x", "s3://", "s3://key:secret@books"] {
            assert!(wrong.parse::<BlobUrl>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_file_of_settings_is_checked_and_not_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store.toml");
        let told = |text: &str| {
            fs::write(&path, text).expect("written");
            let config = crate::testing::config(&["--object-store-file", path.to_str().expect("text")]);
            config.fixed.objects.options().map(|options| format!("{:?}", options.settings))
        };
        let right = told("aws_access_key_id = \"hush\"\naws_allow_http = true\n");
        assert_eq!(right, Ok(r#"["aws_access_key_id", "aws_allow_http"]"#.to_owned()));
        for (text, problem) in [
            ("aws_secret = \"hush\"", "aws_secret"),
            ("aws_region = [\"hush\"]", "aws_region is no text"),
            ("hush hush", "no TOML"),
        ] {
            let error = told(text).expect_err("is wrong");
            assert!(error.contains(problem) && !error.contains("hush"), "{error}");
        }
    }
}
