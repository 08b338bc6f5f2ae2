"""Small and large wheels of our own, and uploads by hand: in one go, or slowly over a socket."""

import base64
import hashlib
import io
import os
import re
import socket
import uuid
import zipfile
from pathlib import Path

import requests


def build_wheel(folder, name, version="1.0", payload_size=0):
    """A valid pure wheel; a payload of random bytes makes it as large as wanted."""
    module = re.sub(r"[-_.]+", "_", name).lower()
    stem = f"{module}-{version}"
    path = Path(folder) / f"{stem}-py3-none-any.whl"
    path.parent.mkdir(parents=True, exist_ok=True)
    members = {
        f"{module}/__init__.py": f"NAME = {name!r}\n".encode(),
        f"{stem}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: Made by a test\n".encode(),
        f"{stem}.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: e2e\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if payload_size:
        members[f"{module}/payload.bin"] = os.urandom(payload_size)
    record = "".join(f"{member},sha256={_urlsafe(content)},{len(content)}\n" for member, content in members.items())
    members[f"{stem}.dist-info/RECORD"] = (record + f"{stem}.dist-info/RECORD,,\n").encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED if payload_size else zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            # One time for all, so that the same wheel built twice is the same bytes.
            entry = zipfile.ZipInfo(member, date_time=(2026, 1, 1, 0, 0, 0))
            entry.compress_type = archive.compression
            archive.writestr(entry, content)
    return path


def _urlsafe(content):
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def sha256(path):
    """The digest of a file, lower-case hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fields(wheel):
    """The form that goes with a wheel of `build_wheel`."""
    name, version = wheel.name.split("-")[:2]
    return {
        ":action": "file_upload", "protocol_version": "1", "metadata_version": "2.1", "name": name, "version": version,
        "summary": "Made by a test", "filetype": "bdist_wheel", "pyversion": "py3", "sha256_digest": sha256(wheel),
    }  # fmt: skip


class _Body:
    """The multipart body, read as it is sent: the file is never whole in memory."""

    def __init__(self, wheel):
        boundary = uuid.uuid4().hex
        self.content_type = f"multipart/form-data; boundary={boundary}"
        head = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields(wheel).items()
        )
        head += f'--{boundary}\r\nContent-Disposition: form-data; name="content"; filename="{wheel.name}"\r\n'
        head += "Content-Type: application/octet-stream\r\n\r\n"
        self._parts = [io.BytesIO(head.encode()), open(wheel, "rb"), io.BytesIO(f"\r\n--{boundary}--\r\n".encode())]
        self._length = len(head.encode()) + wheel.stat().st_size + len(boundary) + 8

    def __len__(self):
        return self._length

    def read(self, size=-1):
        while self._parts:
            chunk = self._parts[0].read(size)
            if chunk:
                return chunk
            self._parts.pop(0).close()
        return b""


def upload(index, token, wheel):
    """One upload in one go; the answer."""
    body = _Body(wheel)
    headers = {"Content-Type": body.content_type, "Content-Length": str(len(body))}
    with requests.Session() as session:
        session.trust_env = False
        return session.post(index.upload, data=body, headers=headers, auth=("__token__", token), timeout=120)


class SlowUpload:
    """An upload that stops half way until it is told to go on."""

    def __init__(self, index, token, wheel):
        body = _Body(wheel)
        credentials = base64.b64encode(f"__token__:{token}".encode()).decode()
        head = (
            f"POST /legacy/ HTTP/1.1\r\nHost: localhost:{index.port}\r\nAuthorization: Basic {credentials}\r\n"
            f"Content-Type: {body.content_type}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        whole = body.read(-1) + body.read(-1) + body.read(-1)
        half = len(whole) // 2
        self._rest = whole[half:]
        self._socket = socket.create_connection(("127.0.0.1", index.port), timeout=60)
        self._socket.sendall(head.encode() + whole[:half])

    def finish(self):
        """Sends the rest; status and reason phrase with body of the answer."""
        try:
            self._socket.sendall(self._rest)
        except (BrokenPipeError, ConnectionResetError):
            pass  # A refusal may come before the body is over; its answer is still to be read.
        answer = b""
        with self._socket:
            try:
                while chunk := self._socket.recv(65536):
                    answer += chunk
            except ConnectionResetError:
                pass
        assert answer, "the connection was closed without an answer"
        return int(answer.split(b" ", 2)[1]), answer.decode(errors="replace")
