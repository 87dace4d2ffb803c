//! One worker: a bridge, the LibreOffice that it drives, and their folder.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::path::PathBuf;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::availability::Programs;
use crate::calculation::Run;
use crate::frames::{FrameBuffer, write_frame};
use crate::isolation::{isolate, start_error};
use crate::process_group::ProcessGroup;
use crate::watch::{STOP_EVERY, Watch};
use crate::worker_folder::WorkerFolder;
use crate::{CalculatedSheet, Document, OfficeError, OfficeOptions, PictureRequest, raster};

/// A warm LibreOffice. Dropping it ends its processes and removes its files.
pub(crate) struct Worker {
    processes: ProcessGroup,
    questions: ChildStdin,
    answers: ChildStdout,
    received: FrameBuffer,
    folder: WorkerFolder,
    jobs_done: u32,
}

/// What the bridge says.
#[derive(serde::Deserialize)]
struct Frame {
    done: Option<String>,
    failed: Option<String>,
    detail: Option<String>,
    width_px: Option<u64>,
    height_px: Option<u64>,
    sheet: Option<String>,
    #[serde(default)]
    runs: Vec<Run>,
}

impl Worker {
    /// Starts one, and waits until it takes jobs. One whose bridge ends before that has crashed.
    pub(crate) fn start(
        programs: &Programs,
        options: &OfficeOptions,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Worker, OfficeError> {
        let folder = WorkerFolder::create(&options.scratch)?;
        let path = folder.path();
        let mut command = Command::new(&programs.python);
        command
            .args(["-I", "-B", "bridge/worker.py"])
            .args([&programs.soffice, &programs.pdftoppm])
            .arg(options.start_timeout.as_secs_f64().to_string())
            .current_dir(path)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("LANG", "C.UTF-8")
            .env("HOME", path.join("home"))
            .env("TMPDIR", path.join("tmp"))
            // Relative, because the name of a socket has no more than 107 bytes.
            .env("OSL_SOCKET_PATH", "tmp")
            .env("SAL_USE_VCLPLUGIN", "svp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        isolate(&mut command, path, &program_folders(programs))?;
        let mut child = command.spawn().map_err(start_error)?;
        let processes = ProcessGroup::led_by(&child);
        let (Some(questions), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            unreachable!("both were asked for as pipes");
        };
        let mut worker =
            Worker { processes, questions, answers, received: FrameBuffer::default(), folder, jobs_done: 0 };
        let mut watch = Watch::start(stop, options.start_timeout, options.memory_limit);
        let does_not_start = |detail: &str| OfficeError::DoesNotStart { detail: detail.to_owned() };
        worker.answer(&mut watch, |_| ()).map_err(|error| match error {
            OfficeError::Timeout { .. } => does_not_start("it does not listen in time"),
            other => other,
        })?;
        Ok(worker)
    }

    /// Calculates a document.
    pub(crate) fn calculate(
        &mut self,
        document: &Document<'_>,
        watch: &mut Watch<'_>,
    ) -> Result<Vec<CalculatedSheet>, OfficeError> {
        let mut sheets: Vec<CalculatedSheet> = Vec::new();
        self.job(document, json!({"job": "calculate"}), watch, |frame| {
            if let Some(name) = frame.sheet {
                sheets.push(CalculatedSheet { name, cells: Vec::new() });
            }
            let Some(sheet) = sheets.last_mut() else { return };
            for Run(column, first_row, values) in frame.runs {
                sheet.cells.extend((first_row..).zip(values).map(|(row, value)| (row, column, value)));
            }
        })?;
        Ok(sheets)
    }

    /// Draws a range of a document, as PNG.
    pub(crate) fn picture(
        &mut self,
        document: &Document<'_>,
        request: &PictureRequest,
        watch: &mut Watch<'_>,
    ) -> Result<Vec<u8>, OfficeError> {
        let question = json!({
            "job": "picture",
            "sheet": request.sheet,
            "range": [request.first_row, request.first_column, request.last_row, request.last_column],
            "dpi": request.dpi,
            "headings": request.headings,
            "gridlines": request.gridlines,
            "max_dimension_px": request.max_dimension_px,
            "max_area_px": request.max_area_px,
        });
        self.job(document, question, watch, |_| ())?;
        let page = self.read_page()?;
        raster::png_of_page(&page).map_err(OfficeError::io("reading the page that LibreOffice drew"))
    }

    /// How many jobs it has done.
    pub(crate) fn jobs_done(&self) -> u32 {
        self.jobs_done
    }

    /// How many bytes of memory its processes hold.
    pub(crate) fn resident_bytes(&self) -> u64 {
        self.processes.resident_bytes()
    }

    fn job(
        &mut self,
        document: &Document<'_>,
        mut question: Value,
        watch: &mut Watch<'_>,
        on_frame: impl FnMut(Frame),
    ) -> Result<(), OfficeError> {
        self.jobs_done += 1;
        let name = format!("document.{}", checked_extension(document.extension)?);
        let file = self.folder.path().join(&name);
        question["file"] = Value::from(name);
        let done = fs::write(&file, document.bytes)
            .map_err(OfficeError::io("writing the document for LibreOffice"))
            .and_then(|()| write_frame(&mut self.questions, &question).map_err(|_| OfficeError::Crashed))
            .and_then(|()| self.answer(watch, on_frame));
        // Where this fails, the folder goes with the worker.
        let _removed = fs::remove_file(file);
        done
    }

    /// Reads frames until the last one of an answer.
    fn answer(&mut self, watch: &mut Watch<'_>, mut on_frame: impl FnMut(Frame)) -> Result<(), OfficeError> {
        loop {
            while let Some(bytes) =
                self.received.take().map_err(OfficeError::io("reading from the bridge"))?
            {
                let frame: Frame = serde_json::from_slice(bytes).map_err(not_understood)?;
                if let Some(kind) = &frame.failed {
                    return Err(failure(kind, &frame));
                }
                if frame.done.is_some() {
                    return Ok(());
                }
                on_frame(frame);
                watch.check(&self.processes)?;
            }
            watch.check(&self.processes)?;
            let has_come = wait_readable(self.answers.as_raw_fd());
            if has_come.map_err(OfficeError::io("waiting for the bridge"))? {
                let is_open = self.received.fill(&mut self.answers);
                if !is_open.map_err(OfficeError::io("reading from the bridge"))? {
                    return Err(OfficeError::Crashed);
                }
            }
        }
    }

    fn read_page(&self) -> Result<Vec<u8>, OfficeError> {
        let read = |name: &str| {
            let file = self.folder.path().join(name);
            let bytes = fs::read(&file);
            let _removed = fs::remove_file(file);
            bytes
        };
        let page = read("page.ppm").map_err(OfficeError::io("reading the page that LibreOffice drew"));
        let _removed = fs::remove_file(self.folder.path().join("page.pdf"));
        page
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The folder goes after this, when nobody writes to it any more.
        self.processes.end();
    }
}

/// What a failure that the bridge names is to the caller.
fn failure(kind: &str, frame: &Frame) -> OfficeError {
    let detail = || frame.detail.clone().unwrap_or_else(|| kind.to_owned());
    match kind {
        "unloadable" => OfficeError::Unloadable,
        "nothing_visible" => OfficeError::NothingVisible,
        "no_such_sheet" => OfficeError::NoSuchSheet,
        "picture_too_large" => OfficeError::PictureTooLarge {
            width_px: frame.width_px.unwrap_or_default(),
            height_px: frame.height_px.unwrap_or_default(),
        },
        "start" => OfficeError::DoesNotStart { detail: detail() },
        "no_uno" => {
            OfficeError::DoesNotStart { detail: "its Python does not find the module uno".to_owned() }
        }
        "unprotected" => OfficeError::Unprotected { detail: "it can make sockets to a network".to_owned() },
        _ => OfficeError::Failed { detail: detail() },
    }
}

fn not_understood(error: serde_json::Error) -> OfficeError {
    // The message may quote what it did not understand.
    let detail = format!("the bridge's answer is not understood at byte {}", error.column());
    OfficeError::Failed { detail }
}

/// Where programs are that are not in the usual folders.
fn program_folders(programs: &Programs) -> Vec<PathBuf> {
    let installation = |program: &Path| {
        let real = fs::canonicalize(program).ok()?;
        // An installation has its programs in one folder, and what they use beside it.
        real.parent()?.parent().filter(|folder| folder.parent().is_some()).map(Path::to_owned)
    };
    [&programs.soffice, &programs.python, &programs.pdftoppm]
        .into_iter()
        .filter_map(|path| installation(path))
        .collect()
}

fn checked_extension(extension: &str) -> Result<&str, OfficeError> {
    let is_sound =
        (1..=8).contains(&extension.len()) && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_sound {
        Ok(extension)
    } else {
        Err(OfficeError::InvalidRequest { what: "the extension of the document" })
    }
}

/// Waits a moment for something to read; the end of what can be read counts.
fn wait_readable(descriptor: RawFd) -> io::Result<bool> {
    let mut wanted = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
    // A moment fits: it is a constant of some milliseconds.
    let moment = STOP_EVERY.as_millis() as libc::c_int;
    // SAFETY: it points to one descriptor, as it says, which outlives the call.
    match unsafe { libc::poll(&raw mut wanted, 1, moment) } {
        -1 => {
            let error = io::Error::last_os_error();
            if error.kind() == io::ErrorKind::Interrupted { Ok(false) } else { Err(error) }
        }
        count => Ok(count > 0),
    }
}
