//! Who hears of which alert.

use std::path::Path;

use components::installed;

use crate::{rules::alerts, source::said, source::text};

const CONFIG: &str = "deploy/monitoring/alertmanager/alertmanager.yml";

fn receivers(amtool: &Path, labels: &[&str]) -> String {
    let mut arguments = vec!["config", "routes", "test", "--config.file", CONFIG];
    arguments.extend(labels);
    said(amtool, &arguments).trim().to_owned()
}

#[test]
fn alertmanager_takes_its_configuration() {
    let Some(amtool) = installed("amtool") else { return };
    let told = said(&amtool, &["check-config", CONFIG]);
    assert!(told.contains("1 templates"), "{told}");
}

#[test]
fn critical_alerts_wake_somebody_and_warnings_do_not() {
    let Some(amtool) = installed("amtool") else { return };
    for alert in alerts() {
        let labels = [format!("alertname={}", alert.name), format!("severity={}", alert.severity)];
        let heard = receivers(&amtool, &labels.each_ref().map(String::as_str));
        let expected = if alert.severity == "critical" { "on-call,team" } else { "team" };
        assert_eq!(heard, expected, "{}", alert.name);
    }
    assert_eq!(receivers(&amtool, &["alertname=Unheard"]), "team", "what is not known is not lost");
}

#[test]
fn secrets_are_in_files() {
    let config = text(CONFIG);
    for secret in ["routing_key:", "service_key:", "api_key:", "api_url:", "password:"] {
        assert!(!config.contains(secret), "{secret}");
    }
    assert_eq!(config.matches("_file: /run/secrets/alertmanager/").count(), 3);
}
