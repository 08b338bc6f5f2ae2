"""Puts a project and an account back in an index of many, and times backup and restore, with the binary that is shipped.

    bench/restore.py PATH-TO-STRONGROOM [ACCOUNTS] [PROJECTS] [POSTGRES-URL]

On SQLite, or in a fresh database of the server that POSTGRES-URL names (`postgres://user@host:port/postgres`; needs psql). Rows alone are
seeded: no file has bytes, so that the times of backup and restore are those of rows.
"""

import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import uuid

AT = 1_795_420_800_000_000
HOUR = 3_600_000_000
TABLES = {
    "accounts": "id username username_folded display_name password_hash password_changed_at created_at began_by",
    "addresses": "id account_id address folded is_primary verified_at from_at began_by is_public",
    "factors": "id account_id kind label secret_sealed from_at began_by",
    "projects": "id name normalized look_alike serial created_at began_by",
    "roles": "id project_id account_id role founding from_at until_at began_by ended_by",
    "project_locks": "id project_id kind reason from_at began_by",
}


def new() -> uuid.UUID:
    return uuid.uuid4()


def rows(accounts: int, projects: int):
    """One row after another. Account 0 was robbed: a thief took its first project and deleted it."""
    people = [new() for _ in range(accounts)]
    for n, person in enumerate(people):
        name, event = f"person{n}", new()
        folded = name.replace("o", "0")
        yield "accounts", (person, name, folded, "", "x", AT, AT, event)
        yield "addresses", (new(), person, f"{name}@example.org", f"{name}@example.org", True, AT, AT, event, False)
        yield "factors", (new(), person, "totp", "app", b"\0", AT, event)
    for n in range(projects):
        project, name, owner = new(), f"project-{n}", people[n % accounts]
        yield "projects", (project, name, name, name, n + 1, AT, new())
        robbed = n == 0
        ended = (AT + 2 * HOUR, new()) if robbed else (None, None)
        yield "roles", (new(), project, owner, "Owner", True, AT, ended[0], new(), ended[1])
        if robbed:
            yield "roles", (new(), project, people[1], "Owner", False, AT + HOUR, None, new(), None)
            yield "project_locks", (new(), project, "deleted", "bench", AT + 2 * HOUR, new())


def seed_sqlite(database: str, accounts: int, projects: int) -> None:
    with sqlite3.connect(database) as db:
        for table, row in rows(accounts, projects):
            columns = TABLES[table].split()
            values = [value.bytes if isinstance(value, uuid.UUID) else value for value in row]
            db.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", values)


def seed_postgres(url: str, accounts: int, projects: int) -> None:
    def text(value) -> str:
        if value is None:
            return "\\N"
        if isinstance(value, bool):
            return "t" if value else "f"
        return "\\\\x" + value.hex() if isinstance(value, bytes) else str(value)

    with tempfile.TemporaryDirectory() as folder:
        files = {table: open(os.path.join(folder, table), "w") for table in TABLES}
        for table, row in rows(accounts, projects):
            files[table].write("\t".join(text(value) for value in row) + "\n")
        for table, file in files.items():
            file.close()
            columns = ", ".join(TABLES[table].split())
            subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", url, "-c", f"\\copy {table} ({columns}) FROM '{file.name}'"], check=True)
        subprocess.run(["psql", "-q", url, "-c", "ANALYZE"], check=True)


class Index:
    def __init__(self, binary: str, folder: str, url: str | None) -> None:
        self.binary, self.folder = binary, folder
        self.env = {"PATH": os.environ["PATH"], "USER": "bench"} | ({"STRONGROOM_DATABASE__URL": url} if url else {})

    def run(self, *words: str) -> tuple[float, str]:
        begun = time.perf_counter()
        done = subprocess.run([self.binary, "--data", self.folder, *words], env=self.env, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{words}: {done.stderr}")
        return time.perf_counter() - begun, done.stdout


def fresh_database(server: str) -> str:
    name = f"bench_{uuid.uuid4().hex}"
    subprocess.run(["psql", "-q", server, "-c", f"CREATE DATABASE {name}"], check=True)
    return server.rsplit("/", 1)[0] + "/" + name


def main(binary: str, accounts: int, projects: int, server: str | None) -> None:
    folder = tempfile.mkdtemp()
    url = fresh_database(server) if server else None
    index = Index(binary, folder, url)
    index.run("migrate")
    index.run("account", "create", "grace", "--email", "grace@example.net")
    if url:
        seed_postgres(url, accounts, projects)
    else:
        seed_sqlite(os.path.join(folder, "strongroom.sqlite"), accounts, projects)
    print(f"{'PostgreSQL' if url else 'SQLite'}: {accounts} accounts, {projects} projects")
    start = statistics.median(index.run("account", "show", "grace")[0] for _ in range(3))
    print(f"a command that does next to nothing: {start:.2f} s (to be taken off the next three)")
    at = ["--at", "2026-11-23T08:30:00Z", "--reason", "bench", "--json"]
    for what in (["--project", "project-0"], ["--account", "person0"]):
        seen, _ = index.run("incident", "restore", *what, *at, "--dry-run")
        took, said = index.run("incident", "restore", *what, *at)
        batch = json.loads(said)
        back, _ = index.run("incident", "undo", "--batch", batch["batch"], "--reason", "bench")
        print(f"{what[0][2:]}: dry run {seen:.2f} s, restore {took:.2f} s ({batch['restored']} changes), undo {back:.2f} s")
    copy = os.path.join(folder, "copy")
    took, _ = index.run("backup", copy)
    size = sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(copy) for name in names)
    print(f"backup: {took:.1f} s, {size / 1e6:.0f} MB")
    there = tempfile.mkdtemp()
    shutil.copy(os.path.join(folder, "instance.key"), there)
    other = Index(binary, there, fresh_database(server) if server else None)
    took, _ = other.run("restore", copy)
    print(f"restore of the backup: {took:.1f} s")
    shutil.rmtree(folder)
    shutil.rmtree(there)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], *(int(n) for n in (sys.argv[2:4] or ["100000", "50000"])), *(sys.argv[4:5] or [None]))
