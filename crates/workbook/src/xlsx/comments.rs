//! Notes (ECMA-376 Part 1 §18.7) and threaded comments (MS-XLSX §2.6.205).

use std::collections::HashMap;

use grid::CellRef;
use ooxml::{Package, XmlEvent, XmlReader};

use crate::error::OpenError;
use crate::limits::Limits;
use crate::model::{Comment, Reply};

/// Reads the notes of a sheet.
pub(super) fn notes(package: &Package, part: &str, limits: &Limits) -> Result<Vec<Comment>, OpenError> {
    let mut reader = XmlReader::new(part, package.stream(part)?, limits.package.max_xml_depth);
    let mut authors: Vec<String> = Vec::new();
    let mut comments: Vec<Comment> = Vec::new();
    let mut text = String::new();
    let mut in_run = false;
    while let Some(event) = reader.next()? {
        match event {
            XmlEvent::Start(element) => match element.name() {
                "author" => text.clear(),
                "comment" => {
                    text.clear();
                    if comments.len() >= limits.max_list_items as usize {
                        return Err(OpenError::too_many_items(limits));
                    }
                    let author: usize = element.parse("authorId").unwrap_or(usize::MAX);
                    comments.push(Comment {
                        cell: element.parse("ref").unwrap_or(CellRef::A1),
                        author: authors.get(author).cloned().unwrap_or_default(),
                        text: String::new(),
                        created: None,
                        threaded: false,
                        resolved: false,
                        replies: Vec::new(),
                    });
                }
                "t" => in_run = !element.is_empty,
                _ => {}
            },
            XmlEvent::Text(piece) if in_run || comments.is_empty() => text.push_str(&piece),
            XmlEvent::Text(_) => {}
            XmlEvent::End(name) => match name.as_str() {
                "author" => authors.push(std::mem::take(&mut text)),
                "t" => in_run = false,
                "comment" => {
                    if let Some(comment) = comments.last_mut() {
                        comment.text = std::mem::take(&mut text);
                    }
                }
                _ => {}
            },
        }
    }
    Ok(comments)
}

/// The display names of persons by their ids.
pub(super) fn persons(
    package: &Package,
    part: &str,
    limits: &Limits,
) -> Result<HashMap<String, String>, OpenError> {
    let mut reader = XmlReader::new(part, package.stream(part)?, limits.package.max_xml_depth);
    let mut persons = HashMap::new();
    while let Some(event) = reader.next()? {
        if let XmlEvent::Start(element) = event
            && element.name() == "person"
        {
            persons.insert(
                element.attr("id").unwrap_or_default(),
                element.attr("displayName").unwrap_or_default(),
            );
        }
    }
    Ok(persons)
}

/// Reads the threads of a sheet: each with its replies.
pub(super) fn threads(
    package: &Package,
    part: &str,
    persons: &HashMap<String, String>,
    limits: &Limits,
) -> Result<Vec<Comment>, OpenError> {
    let mut reader = XmlReader::new(part, package.stream(part)?, limits.package.max_xml_depth);
    let mut threads: Vec<Comment> = Vec::new();
    let mut by_id: HashMap<String, usize> = HashMap::new();
    let mut replies: Vec<(String, Reply)> = Vec::new();
    let mut current: Option<(Option<String>, Comment)> = None;
    let mut text = String::new();
    while let Some(event) = reader.next()? {
        match event {
            XmlEvent::Start(element) if element.name() == "threadedComment" => {
                if threads.len() + replies.len() >= limits.max_list_items as usize {
                    return Err(OpenError::too_many_items(limits));
                }
                let person = element.attr("personId").unwrap_or_default();
                let comment = Comment {
                    cell: element.parse("ref").unwrap_or(CellRef::A1),
                    author: persons.get(&person).cloned().unwrap_or_default(),
                    text: String::new(),
                    created: element.attr("dT"),
                    threaded: true,
                    resolved: element.flag("done", false),
                    replies: Vec::new(),
                };
                let parent = element.attr("parentId");
                if parent.is_none() {
                    by_id.insert(element.attr("id").unwrap_or_default(), threads.len());
                }
                current = Some((parent, comment));
            }
            XmlEvent::Start(element) if element.name() == "text" => text.clear(),
            XmlEvent::Start(_) => {}
            XmlEvent::Text(piece) => text.push_str(&piece),
            XmlEvent::End(name) => match (name.as_str(), &mut current) {
                ("text", Some((_, comment))) => comment.text = std::mem::take(&mut text),
                ("threadedComment", _) => match current.take() {
                    Some((None, comment)) => threads.push(comment),
                    Some((Some(parent), Comment { author, text, created, .. })) => {
                        replies.push((parent, Reply { author, text, created }));
                    }
                    None => {}
                },
                _ => {}
            },
        }
    }
    for (parent, reply) in replies {
        if let Some(thread) = by_id.get(&parent).and_then(|index| threads.get_mut(*index)) {
            thread.replies.push(reply);
        }
    }
    Ok(threads)
}

/// Notes and threads together: the note that stands in for a thread in older programs is left out.
pub(super) fn merged(notes: Vec<Comment>, threads: Vec<Comment>) -> Vec<Comment> {
    let is_stand_in = |note: &Comment| threads.iter().any(|thread| thread.cell == note.cell);
    let mut comments: Vec<Comment> = notes.into_iter().filter(|note| !is_stand_in(note)).collect();
    comments.extend(threads);
    comments.sort_by_key(|comment| comment.cell);
    comments
}
