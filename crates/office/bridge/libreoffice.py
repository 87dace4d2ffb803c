"""One LibreOffice process without windows, and documents opened in it."""

import contextlib
import ctypes
import hashlib
import os
import secrets
import signal
import subprocess
import time

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.lang import DisposedException

PR_SET_PDEATHSIG = 1
# What LibreOffice ends with when it wants to be started again, as it does on a new profile.
STATUS_RESTART = (79, 81)

Gone = DisposedException


class DoesNotStart(Exception):
    """LibreOffice ended, or did not listen in time."""


def properties(**values):
    return tuple(PropertyValue(Name=name, Value=value) for name, value in values.items())


def url(name):
    """The address of a file in this worker's folder."""
    return uno.systemPathToFileUrl(os.path.abspath(name))


def command_of(soffice):
    # The script and the splash program above the real one are for people who wait at a screen.
    real = os.path.join(os.path.dirname(os.path.realpath(soffice)), "soffice.bin")
    return real if os.access(real, os.X_OK) else soffice


def note_sockets(pipe):
    """Writes down which sockets LibreOffice is about to make, which it puts into /tmp where it can."""
    # It tells its instances apart by a digest of the profile's address, without leading zeros.
    digest = hashlib.md5(url("profile").encode("utf-16-le"), usedforsecurity=False).digest()
    names = [pipe, "SingleOfficeIPC_" + "".join("%x" % byte for byte in digest)]
    with open("sockets", "w") as noted:
        noted.writelines("OSL_PIPE_%d_%s\n" % (os.getuid(), name) for name in names)


def start(soffice, seconds):
    """Starts it, and gives its desktop and its process."""
    pipe = "office-" + secrets.token_hex(8)
    note_sockets(pipe)
    libc = ctypes.CDLL(None, use_errno=True)

    def die_with_this_one():
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    def launch():
        return subprocess.Popen(
            [
                command_of(soffice),
                "--headless",
                "--norestore",
                "--nologo",
                "--nodefault",
                "--accept=pipe,name=%s;urp;" % pipe,
                "-env:UserInstallation=" + url("profile"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=die_with_this_one,
        )

    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    deadline = time.monotonic() + seconds
    restarts = 0
    process = launch()
    while True:
        try:
            remote = resolver.resolve("uno:pipe,name=%s;urp;StarOffice.ComponentContext" % pipe)
            desktop = remote.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", remote)
            return desktop, process
        except Exception:
            status = process.poll()
            if status in STATUS_RESTART and restarts < 3:
                restarts += 1
                process = launch()
            elif status is not None:
                raise DoesNotStart("it ended with status %d" % status)
            elif time.monotonic() > deadline:
                raise DoesNotStart("it does not listen")
        time.sleep(0.02)


def is_gone(process):
    """Whether it ended, or is about to: calls to one that dies fail in more ways than one."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=0.3)
    return process.returncode is not None


@contextlib.contextmanager
def opened(desktop, job):
    """The document of a job, or None where LibreOffice does not open it."""
    # A picture needs a page of another size, which a document that is read-only does not take; either is a copy.
    is_drawn = job["job"] == "picture"
    arguments = properties(Hidden=True, ReadOnly=not is_drawn, MacroExecutionMode=0, UpdateDocMode=0)
    try:
        document = desktop.loadComponentFromURL(url(job["file"]), "_blank", 0, arguments)
    except Gone:
        raise
    except Exception:
        document = None
    if document is None or not document.supportsService("com.sun.star.sheet.SpreadsheetDocument"):
        if document is not None:
            document.close(True)
        document = None
    try:
        yield document
    finally:
        if document is not None:
            document.close(True)
