"""An SMTP server that can refuse, hang, take a message and drop the connection, and recover; plain, STARTTLS or TLS."""

import asyncio
import socket
import ssl

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from harness.index import free_port
from harness.mailbox import Inbox, parse


class Sink(Inbox):
    """Keeps what it accepted; `mode` is what it does to the next message.

    accept: 250. temporary: 451. permanent: 550. hang: no answer. drop: keeps the message, then closes
    the connection without an answer, so that the sender has to send it again.
    """

    def __init__(self, security="none"):
        super().__init__()
        self.mode = "accept"
        self.attempts = 0
        self.connections = 0
        self._accepted = []
        self.authority = trustme.CA()
        self.security = security
        self.port = free_port()
        self._controller = None

    def start(self):
        """Listens on the same port each time."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
        sink = self

        class Server(SMTP):
            async def smtp_DATA(self, argument):
                sink.attempts += 1
                await super().smtp_DATA(argument)

        class Control(Controller):
            _greeted = False

            def factory(self):
                # The first connection is the controller's own.
                sink.connections += self._greeted
                self._greeted = True
                starttls = {"tls_context": context, "require_starttls": True} if sink.security == "starttls" else {}
                return Server(self.handler, hostname="localhost", enable_SMTPUTF8=True, timeout=600, **starttls)

            def _trigger_server(self):
                # The controller's own first connection trusts no throw-away authority.
                client = ssl.create_default_context()
                sink.authority.configure_trust(client)
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as plain:
                    with client.wrap_socket(plain, server_hostname="localhost") if whole else plain as greeted:
                        greeted.recv(64)

        whole = context if self.security == "tls" else None
        self._controller = Control(self, hostname="127.0.0.1", port=self.port, ssl_context=whole)
        self._controller.start()
        return self

    def stop(self):
        """Stops listening; what was accepted stays."""
        if self._controller:
            self._controller.stop(no_assert=True)
            self._controller = None

    def trust(self, folder):
        """The file of the authority that signs this sink's certificate."""
        path = folder / "authority.pem"
        self.authority.cert_pem.write_to_path(str(path))
        return path

    @property
    def url(self):
        """As `mail.url` names it."""
        scheme = {"none": "smtp", "starttls": "smtp", "tls": "smtps"}[self.security]
        return f"{scheme}://localhost:{self.port}" + ("?tls=required" if self.security == "starttls" else "")

    def mails(self, recipient=None):
        return [mail for mail in list(self._accepted) if recipient is None or mail.recipient == recipient.lower()]

    async def handle_DATA(self, server, session, envelope):
        """What aiosmtpd asks when a message is complete."""
        if self.mode == "temporary":
            return "451 4.3.0 Try again later"
        if self.mode == "permanent":
            return "550 5.7.1 Refused"
        if self.mode == "hang":
            await asyncio.Event().wait()
        self._accepted += parse(envelope.content, envelope.rcpt_tos)
        if self.mode == "drop":
            server.transport.abort()
        return "250 OK"
