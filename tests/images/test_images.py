"""What is promised of both images, held against containers of them."""

import json
import os
import shutil
import tarfile
import tempfile
import threading
import unittest
from pathlib import Path

from container import PATIENCE, Server, inspect_image, podman, readable_by_all, run_once, wait_until

ROOT = Path(__file__).resolve().parents[2]
BASE = "debian:bookworm-slim"
MEGABYTE = 1_000_000
# Relocations that the Dockerfile has packed; a program that was compiled elsewhere has them in full.
RELOCATIONS = 2.5 if os.environ.get("BUILT") else 0
USER = 10001
# Minutes of work, which only a limit of time ends.
ENDLESS = "=REDUCE(0,SEQUENCE(100000),LAMBDA(a,b,a+SUM(SEQUENCE(100000))))"


class Promises:
    """Of an image, its base, and what it may weigh above it."""

    image = base = megabytes = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.books = Path(folder.name) / "books"
        shutil.copytree(ROOT / "examples/workspace", self.books)
        readable_by_all(folder.name)
        self.mount = ["-v", f"{self.books}:/data"]

    def serve(self, *arguments, options=()):
        return Server(self.image, *arguments, options=[*self.mount, *options])

    def test_size(self):
        whole = inspect_image(self.image)["Size"]
        base = inspect_image(self.base)["Size"] if self.base else 0
        above = (whole - base) / MEGABYTE
        print(f"\n{self.image}: {whole / MEGABYTE:.1f} MB, {above:.1f} MB above {self.base or 'nothing'}")
        self.assertLessEqual(above, self.megabytes + RELOCATIONS)

    def test_what_the_image_says(self):
        image = inspect_image(self.image)
        config = image["Config"]
        self.assertEqual(config["User"], f"{USER}:{USER}")
        self.assertEqual(config["Entrypoint"], ["spreadsheet-mcp"])
        self.assertEqual(config["Cmd"], ["serve"])
        self.assertEqual(sorted(config["ExposedPorts"]), ["8079/tcp", "9090/tcp"])
        self.assertEqual(sorted(config["Volumes"]), ["/data", "/state"])
        self.assertEqual(config["StopSignal"], "SIGTERM")
        self.assertEqual(image["Healthcheck"]["Test"], ["CMD", "spreadsheet-mcp", "healthcheck"])
        labels = config["Labels"]
        version = run_once(self.image, "--version").stdout.split()[-1]
        self.assertEqual(labels["org.opencontainers.image.version"], version)
        self.assertEqual(labels["org.opencontainers.image.licenses"], "Apache-2.0")
        for name in ["title", "description", "revision", "source"]:
            self.assertIn(f"org.opencontainers.image.{name}", labels)

    def test_no_file_gives_privileges(self):
        self.assertEqual([name for name, entry in self.files().items() if entry.isfile() and entry.mode & 0o6000], [])

    def files(self):
        """What the image holds, by path."""
        container = podman("create", "--pull", "never", self.image).strip()
        self.addCleanup(podman, "rm", "--volumes", container)
        with tempfile.NamedTemporaryFile() as archive:
            podman("export", "--output", archive.name, container)
            with tarfile.open(archive.name) as entries:
                return {entry.name: entry for entry in entries}

    def test_it_runs_without_privileges(self):
        with self.serve() as server:
            status = server.status_of_process()
            self.assertEqual(set(status["Uid"].split() + status["Gid"].split()), {str(USER)})
            for kind in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]:
                self.assertEqual(int(status[kind], 16), 0, kind)
            self.assertEqual(status["NoNewPrivs"], "1")
            self.assertEqual(status["Seccomp"], "2")
            self.assertIn("ro", server.mounts()["/"])
            # It has what it wants to write to, and nothing else.
            wait_until(server.is_ready, "the server is ready")

    def test_the_health_check_tells_well_from_unwell(self):
        with self.serve() as server:
            self.assertEqual(podman("healthcheck", "run", server.id, check=False).returncode, 0)
            elsewhere = server.exec("spreadsheet-mcp", "healthcheck", "--bind", "127.0.0.1:1")
            self.assertEqual(elsewhere.returncode, 1, elsewhere.stderr)

    def test_it_starts_closed(self):
        with self.serve() as server:
            status, text = server.post({"name": "list_workbooks", "arguments": {}})
            self.assertEqual(status, 401)
            self.assertIn("spreadsheet-mcp keys create", text)
            for path in ["/health/live", "/health/startup"]:
                self.assertEqual(server.get(path)[0], 200, path)
            self.assertIn("spreadsheet_mcp_", server.get("/metrics", "metrics")[1])

    def test_work_from_request_to_file(self):
        saved = self.books / "saved"
        saved.mkdir()
        saved.chmod(0o777)
        with self.serve() as server:
            server.let_in("editor")
            self.assertIn("sales-ledger.xlsx", [book["path"] for book in server.call("list_workbooks")["workbooks"]])
            fork = server.call("create_fork", workbook="sales-ledger.xlsx")["fork"]
            edit = {"op": "set", "range": "Summary!H1:H2", "values": [[6], ["=H1*7"]]}
            server.call("edit_cells", workbook=fork, ops=[edit])
            self.assertEqual(server.call("recalculate", workbook=fork, targets=["Summary!H2"])["cells"][0]["new"], 42)
            server.call("save_fork", fork=fork, path="saved/answer.xlsx")
            self.assertGreater((saved / "answer.xlsx").stat().st_size, 1000)

    def test_forks_outlive_their_container(self):
        state = ["-v", "spreadsheet-mcp-test-state:/state"]
        self.addCleanup(podman, "volume", "rm", "--force", "spreadsheet-mcp-test-state")
        with self.serve(options=state) as server:
            server.let_in("analyst")
            key = server.key
            fork = server.call("create_fork", workbook="sales-ledger.xlsx")["fork"]
        with self.serve(options=state) as server:
            server.key = key
            self.assertEqual([entry["fork"] for entry in server.call("list_forks")["forks"]], [fork])

    def test_sigterm_lets_calls_finish(self):
        with self.serve("serve", "--tool-timeout-ms", "5000") as server:
            server.let_in("analyst")
            fork = server.call("create_fork", sheets=["Data"])["fork"]
            edit = {"op": "set", "range": "Data!A1", "values": [[ENDLESS]]}
            server.call("edit_cells", workbook=fork, ops=[edit])
            answers = []
            call = {"name": "recalculate", "arguments": {"workbook": fork, "engine": "ironcalc"}}
            caller = threading.Thread(target=lambda: answers.append(server.post(call)))
            caller.start()
            wait_until(lambda: "spreadsheet_mcp_requests_in_flight 1" in self.metrics(server), "the call runs")
            podman("stop", "--time", 40, server.id)
            caller.join(PATIENCE)
            self.assertEqual(server.wait(), 0, server.log())
            status, text = answers[0]
            self.assertEqual(status, 200, text)
            self.assertEqual(json.loads(text)["result"]["structuredContent"]["error"]["code"], "timeout")

    def metrics(self, server):
        return server.get("/metrics", "metrics")[1]

    def test_it_knows_the_hours_of_the_world(self):
        today = []
        # Never the same day: the clocks are 26 hours apart.
        for zone in ["Pacific/Kiritimati", "Etc/GMT+12"]:
            with self.serve(options=["-e", f"TZ={zone}"]) as server:
                server.let_in("analyst")
                fork = server.call("create_fork", sheets=["Data"])["fork"]
                server.call("edit_cells", workbook=fork, ops=[{"op": "set", "range": "Data!A1", "values": [["=TODAY()"]]}])
                today.append(server.call("recalculate", workbook=fork)["cells"][0]["new"])
        self.assertNotEqual(*today)

    def describe_large_book(self, memory, *arguments):
        """What comes of it within so much memory: distinct texts, 98 MB of them on the disk."""
        with open(self.books / "large.csv", "w") as file:
            file.writelines(f"{row:032x},{row:064x}\n" for row in range(1_000_000))
        call = ["call", "describe_workbook", '{"workbook": "large.csv"}', *arguments]
        return run_once(self.image, *call, options=["--memory", memory, "--memory-swap", memory, *self.mount])

    def test_the_server_minds_the_memory_of_its_container(self):
        refused = self.describe_large_book("256m")
        self.assertEqual(refused.returncode, 1, refused.stderr)
        self.assertIn("short_of_memory", refused.stderr)
        self.assertEqual(self.describe_large_book("1g").returncode, 0)

    def test_the_limit_of_memory_is_real(self):
        killed = self.describe_large_book("64m", f"--max-memory-bytes={2**33}")
        self.assertEqual(killed.returncode, 137, killed.stderr)

    def test_without_a_network(self):
        with_books = run_once(self.image, "call", "list_workbooks", options=["--network", "none", *self.mount])
        self.assertEqual(with_books.returncode, 0, with_books.stderr)
        self.assertIn("sales-ledger.xlsx", with_books.stdout)

    def test_another_configuration_takes_the_place_of_the_images(self):
        file = self.books.parent / "server.toml"
        file.write_text('[workspace]\nworkspace = "/data/finance"\n')
        readable_by_all(self.books.parent)
        there = ["-v", f"{file}:/etc/spreadsheet-mcp/server.toml:ro", *self.mount]
        listed = run_once(self.image, "call", "list_workbooks", options=there)
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertEqual([book["path"] for book in json.loads(listed.stdout)["workbooks"]], ["three-year-plan.xlsx"])


class Native(Promises, unittest.TestCase):
    image, base, megabytes = "spreadsheet-mcp:native", None, 60

    def test_it_holds_nothing_that_is_not_needed(self):
        programs = {name for name, entry in self.files().items() if entry.isfile() and entry.mode & 0o111}
        self.assertEqual({name for name in programs if "lib" not in name}, {"usr/local/bin/spreadsheet-mcp"})

    def test_it_knows_the_authorities_that_sign_certificates(self):
        self.assertGreater(self.files()["etc/ssl/certs/ca-certificates.crt"].size, 100_000)


class Full(Promises, unittest.TestCase):
    image, base, megabytes = "spreadsheet-mcp:latest", BASE, 600

    def test_processes_are_bounded(self):
        many = "for i in $(seq 40); do sleep 3 & done; wait"
        options = ["--pids-limit", "20", "--entrypoint", "bash"]
        crowd = run_once(self.image, "-c", many, options=options)
        self.assertIn("Resource temporarily unavailable", crowd.stderr)

    def test_libreoffice_computes_and_draws(self):
        with self.serve(options=["--memory", "2g", "--pids-limit", "200"]) as server:
            wait_until(server.is_ready, "LibreOffice is found")
            server.let_in("analyst")
            fork = server.call("create_fork", workbook="sales-ledger.xlsx")["fork"]
            edit = {"op": "set", "range": "Summary!H1:H2", "values": [[6], ["=H1*7"]]}
            server.call("edit_cells", workbook=fork, ops=[edit])
            computed = server.call("recalculate", workbook=fork, engine="libreoffice", targets=["Summary!H2"])
            self.assertEqual(computed["engine"], "libreoffice")
            self.assertEqual(computed["cells"][0]["new"], 42)
            picture = server.call("screenshot_sheet", workbook=fork, range="Summary!A1:H12")
            self.assertEqual(picture["renderer"], "libreoffice")


if __name__ == "__main__":
    unittest.main(verbosity=2)
