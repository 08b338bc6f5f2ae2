"""The gallery: every page in each of its states, refused forms and empty lists included, judged as the real ones are."""

import functools
import subprocess
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness.browser import Browser
from harness.index import BINARY

GALLERY = BINARY.parent / "examples" / "gallery"


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, *_):
        pass


@pytest.fixture
def gallery(tmp_path):
    """The folder of all samples, and its address."""
    assert GALLERY.exists(), f"{GALLERY} is missing: cargo build -p server --example gallery"
    folder = tmp_path / "gallery"
    subprocess.run([GALLERY, folder], check=True)
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        server.folder, server.url = folder, f"http://127.0.0.1:{server.server_port}"
        yield server
        server.shutdown()


@pytest.mark.timeout(600)
def test_every_state_of_every_page_is_accessible_and_fits(gallery, tmp_path):
    samples = sorted(path.stem for path in gallery.folder.glob("*.html"))
    assert len(samples) > 40
    browser, findings = Browser(tmp_path / "profile", gallery), []
    try:
        for sample in samples:
            browser.open(f"/{sample}.html")
            try:
                browser.look(f"gallery-{sample}", photograph=False)
            except AssertionError as finding:
                findings.append(str(finding))
    finally:
        browser.quit()
    assert not findings, "\n".join(findings)
