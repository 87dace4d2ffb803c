//! How a store is reached, and what with.

use std::{sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey},
    azure::{AzureConfigKey, MicrosoftAzureBuilder},
    gcp::{GoogleCloudStorageBuilder, GoogleConfigKey},
};

use crate::{
    BucketUrl,
    page::{Connector, Pages},
};

/// How requests are made.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long one request may take until its connection stands.
    pub connect_timeout: Duration,
    /// How long a request may take with all its repetitions, beside the time that its bytes take at a mebibyte a second.
    pub timeout: Duration,
    /// How long the store may be silent within an object.
    pub stall_timeout: Duration,
    /// For how long a store that failed again and again is not asked.
    pub pause: Duration,
    /// What the store is told beside what the environment says.
    pub settings: Settings,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            connect_timeout: Duration::from_secs(2),
            timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(5),
            pause: Duration::from_secs(5),
            settings: Settings::default(),
        }
    }
}

/// Settings of stores by the names that the `object_store` crate gives them: `aws_access_key_id`, `aws_endpoint`,
/// `google_service_account`, `azure_storage_account_key`, … They may be secret, and are not printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Settings(Vec<(String, String)>);

/// There is no setting of that name for any store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no object store has a setting {0:?}; settings are named as in the documentation of the object_store crate"
)]
pub struct UnknownSetting(pub String);

impl Settings {
    /// Those settings; the last one of a name holds.
    ///
    /// # Errors
    /// When no store knows a name.
    pub fn new(settings: impl IntoIterator<Item = (String, String)>) -> Result<Settings, UnknownSetting> {
        let settings: Vec<(String, String)> = settings.into_iter().collect();
        let is_known = |name: &str| {
            name.parse::<AmazonS3ConfigKey>().is_ok()
                || name.parse::<GoogleConfigKey>().is_ok()
                || name.parse::<AzureConfigKey>().is_ok()
        };
        match settings.iter().find(|(name, _)| !is_known(name)) {
            Some((name, _)) => Err(UnknownSetting(name.clone())),
            None => Ok(Settings(settings)),
        }
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// The store of a URL. What it repeats by itself is what surely did not happen, or may happen twice.
pub(crate) fn build(
    url: &BucketUrl,
    options: &Options,
    pages: &Arc<Pages>,
) -> object_store::Result<Arc<dyn ObjectStore>> {
    let text = url.url.as_str();
    // The time of a request is bounded by who makes it, who knows how much there is to transfer.
    let client = ClientOptions::new()
        .with_connect_timeout(options.connect_timeout)
        .with_timeout_disabled()
        .with_allow_http(true);
    let retry = RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(2),
            ..BackoffConfig::default()
        },
        max_retries: 3,
        retry_timeout: options.timeout / 2,
    };
    macro_rules! built {
        ($builder:ty) => {{
            let mut builder = <$builder>::from_env()
                .with_url(text)
                .with_client_options(client)
                .with_retry(retry)
                .with_http_connector(Connector(Arc::clone(pages)));
            for (key, value) in &options.settings.0 {
                // What is said for other stores does not concern this one.
                if let Ok(key) = key.parse() {
                    builder = builder.with_config(key, value);
                }
            }
            Arc::new(builder.build()?)
        }};
    }
    Ok(match url.url.scheme() {
        "gs" => built!(GoogleCloudStorageBuilder),
        "az" => built!(MicrosoftAzureBuilder),
        _ => built!(AmazonS3Builder),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_known_and_not_told() {
        let pair = |name: &str| (name.to_owned(), "hush".to_owned());
        for name in
            ["aws_secret_access_key", "google_service_account", "azure_storage_account_key", "endpoint"]
        {
            let settings = Settings::new([pair(name)]).expect(name);
            assert_eq!(format!("{settings:?}"), format!("[{name:?}]"));
        }
        assert_eq!(Settings::new([pair("aws_secret")]), Err(UnknownSetting("aws_secret".to_owned())));
    }
}
