"""Executes the commands of commands.md, which operators copy, as they are written."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from container import podman, readable_by_all, wait_until

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NAME = "spreadsheet-mcp"


def commands():
    """Every command, with the heading that it stands under."""
    heading = None
    for section in re.split(r"^### ", (HERE / "commands.md").read_text(), flags=re.MULTILINE)[1:]:
        heading = section.splitlines()[0]
        for block in re.findall(r"```bash\n(.*?)```", section, flags=re.DOTALL):
            for line in block.replace("\\\n", "").splitlines():
                if line and not line.startswith("#"):
                    yield heading, line


class Commands(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        shutil.copytree(ROOT / "examples/workspace", self.folder / "data")
        readable_by_all(folder.name)
        self.addCleanup(podman, "rm", "--force", "--time", 0, "--volumes", NAME, check=False)

    def execute(self, command):
        folder = ROOT if command.startswith("docker build") else self.folder
        path = f"{HERE / 'bin'}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True,
        )
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
        return done.stdout

    def test_they_work_as_they_are_written(self):
        executed, told = [], ["docker is buildah and podman here (tests/images/bin/docker)"]
        for heading, command in commands():
            if command.startswith("kubectl"):
                told.append(f"not executed: {command}: needs a cluster; the manifests have tests of their own")
                continue
            printed = self.execute(command)
            executed.append(command)
            told.append(f"executed: {command}")
            if command.startswith("docker run"):
                self.check_container()
            if command.endswith("/health/ready"):
                self.assertEqual(json.loads(printed)["status"], "ready")
            if "/metrics" in command:
                told[-1] += " (of the container)" if heading.startswith("Kubernetes") else ""
                self.assertIn("spreadsheet_mcp_", printed)
        print("\n" + "\n".join(told))
        self.assertEqual(len(executed), 6, executed)

    def check_container(self):
        """Every flag of `docker run` does what it is for."""
        wait_until(lambda: self.health() == 0, "the health check of the command succeeds")
        ready = ["exec", NAME, "spreadsheet-mcp", "healthcheck", "ready"]
        wait_until(lambda: podman(*ready, check=False).returncode == 0, "the server is ready")
        container = json.loads(podman("container", "inspect", NAME))[0]
        self.assertTrue(container["State"]["Running"])
        health = container["Config"]["Healthcheck"]
        self.assertIn("curl -f http://localhost:8079/health/live || exit 1", health["Test"][-1])
        second = 1_000_000_000
        self.assertEqual((health["Interval"], health["Timeout"], health["Retries"]), (30 * second, 3 * second, 3))
        ports = container["HostConfig"]["PortBindings"]
        self.assertEqual({port: bound[0]["HostPort"] for port, bound in ports.items()}, {"8079/tcp": "8079", "9090/tcp": "9090"})
        values = podman("exec", NAME, "spreadsheet-mcp", "config", "show")
        self.assertRegex(values, r'cache_capacity = 50\b.*SPREADSHEET_MCP_CACHE_CAPACITY')
        self.assertRegex(values, r'log = "info"')
        listed = podman("exec", NAME, "spreadsheet-mcp", "call", "list_workbooks")
        self.assertIn("sales-ledger.xlsx", listed)
        self.assertEqual(podman("exec", NAME, "id", "-u").strip(), "10001")

    def health(self):
        return podman("healthcheck", "run", NAME, check=False).returncode


if __name__ == "__main__":
    unittest.main(verbosity=2)
