"""Fills an index on SQLite with one project whose JSON page has about 64 kB. Rows alone: no file has bytes."""

import hashlib
import json
import sqlite3
import sys
import uuid

FILES = 104
AT = 1_795_420_800_000_000


def main(database: str) -> None:
    project, release, event = (uuid.uuid4().bytes for _ in range(3))
    with sqlite3.connect(database, timeout=30) as db:
        db.execute(
            "INSERT INTO projects (id, name, normalized, look_alike, serial, created_at, began_by) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (project, "bench", "bench", "bench", 1, AT, event),
        )
        db.execute(
            "INSERT INTO releases (id, project_id, version, canonical, metadata, summary, is_prerelease, created_at, began_by)"
            " VALUES (?, ?, '1.0', '1', ?, '', 0, ?, ?)",
            (release, project, json.dumps({"metadata_version": "2.4", "name": "bench", "version": "1.0"}), AT, event),
        )
        for n in range(FILES):
            digests = [hashlib.new(kind, str(n).encode()).hexdigest() for kind in ("md5", "sha256", "sha3_256", "sha512_256")]
            name = f"bench-1.0-{n}-cp312-cp312-manylinux_2_17_x86_64.whl"
            db.execute(
                "INSERT INTO files (id, project_id, release_id, filename, kind, python_version, size_bytes, md5, sha256, blake2_256,"
                " metadata_sha256, metadata_size_bytes, requires_python, uploaded_at, began_by)"
                " VALUES (?, ?, ?, ?, 'bdist_wheel', 'cp312', ?, ?, ?, ?, ?, 100, '>=3.9', ?, ?)",
                (uuid.uuid4().bytes, project, release, name, 1000 + n, *digests, AT + n, event),
            )


if __name__ == "__main__":
    main(sys.argv[1])
