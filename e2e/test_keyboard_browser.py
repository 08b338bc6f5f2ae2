"""A newcomer without a mouse: from registration to a token with Tab, Enter, Space and letters alone, the focus seen at every stop."""

from urllib.parse import parse_qs, urlsplit

from selenium.webdriver.common.keys import Keys as Key

from harness.clock import Authenticator
from harness.keyboard import Keyboard
from harness.person import TOKENS, Person
from harness.visitor import submit

BURN = "/manage/account/recovery-codes/burn"


def test_a_newcomer_without_a_mouse_comes_out_with_a_token(shared_index, shared_browser):
    index, browser = shared_index, shared_browser
    ada, keyboard = Person(index, "ada"), Keyboard(browser)
    browser.open("/")
    assert keyboard.tab(".skip"), "the first stop of every page leads past its head"
    keyboard.press(".top a[href='/account/register/']")
    keyboard.type(
        name="Ada", email=ada.email, username="ada", new_password=ada.password, password_confirm=ada.password
    )
    keyboard.press(key=Key.SPACE)
    assert ada.email in browser.see("main").text
    browser.open(index.mailbox.link(ada.email, "/account/verify-email/"))
    keyboard.press()

    browser.open("/account/login/")
    keyboard.type(username="ada", password=ada.password)
    keyboard.press(submit("/account/login/"))
    browser.open(index.mailbox.link(ada.email, "/account/confirm-login/"))
    keyboard.press()
    browser.open(TOKENS)
    if browser.path == "/account/verify-mailbox/":
        keyboard.press()
        keyboard.type(mailbox_code=index.mailbox.code(ada.email))
        keyboard.press()
    assert browser.path == "/manage/account/recovery-codes/generate"
    keyboard.press()
    codes = browser.texts("code.recovery-code")
    assert len(codes) == 8
    index.secrets |= set(codes)
    keyboard.press(f"main a[href^='{BURN}']")
    keyboard.type(recovery_code_value=codes[0])
    keyboard.press(key=Key.SPACE)
    address = browser.see("[data-otpauth]").get_attribute("data-otpauth")
    ada.authenticator = Authenticator(parse_qs(urlsplit(address).query)["secret"][0], index.now)
    index.secrets.add(ada.authenticator.secret)
    keyboard.type(totp_value=ada.authenticator.code())
    keyboard.press()
    assert browser.path == TOKENS, f"the last gate led to {browser.path}"

    keyboard.type(description="laptop")
    keyboard.press(submit(TOKENS))
    assert browser.path == "/account/reauthenticate/"
    keyboard.type(totp_value=ada.authenticator.code())
    keyboard.press()
    keyboard.press(submit(TOKENS), key=Key.SPACE)
    index.secrets.add(browser.see("#provisioned-key").text)
    keyboard.press(f"main a[href='{TOKENS}']")

    keyboard.reach("main details.act summary")
    browser.driver.switch_to.active_element.send_keys(Key.SPACE)
    keyboard.press(submit(f"{TOKENS}delete/"))
    assert "No token yet" in browser.see("main").text
    keyboard.press(".top form[action='/account/logout/'] button")
    browser.open(TOKENS)
    assert browser.path == "/account/login/"


def test_a_refused_form_puts_the_focus_where_the_reasons_stand(shared_browser):
    browser, keyboard = shared_browser, Keyboard(shared_browser)
    browser.open("/account/register/")
    keyboard.type(email="ada@people.example.org", username="grace", new_password="short", password_confirm="short")
    keyboard.press()
    assert browser.driver.switch_to.active_element.get_attribute("class").split()[:2] == ["note", "danger"]
    # The first stop after it is the link that leads to the field.
    assert keyboard.tab("a[href^='#field-']")
    browser.driver.switch_to.active_element.send_keys(Key.ENTER)
    assert browser.driver.switch_to.active_element.get_attribute("name") == "new_password"
