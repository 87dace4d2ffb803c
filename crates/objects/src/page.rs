//! Pages of listings, without the keys that we cannot ask for.
//!
//! Other tools may write keys that the `object_store` crate takes for no path: with control characters, or with an empty name
//! between two slashes. One of them makes it give up on the whole page. They are taken out of the answer of the store
//! before it reads it, so that a listing costs no request more and tells everything else.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use futures_util::future::BoxFuture;
use object_store::{
    ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
        ReqwestConnector,
    },
    path::Path,
};
use quick_xml::{Reader, escape::resolve_xml_entity, events::Event};

/// How many keys were left out of pages so far, and how many pages came.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    left_out: AtomicU64,
    read: AtomicU64,
}

impl Pages {
    /// How many keys were left out since somebody asked.
    pub(crate) fn take_left_out(&self) -> u64 {
        self.left_out.swap(0, Relaxed)
    }

    /// How many pages came.
    pub(crate) fn read(&self) -> u64 {
        self.read.load(Relaxed)
    }
}

/// Connects to stores as the `object_store` crate does by itself, and looks at the pages of their listings.
#[derive(Debug)]
pub(crate) struct Connector(pub(crate) Arc<Pages>);

#[derive(Debug)]
struct Service {
    client: HttpClient,
    pages: Arc<Pages>,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Service { client, pages: Arc::clone(&self.0) }))
    }
}

impl HttpService for Service {
    fn call<'service, 'call>(
        &'service self,
        request: HttpRequest,
    ) -> BoxFuture<'call, Result<HttpResponse, HttpError>>
    where
        'service: 'call,
        Self: 'call,
    {
        Box::pin(async move {
            let is_listing = request.method().as_str() == "GET" && request.uri().query().is_some_and(lists);
            let response = self.client.execute(request).await?;
            if !is_listing || !response.status().is_success() {
                return Ok(response);
            }
            // Whoever asked holds a page as a whole, too.
            let (mut parts, body) = response.into_parts();
            let page = body.bytes().await?;
            self.pages.read.fetch_add(1, Relaxed);
            let (mut kept, mut from) = (Vec::new(), 0);
            for entry in odd_entries(&page) {
                self.pages.left_out.fetch_add(u64::from(entry.is_object), Relaxed);
                kept.extend_from_slice(&page[from..entry.bytes.start]);
                from = entry.bytes.end;
            }
            if from == 0 {
                return Ok(HttpResponse::from_parts(parts, page.into()));
            }
            kept.extend_from_slice(&page[from..]);
            parts.headers.remove("content-length");
            Ok(HttpResponse::from_parts(parts, HttpResponseBody::from(kept)))
        })
    }
}

/// Whether a query asks for a page of a listing: of S3 and Google, or of Azure.
fn lists(query: &str) -> bool {
    query.split('&').any(|parameter| matches!(parameter, "list-type=2" | "comp=list"))
}

/// An object of a page whose key is none that we could ask for.
#[derive(Debug, PartialEq, Eq)]
struct OddEntry {
    bytes: Range<usize>,
    /// Whether it is more than the mark of a folder that some tools leave, a key that ends with a slash.
    is_object: bool,
}

/// Those of a page, in order; none of what is no page, which is for others to say.
fn odd_entries(page: &[u8]) -> Vec<OddEntry> {
    let mut reader = Reader::from_reader(page);
    let mut odd = Vec::new();
    let mut entry: Option<usize> = None;
    let mut key: Option<String> = None;
    let mut is_within_key = false;
    loop {
        let position = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        match reader.read_event() {
            Ok(Event::Start(tag)) => match tag.name().as_ref() {
                "Contents" | "Blob" => (entry, key) = (Some(position), None),
                // The first one: what is told of an object besides may have names, too.
                "Key" | "Name" if entry.is_some() && key.is_none() => {
                    is_within_key = true;
                    key = Some(String::new());
                }
                _ => {}
            },
            Ok(Event::Text(text)) if is_within_key => push(&mut key, &text.xml10_content()),
            Ok(Event::CData(text)) if is_within_key => push(&mut key, &text.xml10_content()),
            Ok(Event::GeneralRef(reference)) if is_within_key => {
                match reference.resolve_char_ref() {
                    Ok(Some(character)) => push(&mut key, character.encode_utf8(&mut [0; 4])),
                    // What can't be resolved is a character that no name has.
                    _ => push(&mut key, resolve_xml_entity(&reference.into_inner()).unwrap_or("\0")),
                }
            }
            Ok(Event::End(tag)) => match tag.name().as_ref() {
                "Key" | "Name" => is_within_key = false,
                "Contents" | "Blob" => {
                    let end = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
                    if let (Some(start), Some(key)) = (entry.take(), key.take())
                        && !is_path(&key)
                    {
                        odd.push(OddEntry { bytes: start..end, is_object: !key.ends_with('/') });
                    }
                }
                _ => {}
            },
            Ok(Event::Eof) => return odd,
            Err(_) => return Vec::new(),
            _ => {}
        }
    }
}

fn push(key: &mut Option<String>, piece: &str) {
    if let Some(key) = key {
        key.push_str(piece);
    }
}

/// Whether a key is told and asked for by the same path.
fn is_path(key: &str) -> bool {
    Path::parse(key).is_ok_and(|path| path.as_ref() == key)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of a page, with the keys that an S3 server writes so.
    #[track_caller]
    fn check(written: &str, is_listed: bool) {
        for (list, entry, name) in
            [("ListBucketResult", "Contents", "Key"), ("EnumerationResults", "Blob", "Name")]
        {
            let odd =
                format!("<{entry}><{name}>{written}</{name}><Owner><Name>a//b</Name></Owner></{entry}>");
            let page = format!(
                "<?xml version=\"1.0\"?><{list}><Name>bucket</Name><{entry}><{name}>a.xlsx</{name}></{entry}>{odd}<{entry}>\
                 <{name}>z &amp; é.xlsx</{name}></{entry}></{list}>"
            );
            let found = odd_entries(page.as_bytes());
            let told: Vec<&str> = found.iter().map(|entry| &page[entry.bytes.clone()]).collect();
            assert_eq!(told, if is_listed { vec![] } else { vec![odd.as_str()] }, "{page}");
        }
    }

    #[test]
    fn keys_that_are_no_paths_are_found_in_pages() {
        for key in
            ["b.xlsx", "b/c d.xlsx", "b&amp;c.xlsx", "b&#38;c.xlsx", "b\\c.xlsx", "<![CDATA[b&c]]>", "é.xlsx"]
        {
            check(key, true);
        }
        for key in [
            "a//b.xlsx",
            "/b.xlsx",
            "b/",
            "b\nc.xlsx",
            "b.xlsx\n",
            "b\tc.xlsx",
            "b\u{1}.xlsx",
            "b\u{7f}.xlsx",
            "b&#10;c.xlsx",
            "b&#x1;.xlsx",
            "b&#x0;.xlsx",
            "../b.xlsx",
        ] {
            check(key, false);
        }
    }

    #[test]
    fn what_is_no_page_is_left_alone() {
        for page in ["", "no page", "<Contents><Key>a//b", "<Contents><Key>a//b</Key></Blob>"] {
            assert_eq!(odd_entries(page.as_bytes()), []);
        }
    }
}
