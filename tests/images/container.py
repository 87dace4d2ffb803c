"""Images and containers of podman, and a server in one of them as its clients see it."""

import json
import os
import subprocess
import time
import urllib.error
import urllib.request

# How the image is meant to run.
HARDENED = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
PATIENCE = 60


def podman(*arguments, check=True):
    """What a command of podman prints on standard output; with check=False the finished process."""
    command = ["podman", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if not check:
        return done
    assert done.returncode == 0, f"{' '.join(command)}: exit code {done.returncode}: {done.stderr}"
    return done.stdout


def inspect_image(image):
    return json.loads(podman("image", "inspect", image))[0]


def run_once(image, *arguments, options=()):
    """A container that ends by itself: the finished process."""
    alone = ["--rm", "--pull", "never", "--no-healthcheck"]
    return podman("run", *alone, *HARDENED, *options, image, *arguments, check=False)


def wait_until(is_so, what):
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE} s"
        time.sleep(0.1)


class Server:
    """A container that serves on ports of its own, until the end of a `with`."""

    def __init__(self, image, *arguments, options=()):
        ports = ["-p", "127.0.0.1::8079", "-p", "127.0.0.1::9090"]
        self.id = podman(
            "run", "--detach", "--pull", "never", *HARDENED, *ports, *options, image, *arguments
        ).strip()
        self.key = None

    def __enter__(self):
        try:
            self.mcp, self.metrics = (self._address(port) for port in (8079, 9090))
            wait_until(self.is_live, "the server answers")
        except BaseException:
            print(self.log())
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        podman("rm", "--force", "--time", 0, "--volumes", self.id, check=False)

    def _address(self, port):
        return "http://" + podman("port", self.id, port).strip()

    def is_live(self):
        try:
            return self.get("/health/live")[0] == 200
        except OSError:
            return False

    def is_ready(self):
        return self.get("/health/ready")[0] == 200

    def get(self, path, port="mcp"):
        """Status and text of what a path answers."""
        return answer(urllib.request.Request(getattr(self, port) + path))

    def exec(self, *arguments):
        return podman("exec", self.id, *arguments, check=False)

    def let_in(self, role):
        """Makes a key of a role, as an operator does, with which calls are made from now on."""
        made = self.exec("spreadsheet-mcp", "keys", "create", role, "--role", role)
        assert made.returncode == 0, made.stderr
        self.key = made.stdout.strip()

    def call(self, tool, **arguments):
        """The structured answer of a tool."""
        status, text = self.post({"name": tool, "arguments": arguments})
        assert status == 200, f"{tool}: {status}: {text}"
        return json.loads(text)["result"]["structuredContent"]

    def post(self, call):
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2025-11-25",
        }
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        request = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
        return answer(urllib.request.Request(self.mcp + "/mcp", json.dumps(request).encode(), headers))

    def state(self):
        return json.loads(podman("container", "inspect", self.id))[0]["State"]

    def log(self):
        done = podman("logs", self.id, check=False)
        return done.stdout + done.stderr

    def wait(self):
        """Its exit code."""
        return int(podman("wait", self.id))

    def status_of_process(self):
        """What the kernel says of the server's process, by name."""
        with open(f"/proc/{self.state()['Pid']}/status") as lines:
            return dict(line.rstrip("\n").split(":\t", 1) for line in lines if ":\t" in line)

    def mounts(self):
        """Options of what is mounted, by place."""
        with open(f"/proc/{self.state()['Pid']}/mounts") as lines:
            return {place: options.split(",") for _, place, _, options, *_ in map(str.split, lines)}


def answer(request):
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def readable_by_all(folder):
    """Lets the user of the container, who is nobody here, read a folder."""
    for place, _, files in os.walk(folder):
        os.chmod(place, 0o755)
        for file in files:
            os.chmod(os.path.join(place, file), 0o644)
