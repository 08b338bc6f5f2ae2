//! The way back into a stopped account (R16, R17): a settled mailbox and a settled factor, or one of them and a wait.

use std::time::Duration;

use index::db::entities::{cases, quiet_addresses};

use super::not_me::{NOT_ME, link, press};
use super::people::DAY;
use crate::authenticator::Key;
use crate::dist::wheel;
use crate::given;
use crate::people::{Person, token_of};
use crate::world::{Answer, Browser, World, both_engines};

const PAGE: &str = "/account/take-back/";
pub const NEW: &str = "lantern-gravel-otter-77";
const HOME: &str = "/manage/account/";

/// Somebody whose account is old enough that what it has is settled, and which is contained now; and the browser that did it.
async fn contained<'w>(world: &'w World, username: &str) -> (Person<'w>, Browser<'w>) {
    let ada = world.secured(username).await;
    world.advance(31 * DAY);
    ada.log_in().await;
    let owner = given::account_id(world, username).await;
    given::minted(world, owner, "scope:user", "").await;
    let link = link(world, &ada.email).await;
    let browser = world.browser();
    assert_eq!(press(&browser, &link).await.status(), 200);
    (ada, browser)
}

/// Has a code sent, and types it.
pub async fn prove_mailbox(browser: &Browser<'_>, email: &str) -> Answer {
    let answer = browser.submit(PAGE, PAGE, &[]).await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
    let code = browser.world.newest_mail_to(email).await.code();
    browser.submit(PAGE, PAGE, &[("mailbox_code", &code)]).await
}

/// Sends the last form, keeping these.
pub async fn confirm(browser: &Browser<'_>, keep: &[&str]) -> Answer {
    let mut fields = vec![("confirm", "y"), ("new_password", NEW), ("password_confirm", NEW)];
    fields.extend(keep.iter().map(|id| ("keep", *id)));
    browser.submit(PAGE, PAGE, &fields).await
}

async fn open(world: &World, table: &str) -> i64 {
    world.number(&format!("SELECT COUNT(*) AS n FROM {table} WHERE until_at IS NULL")).await
}

both_engines! {
    /// NIST-R5, NIST-V2.
    /// R16: both proofs, then what was gained is kept one by one; only then can the account act again.
    async fn the_owner_takes_the_account_back_and_keeps_what_is_marked(world: World) {
        let (ada, browser) = contained(&world, "ada").await;
        assert_eq!(open(&world, "api_tokens").await, 1);
        assert_eq!(prove_mailbox(&browser, &ada.email).await.status(), 303);
        let early = confirm(&browser, &[]).await;
        assert_eq!(early.location(), PAGE, "one proof is not enough");
        let answer = browser.submit(PAGE, PAGE, &[("totp_value", &ada.code())]).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
        let page = browser.get(PAGE).await;
        assert!(page.text().contains("The API token"), "{}", page.text());
        let token = page.between("name=\"keep\" value=\"", "\"");
        let answer = confirm(&browser, &[&token]).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
        assert!(answer.text().contains("yours again"), "{}", answer.text());

        assert_eq!(open(&world, "api_tokens").await, 1, "kept");
        assert_eq!(open(&world, "factors").await, 1, "what is settled was not even asked about");
        assert_eq!(open(&world, "account_causes").await, 0);
        assert!(given::all::<cases::Entity>(&world).await.iter().all(|case| case.closed_at.is_some()), "the case is closed");
        assert_eq!(ada.browser.get(HOME).await.status(), 303, "old sessions are dead");
        assert_eq!(ada.send_password(&world.browser()).await.status(), 422, "so is the old password");
        let mut again = ada.elsewhere();
        again.password = NEW.to_owned();
        assert_eq!(again.send_password(&again.browser).await.location(), "/account/two-factor/", "the factor is still asked for");
        let code = ada.code();
        let answer = again.browser.submit("/account/two-factor/", "/account/two-factor/", &[("totp_value", &code)]).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
        assert_eq!(given::events_of(&world, "account:take-back").await.len(), 1);
        assert!(world.mail().await.iter().any(|mail| mail.to.contains(&ada.email) && mail.subject.contains("taken back")), "nobody was told");
    }

    /// R16: what is not marked ends.
    async fn what_is_not_kept_ends_and_the_token_uploads_no_more(world: World) {
        let ada = world.secured("ada").await;
        world.advance(31 * DAY);
        let owner = given::account_id(&world, "ada").await;
        let thiefs = given::minted(&world, owner, "scope:user", "").await.text.expose().to_owned();
        given::address(&world, owner, "thief@example.net").await;
        let link = link(&world, &ada.email).await;
        let browser = world.browser();
        press(&browser, &link).await;
        prove_mailbox(&browser, &ada.email).await;
        browser.submit(PAGE, PAGE, &[("totp_value", &ada.code())]).await;
        assert!(browser.get(PAGE).await.text().contains("thief@example.net"));
        assert_eq!(confirm(&browser, &[]).await.status(), 200);
        assert_eq!(open(&world, "api_tokens").await, 0);
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM addresses WHERE until_at IS NULL AND folded = 'thief@example.net'").await, 0);
        assert_eq!(given::upload(&world, &thiefs, &wheel("spam", "1.0").build()).await.status(), 403);
        assert_eq!(given::all::<quiet_addresses::Entity>(&world).await.len(), 1, "R17: told without links from now on");
        let mail = world.newest_mail_to("thief@example.net").await;
        assert!(mail.subject.contains("taken back") && !mail.text.contains(NOT_ME), "{}", mail.text);
        let mail = world.newest_mail_to(&ada.email).await;
        assert_eq!(mail.text.matches(NOT_ME).count(), 1, "{}", mail.text);
    }

    /// R17: a take-back voids older links.
    async fn older_links_do_nothing_after_a_take_back(world: World) {
        let ada = world.secured("ada").await;
        world.advance(31 * DAY);
        let owner = given::account_id(&world, "ada").await;
        given::minted(&world, owner, "scope:user", "").await;
        let first = link(&world, &ada.email).await;
        given::minted(&world, owner, "scope:user", "").await;
        let second = link(&world, &ada.email).await;
        assert_ne!(first, second);
        let browser = world.browser();
        press(&browser, &second).await;
        prove_mailbox(&browser, &ada.email).await;
        browser.submit(PAGE, PAGE, &[("totp_value", &ada.code())]).await;
        assert_eq!(confirm(&browser, &[]).await.status(), 200);
        assert_eq!(world.browser().get(&first).await.status(), 410);
        let answer = world.browser().submit("/account/login/", NOT_ME, &[("token", &token_of(&first))]).await;
        assert_eq!(answer.status(), 410);
        assert_eq!(open(&world, "account_causes").await, 0);
    }

    /// R10, R16: what a thief proposed ends with the take-back, though he signed out himself, and the doors that his holds opened are shut.
    async fn what_a_thief_proposed_ends_with_the_take_back(world: World) {
        let ada = world.secured("ada").await;
        let owner = given::account_id(&world, "ada").await;
        let (bob, _) = given::publisher(&world, "bob").await;
        crate::flows::people::project(&world, "spam", &[owner, bob]).await;
        world.advance(31 * DAY);
        let app = given::all::<index::db::entities::factors::Entity>(&world).await.into_iter().find(|row| row.account_id == owner).expect("hers").id;
        let thief = crate::holding::seat(&world, owner, app).await;
        let tokens = "/manage/account/token/";
        let form = [("description", "ci"), ("token_scope", "scope:user"), ("expires_in_days", "")];
        assert_eq!(thief.proved(tokens, tokens, &form).await.location(), crate::holding::HOLDS, "a grant that waits (R3)");
        crate::holding::serve(&world, Duration::from_secs(25 * 3600)).await;
        assert_eq!(crate::holding::newest(&world).await.state, "done", "its door is open");
        let thief = crate::holding::seat(&world, owner, app).await;
        let role = given::all::<index::db::entities::roles::Entity>(&world).await.into_iter().find(|row| row.account_id == owner).expect("hers").id;
        let left = crate::team::remove(&thief, "spam", role, &[]).await;
        assert_eq!(left.location(), crate::holding::HOLDS, "{}", left.text());
        thief.browser.submit(HOME, "/account/logout/", &[]).await;

        let link = link(&world, &ada.email).await;
        let browser = world.browser();
        press(&browser, &link).await;
        prove_mailbox(&browser, &ada.email).await;
        browser.submit(PAGE, PAGE, &[("totp_value", &ada.code())]).await;
        assert_eq!(confirm(&browser, &[]).await.status(), 200);
        let holds = given::all::<index::db::entities::holds::Entity>(&world).await;
        assert!(holds.iter().all(|row| row.state == "died" || row.used_at.is_some()), "{holds:?}");
        crate::holding::serve(&world, Duration::from_secs(100 * 3600)).await;
        let open = given::all::<index::db::entities::roles::Entity>(&world).await.into_iter().filter(|row| row.account_id == owner && row.until_at.is_none());
        assert_eq!(open.count(), 1, "she owns it still");
    }

    /// R16: it lifts not-me causes only, never a freeze by staff.
    async fn a_freeze_beside_it_stays(world: World) {
        let (ada, browser) = contained(&world, "ada").await;
        let owner = given::account_id(&world, "ada").await;
        given::freeze(&world.env, owner).await;
        prove_mailbox(&browser, &ada.email).await;
        browser.submit(PAGE, PAGE, &[("totp_value", &ada.code())]).await;
        let answer = confirm(&browser, &[]).await;
        assert!(answer.text().contains("Frozen"), "{}", answer.text());
        assert_eq!(open(&world, "account_causes").await, 1);
        let mut again = ada.elsewhere();
        again.password = NEW.to_owned();
        assert_eq!(again.send_password(&again.browser).await.status(), 403, "frozen stays frozen");
    }

    /// R6, ASVS-6.4.4.
    /// R16: with one proof a wait of 72 hours, told to all addresses.
    async fn with_the_mailbox_alone_it_takes_three_days_and_everybody_is_told(world: World) {
        let (ada, browser) = contained(&world, "ada").await;
        prove_mailbox(&browser, &ada.email).await;
        let answer = browser.submit(PAGE, PAGE, &[("wait", "y")]).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
        let told = world.newest_mail_to(&ada.email).await;
        assert!(told.subject.contains("taking your account back"), "{}", told.subject);
        world.advance(Duration::from_secs(71 * 3600));
        let browser = world.browser();
        begin(&browser, "ada").await;
        prove_mailbox(&browser, &ada.email).await;
        assert_eq!(confirm(&browser, &[]).await.location(), PAGE, "too early");
        world.advance(Duration::from_secs(3600));
        let browser = world.browser();
        begin(&browser, "ada").await;
        prove_mailbox(&browser, &ada.email).await;
        let page = browser.get(PAGE).await.text();
        assert!(page.contains("What to keep"), "{page}");
        assert_eq!(confirm(&browser, &[]).await.status(), 200);
        assert_eq!(open(&world, "factors").await, 0, "the lost factor could be dropped");
        assert_eq!(open(&world, "account_causes").await, 0);
    }

    /// R10, R16: the notice of the wait carries the link that ends it.
    async fn a_wait_is_ended_by_whoever_is_told(world: World) {
        let (ada, browser) = contained(&world, "ada").await;
        prove_mailbox(&browser, &ada.email).await;
        browser.submit(PAGE, PAGE, &[("wait", "y")]).await;
        let stop = link(&world, &ada.email).await;
        press(&world.browser(), &stop).await;
        world.advance(Duration::from_secs(73 * 3600));
        let browser = world.browser();
        begin(&browser, "ada").await;
        prove_mailbox(&browser, &ada.email).await;
        assert_eq!(confirm(&browser, &[]).await.location(), PAGE);
        assert_eq!(open(&world, "account_causes").await, 1);
    }

    /// R16: what a thief added within 30 days proves nothing; what was removed within 30 days does.
    async fn an_unsettled_mailbox_and_factor_prove_nothing_and_removed_ones_do(world: World) {
        let ada = world.secured("ada").await;
        world.advance(40 * DAY);
        let owner = given::account_id(&world, "ada").await;
        given::minted(&world, owner, "scope:user", "").await;
        let link = link(&world, &ada.email).await;
        given::address(&world, owner, "thief@example.net").await;
        // The thief removed what the owner had.
        let now = world.env.now().minus(DAY).as_micros();
        let primary = "UPDATE addresses SET is_primary = FALSE WHERE folded = 'ada@people.example.org'";
        world.run(primary).await;
        world.run("UPDATE addresses SET is_primary = TRUE WHERE folded = 'thief@example.net'").await;
        world.run(&format!("UPDATE addresses SET until_at = {now} WHERE folded = 'ada@people.example.org'")).await;
        world.run(&format!("UPDATE factors SET until_at = {now}")).await;
        let browser = world.browser();
        assert_eq!(press(&browser, &link).await.status(), 200);
        let before = world.mail().await.iter().filter(|mail| mail.to.contains("thief")).count();
        assert_eq!(prove_mailbox(&browser, &ada.email).await.status(), 303);
        let after = world.mail().await.iter().filter(|mail| mail.to.contains("thief") && mail.subject.contains("code")).count();
        assert_eq!((after, before > 0), (0, true), "the thief is told, and gets no code");
        browser.submit(PAGE, PAGE, &[("totp_value", &ada.code())]).await;
        assert_eq!(confirm(&browser, &[]).await.status(), 200);
        assert_eq!(open(&world, "factors").await, 1, "the removed factor is back");
        let back = "SELECT COUNT(*) AS n FROM addresses WHERE until_at IS NULL AND is_primary AND folded = 'ada@people.example.org'";
        assert_eq!(world.number(back).await, 1, "and so is the address");
        let mut again = ada.elsewhere();
        again.password = NEW.to_owned();
        assert_eq!(again.send_password(&again.browser).await.location(), "/account/two-factor/");
        let code = ada.code();
        let answer = again.browser.submit("/account/two-factor/", "/account/two-factor/", &[("totp_value", &code)]).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
    }

    /// R25: by a name alone nobody learns whether there is such an account, or whether it is stopped.
    async fn a_name_alone_tells_nothing_and_guesses_end(world: World) {
        contained(&world, "ada").await;
        world.secured("grace").await;
        let mut pages = Vec::new();
        for (at, name) in ["ada", "grace", "nobody-has-this"].into_iter().enumerate() {
            let browser = world.browser_from(format!("198.51.100.{at}").parse().expect("an address"));
            begin(&browser, name).await;
            assert_eq!(browser.submit(PAGE, PAGE, &[]).await.status(), 303);
            let page = browser.get(PAGE).await;
            assert!(!page.says("ada") && !page.says("grace"), "{}", page.text());
            let wrong = browser.submit(PAGE, PAGE, &[("mailbox_code", "000000")]).await;
            assert_eq!(wrong.status(), 422, "{}", wrong.text());
            let totp = browser.submit(PAGE, PAGE, &[("totp_value", "000000")]).await;
            assert_eq!(totp.status(), 303, "no factor is guessed at before a mailbox is proved");
            for _ in 0..4 {
                browser.submit(PAGE, PAGE, &[("mailbox_code", "000000")]).await;
            }
            pages.push(browser.get(PAGE).await.text().contains("Send me a code"));
        }
        assert_eq!(pages, [true, true, true], "after five tries the codes are dead");
        let sent = world.mail().await.iter().filter(|mail| mail.subject.contains("code to take")).count();
        assert_eq!(sent, 1, "only the stopped account is mailed");
    }

    /// R16: a security key is a settled factor like another, removed or not; and a passkey leads here.
    async fn a_settled_key_proves_it_and_a_passkey_leads_to_the_way_back(world: World) {
        let (ada, mut passkey) = world.secured_with_key("ada", Key::passkey()).await;
        world.advance(31 * DAY);
        let owner = given::account_id(&world, "ada").await;
        given::minted(&world, owner, "scope:user", "").await;
        let link = link(&world, &ada.email).await;
        press(&world.browser(), &link).await;
        let browser = world.browser();
        browser.get("/account/login/").await;
        let led = browser.use_key(&mut passkey).await;
        assert!(led.text().contains(PAGE), "{}", led.text());
        prove_mailbox(&browser, &ada.email).await;
        let page = browser.get(PAGE).await;
        assert!(page.text().contains("data-key-at=\"/account/take-back/\""), "{}", page.text());
        let options = browser.get("/account/take-back/options").await.json();
        let foreign = Key::usb().assert(&options);
        let fields = |credential: &str| vec![("csrf_token".to_owned(), page.csrf_token()), ("credential".to_owned(), credential.to_owned())];
        let post = async |credential: &str| {
            let fields = fields(credential);
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            browser.post("/account/take-back/validate", &fields).await
        };
        assert_eq!(post(&foreign).await.status(), 422, "somebody else's key");
        let options = browser.get("/account/take-back/options").await.json();
        world.run(&format!("UPDATE factors SET until_at = {} WHERE kind = 'webauthn'", world.env.now().as_micros())).await;
        let right = passkey.assert(&options);
        let answer = post(&right).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
        assert_eq!(post(&right).await.status(), 422, "once");
        assert_eq!(confirm(&browser, &[]).await.status(), 200);
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM factors WHERE kind = 'webauthn' AND until_at IS NULL").await, 1, "the key is back");
    }

    /// R16: half-open take-backs die with it, and the cookie opens nothing else.
    async fn the_cookie_of_a_take_back_opens_nothing_else(world: World) {
        let (ada, browser) = contained(&world, "ada").await;
        let other = world.browser();
        begin(&other, "ada").await;
        prove_mailbox(&browser, &ada.email).await;
        browser.submit(PAGE, PAGE, &[("totp_value", &ada.code())]).await;
        for page in [HOME, "/manage/account/token/", "/manage/account/security-history/"] {
            assert_eq!(browser.get(page).await.status(), 303, "{page}");
        }
        assert_eq!(confirm(&browser, &[]).await.status(), 200);
        // What a name alone began goes on as if there were no such account, and gets nothing.
        let mails = world.mail().await.len();
        assert_eq!(other.submit(PAGE, PAGE, &[]).await.status(), 303);
        assert_eq!(world.mail().await.len(), mails, "no code is sent");
        assert!(other.get(PAGE).await.text().contains("name=\"mailbox_code\""), "and the page does not say so");
        assert_eq!(other.submit(PAGE, PAGE, &[("mailbox_code", "000000")]).await.status(), 422);
    }
}

/// Begins by a name alone.
pub async fn begin(browser: &Browser<'_>, username: &str) {
    let answer = browser.submit(PAGE, "/account/take-back/begin/", &[("username", username)]).await;
    assert_eq!(answer.location(), PAGE, "{}", answer.text());
}
