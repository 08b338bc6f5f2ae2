"""Real packages go in through twine, uv and hatch and come out, unchanged, through pip and uv."""

import calendar
import hashlib
import json
import re
import time
import zipfile

import pytest

from conftest import ENGINES
from harness import packages
from harness.clients import Clients
from harness.index import Index
from harness.person import publisher
from harness.wheels import build_wheel, sha256


@pytest.fixture(scope="module")
def releases():
    return packages.everything()


@pytest.fixture(scope="module", params=ENGINES)
def published(request, tmp_path_factory, releases):
    """An index to which three people published everything, each with one client."""
    folder = tmp_path_factory.mktemp(request.param)
    # The sample stays below the limits that everybody meets; 200 packages do not.
    settings = {}
    if packages.FULL:
        settings = {"limits.new_project.account": "1000/1h", "limits.new_project.network": "1000/1h"}
    index = Index(folder / "index", request.param, settings).start()
    clients = Clients(folder / "clients", index)
    try:
        index.tokens = {client: publisher(index, f"{client}-user")[1] for client in ("twine", "uv", "hatch")}
        started = time.time()
        for client, publish in _publishers(clients).items():
            files = [file for real in releases if real.client == client for file in real.files]
            publish(index.tokens[client], *files)
        index.published_between = (started, time.time())
        yield index, clients
    finally:
        index.close()


def _publishers(clients):
    return {"twine": clients.twine, "uv": clients.uv_publish, "hatch": clients.hatch_publish}


def _here(releases, sdists):
    """Releases with a wheel, or those that have source alone."""
    return [real for real in releases if real.wheel != sdists]


def test_every_file_is_listed_with_its_digest_size_and_time(published, releases):
    index, _ = published
    earliest, latest = index.published_between
    for real in releases:
        listed = index.files(real.normalized)
        assert sorted(listed) == [file.name for file in real.files], f"files of {real.name}"
        for file in real.files:
            entry = listed[file.name]
            assert entry["hashes"]["sha256"] == sha256(file)
            assert entry["size"] == file.stat().st_size
            uploaded = time.strptime(entry["upload-time"][:19] + "Z", "%Y-%m-%dT%H:%M:%SZ")
            assert earliest - 1 <= calendar.timegm(uploaded) <= latest + 1


def test_every_file_downloads_as_it_was_uploaded(published, releases, tmp_path):
    index, _ = published
    for real in releases:
        listed = index.files(real.normalized)
        for file in real.files:
            url = listed[file.name]["url"]
            path = url.removeprefix(index.url) if url.startswith("http") else url
            assert path.startswith("/"), f"the address {url} of {file.name} leads elsewhere"
            assert index.get(path).content == file.read_bytes(), f"{file.name} came back changed"


def test_metadata_of_every_wheel_is_served_beside_it(published, releases):
    index, _ = published
    for real in releases:
        listed = index.files(real.normalized)
        for file in (file for file in real.files if file.suffix == ".whl"):
            with zipfile.ZipFile(file) as wheel:
                inside = wheel.read(next(name for name in wheel.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)))
            entry = listed[file.name]
            assert entry["core-metadata"] == {"sha256": hashlib.sha256(inside).hexdigest()}
            url = entry["url"]
            path = url.removeprefix(index.url) if url.startswith("http") else url
            assert index.get(path + ".metadata").content == inside


def test_the_root_lists_every_project_once(published, releases):
    index, _ = published
    answer = index.get("/simple/", headers={"Accept": "application/vnd.pypi.simple.v1+json"})
    names = [re.sub(r"[-_.]+", "-", project["name"]).lower() for project in answer.json()["projects"]]
    assert sorted(names) == sorted({real.normalized for real in releases})


def _versions(releases):
    return {real.normalized: real.version for real in releases}


def test_pip_installs_every_wheel(published, releases):
    index, clients = published
    wanted = _here(releases, sdists=False)
    venv = clients.venv("pip")
    report = clients.pip_install(venv, "--only-binary", ":all:", *(real.requirement for real in wanted))
    _reported_digests(index, releases, report)
    assert clients.installed(venv) == _versions(wanted)


def test_pip_builds_and_installs_every_sdist(published, releases):
    index, clients = published
    wanted = _here(releases, sdists=True)
    venv = clients.venv("pip-sdists")
    packages.install_build_tools(venv)
    report = clients.pip_install(venv, "--no-binary", ":all:", *(real.requirement for real in wanted))
    _reported_digests(index, releases, report)
    assert _versions(wanted).items() <= clients.installed(venv).items()


def _reported_digests(index, releases, report):
    known = {sha256(file) for real in releases for file in real.files}
    entries = json.loads(report.read_text())["install"]
    assert entries
    for entry in entries:
        origin = entry["download_info"]
        assert origin["url"].startswith(index.url), f"{origin['url']} is not ours"
        assert origin["archive_info"]["hashes"]["sha256"] in known


def test_uv_installs_every_wheel(published, releases):
    _, clients = published
    venv = clients.venv("uv")
    wanted = _here(releases, sdists=False)
    clients.uv_install(venv, "--no-deps", "--only-binary", ":all:", *(real.requirement for real in wanted))
    assert clients.installed(venv) == _versions(wanted)


def _wheels_fetched(output):
    """The last parts of the addresses of wheels, and of metadata, in what a client says it fetched."""
    names = set(re.findall(r"(?:fresh GET request for: \S*/|Downloading )([^/\s]+\.whl(?:\.metadata)?)\b", output))
    metadata = {name for name in names if name.endswith(".metadata")}
    return names - metadata, metadata


def test_uv_resolves_from_metadata_without_fetching_a_wheel(published, tmp_path):
    _, clients = published
    done = clients.uv_install(clients.venv("uv-dry"), "--dry-run", "Jinja2", RUST_LOG="debug", UV_CACHE_DIR=str(tmp_path))
    wheels, metadata = _wheels_fetched(done.stdout)
    assert len(metadata) == 2 and not wheels, (metadata, wheels)


def test_pip_resolves_from_metadata_without_fetching_a_wheel(published):
    index, clients = published
    done = clients.pip("install", "--dry-run", "--ignore-installed", "--no-cache-dir", "--index-url", index.simple, "Jinja2")
    wheels, metadata = _wheels_fetched(done.stdout)
    assert len(metadata) == 2 and not wheels, (metadata, wheels)


def test_pip_finds_the_wheel_of_another_platform(published, tmp_path):
    _, clients = published
    for platform, python, abi in (("manylinux2014_aarch64", "3.12", "cp312"), ("musllinux_1_2_x86_64", "3.13", "cp313")):
        clients.pip_download(
            tmp_path, "--only-binary", ":all:", "--platform", platform, "--python-version", python,
            "--implementation", "cp", "--abi", abi, "MarkupSafe",
        )  # fmt: skip
    names = sorted(file.name for file in tmp_path.iterdir())
    assert len(names) == 2 and "aarch64" in names[0] and "musllinux" in names[1], names


def test_pip_downloads_sdists_with_their_links(published, releases, tmp_path):
    _, clients = published
    wanted = [real for real in releases if real.name in ("docutils", "beautifulsoup4", "zope.interface", "docopt")]
    clients.pip_download(tmp_path, "--no-binary", ":all:", *(real.requirement for real in wanted))
    got = {file.name: sha256(file) for file in tmp_path.iterdir()}
    assert got == {file.name: sha256(file) for real in wanted for file in real.files if file.name.endswith(".tar.gz")}


@pytest.mark.parametrize("spelling", ["zope.interface", "Zope_Interface", "ZOPE--INTERFACE"])
def test_every_spelling_of_a_name_leads_to_its_project(published, spelling):
    index, _ = published
    answer = index.get(f"/simple/{spelling}/")
    assert answer.status_code == 200
    assert "zope_interface-8.0.1.tar.gz" in answer.text


@pytest.mark.parametrize("client", ["twine", "uv", "hatch"])
def test_the_same_file_again_changes_nothing(published, releases, client):
    index, clients = published
    real = next(real for real in releases if real.client == client)
    before = index.get(f"/simple/{real.normalized}/").content
    _publishers(clients)[client](index.tokens[client], *real.files)
    assert index.get(f"/simple/{real.normalized}/").content == before


def test_other_bytes_under_a_published_name_are_refused(published, releases, tmp_path):
    index, clients = published
    real = next(real for real in releases if real.name == "idna")
    # Another archiver writes the same members into other bytes: a valid wheel under a name that is taken.
    wheel = next(file for file in real.files if file.suffix == ".whl")
    changed = tmp_path / wheel.name
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_STORED) as new:
        for member in old.infolist():
            new.writestr(member.filename, old.read(member))
    assert sha256(changed) != sha256(wheel)
    done = clients.twine(index.tokens["uv"], changed, check=False)
    assert done.returncode != 0 and "File already exists" in re.sub(r"\s+", " ", done.stdout), done.stdout
    assert index.files("idna")[changed.name]["hashes"]["sha256"] == sha256(wheel)


def test_a_token_of_somebody_else_does_not_upload_to_a_project(published, releases, tmp_path):
    index, clients = published
    done = clients.twine(index.tokens["uv"], build_wheel(tmp_path, "six", "99.0"), check=False)
    assert done.returncode != 0 and "403" in done.stdout, done.stdout
    assert not [name for name in index.files("six") if "99.0" in name]
