"""A person at a real browser: signs in with whatever is asked for, and proves each act that wants a proof."""

from harness.person import Person

ACCOUNT = "/manage/account/"
FACTORS = "/manage/account/two-factor/"
PROVISION = "/manage/account/webauthn-provision"
PROVE = "/account/reauthenticate/"
KEY_BUTTON = "main [data-key-button]"


def submit(path):
    """The button that sends the form to this path."""
    return f"main form[action='{path}'] button:not([type=button])"


class Visitor:
    """Drives the browser with the person's password, mailbox, phone and keys."""

    def __init__(self, browser, person):
        self.browser, self.person, self.index = browser, person, person.index

    def send_password(self):
        """User name and password, and nothing else."""
        self.browser.open("/account/login/")
        self.browser.type(username=self.person.username, password=self.person.password)
        self.browser.press(submit("/account/login/"))

    def send_code(self):
        """The code of the app, where the sign-in asks for it."""
        assert self.browser.path == "/account/two-factor/", f"no factor is asked for: {self.browser.path}"
        self.browser.type(totp_value=self.person.authenticator.code())
        self.browser.press(submit("/account/two-factor/"))

    def confirm(self):
        """Opens the link of the confirmation mail here, and presses its button."""
        assert self.browser.path == "/account/confirm-login/", f"no mailbox is asked for: {self.browser.path}"
        self.browser.open(self.index.mailbox.link(self.person.email, "/account/confirm-login/"))
        self.browser.press()

    def sign_in(self):
        """As far as the own account's page, with the app."""
        self.send_password()
        if self.person.authenticator:
            self.send_code()
        if self.browser.path == "/account/confirm-login/":
            self.confirm()
        assert self.browser.path == ACCOUNT, f"the sign-in led to {self.browser.path}"
        return self

    def meet_gates(self):
        """From a registered name to the page where a key is added as the first factor."""
        browser, index, person = self.browser, self.index, self.person
        browser.open(index.mailbox.link(person.email, "/account/verify-email/"))
        browser.press()
        self.send_password()
        if browser.path == "/account/confirm-login/":
            self.confirm()
        browser.open(PROVISION)
        if browser.path == "/account/verify-mailbox/":
            self.prove_mailbox()
        if browser.path != "/manage/account/recovery-codes/generate":
            browser.open(PROVISION)
        browser.press()
        person.recovery_codes = browser.texts("code.recovery-code")
        index.secrets |= set(person.recovery_codes)
        browser.press("main a[href^='/manage/account/recovery-codes/burn']")
        browser.type(recovery_code_value=person.recovery_codes.pop(0))
        browser.press()
        browser.open(PROVISION)
        assert browser.path == PROVISION, f"the gates led to {browser.path}"

    def prove_mailbox(self):
        """Has a code sent, and types it."""
        self.browser.press()
        self.browser.type(mailbox_code=self.index.mailbox.code(self.person.email))
        self.browser.press()

    def sign_out(self):
        """Ends the session here."""
        self.browser.open("/account/logout/")
        self.browser.press()

    def prove(self):
        """Proves the act that the page names: with the key that is plugged in, else with the app."""
        assert self.browser.path == PROVE, f"no proof is asked for: {self.browser.path}"
        if self.browser.has(KEY_BUTTON):
            self.browser.press(KEY_BUTTON)
        else:
            self.browser.type(totp_value=self.person.authenticator.code())
            self.browser.press(submit(PROVE))

    def add_key(self, label):
        """Adds the key that is plugged in, as a further factor."""
        self.browser.open(PROVISION)
        self.browser.type(label=label)
        self.browser.press(submit(PROVISION))
        self.prove()
        assert self.browser.path == PROVISION, f"the proof led to {self.browser.path}"
        self.browser.press(submit(PROVISION))
        assert self.browser.path == FACTORS and label in self.factors(), f"{label} was not added"

    def remove_factor(self, name, prove=None):
        """Asks that a factor be removed, proves it, and presses again."""
        self.browser.open(FACTORS)
        self._press_remove(name)
        (prove or self.prove)()
        assert self.browser.path == FACTORS, f"the proof led to {self.browser.path}"
        self._press_remove(name)

    def prove_with_app(self):
        """Proves an act with the app, where a key would do as well."""
        self.browser.type(totp_value=self.person.authenticator.code())
        self.browser.press(submit(PROVE))

    def factors(self):
        """The factors that the page lists."""
        self.browser.open(FACTORS)
        return " ".join(self.browser.texts("section[aria-labelledby=h-factors] li strong"))

    def _press_remove(self, name):
        (number,) = [n for n, text in enumerate(self.browser.texts("#factors > li"), 1) if name in text]
        here = f"#factors > li:nth-child({number})"
        self.browser.unfold(f"{here} summary")
        self.browser.press(f"{here} form button")


def stolen(index, cookies):
    """Somebody elsewhere who holds a copy of a browser's cookies, and nothing else."""
    thief = Person(index, "thief")
    thief.use(cookies)
    return thief
