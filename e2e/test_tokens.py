"""Tokens of the index in the hands of pypitoken and pymacaroons: they read and narrow them, and the index obeys."""

import json
import time

import pymacaroons
import pypitoken
import pytest
import requests

from conftest import ENGINES
from harness.index import Index
from harness.person import publisher
from harness.wheels import build_wheel, upload


@pytest.fixture(scope="module", params=ENGINES)
def ada(request, tmp_path_factory):
    """An index and a token for all projects of its one account."""
    index = Index(tmp_path_factory.mktemp(request.param), request.param).start()
    _, token = publisher(index, "ada")
    yield index, token
    index.close()


def _caveat(token, *caveat):
    """The token with one more caveat, by pymacaroons alone; the location is not touched."""
    prefix, text = token.split("-", 1)
    macaroon = pymacaroons.Macaroon.deserialize(text)
    macaroon.add_first_party_caveat(json.dumps(list(caveat)))
    narrowed = macaroon.serialize()
    return f"{prefix}-{narrowed}"


def _try(ada, token, tmp_path, name):
    return upload(ada[0], token, build_wheel(tmp_path, name))


def test_pypitoken_reads_a_token_and_writes_it_back(ada):
    index, token = ada
    read = pypitoken.Token.load(token)
    assert read.domain == "localhost"
    assert read.dump() == token
    # The key stays in the index: only what it says can be read.
    assert read.prefix == token.split("-")[0]


def test_a_token_narrowed_to_a_project_opens_that_project_alone(ada, tmp_path):
    token = pypitoken.Token.load(ada[1]).restrict(project_names=["narrow"]).dump()
    assert _try(ada, token, tmp_path, "narrow").status_code == 200
    refused = _try(ada, token, tmp_path, "wide")
    assert refused.status_code == 403 and refused.reason.startswith("Invalid API Token:"), refused.reason
    assert ada[0].files("wide") == {}


def test_a_token_narrowed_to_a_time_ends_with_it(ada, tmp_path):
    now = int(time.time())
    alive = pypitoken.Token.load(ada[1]).restrict(not_before=now - 60, not_after=now + 600).dump()
    assert _try(ada, alive, tmp_path, "intime").status_code == 200
    for span in ((now - 600, now - 60), (now + 600, now + 1200)):
        dead = pypitoken.Token.load(ada[1]).restrict(not_before=span[0], not_after=span[1]).dump()
        assert _try(ada, dead, tmp_path, "outoftime").status_code == 403
    assert ada[0].files("outoftime") == {}


def test_a_second_caveat_never_widens_the_first(ada, tmp_path):
    token = _caveat(_caveat(ada[1], 1, ["onlythis"]), 1, ["other"])
    assert _try(ada, token, tmp_path, "other").status_code == 403
    assert _try(ada, token, tmp_path, "onlythis").status_code == 403


@pytest.mark.parametrize(
    ("caveat", "status"),
    [
        ([100, ["upload"]], 200),
        ([100, ["read"]], 403),
        ([101, ["127.0.0.0/8"]], 200),
        ([101, ["192.0.2.0/24"]], 403),
        ([3, "00000000-0000-0000-0000-000000000000"], 403),
        ([99, "nobody knows this one"], 403),
        ([0], 403),
        (["1", ["caveats"]], 403),
    ],
    ids=str,
)
def test_pymacaroons_adds_a_caveat_and_the_index_obeys(ada, tmp_path, caveat, status):
    answer = _try(ada, _caveat(ada[1], *caveat), tmp_path, "caveats")
    assert answer.status_code == status, answer.reason


def test_a_token_of_another_signature_is_nobody(ada, tmp_path):
    index, token = ada
    macaroon = pymacaroons.Macaroon.deserialize(token.split("-", 1)[1])
    forged = pymacaroons.Macaroon(
        location=macaroon.location, identifier=macaroon.identifier, key="guessed", version=pymacaroons.MACAROON_V2
    )
    forged = f"{token.split('-')[0]}-{forged.serialize()}"
    assert _try(ada, forged, tmp_path, "forged").status_code == 403
    assert index.files("forged") == {}


def test_a_token_opens_no_page(ada):
    index, token = ada
    for path in ("/manage/account/", "/manage/account/token/", "/manage/projects/"):
        for headers in ({"Authorization": f"token {token}"}, {"Authorization": f"Bearer {token}"}):
            assert index.get(path, headers=headers, allow_redirects=False).status_code != 200
        assert index.get(path, auth=("__token__", token), allow_redirects=False).status_code != 200


# PYPI-14.
def test_a_password_does_not_upload(ada, tmp_path):
    index, _ = ada
    wheel = build_wheel(tmp_path, "bypassword")
    person, _ = publisher(index, "grace")
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(
            index.upload, data={":action": "file_upload"}, files={"content": wheel.open("rb")},
            auth=(person.username, person.password), timeout=60,
        )  # fmt: skip
    assert answer.status_code == 403 and "WWW-Authenticate" not in answer.headers
    assert index.files("bypassword") == {}
