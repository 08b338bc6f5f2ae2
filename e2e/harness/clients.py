"""The real clients, run as their users run them, with no configuration but what a test gives."""

import os
import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent

# A machine's own certificates, proxies and indexes are for reaching PyPI, and in the way of a server on loopback.
_FOREIGN = {"CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "NETRC", "VIRTUAL_ENV", "PYTHONPATH"}
_FOREIGN_STARTS = ("PIP_", "UV_", "TWINE_", "HATCH_", "POETRY_", "STRONGROOM_")


class Clients:
    """Commands with a home folder, caches and environment of their own."""

    def __init__(self, folder, index):
        self.index = index
        self.home = Path(folder) / "home"
        self.home.mkdir(parents=True)
        self._venvs = Path(folder) / "venvs"
        self.environment = {
            key: value
            for key, value in os.environ.items()
            if key not in _FOREIGN and not key.startswith(_FOREIGN_STARTS) and not key.lower().endswith("_proxy")
        }
        self.environment |= {
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "XDG_DATA_HOME": str(self.home / "share"),
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_INPUT": "1",
            "UV_NO_CONFIG": "1",
            "UV_PYTHON_DOWNLOADS": "never",
        }

    def run(self, *command, check=True, cwd=None, **environment):
        """Runs one client; its output goes into the failure, if it fails."""
        done = subprocess.run(
            [str(part) for part in command], cwd=cwd or self.home, env={**self.environment, **environment},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=280,
        )  # fmt: skip
        if check:
            assert done.returncode == 0, f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout[-6000:]}"
        return done

    def venv(self, name):
        """A fresh virtual environment without pip; what is installed into it is all there is."""
        folder = self._venvs / name
        self.run("uv", "venv", "--quiet", "--python", sys.executable, folder)
        return folder

    def twine(self, token, *files, check=True, **environment):
        """`twine upload` with a token."""
        return self.run(
            "twine", "upload", "--non-interactive", "--disable-progress-bar", "--verbose", *files, check=check,
            TWINE_REPOSITORY_URL=self.index.upload, TWINE_USERNAME="__token__", TWINE_PASSWORD=token, **environment,
        )  # fmt: skip

    def uv_publish(self, token, *files, check=True):
        """`uv publish` with a token, without the exchange that needs https."""
        return self.run(
            "uv", "publish", "--trusted-publishing", "never", "--publish-url", self.index.upload, *files, check=check,
            UV_PUBLISH_TOKEN=token,
        )  # fmt: skip

    def hatch_publish(self, token, *files, check=True):
        """`hatch publish` with a token; asks for devpi's simple page first."""
        return self.run(
            "hatch", "publish", "-n", *files, check=check,
            HATCH_INDEX_REPO=self.index.upload, HATCH_INDEX_USER="__token__", HATCH_INDEX_AUTH=token,
        )  # fmt: skip

    def pip(self, *arguments, python=None, check=True):
        """`pip`, in its environment or for another one."""
        target = ("--python", python) if python else ()
        return self.run(BIN / "python", "-m", "pip", *target, *arguments, check=check)

    def pip_install(self, venv, *requirements):
        """Installs into a venv from our index alone; sdists are built by what this environment has."""
        report = self.home / f"report-{venv.name}.json"
        self.pip(
            "install", "--no-deps", "--no-build-isolation", "--no-compile", "--index-url", self.index.simple,
            "--report", report, *requirements, python=venv / "bin/python",
        )  # fmt: skip
        return report

    def pip_download(self, folder, *arguments):
        """Downloads from our index alone."""
        return self.pip(
            "download", "-q", "--no-deps", "--no-build-isolation", "--no-cache-dir", "--index-url", self.index.simple,
            "-d", folder, *arguments,
        )  # fmt: skip

    def uv_install(self, venv, *arguments, **environment):
        """`uv pip install` from our index alone, into a venv."""
        command = ["uv", "pip", "install", "--python", venv / "bin/python", "--default-index", self.index.simple]
        return self.run(*command, *arguments, **environment)

    def installed(self, venv):
        """Names and versions in a venv, normalized."""
        lines = self.run("uv", "pip", "freeze", "--python", venv / "bin/python").stdout.splitlines()
        pairs = (line.split(" @ ")[0].split("==") for line in lines if "==" in line)
        return {name.lower().replace("_", "-").replace(".", "-"): version for name, version in pairs}
