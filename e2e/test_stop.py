"""SIGTERM lets what runs finish."""

import requests

from harness.clock import until
from harness.person import publisher
from harness.wheels import SlowUpload, build_wheel, sha256

# Half of it is more than the sockets hold, so a half that is sent was read by the index.
LARGE = 32 * 1024 * 1024


def _refuses_connections(index):
    try:
        index.get("/_health/", timeout=2)
        return False
    except requests.RequestException:
        return True


def test_sigterm_during_an_upload_finishes_it(index, tmp_path):
    _, token = publisher(index, "ada")
    wheel = build_wheel(tmp_path, "slowly", payload_size=LARGE)
    running = SlowUpload(index, token, wheel)
    index.terminate()
    until(lambda: _refuses_connections(index), "the index to take no new requests")
    assert index.process.poll() is None, "the index left a running upload"
    status, answer = running.finish()
    assert status == 200, answer
    assert index.ended() == 0
    index.start()
    assert index.files("slowly")[wheel.name]["hashes"]["sha256"] == sha256(wheel)


def test_sigterm_at_rest_ends_with_zero(index):
    index.stop()
