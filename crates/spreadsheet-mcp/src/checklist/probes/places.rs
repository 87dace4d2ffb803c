//! Places on the disk and in buckets: that workbooks can be read, and that what the server keeps can be written.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use checklist::context::Finding;
use objects::{Bucket, BucketUrl, ObjectError, Precondition};
use serde::Deserialize;
use server::config::{BlobUrl, Location, Settings, layers::Origin};
use tokio::runtime::{Builder, Runtime};

use super::{
    ServiceProbes,
    question::{Found, Question},
};

/// `workspace`: somebody said where workbooks are, and they can be read there.
pub(super) fn workspace(probes: &ServiceProbes, question: &Question<'_>) -> Found {
    question.told_nothing()?;
    let resolved = probes.resolved()?;
    let value = resolved.values.iter().find(|value| value.option.key == "workspace");
    if value.is_none_or(|value| matches!(value.origin, Origin::Default { .. })) {
        return Ok(Finding::fail(
            "nobody says where workbooks are: name the folder or the bucket by SPREADSHEET_MCP_WORKSPACE",
        ));
    }
    let settings = &resolved.settings;
    let workspace = &settings.config.fixed.workspace;
    match &workspace.workspace {
        Location::Folder(folder) => {
            let shown = folder.display();
            if let Err(error) = fs::read_dir(folder).and_then(|mut entries| entries.next().transpose()) {
                return Ok(Finding::fail(format!("the workspace {shown} can't be read: {error}")));
            }
            if let Some(workbook) = &workspace.workbook
                && let Err(error) = fs::File::open(folder.join(workbook))
            {
                return Ok(Finding::fail(format!("the workbook {workbook} can't be read: {error}")));
            }
            Ok(Finding::pass(format!("the workspace {shown} can be read")))
        }
        Location::Bucket(url) => {
            let listed = in_bucket(settings, url, |bucket| bucket.list("", None, 1).map(drop))?;
            Ok(listed.map_or_else(
                |error| Finding::fail(format!("the workspace {url} can't be read: {error}")),
                |()| Finding::pass(format!("the workspace {url} can be read")),
            ))
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    what: Purpose,
}

/// What is kept.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Purpose {
    State,
    Screenshots,
    Temporary,
    Backups,
}

/// `writable`: what is kept can be written.
pub(super) fn writable(probes: &ServiceProbes, question: &Question<'_>) -> Found {
    let Wanted { what } = question.told("what: state, screenshots, temporary or backups")?;
    let settings = probes.settings()?;
    let fixed = &settings.config.fixed;
    let workspace = fixed.workspace.workspace.canonical();
    match what {
        Purpose::State => {
            let state = written_folder("the state directory", &fixed.state.folder(&workspace))?;
            let database = fixed.state.database_folder(&workspace);
            if database != fixed.state.folder(&workspace) {
                written_folder("the folder of the database", &database)?;
            }
            Ok(state)
        }
        Purpose::Screenshots => match &fixed.objects.blob_url {
            Some(BlobUrl::Bucket(url)) => written_bucket(settings, "the bucket of pictures", url),
            _ => written_folder("the folder of pictures", &fixed.state.screenshots_folder(&workspace)),
        },
        Purpose::Temporary => written_folder("the folder of temporary files", &std::env::temp_dir()),
        Purpose::Backups => match &fixed.backup.backup_destination {
            None => Ok(Finding::fail(
                "nobody says where backups go: name the folder or the bucket by --backup-destination",
            )),
            Some(url) if BucketUrl::is_meant(url) => {
                let url = url.parse().map_err(|error| {
                    Finding::fail(format!("--backup-destination is no bucket's URL: {error}"))
                })?;
                written_bucket(settings, "the bucket of backups", &url)
            }
            Some(folder) => written_folder("the folder of backups", Path::new(folder)),
        },
    }
}

/// Writes a file and takes it away. A folder that is not there yet has to be one that can be made.
fn written_folder(what: &str, folder: &Path) -> Found {
    let shown = folder.display();
    let Some(place) = nearest(folder) else {
        return Err(Finding::fail(format!("{what} can't be made: nothing of {shown} is there")));
    };
    let written = tempfile::Builder::new()
        .prefix(".writable-")
        .tempfile_in(&place)
        .and_then(|mut file| file.write_all(b"written").and_then(|()| file.close()));
    match written {
        Ok(()) if place == folder => Ok(Finding::pass(format!("{what}, {shown}, can be written"))),
        Ok(()) => Ok(Finding::pass(format!("{what}, {shown}, can be made in {}", place.display()))),
        Err(error) => Err(Finding::fail(format!(
            "{what}, {shown}, can't be written: {error}; let the user of the server write there"
        ))),
    }
}

/// The folder, or the first above it that is there.
fn nearest(folder: &Path) -> Option<PathBuf> {
    let above =
        folder.ancestors().map(|path| if path.as_os_str().is_empty() { Path::new(".") } else { path });
    above.into_iter().find(|path| path.exists()).map(Path::to_owned)
}

/// Writes an object and takes it away.
fn written_bucket(settings: &Settings, what: &str, url: &BucketUrl) -> Found {
    let key = format!("writable-{}", std::process::id());
    let written = in_bucket(settings, url, |bucket| {
        bucket.put(&key, "written".into(), &Precondition::None)?;
        bucket.delete(&key)
    })?;
    Ok(written.map_or_else(
        |error| Finding::fail(format!("{what}, {url}, can't be written: {error}")),
        |()| Finding::pass(format!("{what}, {url}, can be written")),
    ))
}

/// Does something in a bucket, as the server would.
fn in_bucket<T>(
    settings: &Settings,
    url: &BucketUrl,
    run: impl FnOnce(&Bucket) -> Result<T, ObjectError>,
) -> Result<Result<T, ObjectError>, Finding> {
    let options = settings.config.fixed.objects.options();
    let options = options.map_err(|what| Finding::fail(format!("object_store_file: {what}")))?;
    let runtime: Runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Finding::error(format!("the runtime could not start: {error}")))?;
    let done = Bucket::open(url, &options, runtime.handle().clone()).and_then(|bucket| run(&bucket));
    runtime.shutdown_background();
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_written_or_could_be_made() {
        let place = tempfile::tempdir().expect("a folder");
        let told = |path: &Path| written_folder("the folder", path).unwrap_or_else(|finding| finding).summary;
        let there = place.path();
        assert_eq!(told(there), format!("the folder, {}, can be written", there.display()));
        let below = there.join("a/b");
        assert_eq!(
            told(&below),
            format!("the folder, {}, can be made in {}", below.display(), there.display())
        );
        assert_eq!(fs::read_dir(there).expect("the folder").count(), 0, "nothing is left");
        let file = there.join("file");
        fs::write(&file, "").expect("written");
        assert!(told(&file).contains("can't be written"), "{}", told(&file));
    }
}
