"""Mail through a real SMTP server that refuses, hangs, drops and recovers: no notice is lost, none becomes two."""

import pytest

from harness.clock import until
from harness.person import Person, publisher
from harness.sink import Sink

# Longer than any pause between two tries, so that what waits is due after a start with it.
LATER = "49h"


@pytest.fixture
def make_sink():
    sinks = []

    def make(security="none"):
        sinks.append(Sink(security).start())
        return sinks[-1]

    yield make
    for sink in sinks:
        sink.mode = "accept"
        sink.stop()


@pytest.fixture
def sink(make_sink):
    return make_sink()


@pytest.fixture
def index(make_index, engine, sink):
    # A stop waits for the mail that is being handed over: a server that hangs is given up well before the stop is.
    settings = {"mail.url": sink.url, "mail.from": "index@index.example.org", "mail.timeout": "10s"}
    return make_index(engine, settings).start()


def _one_message_each(sink):
    """No two messages that say the same to the same person: a repeated one keeps its Message-ID."""
    told = {}
    for mail in sink.mails():
        assert mail.message_id.startswith("<") and mail.message_id != "None", mail
        told.setdefault((mail.recipient, mail.subject, mail.text), set()).add(mail.message_id)
    assert {key[:2]: ids for key, ids in told.items() if len(ids) > 1} == {}


def _ids(sink, person):
    return {mail.message_id for mail in sink.mails(person.email)}


@pytest.mark.parametrize("mode", ["temporary", "permanent", "hang", "drop"])
def test_a_mail_that_was_not_taken_comes_when_the_server_recovers(index, sink, mode):
    sink.mode = mode
    ada = Person(index, "ada", sink).register()
    until(lambda: sink.attempts, "a try to deliver", 30)
    if mode == "drop":
        until(lambda: _ids(sink, ada), "the mail that is kept before the connection is dropped", 30)
    taken = _ids(sink, ada)
    assert len(taken) == (1 if mode == "drop" else 0)
    sink.mode = "accept"
    index.restart(clock_offset=LATER)
    until(lambda: sink.count(ada.email) > len(taken), "the mail after recovery", 60)
    assert len(_ids(sink, ada)) == 1, "one event, one recipient, one Message-ID"
    _one_message_each(sink)


def test_a_server_that_is_away_costs_no_mail_and_no_request(index, sink):
    sink.stop()
    people = [Person(index, name, sink).register() for name in ("ada", "grace", "joan")]
    assert index.get("/simple/").status_code == 200
    sink.start()
    index.restart(clock_offset=LATER)
    for person in people:
        until(lambda: sink.count(person.email), f"the mail to {person.username}", 60)
        assert len(_ids(sink, person)) == 1
    _one_message_each(sink)


def test_mail_that_waits_survives_a_kill(index, sink):
    sink.mode = "temporary"
    ada = Person(index, "ada", sink).register()
    until(lambda: sink.attempts, "a try to deliver", 30)
    index.process.kill()
    index.ended()
    sink.mode = "accept"
    index.start(clock_offset=LATER)
    until(lambda: sink.count(ada.email), "the mail after the restart", 60)
    assert len(_ids(sink, ada)) == 1


def test_a_notice_about_a_token_is_not_lost(index, sink):
    ada, _ = publisher(index, "ada", sink)
    until(lambda: sink.mails(ada.email), "mail")
    sink.mode = "temporary"
    before, tries = _ids(sink, ada), sink.attempts
    ada.create_token("second")
    until(lambda: sink.attempts > tries, "a try to tell of the token", 30)
    sink.mode = "accept"
    index.restart(clock_offset=LATER)
    until(lambda: _ids(sink, ada) - before, "the notice after recovery", 60)
    _one_message_each(sink)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_goes_encrypted_to_a_server_that_is_trusted(make_index, make_sink, engine, security, tmp_path):
    sink = make_sink(security)
    index = make_index(engine, {"mail.url": sink.url, "mail.from": "index@index.example.org"})
    index.start(STRONGROOM_MAIL__AUTHORITIES=str(sink.trust(tmp_path)))
    ada = Person(index, "ada", sink).register()
    until(lambda: sink.count(ada.email), f"mail over {security}", 30)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_never_goes_to_a_server_that_is_not_trusted(make_index, make_sink, security, tmp_path):
    stranger, trusted = make_sink(security), Sink()
    index = make_index("sqlite", {"mail.url": stranger.url, "mail.from": "index@index.example.org"})
    index.start(STRONGROOM_MAIL__AUTHORITIES=str(trusted.trust(tmp_path)))
    ada = Person(index, "ada", stranger).register()
    until(lambda: stranger.connections, "a try to deliver", 30)
    index.stop()
    assert stranger.mails() == []
    # With the right authority the same mail arrives: it was kept.
    index.start(clock_offset=LATER, STRONGROOM_MAIL__AUTHORITIES=str(stranger.trust(tmp_path)))
    until(lambda: stranger.count(ada.email), "the mail once the server is trusted", 60)
    assert len(_ids(stranger, ada)) == 1
