"""docker-compose.yml: what it says, and its server as podman-compose starts it."""

import os
import re
import resource
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml

from container import podman, readable_by_all, wait_until

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docker-compose.yml"
SCANNERS = Path(os.environ["TOOLS"]) / "scanners/bin"


def limits():
    """Of open files as many as docker-compose.yml says, or as this machine allows; a container can have no more."""
    def at_most(kind, wanted):
        allowed = min(wanted, resource.getrlimit(kind)[1])
        return {"soft": allowed, "hard": allowed}

    return {"nofile": at_most(resource.RLIMIT_NOFILE, 65536), "nproc": at_most(resource.RLIMIT_NPROC, 4096)}


class Compose(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.compose = yaml.safe_load(FILE.read_text())
        cls.services = cls.compose["services"]

    def test_it_is_what_the_specification_allows(self):
        command = [SCANNERS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", FILE]
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_every_service_is_confined(self):
        for name, service in self.services.items():
            with self.subTest(name):
                self.assertRegex(service["image"], r"^[a-z/-]+:v?\d+\.\d+\.\d+$")
                self.assertTrue(service["read_only"])
                self.assertEqual(service["cap_drop"], ["ALL"])
                self.assertEqual(service["security_opt"], ["no-new-privileges:true"])
                for limit in ["mem_limit", "cpus", "pids_limit", "healthcheck", "logging"]:
                    self.assertIn(limit, service)
                for port in service.get("ports", []):
                    self.assertTrue(port.startswith("127.0.0.1:"), port)

    def test_what_is_mounted_is_there(self):
        mounted = re.findall(r"(\./deploy/[^:]*):", FILE.read_text())
        self.assertGreater(len(mounted), 5)
        for place in mounted:
            self.assertTrue((ROOT / place).exists(), place)

    def test_secrets_come_from_files(self):
        for name, secret in self.compose["secrets"].items():
            self.assertEqual(list(secret), ["file"], name)
        alertmanager = (ROOT / "deploy/monitoring/alertmanager/alertmanager.yml").read_text()
        targets = {entry["target"] for entry in self.services["alertmanager"]["secrets"]}
        self.assertEqual(targets, set(re.findall(r"_file: (\S+)", alertmanager)))

    def test_the_server_runs_as_it_says(self):
        service = self.services["spreadsheet-mcp"]
        podman("tag", "spreadsheet-mcp:latest", service["image"])
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        folder = Path(temporary.name)
        shutil.copytree(ROOT / "examples/workspace", folder / "books")
        readable_by_all(folder)
        here = folder / "here.yml"
        here.write_text(yaml.safe_dump({"services": {"spreadsheet-mcp": {"ulimits": limits()}}}))

        def compose(*arguments):
            command = [SCANNERS / "podman-compose", "--file", FILE, "--file", here, *arguments]
            environment = {**os.environ, "WORKBOOKS": str(folder / "books"), "SECRETS": str(folder)}
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

        self.addCleanup(compose, "down", "--volumes", "--timeout", "0")
        compose("up", "--detach", "--no-build", "spreadsheet-mcp")
        name = podman("ps", "--quiet", "--filter", "label=com.docker.compose.service=spreadsheet-mcp").strip()
        ready = ["exec", name, "spreadsheet-mcp", "healthcheck", "ready"]
        wait_until(lambda: podman(*ready, check=False).returncode == 0, "the server is ready")
        self.assertIn("sales-ledger.xlsx", podman("exec", name, "spreadsheet-mcp", "call", "list_workbooks"))
        self.assertEqual(podman("inspect", "--format", "{{.HostConfig.ReadonlyRootfs}}", name).strip(), "true")
        self.assertEqual(podman("inspect", "--format", "{{.HostConfig.Memory}}", name).strip(), str(4 * 1024**3))


if __name__ == "__main__":
    unittest.main(verbosity=2)
