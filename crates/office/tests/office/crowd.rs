//! More jobs than workers.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use office::{Document, OfficeError};

use crate::support::{Pool, calculate, check_works, processes_in, wait_for};
use crate::workbooks::{chain, slow};

#[test]
fn ten_jobs_for_two_workers_are_served_or_told_to_come_again() {
    let Some(pool) = Pool::start(|options| (options.workers, options.queue) = (2, 5)) else { return };
    let (served, busy, most) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let is_over = AtomicBool::new(false);
    let workbook = chain(20_000);
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                let running = processes_in(pool.scratch.path());
                let offices = running.iter().filter(|process| process.name == "soffice.bin").count();
                most.fetch_max(offices, Ordering::Relaxed);
                thread::sleep(Duration::from_millis(10));
            }
        });
        let jobs: Vec<_> = (0..10)
            .map(|_| {
                scope.spawn(|| match calculate(pool.office(), &workbook) {
                    Ok(sheets) => {
                        assert_eq!(sheets[0].cells.len(), 19_999);
                        served.fetch_add(1, Ordering::Relaxed)
                    }
                    Err(OfficeError::Busy { .. }) => busy.fetch_add(1, Ordering::Relaxed),
                    Err(other) => panic!("{other:?}"),
                })
            })
            .collect();
        for job in jobs {
            job.join().unwrap();
        }
        is_over.store(true, Ordering::Relaxed);
        watcher.join().unwrap();
    });
    let (served, busy) = (served.into_inner(), busy.into_inner());
    // Two at work, five waiting; whoever comes when one is done waits too.
    assert!(served >= 7, "{served}");
    assert_eq!(served + busy, 10);
    assert_eq!(most.into_inner(), 2);
    let counts = pool.office().counts();
    assert_eq!((counts.jobs, counts.starts, counts.busy, counts.waiting, counts.idle), (10, 2, 0, 0, 2));
    assert_eq!(counts.failures.get("busy").copied().unwrap_or(0), busy as u64);
    pool.end();
}

#[test]
fn who_waits_can_go_and_a_full_queue_says_so_at_once() {
    let Some(pool) = Pool::start(|options| options.queue = 1) else { return };
    let office = pool.office();
    let (stop_first, stop_second) = (AtomicBool::new(false), AtomicBool::new(false));
    let workbook = slow();
    let document = Document { bytes: &workbook, extension: "xlsx" };
    thread::scope(|scope| {
        let first = scope.spawn(|| office.calculate(&document, &|| stop_first.load(Ordering::Relaxed)));
        wait_for(|| office.counts().busy == 1);
        let second = scope.spawn(|| office.calculate(&document, &|| stop_second.load(Ordering::Relaxed)));
        wait_for(|| office.counts().waiting == 1);
        let third = office.calculate(&document, &|| false);
        assert!(matches!(third, Err(OfficeError::Busy { waiting: 1 })), "{third:?}");
        stop_second.store(true, Ordering::Relaxed);
        let second = second.join().unwrap();
        assert!(matches!(second, Err(OfficeError::Cancelled)), "{second:?}");
        assert_eq!(office.counts().waiting, 0);
        stop_first.store(true, Ordering::Relaxed);
        let first = first.join().unwrap();
        assert!(matches!(first, Err(OfficeError::Cancelled)), "{first:?}");
    });
    check_works(office);
    pool.end();
}
