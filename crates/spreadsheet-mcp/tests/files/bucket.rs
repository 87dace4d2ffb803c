//! Files of a workspace in a bucket: the same requests, the same answers.

use components::S3;

use crate::{
    program::Place,
    wire::{ask, put, small_workbook},
};

#[test]
fn files_come_from_a_bucket_and_go_there() {
    let Some(s3) = S3::start() else { return };
    let mut place = Place::new();
    let (first, second) = (small_workbook(&place, "first"), small_workbook(&place, "second"));
    place.workspace = s3.url().into();
    let settings = s3.settings().into_iter();
    place.environment = settings.map(|(name, value)| (name.to_uppercase(), value)).collect();
    let servers = [place.serve(&["--allow-overwrite=true"]), place.serve(&["--allow-overwrite=true"])];
    let stored = put(&servers[0], "/files/2026/a.xlsx", &first, &[]).check(201);
    // What one replica was told holds at the other one.
    let told = ask(&servers[1], "HEAD", "/files/2026/a.xlsx", &[]).check(200);
    let tag = told.header("etag").expect("a tag").to_owned();
    assert_eq!(stored.header("etag"), Some(tag.as_str()));
    assert_eq!(put(&servers[1], "/files/2026/a.xlsx", &second, &[]).check(428).code(), "already_exists");
    let refused = put(&servers[1], "/files/2026/a.xlsx", &second, &[("If-Match", "\"other\"")]);
    assert_eq!(refused.check(412).code(), "target_changed");
    put(&servers[1], "/files/2026/a.xlsx", &second, &[("If-Match", &tag)]).check(200);
    assert_eq!(
        ask(&servers[0], "DELETE", "/files/2026/a.xlsx", &[("If-Match", &tag)]).check(412).code(),
        "target_changed"
    );
    let there = ask(&servers[0], "GET", "/files/2026/a.xlsx", &[]).check(200);
    assert!(there.body == second);
    let part = ask(&servers[0], "GET", "/files/2026/a.xlsx", &[("Range", "bytes=1-3")]).check(206);
    assert_eq!(part.body, second[1..4]);
    for wrong in ["/files/../x.xlsx", "/files/%2e%2e%2fx.xlsx", "/files//x.xlsx"] {
        ask(&servers[0], "GET", wrong, &[]).check(404);
    }
    let tag = there.header("etag").expect("a tag");
    ask(&servers[0], "DELETE", "/files/2026/a.xlsx", &[("If-Match", tag)]).check(200);
    ask(&servers[1], "GET", "/files/2026/a.xlsx", &[]).check(404);
    for server in servers {
        server.end();
    }
}
