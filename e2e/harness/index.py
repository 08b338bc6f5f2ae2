"""One running Strongroom: its process, its data folder, its database, and the command line beside it."""

import os
import re
import signal
import socket
import subprocess
import time
import uuid
from pathlib import Path

import requests

from harness.clock import until
from harness.mailbox import Maildir

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
BINARY = Path(os.environ.get("STRONGROOM_BINARY", TARGET / "ci" / "strongroom"))


def free_port():
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def psql(statement):
    """Runs one statement on the cluster that scripts/with-postgres started."""
    cluster = os.environ.get("STRONGROOM_TEST_POSTGRES")
    assert cluster, "STRONGROOM_TEST_POSTGRES is not set: run through scripts/test or scripts/with-postgres"
    subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-c", statement, cluster], check=True)


class Index:
    """A `strongroom serve` on a free port, with data of its own."""

    def __init__(self, folder, engine, settings=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = self.folder / "data"
        self.engine = engine
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.simple = f"{self.url}/simple/"
        self.upload = f"{self.url}/legacy/"
        self.mailbox = Maildir(self.data)
        self.process = None
        self.shift_s = 0
        self.secrets = set()
        self._settings = {f"STRONGROOM_{key.upper().replace('.', '__')}": value for key, value in (settings or {}).items()}
        self._database = None
        if engine == "postgres":
            self._database = f"e2e_{uuid.uuid4().hex}"
            psql(f"CREATE DATABASE {self._database}")
            cluster = os.environ["STRONGROOM_TEST_POSTGRES"]
            self._settings["STRONGROOM_DATABASE__URL"] = cluster.rsplit("/", 1)[0] + "/" + self._database

    @property
    def log(self):
        """Everything the process wrote, over all its starts."""
        return "".join(path.read_text(errors="replace") for path in (self._stdout, self._stderr) if path.exists())

    @property
    def _stdout(self):
        return self.folder / "stdout.log"

    @property
    def _stderr(self):
        return self.folder / "stderr.log"

    def environment(self, **more):
        """The caller's environment with this index's settings and nobody else's."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("STRONGROOM_")}
        return {**kept, **self._settings, **more}

    def configure(self, **settings):
        """Settings by their environment name after `STRONGROOM_`, from the next start on; None removes one."""
        for key, value in settings.items():
            self._settings.pop(f"STRONGROOM_{key}", None)
            if value is not None:
                self._settings[f"STRONGROOM_{key}"] = str(value)

    def launch(self, clock_offset=None, **environment):
        """Starts the process and does not wait for it."""
        assert self.process is None, "the index runs already"
        command = [str(BINARY), "serve", "--data", str(self.data)]
        command += ["--listen", f"127.0.0.1:{self.port}", "--public-url", self.url]
        if clock_offset:
            command += ["--clock-offset", clock_offset]
        with self._stdout.open("ab") as out, self._stderr.open("ab") as err:
            self.process = subprocess.Popen(
                command, stdout=out, stderr=err, cwd=self.folder, env=self.environment(**environment)
            )
        return self

    def start(self, clock_offset=None, **environment):
        """Starts the process and waits until database, blobs and queue are ready."""
        self.launch(clock_offset, **environment)
        until(self._ready, f"{self.url}/_ready/", 60)
        return self

    def _ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"strongroom ended with {self.process.returncode} at its start:\n{self.log[-4000:]}")
        try:
            return self.get("/_ready/", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def get(self, path, **options):
        """A GET by nobody, straight to the process."""
        with requests.Session() as session:
            session.trust_env = False
            return session.get(self.url + path, **{"timeout": 30, **options})

    def terminate(self):
        """Sends SIGTERM and returns at once."""
        self.process.send_signal(signal.SIGTERM)

    def ended(self, timeout_s=30):
        """Waits for the process to end; its exit code (negative: the signal)."""
        code = self.process.wait(timeout_s)
        self.process = None
        return code

    def stop(self):
        """A graceful stop, which always ends with 0."""
        self.terminate()
        code = self.ended()
        assert code == 0, f"SIGTERM ended strongroom with {code}:\n{self.log[-4000:]}"

    def restart(self, clock_offset=None, **environment):
        """A graceful stop and a new start."""
        self.stop()
        return self.start(clock_offset, **environment)

    def advance(self, days=0, hours=0, minutes=0):
        """Lets time pass: a new start whose clock is that much further ahead."""
        self.shift_s += (days * 24 + hours) * 3600 + minutes * 60
        return self.restart(self._shift)

    @property
    def _shift(self):
        return f"{self.shift_s}s" if self.shift_s else None

    def now(self):
        """Seconds since 1970 by the clock of the index."""
        return time.time() + self.shift_s

    def run(self, *arguments, check=True, **options):
        """One command of the binary on this index's data."""
        command = [str(BINARY), *arguments, "--data", str(self.data)]
        command += ["--clock-offset", self._shift] if self._shift else []
        done = subprocess.run(
            command, env=self.environment(), cwd=self.folder, capture_output=True, text=True, timeout=120, **options
        )
        if check:
            assert done.returncode == 0, f"strongroom {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def setup_link(self):
        """The link for the first administrator, as printed at the start."""
        found = lambda: re.search(r"https?://\S+/setup/\?token=[^\s\"']+", self.log)
        return until(found, "a set-up link in the output").group(0)

    def files(self, project):
        """The files of a project by name, as its JSON simple page lists them; empty when there is no such project."""
        answer = self.get(f"/simple/{project}/", headers={"Accept": "application/vnd.pypi.simple.v1+json"})
        if answer.status_code == 404:
            return {}
        assert answer.status_code == 200, f"/simple/{project}/: {answer.status_code} {answer.text[:300]}"
        return {file["filename"]: file for file in answer.json()["files"]}

    def close(self):
        """Stops what runs, looks for secrets in the log, drops the database."""
        try:
            if self.process is not None and self.process.poll() is None:
                self.stop()
            printed = [secret for secret in self.secrets if secret in self.log]
            assert not printed, f"{len(printed)} secrets stand in the log of {self.folder}"
        finally:
            if self.process is not None:
                self.process.kill()
                self.process.wait()
            if self._database:
                psql(f"DROP DATABASE IF EXISTS {self._database} WITH (FORCE)")
