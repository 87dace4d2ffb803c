//! Servers that speak the protocol of Amazon S3.

use std::{fs, path::PathBuf, process::Command};

use tempfile::TempDir;

use crate::{Listener, eventually, free_port, http, installed};

/// The bucket that is there.
const BUCKET: &str = "books";
/// The key that the server knows.
const ACCESS_KEY: &str = "test-access-key";
/// Its secret.
const SECRET_KEY: &str = "test-secret-key";

/// A server of objects with an empty bucket.
#[derive(Debug)]
pub struct S3 {
    port: u16,
    listener: Option<Listener>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// `s3s-fs`: objects are files, so that it can end and start again. It checks who asks.
    Files { program: PathBuf, root: TempDir },
    /// `moto`: another implementation, which forgets everything when it ends.
    Moto,
}

impl S3 {
    /// `s3s-fs`; `None`, said aloud, where it is not installed.
    pub fn start() -> Option<S3> {
        let program = installed("s3s-fs")?;
        let root = tempfile::tempdir().expect("a folder");
        fs::create_dir(root.path().join(BUCKET)).expect("a bucket");
        let mut s3 = S3 { port: free_port(), listener: None, kind: Kind::Files { program, root } };
        s3.resume();
        Some(s3)
    }

    /// `moto`; `None`, said aloud, where it is not installed.
    pub fn start_moto() -> Option<S3> {
        let program = installed("moto_server")?;
        let port = free_port();
        let listener = Listener::start(program, |_| {
            ["-H", "127.0.0.1", "-p", &port.to_string()].map(str::to_owned).to_vec()
        });
        listener.wait_for(port);
        let address = format!("127.0.0.1:{port}");
        let (status, _, said) = http("PUT", &address, &format!("/{BUCKET}"), &sender(), "");
        assert_eq!(status, 200, "no bucket: {said}");
        Some(S3 { port, listener: Some(listener), kind: Kind::Moto })
    }

    /// Has `moto` hold an object of any key, as other tools may write it; `key` is percent-encoded.
    ///
    /// # Panics
    /// When it refuses it.
    pub fn put_as_others(&self, key: &str, text: &str) {
        let address = format!("127.0.0.1:{}", self.port);
        let (status, _, said) = http("PUT", &address, &format!("/{BUCKET}/{key}"), &sender(), text);
        assert_eq!(status, 200, "{key}: {said}");
    }

    /// The server goes away; connections to it are refused.
    pub fn stop(&mut self) {
        self.listener = None;
    }

    /// The server is there again, with what it had.
    ///
    /// # Panics
    /// When it is `moto`, or does not start.
    pub fn resume(&mut self) {
        let Kind::Files { program, root } = &self.kind else { panic!("moto forgets everything") };
        let (port, root) = (self.port.to_string(), root.path().display().to_string());
        let arguments = ["--host", "127.0.0.1", "--port", &port, "--access-key", ACCESS_KEY];
        let more = ["--secret-key", SECRET_KEY, &root];
        let listener = Listener::start(program.clone(), |_| {
            arguments.iter().chain(&more).map(|argument| (*argument).to_owned()).collect()
        });
        listener.wait_for(self.port);
        self.listener = Some(listener);
    }

    /// The port of loopback that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of the bucket.
    pub fn url(&self) -> String {
        format!("s3://{BUCKET}")
    }

    /// The folder of the bucket, to look at or to damage what is in it.
    ///
    /// # Panics
    /// When it is `moto`.
    pub fn folder(&self) -> PathBuf {
        let Kind::Files { root, .. } = &self.kind else { panic!("moto has no folder") };
        root.path().join(BUCKET)
    }

    /// What a client has to be told, by the names that the `object_store` crate uses.
    pub fn settings(&self) -> Vec<(String, String)> {
        settings(self.port)
    }

    /// As [`S3::settings`], for a client that goes through a proxy.
    pub fn settings_by(&self, port: u16) -> Vec<(String, String)> {
        settings(port)
    }

    /// Gives a program the settings by its environment.
    pub fn tell(&self, command: &mut Command) {
        command.envs(self.settings().into_iter().map(|(name, value)| (name.to_uppercase(), value)));
    }

    /// Waits until the bucket has so many objects, and gives their files.
    pub fn eventually_has(&self, objects: usize) -> Vec<PathBuf> {
        eventually("the bucket has not as many objects", || {
            let files = files(&self.folder());
            (files.len() == objects).then_some(files)
        })
    }
}

/// Who asks `moto`, which does not check it.
fn sender() -> String {
    format!(
        "Authorization: AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20260101/us-east-1/s3/aws4_request, \
         SignedHeaders=host, Signature=0\r\n"
    )
}

fn settings(port: u16) -> Vec<(String, String)> {
    let endpoint = format!("http://127.0.0.1:{port}");
    [
        ("aws_endpoint", endpoint.as_str()),
        ("aws_region", "us-east-1"),
        ("aws_access_key_id", ACCESS_KEY),
        ("aws_secret_access_key", SECRET_KEY),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// Files of objects below a folder; what the server keeps for itself begins with a dot.
fn files(folder: &std::path::Path) -> Vec<PathBuf> {
    let Ok(entries) = folder.read_dir() else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files(&entry.path())),
            _ => found.push(entry.path()),
        }
    }
    found.sort();
    found
}
