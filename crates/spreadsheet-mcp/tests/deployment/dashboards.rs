//! Dashboards of Grafana, made of short descriptions of their panels.

use serde_json::{Value, json};

use crate::{
    known,
    source::{documents, text},
};

/// The dashboards there are.
pub(crate) const NAMES: [&str; 4] = ["overview", "resources", "business", "cache-and-recalculation"];
/// How wide a dashboard is, in Grafana's units.
const WIDTH: u64 = 24;

fn described(name: &str) -> Value {
    documents(&text(&format!("deploy/monitoring/grafana/{name}.yaml"))).remove(0)
}

/// The panels of a dashboard's description.
pub(crate) fn panels(name: &str) -> Vec<Value> {
    let rows = described(name)["rows"].as_array().expect("rows").clone();
    rows.iter().flat_map(|row| row["panels"].as_array().expect("panels").clone()).collect()
}

/// The dashboard as Grafana reads it.
pub(crate) fn rendered(name: &str) -> String {
    let dashboard = described(name);
    let mut panels = Vec::new();
    let mut y = 0;
    for row in dashboard["rows"].as_array().expect("rows") {
        let id = panels.len() + 1;
        panels.push(json!({
            "id": id, "type": "row", "title": row["title"], "collapsed": false, "panels": [],
            "gridPos": { "x": 0, "y": y, "w": WIDTH, "h": 1 }
        }));
        y += 1;
        let (mut x, mut height) = (0, 0);
        for source in row["panels"].as_array().expect("panels") {
            let (w, h) = if source["kind"] == "stat" { (WIDTH / 6, 4) } else { (WIDTH / 2, 8) };
            if x + w > WIDTH {
                (x, y) = (0, y + height);
            }
            panels.push(panel(source, panels.len() + 1, json!({ "x": x, "y": y, "w": w, "h": h })));
            (x, height) = (x + w, h);
        }
        y += height;
    }
    let variable = |name: &str, query: &str, many: bool| {
        json!({
            "name": name, "label": name, "type": "query", "datasource": { "type": "prometheus", "uid": "$datasource" },
            "query": { "query": query, "refId": name }, "refresh": 2, "multi": many, "includeAll": many,
            "current": if many { json!({ "text": "All", "value": "$__all" }) } else { json!({ "text": "spreadsheet-mcp", "value": "spreadsheet-mcp" }) },
        })
    };
    let page = json!({
        "uid": format!("spreadsheet-mcp-{name}"),
        "title": dashboard["title"],
        "description": dashboard["about"],
        "tags": ["spreadsheet-mcp"],
        "schemaVersion": 39,
        "editable": false,
        "refresh": "30s",
        "time": { "from": "now-6h", "to": "now" },
        "timezone": "browser",
        "links": [{ "title": "spreadsheet-mcp", "type": "dashboards", "tags": ["spreadsheet-mcp"], "asDropdown": true, "keepTime": true }],
        "templating": { "list": [
            { "name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus" },
            variable("job", "label_values(spreadsheet_mcp_build_info, job)", false),
            variable("instance", "label_values(spreadsheet_mcp_build_info{job=\"$job\"}, instance)", true),
        ] },
        "panels": panels,
    });
    let mut text = serde_json::to_string_pretty(&page).expect("invariant: a value is written");
    text.push('\n');
    text
}

fn panel(source: &Value, id: usize, position: Value) -> Value {
    let kind = source["kind"].as_str().unwrap_or("timeseries");
    let queries = source["queries"].as_array().expect("queries");
    let target = |(at, query): (usize, &Value)| {
        let letter = char::from(b'A' + u8::try_from(at).expect("few queries"));
        json!({
            "refId": letter.to_string(), "expr": query["expr"], "legendFormat": query["legend"].as_str().unwrap_or("{{instance}}"),
            "datasource": { "type": "prometheus", "uid": "$datasource" },
        })
    };
    let step = |color: &str, from: &Value| json!({ "color": color, "value": from });
    let mut steps = vec![step("green", &Value::Null)];
    for (key, color) in [("warn", "orange"), ("alarm", "red")] {
        if source.get(key).is_some() {
            steps.push(step(color, &source[key]));
        }
    }
    let mut panel = json!({
        "id": id, "type": kind, "title": source["title"], "gridPos": position,
        "datasource": { "type": "prometheus", "uid": "$datasource" },
        "fieldConfig": { "defaults": { "unit": source["unit"], "min": 0, "thresholds": { "mode": "absolute", "steps": steps } }, "overrides": [] },
        "targets": queries.iter().enumerate().map(target).collect::<Vec<_>>(),
    });
    if source.get("about").is_some() {
        panel["description"] = source["about"].clone();
    }
    panel
}

#[test]
fn every_query_names_what_there_is() {
    for name in NAMES {
        for panel in panels(name) {
            for query in panel["queries"].as_array().expect("queries") {
                known::check(query["expr"].as_str().expect("a query"));
            }
        }
    }
}

#[test]
fn grafana_can_place_every_panel() {
    for name in NAMES {
        let page: Value = serde_json::from_str(&rendered(name)).expect("json");
        let panels = page["panels"].as_array().expect("panels");
        let area = |panel: &Value| {
            let [x, y, w, h] =
                ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().expect("a number"));
            (x..x + w, y..y + h)
        };
        for (at, panel) in panels.iter().enumerate() {
            let (columns, rows) = area(panel);
            assert!(columns.end <= WIDTH, "{panel}");
            for other in &panels[..at] {
                let (others, lines) = area(other);
                let is_apart = columns.end <= others.start
                    || others.end <= columns.start
                    || rows.end <= lines.start
                    || lines.end <= rows.start;
                assert!(is_apart, "{} lies on {}", panel["title"], other["title"]);
            }
        }
    }
}
