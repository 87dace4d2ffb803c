//! A page of metrics in the text format of Prometheus 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>).

use std::collections::BTreeSet;

/// What is on a page.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Page {
    /// The samples, in their order.
    pub(super) samples: Vec<Sample>,
    /// Names of histograms.
    histograms: BTreeSet<String>,
}

/// A series, and its value.
#[derive(Debug, PartialEq)]
pub(super) struct Sample {
    /// The name, with its suffix.
    pub(super) name: String,
    /// Names and values of labels.
    pub(super) labels: Vec<(String, String)>,
    /// The value.
    pub(super) value: f64,
}

/// A line that is none of the format.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {0} of the page is no sample")]
pub(super) struct NoSample(usize);

impl Page {
    /// Reads a page.
    ///
    /// # Errors
    /// The first line that is none of the format.
    pub(super) fn read(text: &str) -> Result<Page, NoSample> {
        let mut page = Page::default();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            match line.strip_prefix('#') {
                Some(comment) => page.histograms.extend(histogram(comment).map(str::to_owned)),
                None if line.is_empty() => {}
                None => page.samples.push(sample(line).ok_or(NoSample(at + 1))?),
            }
        }
        Ok(page)
    }

    /// The name of the metric that a sample is of: of a histogram, without `_bucket`, `_sum` and `_count`.
    pub(super) fn metric<'a>(&self, sample: &'a Sample) -> &'a str {
        let mut stems =
            ["_bucket", "_sum", "_count"].into_iter().filter_map(|part| sample.name.strip_suffix(part));
        stems.find(|stem| self.histograms.contains(*stem)).unwrap_or(&sample.name)
    }
}

impl Sample {
    /// The value of a label.
    pub(super) fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(label, _)| label == name).map(|(_, value)| value.as_str())
    }
}

/// The name of `TYPE name histogram`.
fn histogram(comment: &str) -> Option<&str> {
    let mut words = comment.split_whitespace();
    let (kind, name, of) = (words.next()?, words.next()?, words.next()?);
    (kind == "TYPE" && of == "histogram").then_some(name)
}

fn sample(line: &str) -> Option<Sample> {
    let end = line.find(|letter: char| letter == '{' || letter.is_whitespace())?;
    let (name, rest) = line.split_at(end);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Vec::new(), rest),
    };
    // A timestamp may follow.
    let value = match rest.split_whitespace().next()? {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        text => text.parse().ok()?,
    };
    (!name.is_empty()).then(|| Sample { name: name.to_owned(), labels, value })
}

/// Labels up to the brace that ends them, and what follows it.
fn labels(mut rest: &str) -> Option<(Vec<(String, String)>, &str)> {
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        let (name, after) = rest.split_once("=\"")?;
        let (value, after) = quoted(after)?;
        labels.push((name.trim().to_owned(), value));
        rest = after;
    }
}

/// A value up to the quote that ends it, and what follows that.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match letters.next()?.1 {
                'n' => value.push('\n'),
                escaped => value.push(escaped),
            },
            _ => value.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_have_names_labels_and_values() {
        let page = Page::read(
            "# HELP took_seconds How long.\n# TYPE took_seconds histogram\n\
             took_seconds_bucket{tool=\"a\",le=\"+Inf\"} 3 1700000000000\ntook_seconds_count{tool=\"a\",} 3\n\n\
             plain 1.5e3\nodd{text=\"a\\\"b\\\\c}\\n\"} +Inf\n",
        )
        .expect("a page");
        let named: Vec<(&str, f64)> =
            page.samples.iter().map(|sample| (sample.name.as_str(), sample.value)).collect();
        assert_eq!(
            named,
            [
                ("took_seconds_bucket", 3.0),
                ("took_seconds_count", 3.0),
                ("plain", 1500.0),
                ("odd", f64::INFINITY)
            ]
        );
        assert_eq!(page.samples[0].label("le"), Some("+Inf"));
        assert_eq!(page.samples[3].label("text"), Some("a\"b\\c}\n"));
        assert_eq!(page.metric(&page.samples[0]), "took_seconds");
        assert_eq!(page.metric(&page.samples[2]), "plain");
    }

    #[test]
    fn what_is_no_page_is_refused() {
        for (text, line) in [("a 1\nb", 2), ("a{b=\"c} 1", 1), ("a one", 1), ("<html>", 1), ("{} 1", 1)] {
            assert_eq!(Page::read(text), Err(NoSample(line)), "{text}");
        }
    }
}
