"""Older pips install, and pdm and flit publish. The sample tries the oldest pip; the full tier tries all of them."""

import subprocess
import sys

import pytest

from harness import packages
from harness.clients import Clients
from harness.index import TARGET, Index
from harness.person import publisher
from harness.wheels import build_wheel, upload

PIPS = ["19.3.1", "20.3.4", "21.3.1", "22.0.4", "23.0.1", "24.0", "24.3.1", "25.3"]
full_tier = pytest.mark.skipif(not packages.FULL, reason="the full tier: .ci/full")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """An index with one project, the clients, and a token."""
    folder = tmp_path_factory.mktemp("other")
    index = Index(folder / "index", "sqlite").start()
    _, token = publisher(index, "ada")
    assert upload(index, token, build_wheel(folder, "spam")).status_code == 200
    yield index, Clients(folder / "clients", index), token
    index.close()


@pytest.mark.parametrize("version", PIPS if packages.FULL else PIPS[:1])
def test_an_older_pip_installs(served, version, tmp_path):
    index, clients, _ = served
    wheel = packages.tool_wheel("pip", version)
    clients.run(
        sys.executable, "-m", "pip", "install", "--no-cache-dir", "--index-url", index.simple, "--target", tmp_path, "spam",
        PYTHONPATH=str(wheel),
    )  # fmt: skip
    assert (tmp_path / "spam" / "__init__.py").exists()


def _tool(requirement):
    """A client that does not get on with the others, in an environment of its own."""
    venv = TARGET / "e2e-venv-other" / requirement.replace("[", "-").replace("]", "")
    if not (venv / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", venv], check=True)
        packages.install(venv, requirement)
        (venv / "complete").touch()
    return venv / "bin"


def _project(folder, name, backend, requires):
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "{name}"\nversion = "1.0"\ndescription = "Made by a test"\n'
        f'authors = [{{name = "Ada"}}]\nrequires-python = ">=3.10"\n'
        f'\n[build-system]\nrequires = ["{requires}"]\nbuild-backend = "{backend}"\n'
    )
    (folder / f"{name}.py").write_text('"""Made by a test."""\n')


@full_tier
def test_pdm_publishes(served, tmp_path):
    index, clients, token = served
    _project(tmp_path, "by_pdm", "flit_core.buildapi", "flit_core")
    wheel = build_wheel(tmp_path / "dist", "by_pdm")
    clients.run(
        _tool("pdm[locked]==2.29.3") / "pdm", "publish", "--no-build", cwd=tmp_path,
        PDM_PUBLISH_REPO=index.upload, PDM_PUBLISH_USERNAME="__token__", PDM_PUBLISH_PASSWORD=token,
    )  # fmt: skip
    assert list(index.files("by-pdm")) == [wheel.name]


@full_tier
def test_flit_publishes(served, tmp_path):
    index, clients, token = served
    _project(tmp_path, "by_flit", "flit_core.buildapi", "flit_core")
    clients.run(
        _tool("flit==4.2.0") / "flit", "publish", "--no-use-vcs", cwd=tmp_path,
        FLIT_INDEX_URL=index.upload, FLIT_USERNAME="__token__", FLIT_PASSWORD=token, FLIT_NO_NETWORK="1",
    )  # fmt: skip
    assert sorted(index.files("by-flit")) == ["by_flit-1.0-py3-none-any.whl", "by_flit-1.0.tar.gz"]
