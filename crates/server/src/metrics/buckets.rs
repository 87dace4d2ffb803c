//! Buckets: what was asked of them, and what copies saved.

use std::sync::atomic::{AtomicU64, Ordering};

use objects::{Operation, Outcome};
use prometheus_client::metrics::{counter::Counter, family::Family};

use super::{
    catalogue::Catalogue,
    labels::{
        BlobRead, BlobReadLabels, BucketLabels, BucketOperation, BucketOutcome, BucketRequestLabels,
        BucketTimeLabels,
    },
    state::set,
};
use crate::buckets::UsedBucket;

/// Metrics of buckets.
#[derive(Debug)]
pub struct BucketMetrics {
    requests: Family<BucketRequestLabels, Counter>,
    seconds: Family<BucketTimeLabels, Counter<f64, AtomicU64>>,
    received: Family<BucketLabels, Counter>,
    sent: Family<BucketLabels, Counter>,
    reads: Family<BlobReadLabels, Counter>,
}

impl BucketMetrics {
    pub(super) fn register(catalogue: &mut Catalogue) -> BucketMetrics {
        BucketMetrics {
            requests: catalogue.counters(
                "bucket_requests",
                "Requests to buckets, by how they ended; suspended are those that were not made since the bucket failed before",
            ),
            seconds: catalogue.seconds_counters(
                "bucket_request_duration",
                "The time that requests to buckets took together, with their repetitions",
            ),
            received: catalogue.counters("bucket_received_bytes", "Bytes of objects that were read"),
            sent: catalogue.counters("bucket_sent_bytes", "Bytes of objects that were written"),
            reads: catalogue.counters(
                "blob_reads",
                "Reads of blobs of a bucket, by whether there was a copy on the disk",
            ),
        }
    }

    pub(super) fn set_bucket(&self, used: &UsedBucket) {
        let (purpose, counts) = (used.purpose, used.bucket.counts());
        for operation in Operation::ALL {
            let label = BucketOperation(operation);
            for outcome in Outcome::ALL {
                let requests = counts.requests(operation, outcome);
                if requests > 0 {
                    let labels = BucketRequestLabels {
                        bucket: purpose,
                        operation: label,
                        outcome: BucketOutcome(outcome),
                    };
                    set(&self.requests.get_or_create(&labels), requests);
                }
            }
            let labels = BucketTimeLabels { bucket: purpose, operation: label };
            let seconds = counts.took(operation).as_secs_f64();
            if seconds > 0.0 {
                let bits = seconds.to_bits();
                self.seconds.get_or_create(&labels).inner().store(bits, Ordering::Relaxed);
            }
        }
        let labels = BucketLabels { bucket: purpose };
        set(&self.received.get_or_create(&labels), counts.received());
        set(&self.sent.get_or_create(&labels), counts.sent());
    }

    pub(super) fn set_blobs(&self, counts: forks::BlobCounts) {
        let read = |copy, reads| set(&self.reads.get_or_create(&BlobReadLabels { copy }), reads);
        read(BlobRead::Hit, counts.hits);
        read(BlobRead::Miss, counts.misses);
    }
}
