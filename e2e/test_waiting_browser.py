"""Changes that wait, in a real browser: seen everywhere, stopped on the page, stopped by a mail's link, and done when nobody stops them."""

import pytest

from harness.person import Person
from harness.visitor import ACCOUNT, Visitor

HOLDS = "/manage/holds/"
APP = "Authenticator app"
BANNER = ".notes .note.warning"


@pytest.fixture
def index(shared_index):
    return shared_index


@pytest.fixture
def browser(shared_browser):
    return shared_browser


def waiting(index, browser, keys, username):
    """Somebody whose settled app waits to be removed, which a key of today has asked for."""
    person = Person(index, username).register().secure()
    index.advance(days=2)
    at = Visitor(browser, person).sign_in()
    keys.usb()
    at.add_key("new key")
    at.remove_factor(APP)
    assert browser.path == HOLDS, f"nothing waits: {browser.path}"
    return at


def test_a_change_that_waits_is_seen_everywhere_and_stopped_on_the_page(index, browser, keys):
    """R10, R12, R19: amber on every page, who and until when, one button; the factor stays, and the young one may not ask again."""
    at = waiting(index, browser, keys, "ada")
    index.mailbox.find(at.person.email, lambda mail: mail.link("/account/veto/"), "a link to stop it")
    (line,) = browser.texts("main .lines > li")
    for part in ("Remove the factor", "Waits", "Takes effect", "Asked by", "Concerns", "told"):
        assert part.lower() in line.lower(), f"“{part}” is not in {line}"
    browser.look("holds-waiting")
    assert APP in at.factors()
    for path in (ACCOUNT, "/", "/help/", "/manage/account/token/"):
        browser.open(path)
        assert "A change waits that concerns you" in browser.see(BANNER).text, f"nothing is said on {path}"
    browser.look("holds-banner")

    browser.press(f"{BANNER} a.button")
    assert browser.path == HOLDS
    browser.press("main form[action$='/veto/'] button")
    assert browser.path == HOLDS and "stopped" in browser.texts("main .lines .tag")[0].lower()
    browser.look("holds-stopped")
    browser.open(ACCOUNT)
    assert not browser.has(BANNER)

    at.remove_factor(APP)
    assert "stopped before" in browser.see("main").text, "until the case is closed"
    browser.look("holds-barred")
    index.advance(hours=80)
    at.sign_in()
    assert APP in at.factors()


def test_the_link_of_the_mail_stops_a_change_without_a_sign_in(index, browser, keys):
    """R10: the link explains, its button stops, once."""
    at = waiting(index, browser, keys, "grace")
    browser.forget()
    link = index.mailbox.link(at.person.email, "/account/veto/")
    for _ in range(2):
        browser.open(link)
        assert "It takes effect" in browser.see("main").text, "opening changes nothing"
    browser.look("veto")
    browser.press()
    assert "The change is stopped" in browser.see("h1").text
    browser.look("vetoed")
    browser.open(link)
    assert "no longer works" in browser.see("h1").text
    browser.look("link-dead")
    index.advance(hours=80)
    at.sign_in()
    assert APP in at.factors()


def test_a_change_that_nobody_stops_happens_after_its_time(index, browser, keys):
    """R9, R12: not an hour early; then the factor is gone and its owner is told."""
    at = waiting(index, browser, keys, "joan")
    # The time runs from when the mail server took the notice: a mail still on its way would put it off.
    index.mailbox.link(at.person.email, "/account/veto/")
    index.advance(hours=71)
    at.send_password()
    at.send_code()
    if browser.path == "/account/confirm-login/":
        at.confirm()
    assert APP in at.factors()
    index.advance(hours=2)
    # The job that looks comes once a minute.
    at.index.mailbox.find(at.person.email, lambda mail: "was removed" in mail.text, "the notice of the removal", 100)
    browser.forget()
    at.send_password()
    assert browser.path == "/account/two-factor/" and not browser.has("main [name=totp_value]"), "the app counts no more"
