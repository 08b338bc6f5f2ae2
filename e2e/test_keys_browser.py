"""Security keys and passkeys in a real Chromium, with virtual authenticators: added, used in all three ways, cloned."""

import pytest

from harness.browser import Browser
from harness.clock import until
from harness.keys import Keys
from harness.person import TOKENS, Person
from harness.visitor import Visitor

PROVISION = "/manage/account/webauthn-provision"
FACTORS = "/manage/account/two-factor/"
ACCOUNT = "/manage/account/"
KEY_BUTTON = "main [data-key-button]"
ADD_BUTTON = "main form[data-key=add] button"


@pytest.fixture
def browser(index, tmp_path):
    browser = Browser(tmp_path / "profile", index)
    yield browser
    browser.quit()


@pytest.fixture
def keys(browser):
    return Keys(browser)


def log_in(browser, person):
    """Types user name and password."""
    browser.open("/account/login/")
    browser.type(username=person.username, password=person.password)
    browser.press("main form[action='/account/login/'] button:not([type=button])")


def log_out(browser):
    browser.open("/account/logout/")
    browser.press()


def touch(browser, selector=KEY_BUTTON):
    """Presses the button of a ceremony, and waits until the script has led on."""
    browser.press(selector)


def refused(browser, selector=KEY_BUTTON):
    """Presses the button of a ceremony, and says what the page says."""
    browser.see(selector).click()
    until(lambda: browser.see("[data-key-said]").text, "the page to say what went wrong")
    return browser.see("[data-key-said]").text


def add_first(browser, index, label):
    """Adds a key as the first factor of somebody new."""
    person = Person(index, "ada").register()
    Visitor(browser, person).meet_gates()
    browser.look("webauthn-provision")
    browser.type(label=label)
    touch(browser, ADD_BUTTON)
    assert browser.path == FACTORS and label in browser.see("main").text
    return person


def test_a_usb_key_is_first_factor_second_factor_and_step_up(browser, keys, index):
    usb = keys.usb()
    ada = add_first(browser, index, "blue key")
    browser.look("factors-key")
    log_out(browser)

    log_in(browser, ada)
    assert browser.path == "/account/two-factor/"
    browser.look("two-factor-key")
    touch(browser)
    assert browser.path == ACCOUNT

    browser.open(TOKENS)
    browser.type(description="laptop")
    browser.press("main form[action='/manage/account/token/'] button:not([type=button])")
    assert browser.path == "/account/reauthenticate/"
    browser.look("reauthenticate-key")
    touch(browser)
    assert browser.path == TOKENS
    browser.type(description="laptop")
    browser.press("main form[action='/manage/account/token/'] button:not([type=button])")
    index.secrets.add(browser.see("#provisioned-key").text)
    keys.unplug(usb)


def test_a_passkey_signs_in_alone_and_is_not_added_twice(browser, keys, index):
    internal = keys.internal()
    ada = add_first(browser, index, "laptop")
    (credential,) = keys.credentials(internal)
    assert credential["isResidentCredential"]
    log_out(browser)
    browser.open("/account/login/")
    browser.look("login-passkey")
    touch(browser)
    assert browser.path == ACCOUNT and ada.username in browser.see("main").text

    # A further key: the proof first, then the ceremony; the same authenticator is refused by the browser.
    browser.open(PROVISION)
    browser.type(label="again")
    browser.press(ADD_BUTTON)
    assert browser.path == "/account/reauthenticate/"
    touch(browser)
    assert browser.path == PROVISION
    assert "already" in refused(browser, ADD_BUTTON)
    assert len(keys.credentials(internal)) == 1


def test_a_cloned_key_is_refused_and_told(browser, keys, index):
    internal = keys.internal()
    ada = add_first(browser, index, "laptop")
    for _ in range(2):
        log_out(browser)
        browser.open("/account/login/")
        touch(browser)
        assert browser.path == ACCOUNT
    log_out(browser)
    keys.set_counter(internal, 1)
    browser.open("/account/login/")
    assert "counter" in refused(browser)
    assert browser.path == "/account/login/"
    until(lambda: any("counter did not grow" in mail.text for mail in index.mailbox.mails(ada.email)), "the notice")


def test_without_the_script_the_other_factors_work(browser, index):
    """A browser that knows no keys: nothing dead is shown, and the codes lead in."""
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.open("/account/login/")
    assert not browser.see(KEY_BUTTON).is_displayed()
    assert browser.see("[data-key-without]").is_displayed()
    browser.open("/account/register/")
    assert browser.see("main form").is_displayed()
