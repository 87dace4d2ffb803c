//! What a workbook refers to outside of itself: other workbooks (ECMA-376 Part 1 §18.14) and data connections
//! (§18.13). Described, never fetched.

use std::collections::HashSet;

use ooxml::{Element, Package, Relationships, XmlEvent, XmlReader, decode_xstring};

use crate::error::OpenError;
use crate::limits::Limits;
use crate::model::ExternalLink;
use crate::xlsx::left_out::LeftOut;

/// Keys of a connection string that say where the data lies. Others may hold a user's name and password.
const TOLD_KEYS: [&str; 9] =
    ["provider", "driver", "dsn", "data source", "server", "initial catalog", "database", "dbq", "location"];

/// Reads the other workbooks that formulas refer to by the position of their relationship.
pub(super) fn links(
    package: &Package,
    references: &[String],
    rels: &Relationships,
    left_out: &mut LeftOut,
    limits: &Limits,
) -> Result<Vec<ExternalLink>, OpenError> {
    let mut links = Vec::new();
    let mut seen = HashSet::new();
    for (index, reference) in (1..).zip(references) {
        let part = rels.by_id(reference).filter(|found| !found.is_external).map(|found| &found.target);
        match part.filter(|part| seen.insert(part.as_str())) {
            Some(part) => links.extend(left_out.take(link(package, part, index, limits))?),
            None => left_out.add(format!("the external link {index} refers to no part of its own")),
        }
    }
    Ok(links)
}

fn link(package: &Package, part: &str, index: u32, limits: &Limits) -> Result<ExternalLink, OpenError> {
    let rels = package.relationships(part)?;
    let mut reader = XmlReader::new(part, package.stream(part)?, limits.package.max_xml_depth);
    let mut link = ExternalLink {
        index,
        target: String::new(),
        sheets: Vec::new(),
        names: Vec::new(),
        part: String::new(),
        is_covered: true,
    };
    while let Some(event) = reader.next()? {
        let XmlEvent::Start(element) = event else { continue };
        match element.name() {
            "externalBook" | "oleLink" => {
                let target = element.attr("id").and_then(|id| rels.by_id(&id).map(|it| it.target.clone()));
                link.target = target.unwrap_or_else(|| "an unknown place".to_owned());
            }
            "ddeLink" => {
                let text = |name| element.attr(name).unwrap_or_default();
                link.target = format!("dde:{}|{}", text("ddeService"), text("ddeTopic"));
            }
            "sheetName" => {
                check_length(link.sheets.len(), limits)?;
                link.sheets.extend(element.attr("val"));
            }
            "definedName" => {
                check_length(link.names.len(), limits)?;
                let meant = element.attr("refersTo").unwrap_or_default();
                link.names.extend(element.attr("name").map(|name| (name, meant)));
            }
            // Copies of the other workbook's cells: there may be many.
            "sheetDataSet" => {
                part.clone_into(&mut link.part);
                break;
            }
            _ => {}
        }
    }
    Ok(link)
}

/// A data connection.
pub(super) struct Connection {
    /// What pivot tables and query tables call it by.
    pub(super) id: u32,
    pub(super) name: String,
    /// The kind of source, and where it lies if that can be told without a secret.
    about: String,
}

impl Connection {
    /// One line: `Sales: OLE DB, data source=db.example.org`.
    pub(super) fn describe(&self) -> String {
        format!("{}: {}", self.name, self.about)
    }
}

/// Reads the data connections.
pub(super) fn connections(
    package: &Package,
    part: &str,
    limits: &Limits,
) -> Result<Vec<Connection>, OpenError> {
    let mut reader = XmlReader::new(part, package.stream(part)?, limits.package.max_xml_depth);
    let mut connections: Vec<Connection> = Vec::new();
    while let Some(event) = reader.next()? {
        let XmlEvent::Start(element) = event else { continue };
        if element.name() == "connection" {
            check_length(connections.len(), limits)?;
            connections.push(Connection {
                id: element.parse("id").unwrap_or(0),
                name: decode_xstring(&element.attr("name").unwrap_or_default()).into_owned(),
                about: kind(element.parse("type")).to_owned(),
            });
        } else if let (Some(place), Some(connection)) = (place(&element), connections.last_mut()) {
            connection.about.push_str(", ");
            connection.about.push_str(&place);
        }
    }
    Ok(connections)
}

/// The kinds of ECMA-376 Part 1 §18.13.1, `type`, and those of later programs.
fn kind(code: Option<u32>) -> &'static str {
    match code {
        Some(1) => "ODBC",
        Some(2) => "DAO",
        Some(3) => "file",
        Some(4) => "web query",
        Some(5) => "OLE DB",
        Some(6) => "text file",
        Some(7) => "ADO",
        Some(8) => "data service",
        Some(100..=105) => "data model",
        _ => "unknown kind",
    }
}

/// Where the data of a connection lies, as one of its properties says.
fn place(element: &Element<'_>) -> Option<String> {
    match element.name() {
        "dbPr" => without_secrets(&element.attr("connection")?),
        "webPr" => Some(bare_url(&element.attr("url")?)),
        "textPr" => Some(bare_url(&element.attr("sourceFile")?)),
        _ => None,
    }
}

/// The parts of a connection string that say where the data lies.
fn without_secrets(connection: &str) -> Option<String> {
    let told: Vec<String> = connection
        .split(';')
        .filter_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            let key = key.trim().to_ascii_lowercase();
            let is_told = TOLD_KEYS.contains(&key.as_str()) && !value.trim().is_empty();
            is_told.then(|| format!("{key}={}", bare_url(value.trim())))
        })
        .collect();
    (!told.is_empty()).then(|| told.join(", "))
}

/// A URL without its user, password, query and fragment; anything else as it is.
fn bare_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (host, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
    let host = host.rsplit('@').next().unwrap_or_default();
    match path {
        Some(path) => format!("{scheme}://{host}/{path}"),
        None => format!("{scheme}://{host}"),
    }
}

fn check_length(length: usize, limits: &Limits) -> Result<(), OpenError> {
    if length >= limits.max_list_items as usize {
        return Err(OpenError::too_many_items(limits));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_told() {
        let check = |connection: &str, expected: Option<&str>| {
            assert_eq!(without_secrets(connection).as_deref(), expected, "{connection}");
        };
        check(
            "Provider=SQLOLEDB;Data Source=db.example.org;User ID=user;Password=secret",
            Some("provider=SQLOLEDB, data source=db.example.org"),
        );
        check("DSN=Sales;UID=me;PWD=secret;", Some("dsn=Sales"));
        check("PWD=secret", None);
        assert_eq!(bare_url("https://me:secret@example.org/a?token=secret#x"), "https://example.org/a");
        assert_eq!(bare_url("https://example.org?token=secret"), "https://example.org");
        assert_eq!(bare_url(r"C:\data\sales.csv"), r"C:\data\sales.csv");
    }
}
