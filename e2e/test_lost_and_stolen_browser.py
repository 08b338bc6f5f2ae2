"""The bad days of an account, in a real browser: a lost key, a listed password, a stolen cookie, a thief who is thrown out."""

import hashlib

import pytest

from harness.clock import until
from harness.person import Person, publisher
from harness.visitor import ACCOUNT, FACTORS, KEY_BUTTON, PROVE, PROVISION, Visitor, stolen, submit
from harness.wheels import build_wheel, upload

EMAILS = "/manage/account/emails/"
SESSIONS = "/manage/account/sessions/"
TAKE_BACK = "/account/take-back/"
RESET = "/account/request-password-reset/"
LISTED = "public list of stolen passwords"


@pytest.fixture
def index(shared_index):
    return shared_index


@pytest.fixture
def browser(shared_browser):
    return shared_browser


def told(index, person, part):
    """Waits for a mail to somebody that says this."""
    until(lambda: any(part in mail.text for mail in index.mailbox.mails(person.email)), f"a mail that says “{part}”")


def use_recovery_code(at):
    """Signs in without any factor at hand."""
    at.send_password()
    assert at.browser.path == "/account/two-factor/"
    at.browser.press("main a[href^='/account/recovery-code/']")
    at.browser.type(recovery_code_value=at.person.recovery_codes.pop())
    at.browser.press()
    at.confirm()
    assert at.browser.path == ACCOUNT, f"the recovery code led to {at.browser.path}"


def test_a_lost_key_is_replaced_and_its_finder_gets_nothing(index, browser, keys):
    """R1, R5, R12: a recovery code opens, the older app removes the lost key, a new one is added."""
    ada = Person(index, "ada").register().secure()
    index.advance(days=2)
    at = Visitor(browser, ada).sign_in()
    lost = {"transport": "usb", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
    ring = keys.plug(**lost)
    at.add_key("key on my ring")
    (found,) = keys.credentials(ring)
    keys.unplug(ring)
    at.sign_out()

    use_recovery_code(at)
    at.remove_factor("key on my ring", prove=at.prove_with_app)
    assert browser.path == FACTORS and "key on my ring" not in at.factors()
    told(index, ada, "was removed")
    index.advance(minutes=2)
    keys.usb()
    at.add_key("new key")
    at.sign_out()
    at.send_password()
    browser.press(KEY_BUTTON)
    assert browser.path == ACCOUNT, "the new key is the second factor"

    at.sign_out()
    keys.leave(found, **lost)
    browser.open("/account/login/")
    browser.see(KEY_BUTTON).click()
    until(lambda: browser.see("[data-key-said]").text, "the page to refuse the lost key")
    browser.open(ACCOUNT)
    assert browser.path == "/account/login/", "whoever found the key is not signed in"


def test_whoever_loses_the_only_factor_waits_three_days_and_has_the_account_back(index, browser, keys):
    """R16: a recovery code lets in to look; the mailbox alone takes the account back after 72 hours, and a new key follows."""
    grace = Person(index, "grace").register().secure()
    at = Visitor(browser, grace)
    use_recovery_code(at)
    keys.usb()
    browser.open(PROVISION)
    browser.type(label="new key")
    browser.press(submit(PROVISION))
    assert browser.path == PROVE, "a recovery code adds no factor"

    browser.forget()
    browser.open(index.mailbox.link(grace.email, "/account/not-me/"))
    browser.press()
    browser.press(f"main a.button[href='{TAKE_BACK}']")
    prove_mailbox(at)
    browser.look("take-back-one-proof")
    browser.press("main button[name=wait]")
    browser.look("take-back-waits")
    index.advance(hours=73)
    browser.open(TAKE_BACK)
    prove_mailbox(at)
    decide(at, keep=())
    at.person.authenticator = None
    at.sign_in()
    assert at.factors() == "", "the lost factor is gone"


def prove_mailbox(at):
    """Names the account where that is asked for, and proves its mailbox."""
    if at.browser.has("main [name=username]"):
        at.browser.type(username=at.person.username)
        at.browser.press()
    at.prove_mailbox()


def decide(at, keep):
    """Keeps what is named, and chooses a new password."""
    browser = at.browser
    for check in browser.driver.find_elements("css selector", "main .check"):
        if any(name in check.text for name in keep):
            check.find_element("css selector", "input").click()
    at.person.password = "another " + at.person.password
    at.index.secrets.add(at.person.password)
    browser.type(new_password=at.person.password, password_confirm=at.person.password)
    browser.press("main button[name=confirm]")
    assert "The account is yours again" in browser.see("h1").text


def test_a_listed_password_is_disabled_explained_and_replaced(index, browser, tmp_path):
    """R33: the sign-in that types it rightly ends it and every session; factor and tokens stay."""
    ada, token = publisher(index, "hedy")
    listed = tmp_path / "listed.txt"
    listed.write_text(hashlib.sha1(ada.password.encode()).hexdigest().upper() + ":3\r\n")
    index.run("passwords", "import", str(listed))
    index.advance(minutes=2)
    assert ada.is_signed_in()
    at = Visitor(browser, ada)
    at.send_password()
    assert LISTED in browser.see("main").text and "was disabled" in browser.see("h1").text
    browser.look("password-disabled")
    assert not ada.is_signed_in(), "every session has ended"
    told(index, ada, LISTED)

    browser.press(f"main a.button[href='{RESET}']")
    browser.type(username_or_email="hedy")
    browser.press()
    browser.look("reset-requested")
    browser.open(index.mailbox.link(ada.email, "/account/reset-password/"))
    browser.look("reset-password")
    browser.type(new_password=ada.password, password_confirm=ada.password)
    browser.press()
    assert LISTED in browser.see("#error-new_password").text, "the same one is not taken again"
    browser.look("reset-password-refused")
    ada.password = "another " + ada.password
    index.secrets.add(ada.password)
    browser.type(new_password=ada.password, password_confirm=ada.password)
    browser.press()
    assert browser.path == "/account/login/", "a new password logs nobody in"
    at.sign_in()
    assert upload(index, token, build_wheel(tmp_path, "hedy_tool")).status_code == 200


def test_a_stolen_cookie_is_dead_after_ending_all_other_sessions(index, browser):
    """ASVS V7.4.3: copies of every session end, the copy of the one that stays too."""
    ada = Person(index, "joan").register().secure()
    at = Visitor(browser, ada)
    at.sign_in()
    copies = {"another browser's": stolen(index, ada.cookies()), "this browser's": stolen(index, browser.cookies())}
    assert all(thief.is_signed_in() for thief in copies.values())
    browser.open(SESSIONS)
    assert len(browser.texts("#sessions > li")) == 2
    browser.press(submit(f"{SESSIONS}end-others/"))
    assert len(browser.texts("#sessions > li")) == 1
    assert {whose: thief.is_signed_in() for whose, thief in copies.items()} == {"another browser's": False, "this browser's": False}
    browser.open(ACCOUNT)
    assert browser.path == ACCOUNT, "who ended the others goes on here"
    told(index, ada, "other sessions")


def test_a_notices_link_throws_a_thief_out_and_the_owner_takes_the_account_back(index, browser, tmp_path):
    """R13, R14, R16: opening changes nothing, the button stops everything, two settled proofs give it back without the thief's gains."""
    ada, own = publisher(index, "mary")
    index.advance(days=31)
    at = Visitor(browser, ada)
    at.sign_in()
    thief = stolen(index, browser.cookies())
    thief.authenticator = ada.authenticator  # talks two codes out of its owner
    loot = thief.create_token("nightly build")
    address = thief.open(EMAILS).form("email", without=("act",))
    page = thief.press(address, email="collector@example.net")
    page = thief.press(page.form("totp_value"), totp_value=thief.authenticator.code())
    thief.press(page.form("email", "act"), email="collector@example.net")
    assert "collector@example.net" in str(thief.get(EMAILS))

    browser.forget()
    link = index.mailbox.link(ada.email, "/account/not-me/")
    for _ in range(2):
        browser.open(link)
    browser.look("not-me")
    assert thief.is_signed_in() and upload(index, loot, build_wheel(tmp_path, "mary_one")).status_code == 200
    browser.press()
    assert "The account is stopped" in browser.see("h1").text
    browser.look("contained")
    assert not thief.is_signed_in()
    assert [upload(index, token, build_wheel(tmp_path, "mary_two")).status_code for token in (loot, own)] == [403, 403]
    assert thief.get(link).status == 410, "once"

    index.advance(minutes=2)
    at.send_password()
    assert browser.path == TAKE_BACK, "a sign-in leads to the way back"
    browser.look("take-back-begin")
    prove_mailbox(at)
    browser.look("take-back-factor")
    browser.type(totp_value=ada.authenticator.code())
    browser.press()
    gained = browser.texts("main fieldset:first-of-type .check label")
    assert len(gained) == 2 and "nightly build" in " ".join(gained) and "collector@example.net" in " ".join(gained), gained
    browser.look("take-back-decide")
    decide(at, keep=())
    browser.look("taken-back")
    assert upload(index, loot, build_wheel(tmp_path, "mary_two")).status_code == 403
    assert upload(index, own, build_wheel(tmp_path, "mary_two")).status_code == 200
    index.advance(minutes=2)
    at.sign_in()
    browser.open(EMAILS)
    assert "collector@example.net" not in browser.see("main").text
