"""Drives one LibreOffice for the process that started this script.

    /usr/bin/python3 -I -B worker.py SOFFICE PDFTOPPM START_SECONDS

The working directory is this worker's own folder. Jobs come on the standard input and are answered on the standard
output: frames of a big-endian length of four bytes and so many bytes of JSON. The last frame of an answer has either
"done" or "failed". When the input ends, whoever asked is gone: LibreOffice goes too, and so does the folder.
"""

import contextlib
import ctypes
import json
import os
import queue
import shutil
import signal
import socket
import struct
import sys
import threading
import time

FOLDER = os.getcwd()
sys.path.insert(0, os.path.join(FOLDER, "bridge"))

PR_SET_CHILD_SUBREAPER = 36
# How often a worker without a job looks for processes to reap.
REAP_SECONDS = 2


class Failure(Exception):
    """A job that cannot be done, by a name that the other side knows."""

    def __init__(self, kind, **details):
        super().__init__(kind)
        self.answer = {"failed": kind, **details}


class Channel:
    """Frames of JSON over two file descriptors that nothing else writes to."""

    def __init__(self):
        self.questions = os.fdopen(os.dup(0), "rb")
        self.answers = os.fdopen(os.dup(1), "wb")
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1):
            os.dup2(nothing, standard)
        os.close(nothing)

    def receive(self):
        """The next question, or None when there will be no more."""
        header = self.questions.read(4)
        if len(header) < 4:
            return None
        (length,) = struct.unpack(">I", header)
        body = self.questions.read(length)
        return json.loads(body) if len(body) == length else None

    def send(self, answer):
        # Texts may hold halves of surrogate pairs, which no UTF-8 can say.
        body = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        self.answers.write(struct.pack(">I", len(body)))
        self.answers.write(body)
        self.answers.flush()


def others_of_group():
    """The processes of this one's group, but for itself."""
    group, own = os.getpgid(0), os.getpid()
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == own:
            continue
        try:
            with open("/proc/%s/stat" % name, "rb") as stat:
                fields = stat.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            found.append(int(name))
    return found


def end_everything():
    """Ends and reaps whatever this worker started, and removes its folder."""
    deadline = time.monotonic() + 10
    while (others := others_of_group()) and time.monotonic() < deadline:
        for process in others:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
        time.sleep(0.005)
    remove_sockets()
    shutil.rmtree(FOLDER, ignore_errors=True)
    os._exit(0)


def reap_orphans(office):
    """Reaps what LibreOffice started and forgot, while nothing else was started here; but not LibreOffice itself."""
    with contextlib.suppress(ChildProcessError):
        while dead := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if dead.si_pid == office.pid:
                return
            os.waitpid(dead.si_pid, 0)


def remove_sockets():
    """Removes what LibreOffice made outside of the folder, as libreoffice.py noted."""
    try:
        with open("sockets") as noted:
            names = [name for name in noted.read().split() if name.startswith("OSL_PIPE_")]
    except OSError:
        return
    for folder in ("/tmp", "/var/tmp"):
        for name in names:
            with contextlib.suppress(OSError):
                os.remove(os.path.join(folder, name))


def listen(channel, jobs):
    while (job := channel.receive()) is not None:
        jobs.put(job)
    end_everything()


def reaches_network():
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.socket(family, socket.SOCK_STREAM).close()
            return True
        except OSError:
            pass
    return False


def prepare_process():
    # What LibreOffice starts and forgets is reaped here, and not by whoever happens to be above.
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def main():
    soffice, pdftoppm, start_seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    channel = Channel()
    prepare_process()
    jobs = queue.SimpleQueue()
    threading.Thread(target=listen, args=(channel, jobs), daemon=True).start()
    if reaches_network():
        channel.send({"failed": "unprotected"})
        return
    try:
        import libreoffice
    except ImportError:
        channel.send({"failed": "no_uno"})
        return
    import calculation
    import picture

    try:
        desktop, office = libreoffice.start(soffice, start_seconds)
    except libreoffice.DoesNotStart as error:
        channel.send({"failed": "start", "detail": str(error)})
        return
    channel.send({"done": "ready"})
    while True:
        try:
            job = jobs.get(timeout=REAP_SECONDS)
        except queue.Empty:
            reap_orphans(office)
            continue
        try:
            with libreoffice.opened(desktop, job) as document:
                if document is None:
                    if libreoffice.is_gone(office):
                        return
                    raise Failure("unloadable")
                if job["job"] == "calculate":
                    calculation.calculate(document, channel.send)
                elif job["job"] == "picture":
                    picture.draw(document, job, pdftoppm, Failure)
                else:
                    raise Failure("unknown_job")
            channel.send({"done": job["job"]})
        except Failure as failure:
            channel.send(failure.answer)
        except libreoffice.Gone:
            # The process is no more: the other side sees the end of the answers.
            return
        except Exception as error:
            if libreoffice.is_gone(office):
                return
            # Messages of LibreOffice may quote what is in a cell; the kind of the trouble and the line do not.
            trace = error.__traceback__
            while trace.tb_next is not None:
                trace = trace.tb_next
            where = "%s:%d" % (os.path.basename(trace.tb_frame.f_code.co_filename), trace.tb_lineno)
            channel.send({"failed": "error", "detail": "%s at %s" % (type(error).__name__, where)})


if __name__ == "__main__":
    main()
    end_everything()
