"""The real packages: which, who publishes them, and how they are fetched from PyPI (once, into the target folder)."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from harness.index import ROOT, TARGET

FOLDER = TARGET / "e2e-packages"
FULL = os.environ.get("STRONGROOM_E2E_TIER") == "full"


@dataclass(frozen=True)
class Real:
    """One release: its files are the wheel for this interpreter, the sdist, and wheels for other platforms."""

    client: str
    name: str
    version: str
    wheel: bool = True
    sdist: bool = False
    platforms: tuple = field(default=())

    @property
    def requirement(self):
        """As pip is asked for it."""
        return f"{self.name}=={self.version}"

    @property
    def normalized(self):
        """PEP 503."""
        return re.sub(r"[-_.]+", "-", self.name).lower()

    @property
    def folder(self):
        """Where its fetched files are kept."""
        return FOLDER / f"{self.normalized}-{self.version}"

    @property
    def files(self):
        """Its fetched files."""
        return sorted(path for path in self.folder.iterdir() if path.name.endswith((".whl", ".tar.gz")))


def sdist(client, name, version, **more):
    """A release that is published as source alone."""
    return Real(client, name, version, wheel=False, sdist=True, **more)


# Names with dots, capitals and underscores; many tags; metadata 1.0 (ordereddict), 1.1 (docopt), 1.2 (toml), 2.1 and 2.4,
# License-File before 2.4 (what older setuptools wrote into certifi and others); hard links (docutils) and a symbolic link (beautifulsoup4) inside sdists.
PACKAGES = [
    Real("twine", "six", "1.16.0", sdist=True),
    sdist("twine", "ordereddict", "1.1"),
    sdist("twine", "docopt", "0.6.2"),
    sdist("twine", "toml", "0.10.2"),
    sdist("twine", "docutils", "0.21.2"),
    sdist("twine", "beautifulsoup4", "4.12.3"),
    Real("twine", "zope.interface", "8.0.1", sdist=True),
    Real("twine", "Jinja2", "3.1.4"),
    Real("twine", "MarkupSafe", "3.0.3", sdist=True, platforms=(
        ("manylinux2014_aarch64", "312"), ("macosx_10_13_x86_64", "313"), ("musllinux_1_2_x86_64", "313"),
    )),
    Real("uv", "attrs", "25.3.0"),
    Real("uv", "idna", "3.10", sdist=True),
    Real("uv", "certifi", "2024.7.4"),
    Real("uv", "requests", "2.32.3"),
    Real("uv", "packaging", "24.1"),
    Real("uv", "importlib_metadata", "8.5.0"),
    Real("uv", "typing_extensions", "4.12.2"),
    Real("uv", "PyYAML", "6.0.3", platforms=(("win_amd64", "310"),)),
    Real("uv", "jaraco.functools", "4.3.0"),
    Real("uv", "psutil", "7.1.0"),
    Real("hatch", "python-dateutil", "2.9.0.post0"),
    Real("hatch", "pytz", "2024.1"),
    Real("hatch", "click", "8.1.7"),
    Real("hatch", "Flask", "3.0.3"),
    Real("hatch", "colorama", "0.4.6"),
    Real("hatch", "docopt-ng", "0.9.0"),
    sdist("hatch", "simplejson", "3.20.2"),
    Real("hatch", "ruamel.yaml", "0.19.1", sdist=True),
    sdist("hatch", "blinker", "1.8.2"),
]  # fmt: skip


def install_build_tools(venv):
    """Puts the pinned build backends into a venv, through the machine's own pip configuration."""
    pinned = (ROOT / "e2e" / "requirements.txt").read_text().split()
    tools = [line for line in pinned if line.startswith(("setuptools==", "wheel==", "flit_core==", "hatchling=="))]
    assert len(tools) == 4, tools
    install(venv, *tools)


def install(venv, *requirements):
    """Installs from PyPI, through the machine's own pip configuration."""
    _pip("--python", str(venv / "bin/python"), "install", "-q", *requirements)


def tool_wheel(name, version):
    """The wheel of one version of a client that runs from its wheel."""
    folder = FOLDER / "tools"
    wheel = folder / f"{name}-{version}-py2.py3-none-any.whl"
    found = [wheel, folder / f"{name}-{version}-py3-none-any.whl"]
    if not any(path.exists() for path in found):
        _download(folder, "--only-binary", ":all:", f"{name}=={version}")
    return next(path for path in found if path.exists())


def _download(folder, *arguments):
    _pip("download", "-q", "--no-deps", "-d", str(folder), *arguments)


def _pip(*arguments):
    command = [sys.executable, "-m", "pip", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-3000:]}"


def fetch(real):
    """Fetches a release through the machine's own pip configuration, unless it is there already."""
    done = real.folder / "complete"
    if done.exists():
        return real
    real.folder.mkdir(parents=True, exist_ok=True)
    if real.wheel:
        _download(real.folder, "--only-binary", ":all:", real.requirement)
    if real.sdist:
        _download(real.folder, "--no-build-isolation", "--no-binary", ":all:", real.requirement)
    for platform, python in real.platforms:
        _download(
            real.folder, "--only-binary", ":all:", "--implementation", "cp", "--abi", f"cp{python}",
            "--python-version", python, "--platform", platform, real.requirement,
        )  # fmt: skip
    done.touch()
    return real


def everything():
    """All releases of this tier, fetched: the sample, and in the full tier one wheel of each popular project besides."""
    releases = [fetch(real) for real in PACKAGES]
    if FULL:
        releases += [fetched for number, name in enumerate(_popular()) if (fetched := _latest(name, number))]
    return releases


def _popular():
    lines = (Path(__file__).parent / "popular.txt").read_text().splitlines()
    sampled = {real.normalized for real in PACKAGES}
    return [line for line in lines if line and not line.startswith("#") and line not in sampled]


def _latest(name, number):
    """The newest wheel of a project whose file name is normalized (older spellings are refused on upload)."""
    folder = FOLDER / "popular" / name
    if not folder.exists():
        _download(folder, "--only-binary", ":all:", name)
    wheel = next(folder.glob("*.whl"))
    version = wheel.name.split("-")[1]
    if wheel.name.split("-")[0] != name.replace("-", "_"):
        return None
    real = Real(("twine", "uv", "hatch")[number % 3], name, version)
    real.folder.mkdir(parents=True, exist_ok=True)
    if not (real.folder / wheel.name).exists():
        os.link(wheel, real.folder / wheel.name)
    return real
