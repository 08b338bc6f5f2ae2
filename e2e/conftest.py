"""Fixtures: indexes on both engines, each with its own data, stopped gracefully and looked through for secrets at the end."""

import pytest

from harness.browser import Browser
from harness.clients import Clients
from harness.index import BINARY, Index
from harness.keys import Keys

ENGINES = ["sqlite", "postgres"]


def pytest_sessionstart(session):
    if not BINARY.exists():
        raise pytest.UsageError(f"{BINARY} is missing: run scripts/test e2e, or set STRONGROOM_BINARY")


@pytest.fixture(params=ENGINES)
def engine(request):
    """SQLite, then PostgreSQL."""
    return request.param


@pytest.fixture
def make_index(tmp_path):
    """Makes indexes that are not started yet: `make_index(engine, settings=…)`."""
    made = []

    def make(engine, settings=None):
        index = Index(tmp_path / f"index{len(made)}", engine, settings)
        made.append(index)
        return index

    yield make
    for index in made:
        index.close()


@pytest.fixture
def index(make_index, engine):
    """One running index with default settings."""
    return make_index(engine).start()


@pytest.fixture
def clients(tmp_path, index):
    """The real clients, pointed at `index`."""
    return Clients(tmp_path / "clients", index)


@pytest.fixture(scope="module")
def shared_index(tmp_path_factory):
    """One running index on SQLite for a whole file, whose tests each bring people of their own."""
    index = Index(tmp_path_factory.mktemp("shared"), "sqlite", {"limits.registration.network": "off"}).start()
    yield index
    index.close()


@pytest.fixture(scope="module")
def chromium(shared_index, tmp_path_factory):
    """The browser of that file."""
    browser = Browser(tmp_path_factory.mktemp("profile"), shared_index)
    yield browser
    browser.quit()


@pytest.fixture
def shared_browser(chromium):
    """The browser of the file, signed in nowhere."""
    chromium.forget()
    return chromium


@pytest.fixture
def keys(shared_browser):
    """The authenticators plugged into it: none at first."""
    keys = Keys(shared_browser)
    yield keys
    keys.close()
