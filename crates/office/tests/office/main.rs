//! A pool of real LibreOffices: what they answer, and what becomes of those that fail. Where LibreOffice is not
//! installed, each test says aloud that it is skipped.

#![allow(clippy::unwrap_used, reason = "tests")]

mod calculation;
mod crowd;
mod outside;
mod picture;
mod support;
mod trouble;
mod workbooks;
