"""A person with a browser without JavaScript, a mailbox and an authenticator app."""

import secrets
from urllib.parse import parse_qs, urljoin, urlsplit

import requests

from harness.clock import Authenticator
from harness.page import Page

TOKENS = "/manage/account/token/"


class Person:
    """Somebody at one index; their session lives as long as the object."""

    def __init__(self, index, username, mailbox=None):
        self.index = index
        self.username = username
        self.email = f"{username}@people.example.org"
        self.password = "correct " + secrets.token_hex(8) + " staple"
        self.mailbox = mailbox or index.mailbox
        self.authenticator = None
        self.recovery_codes = []
        self.verified = False
        self.met = []
        self._http = requests.Session()
        self._http.trust_env = False
        self._gates = {
            "/account/login/": self._meet_login,
            "/account/two-factor/": self._meet_two_factor,
            "/account/confirm-login/": self._meet_confirm_login,
            "/account/verify-mailbox/": self._meet_verify_mailbox,
            "/account/reauthenticate/": self._meet_reauthenticate,
            "/manage/unverified-account/": self._meet_checklist,
            "/manage/account/two-factor/": self._meet_checklist,
            "/manage/account/recovery-codes/generate": self._meet_codes,
            "/manage/account/recovery-codes/burn": self._meet_burn,
            "/manage/account/totp-provision": self._meet_totp,
        }
        index.secrets |= {self.password, self.email}

    def use(self, cookies):
        """From now on with these cookies, by name."""
        self._http.cookies.clear()
        self._http.cookies.update(cookies)

    def cookies(self):
        """The cookies of this browser by name: what somebody copies who sits at the machine."""
        return self._http.cookies.get_dict()

    def get(self, path):
        """Opens a page and follows where it leads."""
        return Page(self._http.get(urljoin(self.index.url, path), timeout=30))

    def press(self, form, **values):
        """Sends a form as a browser does, from its own origin, and follows the answer."""
        headers = {"Origin": self.index.url, "Referer": self.index.url + "/"}
        data = form.filled(**values)
        return Page(self._http.post(form.action, data=data, headers=headers, timeout=60))

    def register(self, link="/account/register/"):
        """Fills the registration form, or the one behind a set-up link."""
        form = self.get(link).form("username", "new_password")
        page = self.press(
            form, name=self.username.title(), email=self.email, username=self.username,
            new_password=self.password, password_confirm=self.password,
        )  # fmt: skip
        assert page.status == 200, f"registration of {self.username}: {page}"
        return self

    def verify_address(self):
        """Opens the link of the verification mail and presses its button."""
        link = self.mailbox.link(self.email, "/account/verify-email/")
        page = self.get(link)
        assert page.status == 200, f"the verification link: {page}"
        # The one form without fields of its own: tokens of links travel in a hidden field.
        page = self.press(page.form("token"))
        assert page.status == 200, f"after the verification button: {page}"
        self.verified = True
        return page

    def login(self):
        """Signs in as far as the home page."""
        page = self.press(self.get("/account/login/").form("username", "password"),
                          username=self.username, password=self.password)  # fmt: skip
        return self._settle(page)

    def open(self, path):
        """Opens a page and meets every gate on the way to it."""
        page = self._settle(self.get(path))
        if page.path != urlsplit(path).path:
            page = self._settle(self.get(path))
        assert page.path == urlsplit(path).path and page.status == 200, f"wanted {path}, gates met {self.met}, got {page}"
        return page

    def secure(self):
        """From a registered name to an account that may act."""
        self.login()
        self.open(TOKENS)
        assert self.authenticator, f"nobody asked {self.username} for a second factor; gates met: {self.met}"
        return self

    def create_token(self, description="e2e", scope="scope:user", **values):
        """Creates an API token, with the fresh proof it asks for, and returns its text."""
        page = self.open(TOKENS)
        for _ in range(3):
            form = page.form("description", "token_scope")
            page = self.press(form, description=description, token_scope=scope, **values)
            token = page.text("#provisioned-key")
            if token:
                self.index.secrets.add(token)
                return token
            page = self._settle(page)
        raise AssertionError(f"no token after three presses: {page}")

    def is_signed_in(self):
        """Whether the session still opens the person's own pages."""
        page = self.get("/manage/account/")
        return page.status == 200 and page.path == "/manage/account/"

    def _settle(self, page):
        seen = {}
        while page.path in self._gates:
            assert page.status < 400, f"a gate refused: {page}"
            seen[page.path] = seen.get(page.path, 0) + 1
            assert seen[page.path] < 4, f"going in circles, gates met {self.met}: {page}"
            # Both are pages to stay at once nothing is missing.
            if page.path == "/manage/account/two-factor/" and self.authenticator:
                break
            self.met.append(page.path)
            page = self._gates[page.path](page)
        return page

    def _meet_login(self, page):
        return self.press(page.form("username", "password"), username=self.username, password=self.password)

    def _meet_two_factor(self, page):
        return self.press(page.form("totp_value"), totp_value=self.authenticator.code())

    def _meet_confirm_login(self, page):
        page = self.get(self.mailbox.link(self.email, "/account/confirm-login/"))
        return self.press(page.forms()[0])

    def _meet_verify_mailbox(self, page):
        if not page.has_form("mailbox_code"):
            page = self.press(page.forms()[0])
        code = self.mailbox.code(self.email)
        return self.press(page.form("mailbox_code"), mailbox_code=code)

    def _meet_reauthenticate(self, page):
        if page.has_form("totp_value"):
            return self.press(page.form("totp_value"), totp_value=self.authenticator.code())
        if page.has_form("next", "password"):
            return self.press(page.form("next", "password"), password=self.password)
        # A form that was kept on the detour: a new press sends it.
        return self.press(page.forms()[0], password=self.password)

    def _meet_checklist(self, page):
        """The page that lists what is missing: verify the address, else the first step that it links to."""
        if not self.verified:
            self.verify_address()
            return self.get(page.url)
        steps = [link for link in page.links() if urlsplit(link).path in self._gates and urlsplit(link).path != page.path]
        assert steps, f"a gate without a way on: {page}"
        return self.get(steps[0])

    def _meet_codes(self, page):
        page = self.press(page.form(without=("recovery_code_value",)))
        if page.path == "/account/reauthenticate/":
            return page
        self.recovery_codes = page.texts("code.recovery-code")
        assert len(self.recovery_codes) == 8, f"not eight recovery codes: {page}"
        self.index.secrets |= set(self.recovery_codes)
        return self.get("/manage/account/recovery-codes/burn")

    def _meet_burn(self, page):
        return self.press(page.form("recovery_code_value"), recovery_code_value=self.recovery_codes.pop())

    def _meet_totp(self, page):
        secret = parse_qs(urlsplit(page.attribute("data-otpauth")).query)["secret"][0]
        self.authenticator = Authenticator(secret, self.index.now)
        self.index.secrets.add(secret)
        return self.press(page.form("totp_value"), totp_value=self.authenticator.code())


def publisher(index, username, mailbox=None):
    """A person who registered and met every gate, and a token for all their projects."""
    person = Person(index, username, mailbox).register().secure()
    return person, person.create_token()
