"""Fixtures: indexes on both engines, each with its own data, stopped gracefully and looked through for secrets at the end."""

import pytest

from harness.clients import Clients
from harness.index import BINARY, Index

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
