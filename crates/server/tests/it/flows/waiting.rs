//! What else waits: grants by a phishable proof on a new device (R3), and roles after a new first factor (R5).

use std::time::Duration;

use index::db::entities::{api_tokens, factors, holds};
use index::ids::{AccountId, FactorId};

use super::people::project;
use crate::dist::wheel;
use crate::given::{self, all, upload};
use crate::holding::{DAY, HOLDS, HOUR, Seat, count, key, newest, old_account, press, raw, seat, seat_on, serve, veto_link};
use crate::people::Person;
use crate::world::{Answer, World, both_engines};

const TOKENS: &str = "/manage/account/token/";
const CODES: &str = "/manage/account/recovery-codes/regenerate";

async fn mint(seat: &Seat<'_>, description: &str) -> Answer {
    let fields = [("description", description), ("token_scope", "scope:user"), ("expires_in_days", "30")];
    seat.proved(TOKENS, TOKENS, &fields).await
}

fn is_held(answer: &Answer) -> bool {
    answer.status() == 303 && answer.location() == HOLDS
}

/// An owner whose roles sleep after her first factor; her account; and a co-owner of old with his app.
async fn asleep(world: &World) -> (Person<'_>, AccountId, (AccountId, FactorId)) {
    let (bob, app) = old_account(world, "bob").await;
    let mut ada = world.verified("ada").await;
    let account = given::account_id(world, "ada").await;
    project(world, "spam", &[account, bob]).await;
    ada.prove_mailbox().await;
    ada.save_codes().await;
    ada.enrol().await;
    (ada, account, (bob, app))
}

/// An account whose project is old enough to be worth stealing.
async fn owner(world: &World) -> (AccountId, FactorId) {
    let (ada, app) = old_account(world, "ada").await;
    project(world, "spam", &[ada]).await;
    world.advance(8 * DAY);
    (ada, app)
}

both_engines! {
    /// R3: a token by a code that can be phished, on a new device, with an old project in reach, waits a day; then exactly that one
    /// is made, once.
    async fn r3_a_token_by_a_phishable_proof_on_a_new_device_waits_a_day(world: World) {
        let (ada, app) = owner(&world).await;
        let person = seat(&world, ada, app).await;
        assert!(is_held(&mint(&person, "ci").await));
        assert!(all::<api_tokens::Entity>(&world).await.is_empty());
        assert!(veto_link(&world, "ada@example.org").await.contains("token="));
        serve(&world, 23 * HOUR).await;
        let person = seat(&world, ada, app).await;
        assert!(mint(&person, "ci").await.text().contains("waits already"));
        serve(&world, HOUR).await;
        let person = seat(&world, ada, app).await;
        assert!(person.browser.get(HOLDS).await.text().contains("You can do it once until"));
        assert!(is_held(&mint(&person, "another").await), "what was not asked for waits anew");
        let made = mint(&person, "ci").await;
        assert_eq!(made.status(), 200, "{}", made.text());
        let token = made.between("<code id=\"provisioned-key\">", "</code>");
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
        assert_ne!(mint(&person, "ci").await.status(), 200, "once");
        assert_eq!(all::<api_tokens::Entity>(&world).await.len(), 1);
    }

    /// R3, R10: a grant that waits is vetoed like everything else, and never opens.
    async fn r3_a_vetoed_grant_is_never_made(world: World) {
        let (ada, app) = owner(&world).await;
        mint(&seat(&world, ada, app).await, "ci").await;
        let link = veto_link(&world, "ada@example.org").await;
        assert_eq!(press(&world, &link).await.status(), 200);
        serve(&world, 30 * HOUR).await;
        assert_eq!(mint(&seat(&world, ada, app).await, "ci").await.status(), 403, "barred until its case is closed");
        assert!(all::<api_tokens::Entity>(&world).await.is_empty());
    }

    /// R10: a veto also shuts the doors that the same proposer's earlier holds have opened.
    async fn r10_a_veto_shuts_the_doors_that_stand_open(world: World) {
        let (ada, app) = owner(&world).await;
        mint(&seat(&world, ada, app).await, "ci").await;
        serve(&world, 25 * HOUR).await;
        let person = seat(&world, ada, app).await;
        assert!(is_held(&mint(&person, "another").await));
        assert!(person.browser.get(HOLDS).await.text().contains("You can do it once until"));
        assert_eq!(press(&world, &veto_link(&world, "ada@example.org").await).await.status(), 200);
        assert!(!person.browser.get(HOLDS).await.text().contains("You can do it once until"));
        assert_eq!(mint(&person, "ci").await.status(), 403);
        assert!(all::<api_tokens::Entity>(&world).await.is_empty());
    }

    /// R3: new accounts with new projects, known devices and keys feel nothing.
    async fn r3_known_devices_keys_and_new_projects_feel_nothing(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        assert_eq!(mint(&seat(&world, ada, app).await, "no project").await.status(), 200);
        project(&world, "spam", &[ada]).await;
        world.advance(6 * DAY);
        assert_eq!(mint(&seat(&world, ada, app).await, "a young project").await.status(), 200);
        world.advance(2 * DAY);
        assert!(is_held(&mint(&seat_on(&world, ada, app, Some(29 * DAY)).await, "a young device").await));
        assert_eq!(mint(&seat_on(&world, ada, app, Some(30 * DAY)).await, "a known device").await.status(), 200);
        let key = key(&world, ada, "key", HOUR).await;
        assert_eq!(mint(&seat(&world, ada, key).await, "a key").await.status(), 200);
        assert_eq!(all::<api_tokens::Entity>(&world).await.len(), 4);
    }

    /// R3: recovery codes likewise; until then the old ones work.
    async fn r3_new_recovery_codes_wait_and_the_old_ones_go_on_working(world: World) {
        let (ada, app) = owner(&world).await;
        let known = seat_on(&world, ada, app, Some(31 * DAY)).await;
        let first = known.proved(CODES, CODES, &[]).await;
        assert_eq!(first.text().matches("recovery-code\">").count(), 8, "{}", first.text());
        let open = "SELECT COUNT(*) AS n FROM recovery_sets WHERE until_at IS NULL";
        let ended = "SELECT COUNT(*) AS n FROM recovery_sets WHERE until_at IS NOT NULL";
        let person = seat(&world, ada, app).await;
        assert!(is_held(&person.proved(CODES, CODES, &[]).await));
        assert_eq!((world.number(open).await, world.number(ended).await), (1, 0));
        serve(&world, 24 * HOUR).await;
        let person = seat(&world, ada, app).await;
        let made = person.proved(CODES, CODES, &[]).await;
        assert_eq!(made.text().matches("recovery-code\">").count(), 8, "{}", made.text());
        assert_eq!((world.number(open).await, world.number(ended).await), (1, 1), "the old set ended");
    }

    /// R5: roles that were there before the first factor sleep for 72 hours; everything that needs one says so.
    async fn r5_roles_sleep_for_three_days_after_a_new_first_factor(world: World) {
        let mut ada = world.verified("ada").await;
        let (bob, _) = old_account(&world, "bob").await;
        let account = all::<index::db::entities::accounts::Entity>(&world).await.into_iter().find(|row| row.username == "ada").expect("she is there").id;
        project(&world, "spam", &[account, bob]).await;
        ada.log_in().await;
        ada.prove_mailbox().await;
        ada.save_codes().await;
        ada.enrol().await;
        let token = given::minted(&world, account, "scope:user", "").await.text.expose().to_owned();
        let answer = upload(&world, &token, &wheel("spam", "1.0").build()).await;
        assert_eq!(answer.status(), 403);
        assert!(answer.text().contains("roles of this account sleep"), "{}", answer.text());
        for address in ["ada@people.example.org", "bob@example.org"] {
            let told = |mail: &crate::world::Mail| mail.to.contains(address) && mail.text.contains("Wake the roles of the account ada");
            assert!(world.mail().await.iter().any(told), "{address}");
        }
        serve(&world, 71 * HOUR).await;
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 403);
        serve(&world, HOUR).await;
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
        assert_eq!(count(&world, "account:roles:woken").await, 1);
    }

    /// R5: sooner when a settled co-owner approves, by a proof for this one act.
    async fn r5_a_settled_co_owner_wakes_them_at_once(world: World) {
        let (_, account, (bob, app)) = asleep(&world).await;
        let hold = newest(&world).await;
        assert_eq!((hold.action.as_str(), hold.account_id), ("account:wake-roles", account));
        let his = seat(&world, bob, app).await;
        assert!(his.browser.get(HOLDS).await.text().contains("Approve it"));
        let approve = format!("{HOLDS}{}/approve/", hold.id);
        assert!(crate::holding::asked(&his.browser.submit(HOLDS, &approve, &[]).await).is_some(), "a proof for this act");
        assert!(is_held(&his.proved(HOLDS, &approve, &[]).await));
        world.work().await;
        assert_eq!(newest(&world).await.state, "done");
        let token = given::minted(&world, account, "scope:user", "").await.text.expose().to_owned();
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
    }

    /// R5, R10: vetoed, they go on sleeping until its case is closed; ending the session wakes nothing.
    async fn r5_a_veto_keeps_them_asleep(world: World) {
        let (_, account, (bob, app)) = asleep(&world).await;
        world.run("UPDATE sessions SET until_at = 1").await;
        serve(&world, HOUR).await;
        assert_eq!(newest(&world).await.state, "waiting");
        seat(&world, bob, app).await.veto(&newest(&world).await).await;
        serve(&world, 100 * HOUR).await;
        let token = given::minted(&world, account, "scope:user", "").await.text.expose().to_owned();
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 403);
        assert_eq!(upload(&world, &token, &wheel("brand-new", "1.0").build()).await.status(), 200, "a name that nobody holds");
    }

    /// R10: a co-owner who will not have an account woken stops everything else that it has proposed about itself.
    async fn r10_the_veto_of_a_waking_stops_what_else_the_account_proposed(world: World) {
        let (ada, _, (bob, app)) = asleep(&world).await;
        world.advance(Duration::from_secs(60));
        let page = "/manage/account/delete/";
        let asked = ada.browser.submit(page, page, &[("confirm_username", "ada")]).await;
        let back = ada.prove_at(&asked.location()).await;
        let act = back.split("act=").nth(1).expect("the act comes back").to_owned();
        assert!(is_held(&ada.browser.submit(&back, page, &[("confirm_username", "ada"), ("act", &act)]).await));
        let all_of = async |action: &str| all::<holds::Entity>(&world).await.into_iter().find(|row| row.action == action).expect("it was proposed");
        seat(&world, bob, app).await.veto(&all_of("account:wake-roles").await).await;
        assert_eq!(all_of("account:wake-roles").await.state, "vetoed");
        assert_eq!(all_of("account:delete").await.state, "died");
    }

    /// R5, R10: closing the case of a veto says that the question may be asked again, not that the answer is yes. The roles sleep on, all
    /// are told anew, and wake when that was served.
    async fn r5_a_closed_case_asks_again_and_wakes_nothing(world: World) {
        let (_, account, (bob, app)) = asleep(&world).await;
        world.work().await;
        seat(&world, bob, app).await.veto(&newest(&world).await).await;
        let token = given::minted(&world, account, "scope:user", "").await.text.expose().to_owned();
        let (_, grace) = crate::flows::staff::administrator(&world, "grace").await;
        let close = format!("/admin/cases/{}/close/", crate::flows::staff::newest_case(&world).await.id);
        assert_eq!(crate::flows::staff::proved(&grace, &close, &[("reason", "bob has telephoned: it is not ada")]).await.status(), 303);
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 403, "nothing wakes with the case");
        world.advance(Duration::from_secs(60));
        let before = world.mail().await.iter().filter(|mail| mail.to.contains("bob@") && mail.text.contains("This was proposed")).count();
        serve(&world, 71 * HOUR).await;
        let waiting: Vec<_> = all::<holds::Entity>(&world).await.into_iter().filter(|row| row.state == "waiting").collect();
        assert!(waiting.len() == 1 && waiting[0].account_id == account, "{waiting:?}");
        assert_eq!(before, 2, "told anew");
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 403, "an hour is missing");
        serve(&world, 2 * HOUR).await;
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
        assert_eq!(count(&world, "account:roles:woken").await, 1);
    }

    /// R5, R7: an account whose roles sleep approves nothing in their name; a veto takes nothing away and works (R19).
    async fn r5_who_sleeps_approves_nothing_and_may_veto(world: World) {
        let (ada, _, (bob, app)) = asleep(&world).await;
        world.advance(Duration::from_secs(60));
        let his = seat(&world, bob, app).await;
        let settings = "/manage/project/spam/settings/";
        let asked = his.proved(settings, &format!("{settings}delete/"), &[("confirm_project_name", "spam")]).await;
        assert!(is_held(&asked), "{}", asked.text());
        let hold = newest(&world).await;
        let approve = format!("{HOLDS}{}/approve/", hold.id);
        let page = ada.browser.get(HOLDS).await;
        assert!(page.text().contains(&format!("{}/veto/", hold.id)) && !page.text().contains(&approve), "{}", page.text());
        let to = ada.browser.submit(HOLDS, &approve, &[]).await.location();
        let back = ada.prove_at(&to).await;
        let act = back.split("act=").nth(1).expect("the act comes back").to_owned();
        let refused = ada.browser.submit(HOLDS, &approve, &[("act", &act)]).await;
        assert!(refused.status() == 403 && refused.text().contains("sleep"), "{} {}", refused.status(), refused.text());
        assert_eq!(count(&world, "hold:approved").await, 0);
        let veto = ada.browser.submit(HOLDS, &format!("{HOLDS}{}/veto/", hold.id), &[]).await;
        assert_ne!(veto.status(), 404, "it concerns her");
    }

    /// R5: an account without roles feels nothing.
    async fn r5_a_first_factor_of_an_account_without_roles_puts_nothing_to_sleep(world: World) {
        world.secured("ada").await;
        assert!(all::<holds::Entity>(&world).await.is_empty());
    }

    /// NIST-R1.
    /// AN-16: recovery codes that are used up are told; each works once.
    async fn few_codes_left_are_told_by_mail_and_on_the_account_page(world: World) {
        let ada = world.secured("ada").await;
        assert!(!ada.browser.get("/manage/account/").await.text().contains("codes are left"));
        for _ in 0..4 {
            let browser = world.browser();
            ada.send_password(&browser).await;
            let code = ada.recovery_code();
            let used = browser.submit("/account/recovery-code/", "/account/recovery-code/", &[("recovery_code_value", &code)]).await;
            assert_eq!(used.status(), 303, "{}", used.text());
            world.advance(Duration::from_secs(600));
        }
        assert_eq!(count(&world, "account:recovery_codes:low").await, 1);
        assert!(world.mail().await.iter().any(|mail| mail.text.contains("3 are left")));
        assert!(ada.browser.get("/manage/account/").await.text().contains("3 recovery codes are left."));
    }

    /// ASVS V6.5.1: a replayed code is refused, logged, and its owner told, at most once an hour.
    async fn a_replayed_code_is_refused_logged_and_told_once_an_hour(world: World) {
        let ada = world.secured("ada").await;
        let code = ada.code();
        let replay = async || {
            let browser = world.browser();
            ada.send_password(&browser).await;
            browser.submit("/account/two-factor/", "/account/two-factor/", &[("totp_value", &code)]).await
        };
        assert_eq!(replay().await.status(), 303);
        for _ in 0..3 { assert_eq!(replay().await.status(), 422); }
        assert_eq!(count(&world, "account:two_factor:replayed").await, 1);
        assert!(world.mail().await.iter().any(|mail| mail.to.contains(&ada.email) && mail.text.contains("sent a second time")));
        assert!(world.number("SELECT COUNT(*) AS n FROM events WHERE kind = 'account:login:failure' AND detail LIKE '%used before%'").await >= 3);
        let page = "/account/reauthenticate/";
        let answer = ada.browser.submit(&format!("{page}?next=%2Fmanage%2Faccount%2F"), page, &[("totp_value", &code), ("next", "/manage/account/")]).await;
        assert_eq!(answer.status(), 422, "nor where it is proved again");
        assert_eq!(count(&world, "account:two_factor:replayed").await, 1);
    }

    /// NIST-B4.
    /// R12: removing and putting back changes no age: what was removed and comes back by a restore keeps its date.
    async fn r12_a_restored_factor_keeps_its_age(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let young = key(&world, ada, "thief's key", HOUR).await;
        let other = key(&world, ada, "other", 32 * DAY).await;
        seat(&world, ada, app).await.remove(young).await;
        // As the way back writes it: a copy of the row, with the age that it had.
        let row = all::<factors::Entity>(&world).await.into_iter().find(|row| row.id == young).expect("rows stay");
        world.run(&format!("UPDATE factors SET until_at = NULL, ended_by = NULL WHERE id = {}", raw(&world, young.0))).await;
        assert!(row.until_at.is_some());
        let thief = seat(&world, ada, young).await;
        assert!(is_held(&thief.remove(other).await), "it is as young as it was");
    }
}
