"""Waiting for something to become true, and the codes of an authenticator app."""

import base64
import hashlib
import hmac
import struct
import time

STEP_S = 30
# A code is on its way for a while: a busy browser takes seconds from typing to arriving.
MARGIN_S = 10


def until(probe, what, timeout_s=15.0):
    """The first truthy answer of `probe`; fails with `what` when none comes in time."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout_s:g} s in vain for {what}")
        time.sleep(0.05)


def totp(secret, step):
    """RFC 6238: six digits of SHA-1 for this step of 30 seconds; the secret is base32."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


class Authenticator:
    """An app that never shows a code twice: a step once accepted is not accepted again.

    The index takes a step either way of its own, so three codes are at hand before it has to wait.
    """

    def __init__(self, secret, now=time.time):
        self.secret = secret.replace(" ", "").upper()
        self.wait = lambda: time.sleep(0.2)
        self._now = now
        self._last = 0

    def code(self):
        """The next code that was not used yet, as early as the index will take it."""
        now = self._now()
        oldest = int(now // STEP_S) - 1
        if now % STEP_S > STEP_S - MARGIN_S:
            oldest += 1  # would expire on its way
        step = max(oldest, self._last + 1)
        while int(self._now() // STEP_S) + 1 < step:
            self.wait()
        self._last = step
        return totp(self.secret, step)
