#!/usr/bin/python3
"""Opens workbooks in LibreOffice, edits them, and stores what became of them as .xlsx or reads a cell of it.

Reads jobs as lines of JSON, and answers each with a line: {"seconds": 0.2, "text": "42.5"}, or {"error": "…"}.

    {"file": "/a/book.xlsx", "store": "/b/edited.xlsx", "seconds": 20,
     "edits": [{"op": "insert_rows", "sheet": "Data", "at": 4, "count": 2}]}
    {"file": "/a/book.xlsx", "read": {"sheet": "Data", "cell": "B2"}}

One LibreOffice without windows, macros and network serves all jobs; one that hangs is killed, and the next job gets
another. Needs Debian's libreoffice-calc-nogui and python3-uno.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import uno
from com.sun.star.beans import PropertyValue

START_SECONDS = 60


class Office:
    """One LibreOffice process, started when it is first needed."""

    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="libreoffice-")
        self.process = None
        self.desktop = None

    def start(self):
        self.kill()
        pipe = "oracle-%d-%d" % (os.getpid(), time.monotonic_ns())
        command = [
            *alone(),
            "soffice",
            "--headless",
            "--norestore",
            "--nologo",
            "--nodefault",
            "--accept=pipe,name=%s;urp;" % pipe,
            "-env:UserInstallation=file://" + self.profile,
        ]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        context = uno.getComponentContext()
        resolver = context.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", context)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                remote = resolver.resolve("uno:pipe,name=%s;urp;StarOffice.ComponentContext" % pipe)
                break
            except Exception:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError("LibreOffice does not start")
                time.sleep(0.1)
        self.desktop = remote.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", remote)

    def kill(self):
        self.desktop = None
        if self.process is not None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()
            self.process = None

    def end(self):
        self.kill()
        shutil.rmtree(self.profile, ignore_errors=True)

    def run(self, job):
        if self.desktop is None:
            self.start()
        # A call that hangs ends with the process that it waits for.
        is_late = threading.Event()

        def give_up():
            is_late.set()
            self.kill()

        limit = threading.Timer(job.get("seconds", 30), give_up)
        limit.start()
        try:
            return self.edit_and_store(job)
        except Exception as error:
            told = "no answer in time" if is_late.is_set() else str(error).strip().split("\n")[0] or type(error).__name__
            # Whatever state it is in, the next job starts with a sound one.
            self.kill()
            raise RuntimeError(told) from error
        finally:
            limit.cancel()

    def edit_and_store(self, job):
        load = properties(Hidden=True, ReadOnly=False, MacroExecutionMode=0, UpdateDocMode=0)
        document = self.desktop.loadComponentFromURL(uno.systemPathToFileUrl(job["file"]), "_blank", 0, load)
        if document is None:
            raise RuntimeError("LibreOffice does not open it")
        try:
            for edit in job.get("edits", []):
                apply(document.Sheets.getByName(edit["sheet"]), edit)
            if "store" in job:
                store = properties(FilterName="Calc MS Excel 2007 XML")
                document.storeToURL(uno.systemPathToFileUrl(job["store"]), store)
            if "read" in job:
                sheet = document.Sheets.getByName(job["read"]["sheet"])
                return str(sheet.getCellRangeByName(job["read"]["cell"]).Value)
            return None
        finally:
            document.close(True)


def apply(sheet, edit):
    op = edit["op"]
    if op == "insert_rows":
        sheet.Rows.insertByIndex(edit["at"], edit["count"])
    elif op == "delete_rows":
        sheet.Rows.removeByIndex(edit["at"], edit["count"])
    elif op == "insert_columns":
        sheet.Columns.insertByIndex(edit["at"], edit["count"])
    elif op == "delete_columns":
        sheet.Columns.removeByIndex(edit["at"], edit["count"])
    elif op in ("insert_cells", "delete_cells"):
        cells = sheet.getCellRangeByName(edit["range"]).getRangeAddress()
        if op == "insert_cells":
            sheet.insertCells(cells, uno.Enum("com.sun.star.sheet.CellInsertMode", edit["shift"]))
        else:
            sheet.removeRange(cells, uno.Enum("com.sun.star.sheet.CellDeleteMode", edit["shift"]))
    elif op == "rename_sheet":
        sheet.setName(edit["name"])
    else:
        raise ValueError("no such edit: %r" % op)


def properties(**values):
    return tuple(PropertyValue(Name=name, Value=value) for name, value in values.items())


def alone():
    """Without network, where the machine lets us."""
    command = ["unshare", "--map-root-user", "--net"]
    try:
        is_possible = subprocess.run([*command, "true"], capture_output=True, timeout=10).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        is_possible = False
    return command if is_possible else []


def main():
    office = Office()
    try:
        for line in sys.stdin:
            job = json.loads(line)
            started = time.monotonic()
            try:
                text = office.run(job)
                answer = {"seconds": round(time.monotonic() - started, 3), "text": text}
            except Exception as error:
                answer = {"error": str(error)}
            print(json.dumps(answer), flush=True)
    finally:
        office.end()


if __name__ == "__main__":
    main()
