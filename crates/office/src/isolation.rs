//! What a worker's processes cannot do: reach a network, read other files than programs need, leave cores behind.
//!
//! It is put on between `fork` and `exec`, needs no privileges, is inherited by whatever the worker starts, and cannot
//! be taken off.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, io};

use landlock::{
    ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError,
    Scope, path_beneath_rules,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};

use crate::OfficeError;
use crate::worker_folder::SOCKET_FOLDERS;

/// What the child says when it could not be isolated: `exec` itself never fails with it.
const NOT_ISOLATED: i32 = libc::ENOTRECOVERABLE;

/// System calls of the x32 ABI, which are the ordinary ones with this bit.
#[cfg(target_arch = "x86_64")]
const X32: i64 = 0x4000_0000;

/// What programs read to run: themselves, fonts, and settings that hold no secrets.
const READABLE: [&str; 25] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/opt",
    "/proc",
    "/sys/devices/system/cpu",
    "/dev/null",
    "/dev/zero",
    "/dev/random",
    "/dev/urandom",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/libreoffice",
    "/etc/localtime",
    "/etc/locale.alias",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/papersize",
    "/var/cache/fontconfig",
    "/var/lib/libreoffice",
    "/var/spool/libreoffice",
];

/// Whether the kernel has Landlock, so that workers are kept from files.
pub(crate) fn confines_files() -> bool {
    const VERSION: libc::c_ulong = 1;
    // SAFETY: with this flag the call takes no attributes, and gives the number of the ABI.
    unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0_usize, VERSION) > 0 }
}

/// Makes a command start as the leader of a session, isolated.
///
/// `folder` is all that it may write to, `programs` are the folders of what it runs where these are unusual.
pub(crate) fn isolate(command: &mut Command, folder: &Path, programs: &[PathBuf]) -> Result<(), OfficeError> {
    let unprotected = |detail: String| OfficeError::Unprotected { detail };
    let filter =
        system_call_filter().map_err(|error| unprotected(format!("the filter of system calls: {error}")))?;
    let mut files =
        Some(file_rules(folder, programs).map_err(|error| unprotected(format!("Landlock: {error}")))?);
    let before_exec = move || {
        let rules = files.take().ok_or_else(not_isolated)?;
        lead_session()?;
        rules.restrict_self().map_err(|_| not_isolated())?;
        seccompiler::apply_filter(&filter).map_err(|_| not_isolated())
    };
    // SAFETY: it runs between `fork` and `exec`: all of it are system calls on values made before, no lock is taken, and
    // nothing is allocated but by errors, after which the child ends.
    unsafe { command.pre_exec(before_exec) };
    Ok(())
}

/// What a failed start of an isolated command means.
pub(crate) fn start_error(error: io::Error) -> OfficeError {
    if error.raw_os_error() == Some(NOT_ISOLATED) {
        return OfficeError::Unprotected {
            detail: "the kernel refuses the filter of system calls".to_owned(),
        };
    }
    OfficeError::Io { what: "starting the bridge to LibreOffice", source: error }
}

fn not_isolated() -> io::Error {
    io::Error::from_raw_os_error(NOT_ISOLATED)
}

/// Makes the calling process the leader of its own session and group, polite, and without core files.
fn lead_session() -> io::Result<()> {
    const NICER: libc::c_int = 5;
    const FIRST_TO_GO: &[u8] = b"1000";
    let no_cores = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the one pointer is to a value that outlives the call.
    let is_done =
        unsafe { libc::setsid() != -1 && libc::setrlimit(libc::RLIMIT_CORE, &raw const no_cores) == 0 };
    if !is_done {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: `nice` takes no pointers, the path ends with a zero, the buffer has the length that is said. Failing to be
    // polite, or to be what the kernel ends first where memory does, is no reason not to work.
    unsafe {
        libc::nice(NICER);
        let score = libc::open(c"/proc/self/oom_score_adj".as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        if score >= 0 {
            libc::write(score, FIRST_TO_GO.as_ptr().cast(), FIRST_TO_GO.len());
            libc::close(score);
        }
    }
    Ok(())
}

/// Refuses sockets of other families than Unix, and ways around that.
fn system_call_filter() -> Result<BpfProgram, seccompiler::BackendError> {
    let not_unix = || -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
        let is_other =
            SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, libc::AF_UNIX as u64)?;
        Ok(vec![SeccompRule::new(vec![is_other])?])
    };
    let mut rules = BTreeMap::from([
        (libc::SYS_socket, not_unix()?),
        // A ring makes sockets without the system call.
        (libc::SYS_io_uring_setup, Vec::new()),
        (libc::SYS_ptrace, Vec::new()),
        (libc::SYS_process_vm_readv, Vec::new()),
        (libc::SYS_process_vm_writev, Vec::new()),
    ]);
    #[cfg(target_arch = "x86_64")]
    rules.extend([
        (X32 | libc::SYS_socket, Vec::new()),
        (X32 | libc::SYS_io_uring_setup, Vec::new()),
        // These two have numbers of their own there: ptrace, process_vm_readv and process_vm_writev.
        (X32 | 521, Vec::new()),
        (X32 | 539, Vec::new()),
        (X32 | 540, Vec::new()),
    ]);
    let refused = SeccompAction::Errno(libc::EACCES as u32);
    let filter =
        SeccompFilter::new(rules, SeccompAction::Allow, refused, TargetArch::try_from(env::consts::ARCH)?)?;
    filter.try_into()
}

/// Everything but the worker's folder can be read at most; kernels that know less of it do as much as they can.
fn file_rules(folder: &Path, programs: &[PathBuf]) -> Result<RulesetCreated, RulesetError> {
    let everything = AccessFs::from_all(ABI::V3);
    let reading = AccessFs::from_read(ABI::V3);
    Ruleset::default()
        .handle_access(everything)?
        .handle_access(AccessNet::from_all(ABI::V4))?
        .scope(Scope::from_all(ABI::V6))?
        .create()?
        .add_rules(path_beneath_rules(READABLE, reading))?
        .add_rules(path_beneath_rules(programs, reading))?
        .add_rules(path_beneath_rules(["/dev/null"], AccessFs::from_file(ABI::V3)))?
        .add_rules(path_beneath_rules([folder], everything))?
        // LibreOffice insists on making its Unix sockets there when it can.
        .add_rules(path_beneath_rules(SOCKET_FOLDERS, AccessFs::MakeSock | AccessFs::RemoveFile))?
        // The bridge removes the folder itself when nobody is left to do it.
        .add_rules(path_beneath_rules(folder.parent(), AccessFs::RemoveDir))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::net::TcpListener;

    use super::*;

    /// What a process tells of what it can do: the names of all that it did not fail at.
    const ATTEMPTS: &str = r#"
import ctypes, os, socket, sys
port, secret, done = int(sys.argv[1]), sys.argv[2], []
def attempt(name, action):
    try:
        action()
        done.append(name)
    except OSError:
        pass
def call(number, *arguments):
    if ctypes.CDLL(None, use_errno=True).syscall(number, *arguments) < 0:
        raise OSError
attempt("connect", lambda: socket.create_connection(("127.0.0.1", port), 5))
attempt("inet6", lambda: socket.socket(socket.AF_INET6, socket.SOCK_STREAM))
attempt("datagrams", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
attempt("netlink", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))
attempt("unix", lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
attempt("ring", lambda: call(425, 1, ctypes.create_string_buffer(120)))
attempt("read", lambda: open(secret).read())
attempt("write", lambda: open(secret + ".new", "w"))
attempt("write own", lambda: open("own", "w").write("a"))
attempt("start", lambda: os.system("true") and call(-1))
print(",".join(done), end="")
"#;

    /// What Python can do with and without isolation.
    fn attempts(is_isolated: bool) -> Option<String> {
        let python = Path::new("/usr/bin/python3");
        if !python.exists() {
            eprintln!("skipped: {} is not installed", python.display());
            return None;
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let secret = elsewhere.path().join("secret");
        fs::write(&secret, "secret").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(python);
        command.args(["-I", "-B", "-c", ATTEMPTS]).arg(listener.local_addr().unwrap().port().to_string());
        command.arg(secret).current_dir(folder.path());
        if is_isolated {
            isolate(&mut command, folder.path(), &[]).unwrap();
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Some(String::from_utf8(output.stdout).unwrap())
    }

    #[test]
    fn an_isolated_process_has_its_own_folder_and_no_network() {
        let Some(done) = attempts(true) else { return };
        let expected =
            if confines_files() { "unix,write own,start" } else { "unix,read,write,write own,start" };
        assert_eq!(done, expected);
    }

    #[test]
    fn a_process_that_cannot_be_isolated_does_not_start() {
        let mut command = Command::new("/bin/true");
        // SAFETY: it does nothing but fail.
        unsafe { command.pre_exec(|| Err(not_isolated())) };
        let error = start_error(command.spawn().unwrap_err());
        assert!(matches!(error, OfficeError::Unprotected { .. }), "{error:?}");
    }

    #[test]
    fn the_same_process_has_all_of_it_otherwise() {
        let Some(done) = attempts(false) else { return };
        for ability in ["connect", "datagrams", "netlink", "read", "write"] {
            assert!(done.split(',').any(|each| each == ability), "{ability}: {done}");
        }
    }
}
