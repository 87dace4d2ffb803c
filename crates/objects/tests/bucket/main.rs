//! Buckets of real servers, over connections that fail.

mod conditions;
mod faults;
mod large;

use std::time::Duration;

use components::S3;
use objects::{Bucket, Options, Settings};
use tokio::runtime::Runtime;

/// A bucket below a prefix, and the runtime that its requests run on.
struct Opened {
    bucket: Bucket,
    _runtime: Runtime,
}

impl Opened {
    fn of(s3: &S3) -> Opened {
        Opened::by(s3, s3.port())
    }

    /// By a proxy before the server.
    fn by(s3: &S3, port: u16) -> Opened {
        Opened::with(s3.settings_by(port), &format!("{}/below/a prefix", s3.url()))
    }

    fn with(settings: Vec<(String, String)>, url: &str) -> Opened {
        // What was installed before does as well.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let options = Options {
            timeout: Duration::from_secs(1),
            stall_timeout: Duration::from_millis(500),
            pause: Duration::from_millis(500),
            settings: Settings::new(settings).expect("known settings"),
            ..Options::default()
        };
        let url = url.parse().expect("a URL");
        let bucket = Bucket::open(&url, &options, runtime.handle().clone()).expect("a bucket");
        Opened { bucket, _runtime: runtime }
    }
}

/// Bytes that no server could make up.
fn bytes(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(size).collect()
}
