use std::fs;

use super::*;

fn workspace(files: &[&str]) -> (tempfile::TempDir, Workspace) {
    workspace_with(files, None)
}

fn workspace_with(files: &[&str], locked_to: Option<&str>) -> (tempfile::TempDir, Workspace) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().expect("a parent")).expect("the folder is created");
        fs::write(path, *file).expect("the file is written");
    }
    let rules = WorkspaceRules {
        extensions: vec!["xlsx".to_owned(), "csv".to_owned()],
        locked_to: locked_to.map(str::to_owned),
    };
    let workspace = Workspace::open(folder.path(), rules).expect("the folder opens");
    (folder, workspace)
}

/// The workspace of somebody who may see all of it.
fn seen(workspace: &Workspace) -> Scoped<'_> {
    static EVERYTHING: std::sync::LazyLock<PathScope> = std::sync::LazyLock::new(PathScope::everything);
    workspace.within(&EVERYTHING)
}

fn paths(workspace: &Workspace) -> Vec<String> {
    workspace.list().expect("a listing").workbooks.into_iter().map(|workbook| workbook.path).collect()
}

#[track_caller]
fn check_refused(workspace: &Workspace, reference: &str, code: ErrorCode) -> ToolError {
    let error =
        seen(workspace).resolve(reference).map(|file| file.path).expect_err("the reference is refused");
    assert_eq!(error.code, code, "{reference}: {error}");
    error
}

#[test]
fn lists_workbooks_in_order_without_hidden_and_lock_files() {
    let (_folder, workspace) = workspace(&[
        "b.xlsx",
        "a/z.CSV",
        "a/b/c.csv",
        "notes.txt",
        ".git/x.xlsx",
        "~$b.xlsx",
        "b.xlsx.tmp",
        ".hidden.xlsx",
    ]);
    assert_eq!(paths(&workspace), ["a/b/c.csv", "a/z.CSV", "b.xlsx"]);
}

#[test]
fn resolves_paths_ids_and_absolute_paths_into_the_folder() {
    let (folder, workspace) = workspace(&["a/b.xlsx"]);
    let file = seen(&workspace).resolve("a/b.xlsx").expect("a path");
    assert_eq!(seen(&workspace).resolve(&file.id.to_string()).expect("an id").path, "a/b.xlsx");
    assert_eq!(seen(&workspace).resolve("./a/b.xlsx").expect("a dotted path").path, "a/b.xlsx");
    let absolute = folder.path().canonicalize().expect("canonical").join("a/b.xlsx");
    assert_eq!(
        seen(&workspace).resolve(absolute.to_str().expect("unicode")).expect("absolute").path,
        "a/b.xlsx"
    );
}

#[test]
fn ids_are_stable() {
    assert_eq!(WorkbookId::of("a/b.xlsx").to_string(), "wb-bd7f5dc8");
    assert!("wb-bd7f5dc".parse::<WorkbookId>().is_err());
    assert!("wb-+d7f5dc8".parse::<WorkbookId>().is_err());
}

#[test]
fn nothing_outside_is_reachable() {
    let outside = tempfile::tempdir().expect("a temporary folder");
    fs::write(outside.path().join("secret.xlsx"), "secret").expect("written");
    let (folder, workspace) = workspace(&["in.xlsx"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink(outside.path().join("secret.xlsx"), folder.path().join("link.xlsx")).expect("a link");
        symlink(outside.path(), folder.path().join("dir")).expect("a link");
        symlink("in.xlsx", folder.path().join("inner.xlsx")).expect("a link");
        check_refused(&workspace, "link.xlsx", ErrorCode::OutsideWorkspace);
        check_refused(&workspace, "dir/secret.xlsx", ErrorCode::OutsideWorkspace);
        assert_eq!(paths(&workspace), ["in.xlsx", "inner.xlsx"]);
    }
    check_refused(&workspace, "../secret.xlsx", ErrorCode::OutsideWorkspace);
    check_refused(&workspace, "a/../../secret.xlsx", ErrorCode::OutsideWorkspace);
    check_refused(&workspace, "/etc/passwd", ErrorCode::OutsideWorkspace);
    check_refused(&workspace, "in.xlsx\0", ErrorCode::WorkbookNotFound);
    check_refused(&workspace, "", ErrorCode::WorkbookNotFound);
    check_refused(&workspace, ".", ErrorCode::WorkbookNotFound);
}

#[test]
fn unknown_names_come_with_near_misses() {
    let (_folder, workspace) = workspace(&["reports/ledger.xlsx", "model.xlsx"]);
    let error = check_refused(&workspace, "leger.xlsx", ErrorCode::WorkbookNotFound);
    assert_eq!(error.candidates, ["reports/ledger.xlsx"]);
    check_refused(&workspace, "wb-00000000", ErrorCode::WorkbookNotFound);
}

#[test]
fn a_locked_workspace_shows_one_workbook() {
    let (_folder, workspace) = workspace_with(&["a.xlsx", "b.dat"], Some("b.dat"));
    assert_eq!(paths(&workspace), ["b.dat"]);
    assert!(seen(&workspace).resolve("b.dat").is_ok());
    check_refused(&workspace, "a.xlsx", ErrorCode::WorkbookNotFound);
}

#[test]
fn a_file_that_changes_while_it_is_read_is_refused() {
    let (folder, workspace) = workspace(&["a.xlsx"]);
    let file = seen(&workspace).resolve("a.xlsx").expect("a path");
    fs::write(folder.path().join("a.xlsx"), "longer than before").expect("written");
    assert_eq!(file.read(1 << 20).map(|_| ()).expect_err("it changed").code, ErrorCode::FileChanging);
    let fresh = seen(&workspace).resolve("a.xlsx").expect("a path");
    assert_eq!(fresh.read(4).map(|_| ()).expect_err("too large").code, ErrorCode::LimitExceeded);
    assert_eq!(
        seen(&workspace).resolve("a.xlsx").expect("a path").read(1 << 20).expect("read"),
        b"longer than before"
    );
}

#[test]
fn files_of_dead_writers_are_swept_and_those_of_living_ones_stay() {
    let (folder, workspace) =
        workspace(&["a/b.xlsx", "a/.spreadsheet-mcp-elsewhere", ".spreadsheet-mcp-old"]);
    let names = |path: &str| {
        let entries = fs::read_dir(folder.path().join(path)).expect("a folder");
        let name = |it: std::io::Result<fs::DirEntry>| it.expect("an entry").file_name().into_string();
        let mut names: Vec<String> = entries.map(|it| name(it).expect("text")).collect();
        names.sort();
        names
    };
    let yesterday = std::time::SystemTime::now() - std::time::Duration::from_secs(25 * 60 * 60);
    let old = fs::File::options().write(true).open(folder.path().join(".spreadsheet-mcp-old"));
    old.and_then(|file| file.set_modified(yesterday)).expect("it is old");
    let target = seen(&workspace).target("a/c.xlsx", &[]).expect("a place");
    let mut living = target.create().expect("created");
    let own =
        names("a").into_iter().find(|name| name.starts_with(".spreadsheet") && !name.ends_with("where"));
    let (machine, _) = own.as_deref().and_then(|own| own.rsplit_once('-')).expect("its name");
    fs::write(folder.path().join(format!("a/{machine}-dead")), "half").expect("written");
    assert_eq!((workspace.sweep(), workspace.sweep()), (2, 0));
    living.finish().expect("synced");
    living.publish().expect("in place");
    assert_eq!(names("a"), [".spreadsheet-mcp-elsewhere", "b.xlsx", "c.xlsx"]);
    assert_eq!(names(""), ["a"]);
}

#[test]
fn what_is_out_of_sight_is_not_there() {
    let (_folder, workspace) = workspace(&["mine/a.xlsx", "theirs/a.xlsx", "theirs/b.xlsx"]);
    let scope = PathScope::new(["mine"]).expect("a folder");
    let mine = workspace.within(&scope);
    let listed: Vec<String> =
        mine.list().expect("a listing").workbooks.into_iter().map(|workbook| workbook.path).collect();
    assert_eq!(listed, ["mine/a.xlsx"]);
    assert!(mine.resolve("mine/a.xlsx").is_ok() && mine.target("mine/new.xlsx", &[]).is_ok());
    let id = seen(&workspace).resolve("theirs/b.xlsx").expect("a path").id.to_string();
    // Each beside one that does not exist at all.
    for (there, nowhere) in [("theirs/a.xlsx", "theirs/c.xlsx"), (id.as_str(), "w0000000")] {
        let told = |reference: &str| {
            let error = mine.resolve(reference).map(|file| file.path).expect_err("out of sight");
            assert!(error.candidates.iter().all(|path| path.starts_with("mine/")), "{error:?}");
            (error.code, error.message.replace(reference, "…"), error.hint)
        };
        assert_eq!(told(there).0, ErrorCode::WorkbookNotFound);
        if nowhere.ends_with(".xlsx") {
            assert_eq!(told(there), told(nowhere));
        }
    }
    for place in ["theirs/a.xlsx", "theirs/c.xlsx", "nowhere/c.xlsx", "c.xlsx"] {
        assert_eq!(mine.target(place, &[]).expect_err("out of sight").code, ErrorCode::OutsideWorkspace);
        assert_eq!(mine.path_of(place).expect_err("out of sight").code, ErrorCode::OutsideWorkspace);
    }
}
