"""An index of its own for one benchmark: started, filled through its pages, and stopped again. Standard library alone."""

import email
import email.policy
import http.client
import os
import re
import subprocess
import tempfile
import time
import urllib.parse
from pathlib import Path

OFF = ["sign_in", "registration", "mail", "link", "factor"]
PASSWORD = "wicker-orbit-plinth-42"


class Browser:
    """Keeps one connection and its cookies."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.cookies: dict[str, str] = {}
        self.connection = http.client.HTTPConnection(host, timeout=60)

    def ask(self, method: str, path: str, fields: dict[str, str] | None = None) -> tuple[int, str, float]:
        """Status, body, and how many seconds it took from the first byte sent to the last one read."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), "Origin": f"http://{self.host}"}
        body = None
        if fields is not None:
            body = urllib.parse.urlencode(fields)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        began = time.perf_counter()
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        took = time.perf_counter() - began
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, value = line.split(";")[0].split("=", 1)
            self.cookies[name] = value
        return answer.status, text, took

    def token(self, path: str) -> str:
        """The form token of a page."""
        text = self.ask("GET", path)[1]
        return re.search(r'name="csrf_token" value="([^"]+)"', text).group(1)

    def send(self, page: str, path: str, fields: dict[str, str]) -> tuple[int, str, float]:
        """Fills in the form of a page."""
        return self.ask("POST", path, {"csrf_token": self.token(page), **fields})


class Index:
    """A running index; a context manager."""

    def __init__(self, program: str, port: int) -> None:
        self.program, self.host = program, f"127.0.0.1:{port}"
        self.folder = tempfile.TemporaryDirectory()
        self.data = Path(self.folder.name) / "data"

    def __enter__(self) -> "Index":
        limits = {f"STRONGROOM_LIMITS__{name.upper()}__{scope}": "off" for name in OFF for scope in ("ACCOUNT", "NETWORK", "INDEX")}
        settings = {**os.environ, **limits, "STRONGROOM_LOG__FILTER": "error"}
        command = [self.program, "serve", "--data", self.data, "--listen", self.host, "--public-url", f"http://{self.host}"]
        self.process = subprocess.Popen(command, env=settings, stdout=subprocess.DEVNULL)
        for _ in range(200):
            try:
                if Browser(self.host).ask("GET", "/_health/")[0] == 200:
                    return self
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("the index does not start")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()

    def register(self, name: str) -> str:
        """Somebody with a verified address; says which."""
        address = f"{name}@people.example.org"
        browser = Browser(self.host)
        fields = {"name": "", "email": address, "username": name, "new_password": PASSWORD, "password_confirm": PASSWORD}
        status = browser.send("/account/register/", "/account/register/", fields)[0]
        assert status == 200, status
        link = self.mailed(address, "/account/verify-email/")
        status = browser.send(link, "/account/verify-email/", {"token": link.split("token=")[1]})[0]
        assert status == 303, status
        return address

    def mailed(self, address: str, path: str) -> str:
        """The link in the mail to an address."""
        for _ in range(100):
            for mail in sorted((self.data / "mail/new").glob("*.eml"), reverse=True):
                letter = email.message_from_bytes(mail.read_bytes(), policy=email.policy.default)
                found = re.search(re.escape(path) + r"\?token=[\w-]+", letter.get_body(("plain",)).get_content())
                if letter["To"] == address and found:
                    return found.group(0)
            time.sleep(0.1)
        raise RuntimeError(f"no mail to {address}")
