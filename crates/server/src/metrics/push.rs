//! The last values, pushed when the server ends: nobody scrapes it any more.

use std::{sync::Arc, time::Duration};

use super::Format;
use crate::{Server, config::MetricsConfig, outbound};

/// How long a push may take, and less where less is left of the drain's time.
const PUSH_TIMEOUT: Duration = Duration::from_secs(3);

/// Pushes the last values, if somebody wants them. A failure is logged: the server ends all the same.
pub async fn push_last(config: &MetricsConfig, server: &Arc<Server>, drain_timeout: Duration) {
    let Some(gateway) = &config.metrics_push_url else { return };
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let instance = percent_encoding::utf8_percent_encode(&host, percent_encoding::NON_ALPHANUMERIC);
    let job = &config.metrics_push_job;
    let url = gateway.with_path(&format!("/metrics/job/{job}/instance/{instance}"));
    let limit = PUSH_TIMEOUT.min(server.lifecycle.left_of(drain_timeout));
    let (reader, metrics) = (Arc::clone(server), Arc::clone(&server.context.metrics));
    let push = async {
        let page = tokio::task::spawn_blocking(move || metrics.page(&reader, Format::Prometheus));
        let page = page.await.map_err(|error| error.to_string())?;
        let client = outbound::plain_client().build().map_err(|error| error.to_string())?;
        let request = client.put(url).header("content-type", Format::Prometheus.content_type()).body(page);
        let answer = request.send().await.map_err(|error| error.to_string())?;
        answer.error_for_status().map(drop).map_err(|error| error.to_string())
    };
    match tokio::time::timeout(limit, push).await {
        Ok(Ok(())) => tracing::info!(gateway = gateway.as_str(), "pushed the last metrics"),
        Ok(Err(error)) => {
            tracing::warn!(gateway = gateway.as_str(), error, "the last metrics were not pushed");
        }
        Err(_) => tracing::warn!(
            gateway = gateway.as_str(),
            milliseconds = limit.as_millis() as u64,
            "the last metrics were not pushed in time"
        ),
    }
}
