"""Every page of the table of routes, opened as whoever may see it: axe-core finds nothing, nothing is too wide, the console is silent."""

import json

import pytest

from harness.person import TOKENS, Person, publisher
from harness.visitor import ACCOUNT, KEY_BUTTON, PROVE, PROVISION, Visitor, submit
from harness.wheels import build_wheel, upload
from test_takeover import invite

# What stands for the parts in braces, by the place where they stand.
SAMPLES = {
    "/user/{name}": "/user/root",
    "/admin/accounts/{name}": "/admin/accounts/joan",
    "{name}": "spam",
    "{version}": "1.0",
}
INVITATION = "/account/verify-project-role/"
# What is no page: it leads to one.
LEADS_ON = {"/.well-known/change-password"}
QUERIES = {"/search/": "?q=spam"}


class Looked:
    """What was looked at, by path as the table writes it."""

    def __init__(self, index, browser):
        self.index, self.browser, self.paths, self.findings = index, browser, set(), []

    def here(self, path, name=None):
        """The page that is open is the page of this path."""
        self.paths.add(path)
        try:
            name = name or path.replace("/", "-").translate(str.maketrans("", "", "{}")).strip("-") or "home"
            self.browser.look(f"every-{name}")
        except AssertionError as finding:
            self.findings.append(str(finding))

    def at(self, path, link=None):
        """Opens a page, or a link that leads to it, and looks at it."""
        there = link or self.concrete(path)
        if not there:
            self.findings.append(f"{path}: nothing links to one, and SAMPLES has none")
            return
        self.browser.open(there)
        if self.browser.path != there.split("?")[0] and not link:
            self.findings.append(f"{there} led to {self.browser.path}")
        elif self.browser.texts("h1") == ["Page not found"]:
            self.findings.append(f"{there} is not found")
        else:
            self.here(path)

    def concrete(self, path):
        """An address that a row of the table stands for: a sample, or the first that the list above it links to."""
        for part, sample in SAMPLES.items():
            path = path.replace(part, sample)
        if "{" not in path:
            return path + QUERIES.get(path, "")
        above, rest = path.split("{", 1)
        self.browser.open(above)
        for link in self.browser.driver.find_elements("css selector", f"main a[href^='{above}']"):
            inner = link.get_attribute("href").split(above, 1)[1].split("/")[0]
            if inner and not inner.startswith("?"):
                return above + inner + rest.split("}", 1)[1]
        return None


def pages(index):
    """All pages of the running version, by path."""
    rows = json.loads(index.run("tables", "routes", "--json").stdout)
    return {row["path"] for row in rows if (row["method"], row["face"]) == ("GET", "Html")}


def set_up_administrator(index, browser, looked):
    """The first administrator, whose key opens the pages of staff."""
    root = Person(index, "root")
    looked.at("/setup/", link=index.setup_link())
    browser.type(email=root.email, username="root", new_password=root.password, password_confirm=root.password)
    browser.press()
    at = Visitor(browser, root)
    at.meet_gates()
    browser.type(label="safe")
    browser.press(submit(PROVISION))
    browser.open(TOKENS)
    for _ in range(2):
        browser.type(description="release")
        browser.press(submit(TOKENS))
        if browser.path == PROVE:
            browser.press(KEY_BUTTON)
    token = browser.see("#provisioned-key").text
    index.secrets.add(token)
    return at, token


def on_the_way_in(index, browser, looked):
    """Pages of the sign-in and of links, each in the state in which somebody meets it."""
    newcomer = Person(index, "grace").register()
    looked.at("/account/verify-email/", link=index.mailbox.link(newcomer.email, "/account/verify-email/"))
    browser.press()
    at = Visitor(browser, newcomer)
    at.send_password()
    looked.here("/account/confirm-login/")
    at.confirm()
    looked.at("/manage/unverified-account/")
    looked.at("/account/verify-mailbox/")
    browser.press()
    looked.here("/account/verify-mailbox/", "mailbox-code")
    browser.type(mailbox_code=index.mailbox.code(newcomer.email))
    browser.press()
    looked.at("/manage/account/recovery-codes/generate")
    browser.press()
    codes = browser.texts("code.recovery-code")
    index.secrets |= set(codes)
    looked.here("/manage/account/recovery-codes/generate", "codes-shown")
    looked.at("/manage/account/recovery-codes/burn")
    browser.type(recovery_code_value=codes[0])
    browser.press()
    looked.at("/manage/account/totp-provision")
    browser.forget()
    browser.open("/account/request-password-reset/")
    browser.type(username_or_email="grace")
    browser.press()
    looked.at("/account/reset-password/", link=index.mailbox.link(newcomer.email, "/account/reset-password/"))


def half_way(browser, at, looked):
    """Between password and factor; then what wants the mailbox, and a page that wants a proof."""
    looked.at("/account/login/")
    at.send_password()
    looked.here("/account/two-factor/")
    looked.at("/account/recovery-code/")
    browser.open("/account/two-factor/")
    browser.press(KEY_BUTTON)
    assert browser.path == ACCOUNT
    browser.open("/manage/account/recovery-codes/regenerate")
    at.prove_mailbox()
    looked.at("/manage/account/recovery-codes/regenerate")
    looked.at(PROVE)
    browser.press(KEY_BUTTON)


def by_links_of_notices(index, browser, keys, looked):
    """Not-me and veto, by links of mails, and the way back: cases are open from now on."""
    joan = Person(index, "joan").register().secure()
    index.advance(days=2)
    at = Visitor(browser, joan).sign_in()
    keys.usb()
    at.add_key("new key")
    at.remove_factor("Authenticator app")
    looked.here("/manage/holds/", "holds-waiting")
    looked.at("/account/veto/", link=index.mailbox.link(joan.email, "/account/veto/"))
    browser.press()
    browser.forget()
    looked.at("/account/not-me/", link=index.mailbox.link(joan.email, "/account/not-me/"))
    browser.press()
    browser.forget()
    looked.at("/account/take-back/")
    # Nobody owns a project beside somebody else here: what a link to an alarm shows when it is over.
    looked.at("/account/alarm/")
    browser.forget()


def invited(index, whom, tmp_path):
    """The link of an invitation to somebody else's project."""
    ada, token = publisher(index, "ada")
    assert upload(index, token, build_wheel(tmp_path, "eggs")).status_code == 200
    invite(ada, "eggs", whom.username)
    return index.mailbox.link(whom.email, INVITATION)


@pytest.mark.timeout(600)
def test_every_page_is_accessible_and_fits_small_and_wide_light_and_dark(shared_index, shared_browser, keys, tmp_path):
    index, browser = shared_index, shared_browser
    looked = Looked(index, browser)
    safe = {"transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
    key = keys.plug(**safe)
    root, token = set_up_administrator(index, browser, looked)
    assert upload(index, token, build_wheel(tmp_path, "spam")).status_code == 200
    (credential,) = keys.credentials(key)
    keys.unplug(key)
    browser.forget()
    on_the_way_in(index, browser, looked)
    browser.forget()
    by_links_of_notices(index, browser, keys, looked)

    keys.unplug_all()
    keys.leave(credential, **safe)
    half_way(browser, root, looked)
    table = pages(index) - LEADS_ON
    if INVITATION in table:
        looked.at(INVITATION, link=invited(index, root.person, tmp_path))
    for path in sorted(table - looked.paths):
        looked.at(path)
    assert not looked.findings, "\n".join(looked.findings)
    assert sorted(table - looked.paths) == [], "pages that nobody looked at"
    expected = ("404", "410")  # of pages that say so
    assert [line for line in browser.complaints() if not any(status in line for status in expected)] == []
