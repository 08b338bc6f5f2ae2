//! The takeover of 22 November 2023, replayed: a thief in a live session of the victim invites an account of his, which accepts, and
//! removes the victim on four projects. It must fail by design.

use index::db::entities::holds;

use super::not_me;
use super::people::project;
use super::take_back::{confirm, prove_mailbox};
use crate::dist::wheel;
use crate::given::{self, all, upload};
use crate::holding::{DAY, HOLDS, HOUR, asked, press, serve, veto_link};
use crate::people::Person;
use crate::team::{INVITATION, Member, invitation, page};
use crate::world::{Browser, World, both_engines};

const PROJECTS: [&str; 4] = ["spam", "eggs", "bacon", "sausage"];

/// Sends a form of a person; proves what it asks for with the phone, and sends it again.
async fn proved(person: &Person<'_>, browser: &Browser<'_>, path: &str, fields: &[(&str, &str)]) -> crate::world::Answer {
    let answer = browser.submit("/manage/account/", path, fields).await;
    let Some(act) = asked(&answer) else { return answer };
    person.prove_at(&answer.location()).await;
    let mut fields = fields.to_vec();
    fields.push(("act", &act));
    browser.submit("/manage/account/", path, &fields).await
}

async fn owners(world: &World, account: index::ids::AccountId) -> i64 {
    let id = crate::holding::raw(world, account.0);
    world.number(&format!("SELECT COUNT(*) AS n FROM roles WHERE account_id = {id} AND role = 'Owner' AND until_at IS NULL")).await
}

/// The victim, whose account and projects are old, and a second owner of one of them.
async fn victim(world: &World) -> (Person<'_>, Member) {
    let ada = world.secured("ada").await;
    let account = given::account_id(world, "ada").await;
    let [bob] = crate::team::members(world, ["bob"]).await;
    for name in PROJECTS {
        project(world, name, &[account]).await;
    }
    given::owner(world, "spam", bob.account).await;
    world.advance(40 * DAY);
    ada.log_in().await;
    (ada, bob)
}

both_engines! {
    /// TAKEOVER-1, WEAK-8.
    /// R2, P5: the live session alone does nothing; it is the phished code that a thief needs besides.
    async fn r2_a_stolen_session_alone_invites_nobody(world: World) {
        let (ada, _) = victim(&world).await;
        let thief = world.secured("mallory").await;
        let stolen = world.browser_from("198.51.100.66".parse().expect("an address"));
        stolen.set_cookie("__Host-strongroom_session", &ada.browser.cookies()["__Host-strongroom_session"]);
        for name in PROJECTS {
            let answer = stolen.submit(&page(name), &page(name), &[("username", "mallory"), ("role_name", "Owner")]).await;
            assert!(asked(&answer).is_some(), "a proof for this one act is asked for");
        }
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM invitations").await, 0);
        let role = world.number("SELECT COUNT(*) AS n FROM roles WHERE until_at IS NOT NULL").await;
        assert_eq!(role, 0);
        drop(thief);
    }

    /// TAKEOVER-1, TAKEOVER-2, TAKEOVER-3.
    /// PRODUCT fact 2, R7, R9, R10, R11, R14, R15: with the session and with codes of the victim's app the thief's account becomes an
    /// Owner of four projects and moves to remove her. Ownership never moves, all owners are told, one link of a mail stops everything,
    /// and the way back ends what was given.
    async fn the_takeover_fails_and_one_link_stops_all_of_it(world: World) {
        let (ada, bob) = victim(&world).await;
        let account = given::account_id(&world, "ada").await;
        let mallory = world.secured("mallory").await;
        let theirs = given::account_id(&world, "mallory").await;
        for name in PROJECTS {
            let invited = proved(&ada, &ada.browser, &page(name), &[("username", "mallory"), ("role_name", "Owner")]).await;
            assert_eq!(invited.location(), page(name), "{}", invited.text());
            let id = invitation(&world, theirs).await.expect("it stands").to_string();
            let accepted = proved(&mallory, &mallory.browser, INVITATION, &[("token", &id), ("accept", "y")]).await;
            assert_eq!(accepted.status(), 303, "{}", accepted.text());
            let role = all::<index::db::entities::roles::Entity>(&world).await.into_iter()
                .find(|row| row.account_id == account && row.until_at.is_none() && mine(&world, row, name)).expect("she owns it");
            let removed = proved(&mallory, &mallory.browser, &format!("{}delete/", page(name)), &[("role_id", &role.id.to_string())]).await;
            assert_eq!(removed.location(), HOLDS, "{}", removed.text());
        }
        assert_eq!((owners(&world, account).await, owners(&world, theirs).await), (4, 4), "nothing moved");
        let mails = world.mail().await;
        let told = |to: &str, text: &str| mails.iter().filter(|mail| mail.to.contains(to) && mail.text.contains(text)).count();
        assert_eq!(told(&ada.email, "mallory was invited to"), 4, "at invitation, not only after");
        assert_eq!(told(&ada.email, "Remove ada as Owner of"), 4);
        assert_eq!(told("bob@example.org", "mallory was invited to spam"), 1, "every owner");
        // The settled victim may veto each, and so may every other settled Owner: the newest of the four links stops one.
        let token = given::minted(&world, theirs, "scope:user", "").await.text.expose().to_owned();
        assert_eq!(upload(&world, &token, &wheel("spam", "6.6").build()).await.status(), 200, "a thief who is an Owner can publish");

        // One link, pressed by somebody who reads only mail, stops all of it.
        let browser = world.browser();
        let link = mails.iter().rev().find(|mail| mail.to.contains(&ada.email) && mail.text.contains("Remove ada as Owner")).expect("told")
            .link("https://index.example.org/account/not-me/");
        assert_eq!(not_me::press(&browser, &link).await.status(), 200);
        for (name, version) in [("spam", "6.7"), ("eggs", "6.7")] {
            assert_eq!(upload(&world, &token, &wheel(name, version).build()).await.status(), 403, "R15: what she gave gives nothing");
        }
        serve(&world, 100 * HOUR).await;
        serve(&world, 100 * HOUR).await;
        assert_eq!((owners(&world, account).await, bob.is(&world).await.as_str()), (4, "Owner"), "R9: nothing takes effect meanwhile");

        assert_eq!(begin_again(&world, &ada).await, 200);
        assert_eq!((owners(&world, account).await, owners(&world, theirs).await), (4, 0), "what was given and not kept has ended");
        serve(&world, 100 * HOUR).await;
        assert_eq!(owners(&world, account).await, 4);
        let states: Vec<String> = all::<holds::Entity>(&world).await.into_iter().map(|row| row.state).collect();
        assert!(states.iter().all(|state| state == "died"), "the removals have no proposer with rights: {states:?}");
        let history = ada_history(&world, &ada).await;
        assert!(history.contains("mallory was invited") && history.contains("mallory is no longer Owner"), "{history}");
    }

    /// TAKEOVER-3.
    /// R10: or a veto by the link of the mail, which ends the removal on that project and bars the thief there.
    async fn r10_the_victims_veto_by_mail_ends_the_removal_and_bars_the_thief(world: World) {
        let (ada, _) = victim(&world).await;
        let account = given::account_id(&world, "ada").await;
        let mallory = world.secured("mallory").await;
        let theirs = given::account_id(&world, "mallory").await;
        given::owner(&world, "eggs", theirs).await;
        let role = all::<index::db::entities::roles::Entity>(&world).await.into_iter()
            .find(|row| row.account_id == account && mine(&world, row, "eggs")).expect("she owns it").id.to_string();
        let path = format!("{}delete/", page("eggs"));
        assert_eq!(proved(&mallory, &mallory.browser, &path, &[("role_id", &role)]).await.location(), HOLDS);
        world.work().await;
        let link = veto_link(&world, &ada.email).await;
        assert_eq!(press(&world, &link).await.status(), 200);
        assert_eq!(proved(&mallory, &mallory.browser, &path, &[("role_id", &role)]).await.status(), 403);
        serve(&world, 100 * HOUR).await;
        assert_eq!(owners(&world, account).await, 4);
    }
}

/// Whether a role is one on the project of this name; projects are told apart by the order in which they were made.
fn mine(world: &World, row: &index::db::entities::roles::Model, name: &str) -> bool {
    let env = world.env.clone();
    let (project, name) = (row.project_id, name.to_owned());
    tokio::task::block_in_place(|| {
        tokio::runtime::Handle::current().block_on(async move {
            let found = index::act::housekeeping(&env, index::act::Housekeeping::Queue, move |tx| {
                Box::pin(async move { index::projects::roles::by_name(tx, &name).await })
            });
            found.await.expect("it can be read").is_some_and(|found| found.id == project)
        })
    })
}

/// The owner proves mailbox and factor, and keeps nothing of what was gained and given.
async fn begin_again(world: &World, ada: &Person<'_>) -> u16 {
    let browser = world.browser();
    super::take_back::begin(&browser, &ada.username).await;
    assert_eq!(prove_mailbox(&browser, &ada.email).await.status(), 303);
    let answer = browser.submit("/account/take-back/", "/account/take-back/", &[("totp_value", &ada.code())]).await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
    let page = browser.get("/account/take-back/").await.text();
    assert!(page.contains("The role of mallory, who was made Owner of spam"), "{page}");
    confirm(&browser, &[]).await.status()
}

async fn ada_history(world: &World, ada: &Person<'_>) -> String {
    let account = given::account_id(world, &ada.username).await;
    let browser = given::browser(world, account).await;
    browser.get("/manage/project/spam/history/").await.text()
}
