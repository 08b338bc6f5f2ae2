"""A real browser registers, verifies, meets each gate, enrols, logs in and creates a token; each page is looked at."""

from urllib.parse import parse_qs, urlsplit

import pytest

from harness.browser import Browser
from harness.clock import Authenticator
from harness.person import TOKENS, Person
from harness.wheels import build_wheel, upload

# The pages on the way from the token page to the token page, in the order of the gates.
VERIFY_ADDRESS = "/manage/unverified-account/"
VERIFY_MAILBOX = "/account/verify-mailbox/"
GENERATE_CODES = "/manage/account/recovery-codes/generate"
BURN_CODE = "/manage/account/recovery-codes/burn"
ADD_TOTP = "/manage/account/totp-provision"

LOOKED_AT = set()


@pytest.fixture
def browser(index, tmp_path):
    browser = Browser(tmp_path / "profile", index)
    yield browser
    browser.quit()


class Newcomer:
    """Somebody who does everything in the browser."""

    def __init__(self, browser, index, engine):
        self.browser, self.index, self.engine = browser, index, engine
        self.person = Person(index, "ada")
        self.totp = None

    def look(self, name):
        """Pages look the same on both engines and every time: they are looked at once, on SQLite."""
        if self.engine == "sqlite" and name not in LOOKED_AT:
            LOOKED_AT.add(name)
            self.browser.look(name)

    def register(self):
        self.browser.open("/account/register/")
        self.look("register")
        self.browser.type(
            name="Ada", email=self.person.email, username="ada",
            new_password=self.person.password, password_confirm=self.person.password,
        )  # fmt: skip
        self.browser.press()
        assert self.person.email in self.browser.see("main").text
        self.look("check-mailbox")

    def sign_in(self):
        self.browser.open("/account/login/")
        self.look("login")
        self.browser.type(username="ada", password=self.person.password)
        self.browser.press()
        if self.totp:
            assert self.browser.path == "/account/two-factor/"
            self.look("two-factor")
            self.browser.type(totp_value=self.totp.code())
            self.browser.press()
        if self.browser.path == "/account/confirm-login/":
            self.look("confirm-login")
            self.browser.open(self.index.mailbox.link(self.person.email, "/account/confirm-login/"))
            self.look("confirm-login-here")
            self.browser.press()

    def gate(self, path, name):
        """The management page leads to the page that fixes what is missing, under a red banner."""
        self.browser.open(TOKENS)
        assert self.browser.path == path, f"{TOKENS} led to {self.browser.path}, not {path}"
        assert self.browser.banner(), f"no red banner on {path}"
        self.look(f"gate-{name}")

    def verify_address(self):
        self.gate(VERIFY_ADDRESS, "address")
        self.browser.open(self.index.mailbox.link(self.person.email, "/account/verify-email/"))
        self.look("verify-email")
        self.browser.press()

    def prove_mailbox(self):
        """Only when the button of the verification link was not pressed in this session, or is 10 minutes old."""
        self.gate(VERIFY_MAILBOX, "mailbox")
        self.browser.press()
        self.look("mailbox-code")
        self.browser.type(mailbox_code=self.index.mailbox.code(self.person.email))
        self.browser.press()

    def save_codes(self):
        self.gate(GENERATE_CODES, "recovery-codes")
        self.browser.press()
        codes = self.browser.texts("code.recovery-code")
        assert len(codes) == 8 and len(set(codes)) == 8
        self.index.secrets |= set(codes)
        self.look("recovery-codes")
        self.browser.press(f"main a[href^='{BURN_CODE}']")
        self.gate(BURN_CODE, "burn")
        self.browser.type(recovery_code_value=codes[0])
        self.browser.press()

    def enrol(self):
        self.gate(ADD_TOTP, "totp")
        address = self.browser.see("[data-otpauth]").get_attribute("data-otpauth")
        self.totp = Authenticator(parse_qs(urlsplit(address).query)["secret"][0])
        self.index.secrets.add(self.totp.secret)
        self.browser.type(totp_value=self.totp.code())
        self.browser.press()
        assert self.browser.path == TOKENS, f"after the last gate the browser stands at {self.browser.path}"

    def create_token(self):
        self._fill_token()
        assert self.browser.path == "/account/reauthenticate/", f"no proof was asked for: {self.browser.path}"
        self.look("reauthenticate")
        self.browser.type(totp_value=self.totp.code())
        self.browser.press()
        self.look("token-form-again")
        self._fill_token()
        token = self.browser.see("#provisioned-key").text
        self.index.secrets.add(token)
        self.look("token-shown")
        return token

    def _fill_token(self):
        self.browser.type(description="laptop")
        self.browser.press("main form[action='/manage/account/token/'] button:not([type=button])")


def test_a_newcomer_meets_each_gate_and_comes_out_with_a_token(browser, index, engine, tmp_path):
    ada = Newcomer(browser, index, engine)
    ada.register()
    ada.sign_in()
    ada.verify_address()
    browser.open(TOKENS)
    if browser.path == VERIFY_MAILBOX:
        ada.prove_mailbox()
    ada.save_codes()
    ada.enrol()
    ada.look("tokens-empty")

    browser.open("/account/logout/")
    ada.look("logout")
    browser.press()
    browser.open(TOKENS)
    assert browser.path == "/account/login/", "logged out means out"
    ada.sign_in()
    assert browser.path == "/account/two-factor/" or not browser.path.startswith("/account/"), browser.path
    browser.open(TOKENS)
    assert browser.path == TOKENS and browser.banner() is None

    token = ada.create_token()
    assert upload(index, token, build_wheel(tmp_path, "from_the_browser")).status_code == 200
    browser.open(TOKENS)
    assert token not in browser.driver.page_source, "a token is shown once"
    ada.look("tokens")
    assert browser.complaints() == []


def test_somebody_whose_link_was_opened_elsewhere_proves_the_mailbox_here(browser, index, engine):
    ada = Newcomer(browser, index, engine)
    ada.register()
    ada.person.verify_address()  # in another browser
    ada.sign_in()
    ada.prove_mailbox()
    ada.save_codes()
    ada.enrol()
