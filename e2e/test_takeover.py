"""The takeover of November 2023, replayed over HTTP: a live session of the victim, codes talked out of her, and an accomplice.

Whatever the session can reach, ownership does not move while it can still be stopped, one link of a mail stops it, and what nobody
stopped in time one action puts back.
"""

import json
import time

import pytest

from harness.clock import until
from harness.page import Form
from harness.person import Person, publisher
from harness.visitor import stolen
from harness.wheels import build_wheel, upload

PROJECTS = ("spam", "eggs", "bacon", "sausage")
PROVE = "/account/reauthenticate/"
HOLDS = "/manage/holds/"
DELETE = "/manage/account/delete/"
TAKE_BACK = "/account/take-back/"


def owners(index, project):
    """Who owns a project, as everybody may see it."""
    roles = index.get(f"/pypi/{project}/json").json()["ownership"]["roles"]
    return {role["user"] for role in roles if role["role"] == "Owner"}


def state(index, username):
    """What the operator sees of an account."""
    return json.loads(index.run("account", "show", username, "--json").stdout)["state"]


def does(person, page, form, **values):
    """Sends a form; proves the act when that is asked for, and sends it again."""
    page = person.press(form, **values)
    if page.path == PROVE:
        page = person.press(page.form("totp_value"), totp_value=person.authenticator.code())
        page = person.press(page.form("act"), **{name: value for name, value in values.items() if name in page.form("act").names})
    assert page.status == 200, f"{person.username} was refused: {page}"
    return page


def told_how_to_stop(person, project):
    """Waits for the notice of a change that waits: its time begins with it (R9)."""
    veto = lambda mail: mail.link("/account/veto/") if project in mail.text else None
    return person.mailbox.find(person.email, veto, f"a link to stop what waits on {project}")


def collaboration(project):
    return f"/manage/project/{project}/collaboration/"


def invite(person, project, username, role="Owner"):
    """Asks somebody in, with the proof that it wants."""
    page = person.open(collaboration(project))
    return does(person, page, page.form("username", "role_name"), username=username, role_name=role)


def accept(person, project, link=None):
    """Opens the link of the invitation, and takes the role; returns the link when that has to wait (R3)."""
    what = f"an invitation to {project}"
    wanted = lambda mail: mail.link("/account/verify-project-role/") if project in mail.text else None
    link = link or person.mailbox.find(person.email, wanted, what)
    page = person.open(link)
    page = does(person, page, page.form("token", "accept"), accept="y")
    if page.path == HOLDS:
        told_how_to_stop(person, project)
        return link
    assert person.username in owners(person.index, project), f"not accepted: {page}"
    return None


def remove(person, project, username):
    """Asks that somebody's role ends."""
    page = person.open(collaboration(project))
    (row,) = [row for row in page.html.select("tbody tr") if row.select_one(f"th a[href='/user/{username}/']")]
    (form,) = [form for form in row.find_all("form") if form["action"].endswith("/delete/")]
    page = does(person, page, Form(page, form))
    assert page.path == HOLDS, f"removing an Owner did not wait: {page}"


class Takeover:
    """Four projects of somebody who has been here for long; then the attack."""

    def __init__(self, index, tmp_path):
        self.index = index
        self.vera, token = publisher(index, "vera")
        for project in PROJECTS:
            assert upload(index, token, build_wheel(tmp_path, project)).status_code == 200
        self.carol = Person(index, "carol").register().secure()
        for person in (self.vera, self.carol):
            person.authenticator.wait = lambda: index.advance(minutes=1)
        invite(self.vera, "bacon", "carol")
        accept(self.carol, "bacon")
        # The victim's own browser is one that the account has known for long.
        self._sign_in(remember=True)
        index.advance(days=40)
        self._sign_in(remember=False)
        self.before = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(index.now()))
        index.advance(minutes=2)

    def _sign_in(self, remember):
        """In the victim's own browser, which is to be known from now on."""
        vera = self.vera
        if vera.is_signed_in():
            vera.press(vera.get("/account/logout/").forms()[0])
        page = vera.press(vera.get("/account/login/").form("username", "password"), username="vera", password=vera.password)
        form = page.form("totp_value")
        form.values.pop("remember_device", None)
        page = vera.press(form, totp_value=vera.authenticator.code(), **({"remember_device": "y"} if remember else {}))
        if page.path == "/account/confirm-login/":
            assert remember, "the browser is not known"
            page = vera.get(vera.mailbox.link(vera.email, "/account/confirm-login/"))
            vera.press(page.forms()[0], remember_device="y")
        assert vera.is_signed_in()

    def steal(self):
        """A copy of the live session, without any factor."""
        thief = stolen(self.index, self.vera.cookies())
        assert thief.is_signed_in()
        return thief

    def attack(self):
        """Everything that sessions of the victim and codes talked out of her can ask for, over two days."""
        thief = self.steal()
        thief.authenticator = self.vera.authenticator
        mallory = Person(self.index, "mallory").register().secure()
        mallory.authenticator.wait = lambda: self.index.advance(minutes=1)
        for project in PROJECTS:
            invite(thief, project, "mallory")
        assert "sausage" in str(thief.open(DELETE)), "nobody else owns it: the account cannot go"
        waiting = {project: accept(mallory, project) for project in PROJECTS}
        waiting = {project: link for project, link in waiting.items() if link}
        assert len(waiting) == len(PROJECTS) - 1, "with the first role an old project is in reach"

        until(lambda: "not told yet" not in mallory.open(HOLDS).html.get_text(), "notices of what waits")
        self.index.advance(hours=25)
        mallory.login()
        until(lambda: "Waits" not in mallory.open(HOLDS).texts(".tag"), "the roles that wait to be free", 100)
        for project, link in waiting.items():
            assert accept(mallory, project, link) is None
        self._sign_in(remember=False)
        thief = self.steal()
        thief.authenticator = self.vera.authenticator
        page = thief.open(DELETE)
        page = does(thief, page, page.form("confirm_username"), confirm_username="vera")
        assert page.path == HOLDS, f"deleting the account did not wait: {page}"
        for project in PROJECTS:
            remove(mallory, project, "vera")
            told_how_to_stop(self.vera, project)
        return thief, mallory

    def is_whole(self):
        """The victim has her account and her four projects."""
        return state(self.index, "vera") != "deleted" and all("vera" in owners(self.index, project) for project in PROJECTS)


@pytest.fixture
def takeover(index, tmp_path):
    return Takeover(index, tmp_path)


def told_of(index, person, project, part):
    """Whether somebody got a mail about this."""
    return until(lambda: any(project in mail.text and part in mail.text for mail in index.mailbox.mails(person.email)), f"{project}: {part}")


def take_back(person):
    """The way back into a stopped account: mailbox, settled factor, a new password; nothing that was gained is kept."""
    person.press(person.get(TAKE_BACK).form("username"), username=person.username)
    person.press(person.get(TAKE_BACK).forms()[0])
    page = person.press(person.get(TAKE_BACK).form("mailbox_code"), mailbox_code=person.mailbox.code(person.email))
    page = person.press(page.form("totp_value"), totp_value=person.authenticator.code())
    person.password = "another " + person.password
    person.index.secrets.add(person.password)
    page = person.press(page.form("new_password"), new_password=person.password, password_confirm=person.password, confirm="y")
    assert "yours again" in page.text("h1"), str(page)


def test_a_live_session_alone_gives_and_takes_nothing(takeover, index):
    """R2: every act on ownership wants a proof of its own."""
    thief = takeover.steal()
    Person(index, "mallory").register().secure()
    page = thief.open(collaboration("spam"))
    page = thief.press(page.form("username", "role_name"), username="mallory", role_name="Owner")
    assert page.path == PROVE
    page = thief.open("/manage/project/spam/settings/")
    page = thief.press(page.form("confirm_project_name"), confirm_project_name="spam")
    assert page.path == PROVE
    assert not thief.open(DELETE).has_form("confirm_username"), "projects of which nobody else is Owner keep the account"
    assert takeover.is_whole() and owners(index, "spam") == {"vera"}


def test_one_link_of_a_mail_stops_the_takeover(takeover, index):
    """TAKEOVER-3; PRODUCT.md fact 2; R8, R10, R13-R16: ownership never moves, all Owners are told, one link ends it, the take-back drops the rest."""
    thief, mallory = takeover.attack()
    vera, carol = takeover.vera, takeover.carol
    assert takeover.is_whole()
    for project in PROJECTS:
        told_of(index, vera, project, "mallory")
    told_of(index, carol, "bacon", "mallory")

    somewhere = Person(index, "somewhere", vera.mailbox)
    link = vera.mailbox.link(vera.email, "/account/not-me/")
    page = somewhere.get(link)
    assert thief.is_signed_in(), "opening changes nothing"
    page = somewhere.press(page.form("token"))
    assert "The account is stopped" in page.text("h1")
    assert not thief.is_signed_in()
    for project in PROJECTS:
        page = mallory.get(collaboration(project))
        assert not page.has_form("username", "role_name"), f"what the thief gave works on: {page}"
    index.advance(hours=100)
    assert takeover.is_whole(), "nothing happens after the time either"

    take_back(vera)
    vera.login()
    listed = str(vera.open("/manage/projects/"))
    assert all(project in listed for project in PROJECTS)
    assert {project: "mallory" in owners(index, project) for project in PROJECTS} == dict.fromkeys(PROJECTS, False)
    assert owners(index, "bacon") == {"vera", "carol"}


def test_what_nobody_stopped_is_put_back_by_one_action(takeover, index):
    """TAKEOVER-5; P7, R18: the holds run out, the account goes; one action of the operator brings account and projects back; the trail is whole."""
    takeover.attack()
    index.advance(hours=73)
    index.advance(hours=2)
    until(lambda: not any("vera" in owners(index, project) for project in PROJECTS), "what waited to happen", 100)
    assert state(index, "vera") != "deleted", "an account that was an Owner within 30 days does not go (R9)"
    done = index.run("incident", "restore", "--account", "vera", "--at", takeover.before, "--reason", "taken over", "--json")
    assert json.loads(done.stdout)["restored"] > 0
    # Pages of a project are made anew by a job of the index that serves.
    until(takeover.is_whole, "what was put back to be shown", 30)
    until(lambda: not any("mallory" in owners(index, project) for project in PROJECTS), "the accomplice to be gone", 100)

    rows = [json.loads(line) for line in index.run("audit", "export", "--account", "vera").stdout.splitlines()]
    kinds = {row["kind"] for row in rows}
    assert {"account:login:success", "hold:proposed", "hold:done"} <= kinds, sorted(kinds)
    assert index.run("audit", "verify").returncode == 0
