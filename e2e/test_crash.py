"""The process dies at each step of an upload: no row is ever without bytes, and what was answered is there."""

import pytest
import requests

from harness.person import publisher
from harness.wheels import build_wheel, sha256, upload

# Step of an upload at which `STRONGROOM_CRASH_AT` kills the process, and whether the file is there afterwards.
STEPS = {"staged": False, "blob_synced": False, "project:upload/before_commit": False, "project:upload/after_commit": True}


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_leaves_nothing_half_visible(make_index, engine, step, tmp_path):
    index = make_index(engine).start()
    _, token = publisher(index, "ada")
    wheel = build_wheel(tmp_path, "fragile")
    index.restart(STRONGROOM_CRASH_AT=step)
    with pytest.raises(requests.ConnectionError):
        upload(index, token, wheel)
    code = index.ended()
    assert code not in (0, 1, 2), f"the process ended by itself with {code}"

    index.start()
    index.run("check")
    listed = index.files("fragile")
    assert list(listed) == ([wheel.name] if STEPS[step] else [])
    # The client tries again, as twine does, and gets through either way.
    assert upload(index, token, wheel).status_code == 200
    assert index.files("fragile")[wheel.name]["hashes"]["sha256"] == sha256(wheel)
    index.run("check")


def test_check_finds_a_row_without_bytes(index, tmp_path):
    _, token = publisher(index, "ada")
    wheel = build_wheel(tmp_path, "robbed")
    assert upload(index, token, wheel).status_code == 200
    content = wheel.read_bytes()
    index.stop()
    stored = [path for path in index.data.rglob("*") if path.is_file() and path.read_bytes() == content]
    assert len(stored) == 1, stored
    stored[0].unlink()
    assert index.run("check", check=False).returncode == 1
