"""A large upload streams: the memory of the process does not grow with the file."""

import re
from pathlib import Path

from harness.person import publisher
from harness.wheels import build_wheel, sha256, upload

SIZE = 200 * 1024 * 1024
GROWTH_LIMIT = 32 * 1024 * 1024


def _peak(process):
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * 1024


def test_an_upload_of_200_megabytes_stays_flat_in_memory(make_index, engine, tmp_path):
    index = make_index(engine, {"files.max_size": "300MiB"}).start()
    _, token = publisher(index, "ada")
    wheel = build_wheel(tmp_path, "weighty", payload_size=SIZE)
    # Hashing passwords took its 64 MiB before: a new process, one small upload to warm it, a new high-water mark.
    index.restart()
    assert upload(index, token, build_wheel(tmp_path, "feather")).status_code == 200
    Path(f"/proc/{index.process.pid}/clear_refs").write_text("5")
    before = _peak(index.process)
    answer = upload(index, token, wheel)
    growth = _peak(index.process) - before
    assert answer.status_code == 200, answer.text
    assert growth < GROWTH_LIMIT, f"grew by {growth / 1048576:.1f} MiB over {before / 1048576:.1f} MiB"
    assert index.files("weighty")[wheel.name]["hashes"]["sha256"] == sha256(wheel)


def test_a_file_above_the_limit_is_refused(make_index, tmp_path):
    index = make_index("sqlite", {"files.max_size": "1MiB"}).start()
    _, token = publisher(index, "ada")
    answer = upload(index, token, build_wheel(tmp_path, "toolarge", payload_size=2 * 1024 * 1024))
    assert answer.status_code == 400 and answer.reason.startswith("File too large."), (answer.status_code, answer.reason)
    assert index.files("toolarge") == {}
