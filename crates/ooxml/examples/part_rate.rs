//! How fast a part's bytes and its XML events arrive: `part_rate FILE PART`, to be compared with
//! `unzip -p FILE PART | wc -c`.

use std::sync::Arc;
use std::time::Instant;

use ooxml::{Limits, Package, PackageError, XmlReader};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, part] = arguments.as_slice() else {
        return Err("usage: part_rate FILE PART".into());
    };
    let bytes: Arc<[u8]> = std::fs::read(file)?.into();
    for round in 1..=3 {
        report("stream", round, || stream(&bytes, part))?;
        report("chunks", round, || chunks(&bytes, part))?;
        report("events", round, || events(&bytes, part))?;
    }
    Ok(())
}

fn report(
    what: &str,
    round: usize,
    read: impl FnOnce() -> Result<usize, PackageError>,
) -> Result<(), PackageError> {
    let start = Instant::now();
    let length = read()?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{what} #{round}: {length} bytes in {seconds:.3} s, {:.0} MB/s", length as f64 / seconds / 1e6);
    Ok(())
}

fn stream(bytes: &Arc<[u8]>, part: &str) -> Result<usize, PackageError> {
    let package = Package::open(Arc::clone(bytes), &Limits::default())?;
    package.part(part).map(|content| content.len())
}

fn events(bytes: &Arc<[u8]>, part: &str) -> Result<usize, PackageError> {
    let limits = Limits::default();
    let package = Package::open(Arc::clone(bytes), &limits)?;
    let mut reader = XmlReader::new(part, package.stream(part)?, limits.max_xml_depth);
    while reader.next()?.is_some() {}
    Ok(usize::try_from(package.declared_size(part).unwrap_or(0)).unwrap_or(usize::MAX))
}

fn chunks(bytes: &Arc<[u8]>, part: &str) -> Result<usize, PackageError> {
    let package = Package::open(Arc::clone(bytes), &Limits::default())?;
    let mut chunks = package.chunks(part)?;
    let mut length = 0;
    while let Some(chunk) = chunks.next() {
        let chunk = chunk?;
        length += chunk.len();
        chunks.recycle(chunk);
    }
    Ok(length)
}
