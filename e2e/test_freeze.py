"""A freeze stops an account at once, running uploads included, and a thaw brings it back exactly."""

import pytest

from harness.person import publisher
from harness.wheels import SlowUpload, build_wheel, upload
from test_stop import LARGE


@pytest.fixture
def ada(index):
    return publisher(index, "ada")


def _freeze(index, act="freeze"):
    index.run("account", act, "ada", "--reason", "seen in a leak")


def test_a_freeze_refuses_the_upload_that_runs(index, ada, tmp_path):
    _, token = ada
    running = SlowUpload(index, token, build_wheel(tmp_path, "halfway", payload_size=LARGE))
    _freeze(index)
    status, answer = running.finish()
    assert status == 403, answer[:500]
    assert index.files("halfway") == {}


def test_a_frozen_account_cannot_upload(index, ada, tmp_path):
    _, token = ada
    _freeze(index)
    assert upload(index, token, build_wheel(tmp_path, "cold")).status_code == 403
    assert index.files("cold") == {}


def test_a_freeze_ends_the_session_at_its_next_request(index, ada):
    person, _ = ada
    assert person.is_signed_in()
    _freeze(index)
    assert not person.is_signed_in()


def test_a_freeze_touches_no_other_account(index, ada, tmp_path):
    other, token = publisher(index, "grace")
    _freeze(index)
    assert other.is_signed_in()
    assert upload(index, token, build_wheel(tmp_path, "warm")).status_code == 200


def test_a_thaw_brings_back_session_and_token(index, ada, tmp_path):
    person, token = ada
    assert upload(index, token, build_wheel(tmp_path, "before")).status_code == 200
    _freeze(index)
    assert not person.is_signed_in()
    _freeze(index, "thaw")
    assert person.is_signed_in(), "the same session goes on"
    assert upload(index, token, build_wheel(tmp_path, "after")).status_code == 200
    assert upload(index, token, build_wheel(tmp_path, "before", "1.1")).status_code == 200, "still Owner"


def test_freezing_nobody_fails_and_says_so(index):
    done = index.run("account", "freeze", "nobody-here", "--reason", "x", check=False)
    assert done.returncode == 1
    assert "nobody-here" in done.stderr and len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_a_freeze_without_a_reason_is_wrong_usage(index):
    assert index.run("account", "freeze", "ada", check=False).returncode == 2
