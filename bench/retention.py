"""Retention and erasure on a large index, on SQLite and on PostgreSQL: how long the job `erase` and `strongroom check` take.

    bench/retention.py PATH-TO-STRONGROOM [ACCOUNTS] [PROJECTS] [--postgres postgres://user@host:port]

Half of the accounts and projects were deleted longer ago than retention, a tenth more recently: exactly the first half must be erased.
Rows alone: no file has bytes. PostgreSQL needs `psql` and a server on which databases may be made; without it only SQLite is measured.
"""

import argparse
import csv
import io
import os
import sqlite3
import subprocess
import tempfile
import time
import uuid

DAY = 86_400 * 1_000_000
NOW = int(time.time() * 1_000_000)


class Bytes(bytes):
    """A value of a column of bytes, as against an id."""


def ids(kind: str, n: int) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}/{n}")


def deleted_at(n: int):
    """Five of ten long ago, one lately, the others not at all."""
    return {0: NOW - 40 * DAY, 1: NOW - 40 * DAY, 2: NOW - 40 * DAY, 3: NOW - 40 * DAY, 4: NOW - 40 * DAY, 5: NOW - 5 * DAY}.get(n % 10)


def accounts(count: int):
    for n in range(count):
        account, event, name = ids("account", n), ids("event", n), f"account-{n}"
        born = NOW - 400 * DAY
        yield "accounts", dict(id=account, username=name, username_folded=name, display_name="Somebody", password_hash="none", created_at=born, began_by=event)
        yield "addresses", dict(
            id=ids("address", n), account_id=account, address=f"{name}@example.org", folded=f"{name}@example.org",
            is_primary=True, verified_at=born, from_at=born, began_by=event,
        )
        yield "factors", dict(id=ids("factor", n), account_id=account, kind="totp", label="", secret_sealed=Bytes(b"\0"), from_at=born, began_by=event)
        yield "sessions", dict(
            id=ids("session", n), account_id=account, token_digest=Bytes(account.bytes * 2), created_at=born, last_seen_at=born, expires_at=born, began_by=event,
        )
        for more in range(3):
            seen = ids("event", n * 3 + more + 10_000_000)
            yield "events", dict(
                id=seen, kind="account:login:success", at=born + more, account_id=account, actor_account_id=account, actor="account",
                credential="session", direction="neither", request_id="bench", detail="{}", commitment=Bytes(b"\0"),
            )
            yield "event_private", dict(event_id=seen, subject=account, sealed=Bytes(b"\0"))
        if at := deleted_at(n):
            yield "account_causes", dict(id=ids("cause", n), account_id=account, kind="deleted", reason="bench", from_at=at, began_by=event)


def projects(count: int, owners: int):
    for n in range(count):
        project, release, event, name = ids("project", n), ids("release", n), ids("event", n + 5_000_000), f"project-{n}"
        born = NOW - 400 * DAY
        yield "projects", dict(id=project, name=name, normalized=name, look_alike=name, serial=n, created_at=born, began_by=event)
        yield "roles", dict(id=ids("role", n), project_id=project, account_id=ids("account", n % owners), role="Owner", founding=True, from_at=born, began_by=event)
        yield "releases", dict(
            id=release, project_id=project, version="1.0", canonical="1", metadata='{"metadata_version": "2.4", "name": "x", "version": "1.0"}',
            summary="", is_prerelease=False, created_at=born, began_by=event,
        )
        for more in range(2):
            digest = ids("file", n * 2 + more).hex * 2
            yield "files", dict(
                id=ids("file", n * 2 + more), project_id=project, release_id=release, filename=f"{name}-1.0-{more}.whl", kind="bdist_wheel",
                python_version="py3", size_bytes=1000, md5="", sha256=digest, blake2_256=digest, uploaded_at=born, began_by=event,
            )
        if at := deleted_at(n):
            yield "project_locks", dict(id=ids("lock", n), project_id=project, kind="deleted", reason="", from_at=at, began_by=event)


class Sqlite:
    name = "SQLite"

    def __init__(self, folder: str) -> None:
        self.path = os.path.join(folder, "strongroom.sqlite")
        self.environment = {"STRONGROOM_DATABASE__URL": f"sqlite:{self.path}"}

    def load(self, table: str, rows: list) -> None:
        plain = [[v.bytes if isinstance(v, uuid.UUID) else v for v in row.values()] for row in rows]
        with sqlite3.connect(self.path, timeout=60) as db:
            marks = ", ".join("?" * len(rows[0]))
            db.executemany(f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES ({marks})", plain)

    def number(self, sql: str) -> int:
        with sqlite3.connect(self.path, timeout=60) as db:
            return db.execute(sql).fetchone()[0]

    def close(self) -> None:
        pass


class Postgres:
    name = "PostgreSQL"

    def __init__(self, server: str) -> None:
        server = server.rstrip("/").removesuffix("/postgres")
        self.admin, database = f"{server}/postgres", f"retention_{uuid.uuid4().hex}"
        self.url, self.database = f"{server}/{database}", database
        self.psql(self.admin, f"CREATE DATABASE {database}")
        self.environment = {"STRONGROOM_DATABASE__URL": self.url}

    @staticmethod
    def psql(url: str, sql: str, text: str | None = None) -> str:
        done = subprocess.run(["psql", url, "-qtAX", "-v", "ON_ERROR_STOP=1", "-c", sql], input=text, text=True, check=True, capture_output=True)
        return done.stdout

    def load(self, table: str, rows: list) -> None:
        out = io.StringIO()
        # Quoted, an empty text is no NULL.
        writer = csv.writer(out, quoting=csv.QUOTE_ALL)
        for row in rows:
            writer.writerow([f"\\x{v.hex()}" if isinstance(v, Bytes) else v for v in row.values()])
        self.psql(self.url, f"COPY {table} ({', '.join(rows[0])}) FROM STDIN CSV", out.getvalue())

    def number(self, sql: str) -> int:
        return int(self.psql(self.url, sql))

    def close(self) -> None:
        self.psql(self.admin, f"DROP DATABASE {self.database} WITH (FORCE)")


def seed(engine, rows) -> None:
    waiting: dict[str, list] = {}
    for table, row in rows:
        batch = waiting.setdefault(table, [])
        batch.append(row)
        if len(batch) == 20_000:
            engine.load(table, batch)
            batch.clear()
    for table, batch in waiting.items():
        if batch:
            engine.load(table, batch)


DUE = f"""SELECT (SELECT COUNT(*) FROM account_causes c JOIN accounts a ON a.id = c.account_id
 WHERE c.kind = 'deleted' AND c.from_at < {NOW - 30 * DAY} AND a.erased_at IS NULL)
 + (SELECT COUNT(*) FROM project_locks WHERE kind = 'deleted' AND from_at < {NOW - 30 * DAY} AND erased_at IS NULL)"""


def measure(engine, program: str, arguments) -> None:
    with tempfile.TemporaryDirectory() as data:
        environment = os.environ | engine.environment | {"STRONGROOM_LOG__FILTER": "warn"}
        run = lambda *words: subprocess.run([program, *words, "--data", data], env=environment, check=False, capture_output=True, text=True)
        begun = time.monotonic()
        run("migrate")
        seed(engine, accounts(arguments.accounts))
        seed(engine, projects(arguments.projects, arguments.accounts))
        wanted = engine.number(DUE)
        print(f"{engine.name}: {arguments.accounts} accounts, {arguments.projects} projects seeded in {time.monotonic() - begun:.0f} s; {wanted} things are due")
        begun = time.monotonic()
        job = subprocess.Popen([program, "work", "--data", data], env=environment, stdout=subprocess.DEVNULL)
        try:
            while engine.number(DUE) > 0 and time.monotonic() - begun < arguments.most:
                time.sleep(1)
        finally:
            job.terminate()
            job.wait()
        took, left = time.monotonic() - begun, engine.number(DUE)
        print(f"{engine.name}: erased {wanted - left} in {took:.0f} s ({(wanted - left) / took:.0f}/s); {left} left")
        kept = engine.number("SELECT COUNT(*) FROM addresses") == arguments.accounts - sum(n % 10 < 5 for n in range(arguments.accounts))
        kept &= engine.number("SELECT COUNT(*) FROM files WHERE until_at IS NULL") == 2 * (arguments.projects - sum(n % 10 < 5 for n in range(arguments.projects)))
        print(f"{engine.name}: what is not due is {'whole' if kept else 'NOT WHOLE'}")
        begun = time.monotonic()
        said = run("check").stdout.splitlines()
        personal = sum(line.startswith(("personal data", "should have been")) for line in said)
        print(f"{engine.name}: `check` in {time.monotonic() - begun:.0f} s; {personal} findings about what was erased")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("accounts", nargs="?", type=int, default=100_000)
    parser.add_argument("projects", nargs="?", type=int, default=50_000)
    parser.add_argument("--postgres", default=os.environ.get("STRONGROOM_TEST_POSTGRES"))
    parser.add_argument("--most", type=int, default=7200, help="seconds after which a run is given up")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Sqlite(folder), arguments.program, arguments)
    if arguments.postgres:
        engine = Postgres(arguments.postgres)
        try:
            measure(engine, arguments.program, arguments)
        finally:
            engine.close()


if __name__ == "__main__":
    main()
