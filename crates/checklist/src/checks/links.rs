//! That the links of a Markdown document to files and headings lead somewhere. Those to other machines are not followed.

use std::{collections::BTreeSet, fs, path::Path};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::context::Finding;

pub(super) fn check(path: &Path, text: &str, name: &str) -> Result<(), Finding> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let broken: Vec<String> = links(text)
        .into_iter()
        .filter(|link| !link.contains("://") && !link.starts_with("mailto:"))
        .filter(|link| {
            let (file, heading) =
                link.split_once('#').map_or((link.as_str(), None), |(file, heading)| (file, Some(heading)));
            let target = if file.is_empty() { path.to_owned() } else { folder.join(file) };
            !leads_somewhere(&target, heading)
        })
        .collect();
    match broken.first() {
        None => Ok(()),
        Some(first) => Err(Finding::fail(format!("{name}: a link leads nowhere: {first}")).with(broken)),
    }
}

fn links(text: &str) -> Vec<String> {
    let mut links: Vec<String> = Parser::new_ext(text, Options::ENABLE_TABLES)
        .filter_map(|event| match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                Some(dest_url.to_string())
            }
            _ => None,
        })
        .collect();
    links.sort();
    links.dedup();
    links
}

fn leads_somewhere(target: &Path, heading: Option<&str>) -> bool {
    let Some(heading) = heading else { return target.exists() };
    fs::read_to_string(target).is_ok_and(|text| anchors(&text).contains(heading))
}

/// The names of headings, as those who show Markdown make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Text(part) | Event::Code(part) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&part);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                if let Some(words) = heading.take() {
                    let kept = words.to_lowercase().replace(' ', "-");
                    anchors.insert(
                        kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect(),
                    );
                }
            }
            _ => {}
        }
    }
    anchors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_files_and_headings_or_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("page.md");
        fs::write(folder.path().join("other.md"), "# The `x` of it, (so)\n").unwrap();
        let check = |text: &str| {
            fs::write(&page, text).unwrap();
            super::check(&page, text, "page.md").map_err(|finding| finding.summary)
        };
        assert_eq!(
            check("[a](other.md) [b](other.md#the-x-of-it-so) [c](#me) [d](https://e.f)\n\n# Me"),
            Ok(())
        );
        for wrong in ["gone.md", "other.md#gone", "#gone"] {
            assert_eq!(
                check(&format!("[a]({wrong})")),
                Err(format!("page.md: a link leads nowhere: {wrong}"))
            );
        }
    }
}
