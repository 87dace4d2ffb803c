//! How much memory there is: of the machine, or of the control group that the process is in (cgroup v2 and v1).

use std::{
    fs,
    path::{Path, PathBuf},
};

use procfs::Current as _;

/// Where control groups are.
const CGROUPS: &str = "/sys/fs/cgroup";

/// Bytes that the machine or the container has; none where nobody says.
pub(super) fn available() -> Option<u64> {
    let machine = procfs::Meminfo::current().ok().map(|told| told.mem_total);
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let container = of_groups(&groups, Path::new(CGROUPS));
    machine.into_iter().chain(container).min()
}

/// The least bound of the groups that `/proc/self/cgroup` names, and of those above them.
fn of_groups(groups: &str, root: &Path) -> Option<u64> {
    groups.lines().filter_map(|line| of_group(line, root)).min()
}

/// A line is `0::/path` (v2, for everything) or `4:memory:/path` (v1).
fn of_group(line: &str, root: &Path) -> Option<u64> {
    let mut fields = line.splitn(3, ':').skip(1);
    let (controllers, path) = (fields.next()?, fields.next()?);
    let (root, file) = match controllers {
        "" => (root.to_owned(), "memory.max"),
        _ if controllers.split(',').any(|name| name == "memory") => {
            (root.join("memory"), "memory.limit_in_bytes")
        }
        _ => return None,
    };
    let group = root.join(path.trim_start_matches('/'));
    // Within a container its own group may be what is mounted as the root, whatever the path says.
    let above: Vec<PathBuf> =
        group.ancestors().take_while(|folder| folder.starts_with(&root)).map(Path::to_owned).collect();
    above.iter().filter_map(|folder| number(&folder.join(file))).min()
}

/// No number is no bound: `max`.
fn number(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(files: &[(&str, &str)], groups: &str, expected: Option<u64>) {
        let root = tempfile::tempdir().expect("a folder");
        for (file, content) in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            fs::write(path, content).expect("written");
        }
        assert_eq!(of_groups(groups, root.path()), expected, "{groups}");
    }

    #[test]
    fn the_least_bound_of_a_group_and_those_above_it() {
        let nested = [("memory.max", "max\n"), ("a/memory.max", "4096\n"), ("a/b/memory.max", "8192\n")];
        check(&nested, "0::/a/b\n", Some(4096));
        check(&nested, "0::/\n", None);
        check(&[("memory.max", "512\n")], "0::/not/mounted/here\n", Some(512));
        let first = [
            ("memory/x/memory.limit_in_bytes", "100\n"),
            ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ];
        check(&first, "5:cpu:/x\n4:memory:/x\n0::/\n", Some(100));
        check(&first, "4:memory:/elsewhere\n", Some(9_223_372_036_854_771_712));
        check(&first, "nonsense\n\n", None);
    }
}
