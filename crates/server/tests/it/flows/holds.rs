//! Changes that wait (R3, R5, R7 to R12, R17, R19, R22): what waits, who is told, who stops it, and when it takes effect.

use index::db::entities::{cases, hold_people, holds};

use crate::given::{self, all};
use crate::holding::{DAY, FACTORS, HOLDS, HOUR, asked, count, key, newest, old_account, press, raw, seat, serve, stands, veto_link};
use crate::people::token_of;
use crate::world::{World, both_engines};

both_engines! {
    /// R12: a younger factor removes a settled one only through a hold, and everybody concerned is told where a veto is.
    async fn r12_a_younger_factor_removes_a_settled_one_only_through_a_hold(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let young = key(&world, ada, "new key", HOUR).await;
        let thief = seat(&world, ada, young).await;
        let answer = thief.remove(app).await;
        assert_eq!((answer.status(), answer.location().as_str()), (303, HOLDS), "{}", answer.text());
        assert!(stands(&world, app).await);
        let mail = world.newest_mail_to("ada@example.org").await;
        assert!(mail.text.contains("Remove the factor") && mail.text.contains("/account/veto/?token="), "{}", mail.text);
        let page = thief.browser.get(HOLDS).await.text();
        assert!(page.contains("Remove the factor") && page.contains("Takes effect") && page.contains("Stop this change"), "{page}");
        serve(&world, 71 * HOUR).await;
        assert!(stands(&world, app).await, "an hour is missing");
        serve(&world, HOUR).await;
        assert!(!stands(&world, app).await, "it has waited, and nobody stopped it");
        assert_eq!((newest(&world).await.state.as_str(), count(&world, "hold:done").await), ("done", 1));
        assert_eq!(count(&world, "account:two_factor:method_removed").await, 1);
    }

    /// ASVS-6.5.6, NIST-V1.
    /// R12: a settled factor removes a younger one at once; its sessions end, those of others only on request.
    async fn r12_a_settled_factor_removes_a_younger_one_at_once(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let young = key(&world, ada, "thief's key", HOUR).await;
        let (owner, thief, elsewhere) = (seat(&world, ada, app).await, seat(&world, ada, young).await, seat(&world, ada, app).await);
        let answer = owner.remove(young).await;
        assert_eq!((answer.status(), answer.location().as_str()), (303, FACTORS), "{}", answer.text());
        assert!(!stands(&world, young).await && stands(&world, app).await);
        assert_eq!(thief.browser.get("/manage/account/").await.status(), 303, "its session is over");
        for seat in [&owner, &elsewhere] { assert_eq!(seat.browser.get("/manage/account/").await.status(), 200); }
        let another = key(&world, ada, "another", HOUR).await;
        owner.proved(FACTORS, "/manage/account/webauthn-provision/delete", &[("device_id", &another.to_string()), ("end_sessions", "y")]).await;
        assert_eq!(elsewhere.browser.get("/manage/account/").await.status(), 303, "all others end on request");
        assert_eq!(owner.browser.get("/manage/account/").await.status(), 200);
        assert!(world.newest_mail_to("ada@example.org").await.text.contains("was removed"));
    }

    /// PYPI-20, ASVS-7.4.3.
    /// The last factor cannot be removed, only replaced; what is not one's own is not there.
    async fn the_last_factor_is_never_removed_and_nobody_elses_either(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let (_, foreign) = old_account(&world, "bob").await;
        let owner = seat(&world, ada, app).await;
        let page = owner.browser.get(FACTORS).await.text();
        assert!(page.contains("The last factor cannot be removed") && !page.contains("Remove this factor"), "{page}");
        let answer = owner.remove(app).await;
        assert_eq!(answer.status(), 400);
        assert!(answer.text().contains("only replaced"), "{}", answer.text());
        assert_eq!(owner.remove(foreign).await.status(), 404);
        assert!(stands(&world, app).await && stands(&world, foreign).await);
    }

    /// R2: without a proof for exactly this removal nothing is removed and nothing waits.
    async fn r2_removing_a_factor_needs_a_proof_for_exactly_this(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let (one, two) = (key(&world, ada, "one", HOUR).await, key(&world, ada, "two", HOUR).await);
        let owner = seat(&world, ada, app).await;
        let path = "/manage/account/webauthn-provision/delete";
        let form = [("device_id", one.to_string())];
        let act = asked(&owner.browser.submit(FACTORS, path, &[("device_id", form[0].1.as_str())]).await).expect("a proof is asked for");
        assert!(asked(&owner.browser.submit(FACTORS, path, &[("device_id", &form[0].1), ("act", &act)]).await).is_some(), "not proved yet");
        owner.prove(&act).await;
        assert!(asked(&owner.browser.submit(FACTORS, path, &[("device_id", &two.to_string()), ("act", &act)]).await).is_some(), "another factor");
        let more = [("device_id", form[0].1.as_str()), ("act", &act), ("end_sessions", "y")];
        assert!(asked(&owner.browser.submit(FACTORS, path, &more).await).is_some(), "other parameters");
        assert!(stands(&world, one).await && stands(&world, two).await && all::<holds::Entity>(&world).await.is_empty());
        assert_eq!(owner.browser.submit(FACTORS, path, &[("device_id", &form[0].1), ("act", &act)]).await.location(), FACTORS);
        assert!(!stands(&world, one).await);
    }

    /// R12: the page that asks for the proof of a removal offers every factor, so that a lost key is removed with the app; for a grant
    /// only the strongest (R2).
    async fn r12_a_lost_key_is_removed_with_the_app_and_the_page_offers_it(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let lost = key(&world, ada, "lost key", HOUR).await;
        let owner = seat(&world, ada, app).await;
        let asks = async |path: &str, fields: &[(&str, &str)]| {
            let location = owner.browser.submit(FACTORS, path, fields).await.location();
            assert!(location.starts_with("/account/reauthenticate/?act="), "{location}");
            owner.browser.get(&location).await.text()
        };
        let page = asks("/manage/account/webauthn-provision/delete", &[("device_id", &lost.to_string())]).await;
        assert!(page.contains("name=\"totp_value\"") && page.contains("data-key-button"), "{page}");
        let page = asks("/manage/account/token/", &[("description", "laptop"), ("token_scope", "scope:user")]).await;
        assert!(!page.contains("name=\"totp_value\"") && page.contains("data-key-button"), "{page}");
    }

    /// R10, R19: the mail's link vetoes without a sign-in, while the account is frozen; opening it changes nothing.
    async fn r10_r19_the_link_of_a_mail_vetoes_in_every_state_of_the_account(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let young = key(&world, ada, "new key", HOUR).await;
        let thief = seat(&world, ada, young).await;
        thief.remove(app).await;
        let link = veto_link(&world, "ada@example.org").await;
        for _ in 0..2 { assert_eq!(world.browser().get(&link).await.status(), 200); }
        assert_eq!(newest(&world).await.state, "waiting", "scanners open links");
        given::freeze(&world.env, ada).await;
        let answer = press(&world, &link).await;
        assert_eq!(answer.status(), 200);
        assert!(answer.text().contains("The change is stopped"), "{}", answer.text());
        let hold = newest(&world).await;
        assert_eq!((hold.state.as_str(), hold.closed_at.is_some(), hold.case_id.is_some()), ("vetoed", true, true));
        let cases = all::<cases::Entity>(&world).await;
        assert_eq!((cases.len(), cases[0].kind.as_str(), cases[0].account_id), (1, "veto", Some(ada)));
        assert_eq!(world.browser().get(&link).await.status(), 410, "it works once");
        serve(&world, 100 * HOUR).await;
        assert!(stands(&world, app).await);
        assert!(world.newest_mail_to("ada@example.org").await.text.contains("will not happen"));
    }

    /// R10: a veto stops the proposer's other holds on the subject, and bars new ones until its case is closed.
    async fn r10_a_veto_stops_the_proposers_other_holds_and_bars_new_ones(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let old = key(&world, ada, "old key", 35 * DAY).await;
        let young = key(&world, ada, "new key", HOUR).await;
        let thief = seat(&world, ada, young).await;
        thief.remove(app).await;
        let first = newest(&world).await;
        thief.remove(old).await;
        let owner = seat(&world, ada, app).await;
        assert_eq!(owner.veto(&first).await.location(), HOLDS);
        let states: Vec<String> = all::<holds::Entity>(&world).await.into_iter().map(|row| row.state).collect();
        assert!(states.contains(&"vetoed".to_owned()) && states.contains(&"died".to_owned()), "{states:?}");
        let answer = thief.remove(app).await;
        assert_eq!(answer.status(), 403);
        assert!(answer.text().contains("stopped before"), "{}", answer.text());
        world.run("UPDATE cases SET closed_at = 1").await;
        assert_eq!(thief.remove(app).await.location(), HOLDS, "the case is closed");
    }

    /// R10: one open hold per subject and kind.
    async fn r10_the_same_change_waits_once(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let young = key(&world, ada, "new key", HOUR).await;
        let thief = seat(&world, ada, young).await;
        thief.remove(app).await;
        let again = thief.remove(app).await;
        assert_eq!(again.status(), 400);
        assert!(again.text().contains("waits already"), "{}", again.text());
        assert_eq!(all::<holds::Entity>(&world).await.len(), 1);
    }

    /// R19: whoever is stopped himself still sees what waits, and stops it.
    async fn r19_a_frozen_accounts_session_still_vetoes(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let young = key(&world, ada, "new key", HOUR).await;
        seat(&world, ada, young).await.remove(app).await;
        let owner = seat(&world, ada, app).await;
        assert!(owner.browser.get("/manage/account/").await.text().contains("A change waits that concerns you"));
        given::freeze(&world.env, ada).await;
        assert_eq!(owner.browser.get("/manage/account/").await.status(), 403);
        assert_eq!(owner.browser.get(HOLDS).await.status(), 200);
        assert_eq!(owner.veto(&newest(&world).await).await.location(), HOLDS);
        assert_eq!(newest(&world).await.state, "vetoed");
    }

    /// R10: whom a hold does not concern neither sees nor stops nor approves it.
    async fn a_hold_that_does_not_concern_somebody_is_not_there_for_him(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let (bob, his) = old_account(&world, "bob").await;
        let young = key(&world, ada, "new key", HOUR).await;
        seat(&world, ada, young).await.remove(app).await;
        let hold = newest(&world).await;
        let stranger = seat(&world, bob, his).await;
        assert!(!stranger.browser.get(HOLDS).await.text().contains("Remove the factor"));
        assert_eq!(stranger.veto(&hold).await.status(), 404);
        let approve = format!("{HOLDS}{}/approve/", hold.id);
        assert_eq!(stranger.browser.submit(HOLDS, &approve, &[]).await.status(), 404);
        assert_eq!(newest(&world).await.state, "waiting");
    }

    /// R7: what concerns one account alone is never skipped, whatever it approves.
    async fn r7_what_concerns_one_account_alone_is_never_skipped(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let young = key(&world, ada, "new key", HOUR).await;
        let thief = seat(&world, ada, young).await;
        thief.remove(app).await;
        let hold = newest(&world).await;
        assert!(!thief.browser.get(HOLDS).await.text().contains("Approve it"));
        thief.proved(HOLDS, &format!("{HOLDS}{}/approve/", hold.id), &[]).await;
        world.work().await;
        assert!(stands(&world, app).await && newest(&world).await.state == "waiting");
    }

    /// R11: nothing unsettled vetoes what something settled proposed: no session of a young factor, no young address.
    async fn r11_nothing_unsettled_vetoes_what_is_settled(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let old = key(&world, ada, "lost key", 35 * DAY).await;
        let young = key(&world, ada, "thief's key", HOUR).await;
        let thief = seat(&world, ada, young).await;
        world.run(&format!(
            "INSERT INTO addresses (id, account_id, address, folded, is_primary, verified_at, from_at, began_by, is_public) \
             VALUES ({0}, {1}, 'thief@example.net', 'thief@example.net', FALSE, {2}, {2}, {1}, FALSE)",
            raw(&world, index::ids::new_uuid(world.env.now(), &*world.env.entropy)), raw(&world, ada.0), world.env.now().as_micros()
        )).await;
        // An older app removes a settled key, which is the stronger kind: that waits.
        let owner = seat(&world, ada, app).await;
        assert_eq!(owner.remove(old).await.location(), HOLDS);
        let hold = newest(&world).await;
        let answer = thief.veto(&hold).await;
        assert_eq!(answer.status(), 403);
        assert!(answer.text().contains("not stood long enough"), "{}", answer.text());
        assert_eq!(press(&world, &veto_link(&world, "thief@example.net").await).await.status(), 403);
        assert_eq!(newest(&world).await.state, "waiting");
        assert_eq!(press(&world, &veto_link(&world, "ada@example.org").await).await.status(), 200);
        assert_eq!(newest(&world).await.state, "vetoed");
    }

    /// R17: one mailbox has one veto by link for a subject in 30 days; signed in there is no such bound.
    async fn r17_one_mailbox_has_one_veto_by_link_for_a_subject(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let young = key(&world, ada, "new key", HOUR).await;
        let person = seat(&world, ada, young).await;
        person.remove(app).await;
        assert_eq!(press(&world, &veto_link(&world, "ada@example.org").await).await.status(), 200);
        world.run("UPDATE cases SET closed_at = 1").await;
        person.remove(app).await;
        let link = veto_link(&world, "ada@example.org").await;
        let answer = press(&world, &link).await;
        assert_eq!(answer.status(), 403);
        assert!(answer.text().contains("stopped it once"), "{}", answer.text());
        assert_eq!(seat(&world, ada, app).await.veto(&newest(&world).await).await.location(), HOLDS);
        world.run("UPDATE cases SET closed_at = 1").await;
        world.advance(31 * DAY);
        let person = seat(&world, ada, key(&world, ada, "newer key", HOUR).await).await;
        assert_eq!(person.remove(app).await.location(), HOLDS);
        assert_eq!(press(&world, &veto_link(&world, "ada@example.org").await).await.status(), 200);
    }

    /// R9: time in which nothing was served is added, however long.
    async fn r9_an_outage_is_added_to_what_waits(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let young = key(&world, ada, "new key", HOUR).await;
        seat(&world, ada, young).await.remove(app).await;
        serve(&world, 70 * HOUR).await;
        world.clock.pass(200 * HOUR);
        world.work().await;
        assert!(stands(&world, app).await, "the index did not serve");
        serve(&world, HOUR).await;
        assert!(stands(&world, app).await);
        serve(&world, HOUR).await;
        assert!(!stands(&world, app).await);
    }

    /// R9: nothing takes effect of which somebody concerned was never told; told late, the time begins late.
    async fn r9_what_nobody_was_told_of_does_not_happen(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let young = key(&world, ada, "new key", HOUR).await;
        let thief = seat(&world, ada, young).await;
        thief.remove(app).await;
        world.run("DELETE FROM jobs WHERE kind = 'notify'").await;
        thief.browser.get(HOLDS).await;
        assert!(all::<hold_people::Entity>(&world).await[0].told_at.is_none(), "who proposed it tells nobody by looking");
        serve(&world, 80 * HOUR).await;
        assert!(stands(&world, app).await);
        seat(&world, ada, app).await.browser.get(HOLDS).await;
        serve(&world, 71 * HOUR).await;
        assert!(stands(&world, app).await, "told late");
        serve(&world, HOUR).await;
        assert!(!stands(&world, app).await);
    }

    /// R9, R25: hundreds of changes that somebody lets wait and that cannot be served keep nobody else's waiting.
    async fn r25_what_cannot_be_served_keeps_nothing_else_waiting(world: World) {
        let (mallory, _) = old_account(&world, "mallory").await;
        let (ada, app) = old_account(&world, "ada").await;
        let young = key(&world, ada, "new key", HOUR).await;
        seat(&world, ada, young).await.remove(app).await;
        serve(&world, 71 * HOUR).await;
        let (now, whose) = (world.env.now().minus(5 * DAY).as_micros(), raw(&world, mallory.0));
        let ids: Vec<String> = (0..501).map(|_| raw(&world, index::ids::new_uuid(world.env.now(), &*world.env.entropy))).collect();
        let soon = world.env.now().minus(DAY).as_micros();
        let hold = |(n, id): (usize, &String)| format!("({id}, 'role:remove-owner', {whose}, '{n}', 'null', '', {whose}, 'waiting', {now}, {now}, {soon}, {id})");
        let holds: Vec<String> = ids.iter().enumerate().map(hold).collect();
        world.run(&format!("INSERT INTO holds (id, action, account_id, subject, payload, description, proposer_id, state, created_at, served_from, \
            due_at, began_by) VALUES {}", holds.join(", "))).await;
        let people: Vec<String> = ids.iter().map(|id| format!("({id}, {id}, {whose}, TRUE, TRUE)")).collect();
        world.run(&format!("INSERT INTO hold_people (id, hold_id, account_id, settled, may_veto) VALUES {}", people.join(", "))).await;
        serve(&world, HOUR).await;
        assert!(!stands(&world, app).await, "ada's own is due, and everybody was told");
    }

    /// R9: a hold that nobody could be told of for a month dies.
    async fn r9_what_cannot_be_served_for_a_month_dies(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let young = key(&world, ada, "new key", HOUR).await;
        seat(&world, ada, young).await.remove(app).await;
        world.run("DELETE FROM jobs WHERE kind = 'notify'").await;
        serve(&world, 34 * DAY).await;
        let hold = newest(&world).await;
        assert_eq!((hold.state.as_str(), hold.ended_because.as_deref()), ("died", Some("not everybody concerned could be told")));
        assert!(stands(&world, app).await);
    }

    /// R9: nothing takes effect while somebody concerned is contained, nor within a day after.
    async fn r9_nothing_takes_effect_while_somebody_concerned_is_contained(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let young = key(&world, ada, "new key", HOUR).await;
        seat(&world, ada, young).await.remove(app).await;
        serve(&world, 10 * HOUR).await;
        given::freeze(&world.env, ada).await;
        serve(&world, 90 * HOUR).await;
        assert!(stands(&world, app).await);
        world.run(&format!("UPDATE account_causes SET until_at = {}", world.env.now().as_micros())).await;
        serve(&world, 23 * HOUR).await;
        assert!(stands(&world, app).await, "a day to look at it");
        serve(&world, HOUR + HOUR).await;
        assert!(!stands(&world, app).await);
    }

    /// R10: a hold dies when its session is ended from elsewhere, not by signing out of it.
    async fn r10_a_hold_dies_when_its_session_is_ended_by_its_owner(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let young = key(&world, ada, "new key", HOUR).await;
        let thief = seat(&world, ada, young).await;
        thief.remove(app).await;
        world.work().await;
        thief.browser.submit("/account/logout/", "/account/logout/", &[]).await;
        world.advance(HOUR);
        world.work().await;
        assert_eq!(newest(&world).await.state, "waiting", "signing out disowns nothing");
        world.run(&format!("UPDATE sessions SET ended_by = {} WHERE id = {}", raw(&world, ada.0), raw(&world, thief.session.0))).await;
        serve(&world, HOUR).await;
        let hold = newest(&world).await;
        assert_eq!((hold.state.as_str(), hold.ended_because.as_deref()), ("died", Some("the session that proposed it was ended")));
        serve(&world, 80 * HOUR).await;
        assert!(stands(&world, app).await);
    }

    /// R10: a hold dies when the factor that proved it is removed.
    async fn r10_a_hold_dies_with_the_factor_that_proved_it(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let young = key(&world, ada, "thief's key", HOUR).await;
        seat(&world, ada, young).await.remove(app).await;
        seat(&world, ada, app).await.remove(young).await;
        serve(&world, HOUR).await;
        let hold = newest(&world).await;
        assert_eq!((hold.state.as_str(), hold.ended_because.as_deref()), ("died", Some("the factor that proved it was removed")));
        serve(&world, 80 * HOUR).await;
        assert!(stands(&world, app).await);
    }

    /// R9: judged again at its time: what would leave no factor any more does not happen.
    async fn r9_a_hold_is_judged_again_when_its_time_has_come(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let young = key(&world, ada, "new key", HOUR).await;
        let other = key(&world, ada, "other key", HOUR).await;
        seat(&world, ada, other).await.remove(app).await;
        world.work().await;
        world.run(&format!("UPDATE factors SET until_at = 1 WHERE id = {}", raw(&world, young.0))).await;
        world.run(&format!("UPDATE holds SET factor_id = NULL, session_id = NULL WHERE proposer_id = {}", raw(&world, ada.0))).await;
        world.run(&format!("UPDATE factors SET until_at = 1 WHERE id = {}", raw(&world, other.0))).await;
        serve(&world, 73 * HOUR).await;
        assert!(stands(&world, app).await, "the last factor");
        assert_eq!(newest(&world).await.state, "died");
    }

    /// R9: two jobs at the same moment, or the same one again, do it once.
    async fn r9_a_duplicate_job_does_it_once(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let young = key(&world, ada, "new key", HOUR).await;
        seat(&world, ada, young).await.remove(app).await;
        world.work().await;
        world.advance(73 * HOUR);
        index::holds::serving::beat(&world.env).await.expect("it serves");
        let workers: Vec<_> = (0..4).map(|_| { let env = world.env.clone(); tokio::spawn(async move { while index::work::step(&env).await.expect("the queue answers") {} }) }).collect();
        for worker in workers { worker.await.expect("it ends"); }
        world.work().await;
        assert!(!stands(&world, app).await);
        assert_eq!((count(&world, "hold:done").await, count(&world, "account:two_factor:method_removed").await), (1, 1));
    }

    /// A dead link says so, and a link to a change that is over says that.
    async fn a_link_to_what_is_over_explains_and_stops_nothing(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let young = key(&world, ada, "new key", HOUR).await;
        seat(&world, ada, young).await.remove(app).await;
        let link = veto_link(&world, "ada@example.org").await;
        serve(&world, 73 * HOUR).await;
        let page = world.browser().get(&link).await;
        assert!(page.status() == 200 && page.text().contains("over already") && !page.text().contains("Stop this change</button>"), "{}", page.text());
        assert_eq!(world.browser().get("/account/veto/?token=nonsense").await.status(), 410);
        let browser = world.browser();
        let token = browser.get("/account/login/").await.csrf_token();
        let answer = browser.post("/account/veto/", &[("csrf_token", token.as_str()), ("token", &token_of(&link))]).await;
        assert!(answer.text().contains("over already"), "{}", answer.text());
        assert!(all::<cases::Entity>(&world).await.is_empty());
    }
}

/// R22: what guards the guards is configuration, at least a day; a change never shortens an open hold.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r22_holds_last_at_least_a_day_and_as_long_as_they_began() {
    for key in ["holds.loosening", "holds.grant"] {
        for wrong in ["23h", "0s", "soon", "999999d"] {
            let values = std::collections::BTreeMap::from([(key.to_owned(), wrong.to_owned())]);
            let said = index::config::Config::from_values(&values, &index::limits::setting_keys()).expect_err("too short").to_string();
            assert!(said.contains(key) && said.contains("24 hours"), "{said}");
        }
    }
    let world = World::sqlite(&[("holds.loosening", "24h")]).await;
    let (ada, app) = old_account(&world, "ada").await;
    let young = crate::holding::key(&world, ada, "new key", HOUR).await;
    seat(&world, ada, young).await.remove(app).await;
    let hold = newest(&world).await;
    assert_eq!(hold.due_at.since(hold.created_at), 24 * HOUR, "the moment is written down when it begins");
}
