//! A small part as a tree that is written back as it was read, but for what was changed.
//!
//! Tags, texts and comments are kept as they stand in the part: an element that nobody touches keeps the order and quotes
//! of its attributes, its entities, its white space. For the parts that are edited as a whole; large ones are spliced.

use std::borrow::Cow;
use std::io::Read;

use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::{BytesStart, Event};

use crate::error::PackageError;
use crate::xml_source::XmlSource;

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>";

/// A whole part.
#[derive(Debug, Clone)]
pub struct Tree {
    before: String,
    /// The part's one element.
    pub root: Node,
    after: String,
}

/// An element, with what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Between `<` and `>` (or `/>`).
    tag: String,
    content: Vec<Content>,
}

/// What stands within an element.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    Node(Node),
    /// Text, comments, CDATA and processing instructions, as they stand.
    Raw(String),
}

impl Tree {
    /// Reads a part.
    ///
    /// # Errors
    /// When its XML is not well formed, nests too deep, or declares a document type.
    pub fn read(part: &str, bytes: &[u8], max_depth: usize) -> Result<Tree, PackageError> {
        let broken = |position: usize, problem: String| PackageError::Xml {
            part: part.to_owned(),
            position: position as u64,
            problem,
        };
        let mut text = String::with_capacity(bytes.len());
        XmlSource::new(bytes)
            .read_to_string(&mut text)
            .map_err(|error| broken(0, format!("it cannot be decoded: {error}")))?;
        let text = text.trim_start_matches('\u{feff}');
        let mut reader = Reader::from_str(text);
        let (mut before, mut after) = (String::new(), String::new());
        let mut root = None;
        let mut open: Vec<Node> = Vec::new();
        loop {
            let start = reader.buffer_position() as usize;
            let event = reader.read_event().map_err(|error| broken(start, error.to_string()))?;
            let raw = &text[start..reader.buffer_position() as usize];
            let done = match event {
                Event::DocType(_) => {
                    return Err(broken(start, "document type declarations are not allowed".to_owned()));
                }
                Event::Eof if open.is_empty() => break,
                Event::Eof => return Err(broken(start, "its elements do not end; it is cut off".to_owned())),
                Event::Start(_) if open.len() >= max_depth => {
                    return Err(broken(start, format!("elements nest deeper than {max_depth}")));
                }
                Event::Start(_) => {
                    let tag = raw.trim_start_matches('<').trim_end_matches('>').to_owned();
                    open.push(Node { tag, content: Vec::new() });
                    continue;
                }
                Event::Empty(_) => {
                    let tag = raw.trim_start_matches('<').trim_end_matches("/>").to_owned();
                    Content::Node(Node { tag, content: Vec::new() })
                }
                Event::End(_) => match open.pop() {
                    Some(mut node) => {
                        // An empty text keeps `<a></a>` from becoming `<a/>`.
                        if node.content.is_empty() {
                            node.content.push(Content::Raw(String::new()));
                        }
                        Content::Node(node)
                    }
                    None => return Err(broken(start, "an element ends that did not start".to_owned())),
                },
                // It is written as UTF-8, whatever it was read as.
                Event::Decl(_) if raw.contains("encoding") && !raw.to_ascii_lowercase().contains("utf-8") => {
                    Content::Raw(DECLARATION.to_owned())
                }
                _ => Content::Raw(raw.to_owned()),
            };
            match (open.last_mut(), done) {
                (Some(parent), done) => parent.content.push(done),
                (None, Content::Raw(raw)) if root.is_none() => before.push_str(&raw),
                (None, Content::Raw(raw)) => after.push_str(&raw),
                (None, Content::Node(node)) if root.is_none() => root = Some(node),
                (None, Content::Node(_)) => {
                    return Err(broken(start, "it has more than one root element".to_owned()));
                }
            }
        }
        let root = root.ok_or_else(|| broken(0, "it has no element".to_owned()))?;
        Ok(Tree { before, root, after })
    }

    /// A new part around a root element.
    pub fn new(root: Node) -> Tree {
        Tree { before: format!("{DECLARATION}\n"), root, after: String::new() }
    }

    /// The part's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.before.clone();
        self.root.write(&mut out);
        out.push_str(&self.after);
        out.into_bytes()
    }
}

impl Node {
    /// An element without attributes and content. `name` with its prefix, if it has one.
    pub fn new(name: &str) -> Node {
        Node { tag: name.to_owned(), content: Vec::new() }
    }

    /// Reads one element from text that this program writes itself.
    ///
    /// # Errors
    /// When the text is not one well-formed element.
    pub fn parse(xml: &str) -> Result<Node, PackageError> {
        Ok(Tree::read("new element", xml.as_bytes(), 64)?.root)
    }

    /// An element of the same namespace prefix as this one.
    pub fn sibling(&self, local_name: &str) -> Node {
        match self.name().split_once(':') {
            Some((prefix, _)) => Node::new(&format!("{prefix}:{local_name}")),
            None => Node::new(local_name),
        }
    }

    /// The name with its prefix.
    pub fn name(&self) -> &str {
        self.tag.split([' ', '\t', '\r', '\n', '/']).next().unwrap_or_default()
    }

    /// The name without its prefix.
    pub fn local_name(&self) -> &str {
        let name = self.name();
        name.rsplit_once(':').map_or(name, |(_, local)| local)
    }

    /// An attribute, unescaped: by its whole name, else by its name without prefix.
    pub fn attr(&self, name: &str) -> Option<String> {
        let (start, end) = self.value_span(name)?;
        let raw = &self.tag[start..end];
        Some(quick_xml::escape::unescape(raw).map_or_else(|_| raw.to_owned(), Cow::into_owned))
    }

    /// An attribute read as a value; `None` if it is absent or unreadable.
    pub fn parsed<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.attr(name)?.trim().parse().ok()
    }

    /// A boolean attribute; `default` if it is absent.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        self.attr(name).map_or(default, |value| crate::parse_bool(&value))
    }

    /// Sets an attribute where it stands, or behind the others.
    pub fn set(&mut self, name: &str, value: &str) {
        let escaped = escape_attribute(value);
        match self.value_span(name) {
            Some((start, end)) => self.tag.replace_range(start..end, &escaped),
            None => {
                self.tag.truncate(self.tag.trim_end().len());
                self.tag.push_str(&format!(" {name}=\"{escaped}\""));
            }
        }
    }

    /// Sets an attribute, or takes it away for `None`.
    pub fn set_or_unset(&mut self, name: &str, value: Option<&str>) {
        match value {
            Some(value) => self.set(name, value),
            None => self.unset(name),
        }
    }

    /// Takes an attribute away.
    pub fn unset(&mut self, name: &str) {
        let Some((start, end)) = self.value_span(name) else { return };
        // Back over the quote, the equals sign and the name, to the white space before it.
        let head = &self.tag[..start - 1];
        let head = head.trim_end().trim_end_matches('=').trim_end();
        let from = head.rfind([' ', '\t', '\r', '\n']).unwrap_or(head.len());
        self.tag.replace_range(from..=end, "");
    }

    /// The same with an attribute set.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Node {
        self.set(name, &value.to_string());
        self
    }

    /// The same with an element added.
    #[must_use]
    pub fn with_child(mut self, child: Node) -> Node {
        self.push(child);
        self
    }

    /// The same with a text.
    #[must_use]
    pub fn with_text(mut self, text: &str) -> Node {
        self.set_text(text);
        self
    }

    /// Every attribute, unescaped, with the names as they stand.
    pub fn attrs(&self) -> Vec<(String, String)> {
        let start = BytesStart::from_content(self.tag.as_str(), self.name().len());
        let mut attributes = start.attributes();
        attributes.with_checks(false);
        attributes
            .flatten()
            .map(|attribute| {
                let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0);
                (
                    attribute.key.into_inner().to_owned(),
                    value.map_or_else(|_| attribute.value.to_string(), Cow::into_owned),
                )
            })
            .collect()
    }

    /// Where an attribute's value stands in the tag.
    fn value_span(&self, name: &str) -> Option<(usize, usize)> {
        let mut by_local_name = None;
        let mut at = self.name().len();
        loop {
            let rest = &self.tag[at..];
            let key_at = at + rest.find(|c: char| !c.is_ascii_whitespace())?;
            let equals = key_at + self.tag[key_at..].find('=')?;
            let key = self.tag[key_at..equals].trim_end();
            let quote_at = equals + 1 + self.tag[equals + 1..].find(['"', '\''])?;
            let quote = char::from(self.tag.as_bytes()[quote_at]);
            let start = quote_at + 1;
            let end = start + self.tag[start..].find(quote)?;
            if key == name {
                return Some((start, end));
            }
            let is_local =
                key.rsplit_once(':').is_some_and(|(prefix, local)| prefix != "xmlns" && local == name);
            if by_local_name.is_none() && is_local {
                by_local_name = Some((start, end));
            }
            at = end + 1;
            if self.tag[at..].trim().is_empty() {
                return by_local_name;
            }
        }
    }

    /// The elements in it.
    pub fn children(&self) -> impl DoubleEndedIterator<Item = &Node> {
        self.content.iter().filter_map(|content| match content {
            Content::Node(node) => Some(node),
            Content::Raw(_) => None,
        })
    }

    /// The elements in it, to be changed.
    pub fn children_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut Node> {
        self.content.iter_mut().filter_map(|content| match content {
            Content::Node(node) => Some(node),
            Content::Raw(_) => None,
        })
    }

    /// The first element of a local name.
    pub fn child(&self, local_name: &str) -> Option<&Node> {
        self.children().find(|node| node.local_name() == local_name)
    }

    /// The first element of a local name, to be changed.
    pub fn child_mut(&mut self, local_name: &str) -> Option<&mut Node> {
        self.children_mut().find(|node| node.local_name() == local_name)
    }

    /// Whether there is no element in it.
    pub fn has_no_children(&self) -> bool {
        self.children().next().is_none()
    }

    /// Adds an element behind the others.
    pub fn push(&mut self, node: Node) {
        self.content.push(Content::Node(node));
    }

    /// Adds an element before the one at a position among the elements, or behind all.
    pub fn insert(&mut self, position: usize, node: Node) {
        let elements =
            self.content.iter().enumerate().filter(|(_, content)| matches!(content, Content::Node(_)));
        let at = elements.map(|(at, _)| at).nth(position).unwrap_or(self.content.len());
        self.content.insert(at, Content::Node(node));
    }

    /// The first element of a local name, added where `order` (the schema's sequence of local names) has it.
    pub fn child_in_order(&mut self, local_name: &str, order: &[&str]) -> &mut Node {
        if self.child(local_name).is_none() {
            let node = self.sibling(local_name);
            self.insert_in_order(node, order);
        }
        self.child_mut(local_name).expect("invariant: it was there or has just been added")
    }

    /// Adds an element where `order` has its local name, behind others of that name.
    pub fn insert_in_order(&mut self, node: Node, order: &[&str]) {
        let rank = |name: &str| order.iter().position(|known| *known == name).unwrap_or(order.len());
        let own = rank(node.local_name());
        let position = self.children().position(|child| rank(child.local_name()) > own);
        self.insert(position.unwrap_or(usize::MAX), node);
    }

    /// Keeps the elements that a test accepts.
    pub fn retain(&mut self, mut is_kept: impl FnMut(&Node) -> bool) {
        self.content.retain(|content| match content {
            Content::Node(node) => is_kept(node),
            Content::Raw(_) => true,
        });
    }

    /// Keeps the elements that a test accepts, which may change them.
    pub fn retain_mut(&mut self, mut is_kept: impl FnMut(&mut Node) -> bool) {
        self.content.retain_mut(|content| match content {
            Content::Node(node) => is_kept(node),
            Content::Raw(_) => true,
        });
    }

    /// Takes away everything in it.
    pub fn clear(&mut self) {
        self.content.clear();
    }

    /// Its text, unescaped, with that of the elements in it.
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.collect_text(&mut text);
        text
    }

    fn collect_text(&self, text: &mut String) {
        for content in &self.content {
            match content {
                Content::Node(node) => node.collect_text(text),
                Content::Raw(raw) if raw.starts_with("<![CDATA[") => {
                    text.push_str(raw.trim_start_matches("<![CDATA[").trim_end_matches("]]>"));
                }
                Content::Raw(raw) if raw.starts_with('<') => {}
                Content::Raw(raw) => {
                    text.push_str(&quick_xml::escape::unescape(raw).unwrap_or(Cow::Borrowed(raw)));
                }
            }
        }
    }

    /// Replaces everything in it by a text.
    pub fn set_text(&mut self, text: &str) {
        self.content = vec![Content::Raw(escape_text(text))];
    }

    /// Calls `change` for this element and for each in it, outer ones first.
    pub fn for_each_mut(&mut self, change: &mut dyn FnMut(&mut Node)) {
        change(self);
        for child in self.children_mut() {
            child.for_each_mut(change);
        }
    }

    /// The element's XML.
    pub fn to_xml(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        out.push('<');
        out.push_str(&self.tag);
        if self.content.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        for content in &self.content {
            match content {
                Content::Node(node) => node.write(out),
                Content::Raw(raw) => out.push_str(raw),
            }
        }
        out.push_str("</");
        out.push_str(self.name());
        out.push('>');
    }
}

/// Text as an attribute's value: line ends and tabs as characters, which an attribute would lose.
fn escape_attribute(value: &str) -> String {
    let escaped = escape(value);
    escaped.replace('\n', "&#10;").replace('\r', "&#13;").replace('\t', "&#9;")
}

/// Text as an element's content.
pub fn escape_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\r' => escaped.push_str("&#13;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    const PART: &str = "<?xml version=\"1.0\"?>\n<!-- a --><x:root xmlns:x='u' b = \"1 &amp; 2\"\n c='>'>\n <x:a/><!-- b --><x:b k=\"v\" >t &lt; u<![CDATA[<]]></x:b>\n</x:root>\n";

    fn tree() -> Tree {
        Tree::read("part", PART.as_bytes(), 9).unwrap()
    }

    #[test]
    fn what_is_not_changed_stays() {
        assert_eq!(String::from_utf8(tree().to_bytes()).unwrap(), PART);
    }

    #[test]
    fn attributes() {
        let mut root = tree().root;
        assert_eq!((root.name(), root.local_name()), ("x:root", "root"));
        assert_eq!(root.attr("b").as_deref(), Some("1 & 2"));
        assert_eq!(root.attr("c").as_deref(), Some(">"));
        assert_eq!(root.attr("x"), None, "a namespace is no attribute");
        root.set("c", "a\"<");
        root.set("d", "5");
        root.unset("b");
        root.clear();
        assert_eq!(root.to_xml(), "<x:root xmlns:x='u'\n c='a&quot;&lt;' d=\"5\"/>");
    }

    #[test]
    fn elements() {
        let mut root = tree().root;
        assert_eq!(root.child("b").unwrap().text(), "t < u<");
        root.child_in_order("ab", &["a", "ab", "b"]).set("n", "1");
        root.child_in_order("c", &["a", "ab", "b", "c"]).set_text("1 & 2");
        root.child_mut("b").unwrap().set_text("");
        root.retain(|node| node.local_name() != "a");
        let expected = "\n <!-- b --><x:ab n=\"1\"/><x:b k=\"v\" ></x:b>\n<x:c>1 &amp; 2</x:c>";
        assert!(root.to_xml().contains(expected), "{}", root.to_xml());
    }

    #[test]
    fn broken_parts_are_refused() {
        for part in
            ["", "<a>", "<a></b>", "<a/><b/>", "</a>", "<!DOCTYPE a><a/>", "<a><a><a><a/></a></a></a>"]
        {
            assert!(Tree::read("part", part.as_bytes(), 2).is_err(), "{part}");
        }
    }
}
