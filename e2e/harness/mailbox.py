"""Mail as its readers see it: by recipient, with links and codes; from the Maildir of an index or from an SMTP sink."""

import email
import email.policy
import re
from dataclasses import dataclass

from harness.clock import until


@dataclass(frozen=True)
class Mail:
    """One message that was accepted for one recipient."""

    recipient: str
    subject: str
    message_id: str
    text: str

    def link(self, path):
        """The first link to this path, or None."""
        found = re.search(r"https?://[^\s<>\"]*" + re.escape(path) + r"\?token=[A-Za-z0-9._~%=-]+", self.text)
        return found and found.group(0)

    def code(self):
        """The six digits that stand alone, or None."""
        found = re.search(r"(?<![\w.:/-])(\d{3}) ?(\d{3})(?![\w:/-])", re.sub(r"https?://\S+", "", self.text))
        return found and found.group(1) + found.group(2)


def parse(raw, recipients=None):
    """The mails in one message: one for each recipient of the envelope, or of `To`."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    if recipients is None:
        recipients = [address.addr_spec for address in message["to"].addresses]
    body = message.get_body(("plain", "html"))
    text = body.get_content() if body else ""
    return [Mail(one.lower(), str(message["subject"]), str(message["message-id"]), text) for one in recipients]


class Inbox:
    """Reads each mail once: what was found is not found again."""

    def __init__(self):
        self._read = set()

    def mails(self, recipient=None):
        """All mails accepted so far, oldest first."""
        raise NotImplementedError

    def find(self, recipient, part, what, timeout_s=15.0):
        """Waits for an unread mail to the recipient in which `part(mail)` finds something; returns that."""

        def newest():
            for number, mail in reversed(list(enumerate(self.mails(recipient)))):
                key = (recipient.lower(), number)
                found = part(mail)
                if found and key not in self._read:
                    self._read.add(key)
                    return found
            return None

        return until(newest, f"{what} in a mail to {recipient}; there are {[m.subject for m in self.mails(recipient)]}", timeout_s)

    def link(self, recipient, path):
        """The link to this path in the newest unread mail that has one."""
        return self.find(recipient, lambda mail: mail.link(path), f"a link to {path}")

    def code(self, recipient):
        """The six-digit code of the newest unread mail that has one."""
        return self.find(recipient, lambda mail: mail.code(), "a six-digit code")

    def count(self, recipient):
        """How many mails this recipient got."""
        return len(self.mails(recipient))


class Maildir(Inbox):
    """The `mail/new` folder of an index's data."""

    def __init__(self, data):
        super().__init__()
        self._folder = data / "mail" / "new"

    def mails(self, recipient=None):
        files = sorted(self._folder.glob("*.eml"), key=lambda path: (path.stat().st_mtime_ns, path.name))
        mails = [mail for path in files for mail in parse(path.read_bytes())]
        return [mail for mail in mails if recipient is None or mail.recipient == recipient.lower()]
