"""The lines of the help page work as printed, with nothing changed but the place of the token."""

import stat
import sys

import pytest
from bs4 import BeautifulSoup

from harness.clients import Clients
from harness.index import Index
from harness.person import publisher
from harness.wheels import build_wheel, upload

PLACEHOLDER = "YOUR-TOKEN"


class Help:
    """The help page of one index, an account that may publish, and the project that the page takes as its example."""

    def __init__(self, folder):
        self.index = Index(folder / "index", "sqlite").start()
        page = BeautifulSoup(self.index.get("/help/").text, "html.parser")
        self.blocks = {block["data-block"]: block.get_text() for block in page.select("pre[data-block]")}
        _, self.token = publisher(self.index, "ada")
        self.example = self.blocks["pip"].split()[-1]
        assert upload(self.index, self.token, build_wheel(folder, self.example)).status_code == 200

    def block(self, name):
        """A block with the token put in its place."""
        return self.blocks[name].replace(PLACEHOLDER, self.token)


@pytest.fixture(scope="module")
def help_page(tmp_path_factory):
    page = Help(tmp_path_factory.mktemp("help"))
    yield page
    page.index.close()


@pytest.fixture
def shell(help_page, tmp_path):
    """A shell in an empty project folder with a virtual environment switched on."""
    clients = Clients(tmp_path / "clients", help_page.index)
    venv = clients.venv("project")
    # The pinned pip instead of the interpreter's, and without the seconds that a copy of it takes.
    pip = venv / "bin" / "pip"
    pip.write_text(f'#!/bin/sh\nexec {sys.executable} -m pip --python {venv}/bin/python "$@"\n')
    pip.chmod(0o755)
    folder = tmp_path / "work"
    folder.mkdir()

    def run(*blocks):
        script = "set -e\n" + "\n".join(blocks)
        path = f"{venv}/bin:{clients.environment['PATH']}"
        return clients.run("bash", "-c", script, cwd=folder, PATH=path, VIRTUAL_ENV=str(venv))

    run.folder, run.home, run.venv, run.clients = folder, clients.home, venv, clients
    return run


def _has(shell, project):
    return project in shell.clients.installed(shell.venv)


def _secret_file(path, text):
    path.write_text(text + "\n")
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)


def _project(shell, name):
    """A project that poetry or uv can lock and build."""
    (shell.folder / "pyproject.toml").write_text(
        f'[project]\nname = "{name}"\nversion = "1.0"\nrequires-python = ">=3.10"\n\n'
        '[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n'
    )
    (shell.folder / f"{name}.py").write_text("")


def test_pip(help_page, shell):
    shell(help_page.block("pip"))
    assert _has(shell, help_page.example)


def test_pip_config(help_page, shell):
    shell("export PIP_CONFIG_FILE=" + str(shell.home / "pip.conf"), help_page.block("pip-config"), f"pip install {help_page.example}")
    assert _has(shell, help_page.example)


def test_uv(help_page, shell):
    shell(help_page.block("uv"))
    assert _has(shell, help_page.example)


def test_uv_project(help_page, shell):
    _project(shell, "consumer")
    with (shell.folder / "pyproject.toml").open("a") as file:
        file.write("\n" + help_page.block("uv-project") + "\n")
    shell("unset UV_NO_CONFIG", f"uv add --no-sync {help_page.example}")
    assert help_page.index.url in (shell.folder / "uv.lock").read_text()


def test_poetry(help_page, shell):
    _project(shell, "consumer")
    shell("export POETRY_VIRTUALENVS_CREATE=false", help_page.block("poetry"))
    assert help_page.index.url in (shell.folder / "poetry.lock").read_text()
    assert _has(shell, help_page.example)


def test_netrc(help_page, shell):
    _secret_file(shell.home / ".netrc", help_page.block("netrc"))
    shell(help_page.block("pip"))
    assert _has(shell, help_page.example)


def _listed(help_page, project):
    return sorted(help_page.index.files(project))


def test_twine(help_page, shell):
    wheel = build_wheel(shell.folder / "dist", "by_twine")
    shell(help_page.block("token"), help_page.block("twine"))
    assert _listed(help_page, "by-twine") == [wheel.name]


def test_pypirc(help_page, shell):
    wheel = build_wheel(shell.folder / "dist", "by_pypirc")
    _secret_file(shell.home / ".pypirc", help_page.block("pypirc"))
    shell(help_page.block("pypirc-upload"))
    assert _listed(help_page, "by-pypirc") == [wheel.name]


def test_uv_publish(help_page, shell):
    wheel = build_wheel(shell.folder / "dist", "by_uv")
    shell(help_page.block("token"), help_page.block("uv-publish"))
    assert _listed(help_page, "by-uv") == [wheel.name]


def test_poetry_publish(help_page, shell):
    _project(shell, "by_poetry")
    shell(help_page.block("token"), help_page.block("poetry-publish"))
    assert _listed(help_page, "by-poetry") == ["by_poetry-1.0-py3-none-any.whl", "by_poetry-1.0.tar.gz"]


def test_every_block_of_the_page_is_tried_here(help_page):
    tried = {"pip", "pip-config", "uv", "uv-project", "poetry", "netrc", "token", "twine", "pypirc", "pypirc-upload"}
    assert set(help_page.blocks) == tried | {"uv-publish", "poetry-publish"}
