//! Every metric there is, with its help, its type and its labels: what is exposed and what `docs/metrics.md` says are one.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    encoding::{prometheus_text, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Metric, Registry, Unit},
};

use super::labels::{Label, LabelSet};

/// What names of metrics begin with; those about the process have the names that all Prometheus clients give them.
const PREFIX: &str = "spreadsheet_mcp_";

/// A histogram for each set of labels.
pub(super) type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// A metric, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// The name that queries use; of a histogram, without `_bucket`, `_sum` and `_count`.
    pub name: String,
    /// counter, gauge or histogram.
    pub kind: &'static str,
    /// What it counts.
    pub help: &'static str,
    /// Its labels.
    pub labels: Vec<Label>,
}

/// In which format metrics are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus' own text format 0.0.4.
    Prometheus,
}

impl Format {
    /// The format for an `Accept` header.
    pub fn accepted(accept: &str) -> Format {
        match accept.contains("application/openmetrics-text") {
            true => Format::OpenMetrics,
            false => Format::Prometheus,
        }
    }

    /// The content type.
    pub fn content_type(self) -> &'static str {
        match self {
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Format::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// Every metric there is.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    registry: Registry,
    described: Vec<Described>,
}

impl Catalogue {
    /// Every metric, in the order of the reference.
    pub(super) fn described(&self) -> &[Described] {
        &self.described
    }

    /// What a scrape gets.
    pub(super) fn encode(&self, format: Format) -> String {
        let mut page = String::new();
        let written = match format {
            Format::OpenMetrics => text::encode(&mut page, &self.registry),
            Format::Prometheus => prometheus_text::encode(&mut page, &self.registry),
        };
        debug_assert!(written.is_ok(), "writing to a string does not fail");
        page
    }

    /// A number of things that happened.
    pub(super) fn counter(&mut self, name: &str, help: &'static str) -> Counter {
        self.add(name, "counter", help, None, Vec::new(), Counter::default())
    }

    /// A number of things that happened, by labels.
    pub(super) fn counters<L: LabelSet>(&mut self, name: &str, help: &'static str) -> Family<L, Counter> {
        let counters = Family::<L, Counter>::default();
        for labels in L::known_before() {
            let _at_zero = counters.get_or_create(&labels);
        }
        self.add(name, "counter", help, None, L::labels(), counters)
    }

    /// A sum of seconds.
    pub(super) fn seconds_counter(&mut self, name: &str, help: &'static str) -> Counter<f64, AtomicU64> {
        self.add(name, "counter", help, Some(Unit::Seconds), Vec::new(), Counter::default())
    }

    /// Sums of seconds, by labels.
    pub(super) fn seconds_counters<L: LabelSet>(
        &mut self,
        name: &str,
        help: &'static str,
    ) -> Family<L, Counter<f64, AtomicU64>> {
        self.add(name, "counter", help, Some(Unit::Seconds), L::labels(), Family::default())
    }

    /// A number that goes up and down.
    pub(super) fn gauge(&mut self, name: &str, help: &'static str) -> Gauge {
        self.add(name, "gauge", help, None, Vec::new(), Gauge::default())
    }

    /// A number of bytes that goes up and down.
    pub(super) fn bytes_gauge(&mut self, name: &str, help: &'static str) -> Gauge {
        self.add(name, "gauge", help, Some(Unit::Bytes), Vec::new(), Gauge::default())
    }

    /// A moment, in seconds since 1970.
    pub(super) fn moment_gauge(&mut self, name: &str, help: &'static str) -> Gauge<f64, AtomicU64> {
        self.add(name, "gauge", help, Some(Unit::Seconds), Vec::new(), Gauge::default())
    }

    /// Numbers that go up and down, by labels.
    pub(super) fn gauges<L: LabelSet>(
        &mut self,
        name: &str,
        help: &'static str,
        unit: Option<Unit>,
    ) -> Family<L, Gauge> {
        self.add(name, "gauge", help, unit, L::labels(), Family::default())
    }

    /// How things that happen are distributed.
    pub(super) fn histogram(
        &mut self,
        name: &str,
        help: &'static str,
        unit: Unit,
        new: fn() -> Histogram,
    ) -> Histogram {
        self.add(name, "histogram", help, Some(unit), Vec::new(), new())
    }

    /// How things that happen are distributed, by labels.
    pub(super) fn histograms<L: LabelSet>(
        &mut self,
        name: &str,
        help: &'static str,
        unit: Unit,
        new: fn() -> Histogram,
    ) -> Histograms<L> {
        self.add(name, "histogram", help, Some(unit), L::labels(), Family::new_with_constructor(new))
    }

    /// What never changes while the program runs: a gauge that is 1.
    pub(super) fn info(&mut self, name: &str, help: &'static str, labels: Vec<(&'static str, &'static str)>) {
        // One value each, which differs from build to build.
        let told = labels.iter().map(|(name, _)| Label { name, values: Vec::new() }).collect();
        self.describe(format!("{PREFIX}{name}_info"), "gauge", help, told);
        self.registry.register(format!("{PREFIX}{name}"), help, Info::new(labels));
    }

    fn add<M: Metric + Clone>(
        &mut self,
        name: &str,
        kind: &'static str,
        help: &'static str,
        unit: Option<Unit>,
        labels: Vec<Label>,
        metric: M,
    ) -> M {
        let name = if name.starts_with("process_") { name.to_owned() } else { format!("{PREFIX}{name}") };
        let suffix = unit.as_ref().map_or_else(String::new, |unit| format!("_{}", unit.as_str()));
        let ending = if kind == "counter" { "_total" } else { "" };
        self.describe(format!("{name}{suffix}{ending}"), kind, help, labels);
        match unit {
            Some(unit) => self.registry.register_with_unit(name, help, unit, metric.clone()),
            None => self.registry.register(name, help, metric.clone()),
        }
        metric
    }

    fn describe(&mut self, name: String, kind: &'static str, help: &'static str, labels: Vec<Label>) {
        self.described.push(Described { name, kind, help, labels });
    }
}
