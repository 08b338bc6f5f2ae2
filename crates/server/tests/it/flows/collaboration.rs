//! Collaborators: invited, accepted, promoted, demoted, removed, left (R2, R3, R7 to R11, R14, R15, R19); who is told, who may stop what.

use std::time::Duration;

use index::db::entities::{holds, invitations, roles};

use super::people::project;
use crate::dist::wheel;
use crate::given::{self, Has, all, upload};
use crate::holding::{DAY, HOLDS, HOUR, asked, count, newest, press, raw, serve, veto_link};
use crate::team::{INVITATION, PROJECTS, answer, invitation, invite, members, page, remove};
use crate::world::{World, both_engines};

/// How often a text stands in mails to an address.
async fn told(world: &World, address: &str, text: &str) -> usize {
    world.mail().await.iter().filter(|mail| mail.to.contains(address) && mail.text.contains(text)).count()
}

both_engines! {
    /// PYPI-22, R2: an invitation needs a proof for exactly it, is bound to the invited account, and opens nothing for anybody else, after
    /// it was taken back, or when its time is over.
    async fn pypi_22_an_invitation_is_bound_to_its_account_and_its_time(world: World) {
        let [ada, bob, eve] = members(&world, ["ada", "bob", "eve"]).await;
        project(&world, "spam", &[ada.account]).await;
        let seat = ada.seat(&world).await;
        let form = [("username", "bob"), ("role_name", "Maintainer")];
        let act = asked(&seat.browser.submit(&page("spam"), &page("spam"), &form).await).expect("a proof is asked for");
        let with = |name, role, act| vec![("username", name), ("role_name", role), ("act", act)];
        assert!(asked(&seat.browser.submit(&page("spam"), &page("spam"), &with("bob", "Maintainer", &act)).await).is_some(), "not proved yet");
        seat.prove(&act).await;
        for (name, role) in [("eve", "Maintainer"), ("bob", "Owner")] {
            assert!(asked(&seat.browser.submit(&page("spam"), &page("spam"), &with(name, role, &act)).await).is_some(), "another one");
        }
        assert!(all::<invitations::Entity>(&world).await.is_empty());
        let done = seat.browser.submit(&page("spam"), &page("spam"), &with("bob", "Maintainer", &act)).await;
        assert_eq!((done.status(), done.location()), (303, page("spam")), "{}", done.text());
        let id = invitation(&world, bob.account).await.expect("it stands");

        assert_eq!(answer(&eve.seat(&world).await, id, "accept").await.status(), 404, "somebody else's");
        assert_eq!(eve.seat(&world).await.browser.get(&format!("{INVITATION}?token={id}")).await.status(), 404);
        let shown = bob.seat(&world).await.browser.get(&format!("{INVITATION}?token={id}")).await;
        assert!(shown.status() == 200 && shown.text().contains("ada") && shown.text().contains("Accept"), "{}", shown.text());
        assert!(bob.role(&world).await.is_none(), "looking changes nothing");

        let revoke = format!("{}revoke_invite/", page("spam"));
        let gone = ada.seat(&world).await.browser.submit(&page("spam"), &revoke, &[("user_id", &bob.account.to_string())]).await;
        assert_eq!(gone.status(), 303, "one request, no proof (R19): {}", gone.text());
        let late = answer(&bob.seat(&world).await, id, "accept").await;
        assert!(late.status() == 422 && late.text().contains("is over"), "{}", late.text());

        ada.invite(&world, "spam", "bob", "Maintainer").await;
        let second = invitation(&world, bob.account).await.expect("it stands");
        assert_ne!(second, id);
        world.advance(7 * DAY);
        assert_eq!(answer(&bob.seat(&world).await, second, "accept").await.status(), 422, "seven days are over");
        assert!(bob.role(&world).await.is_none());
        assert_eq!(ada.invite(&world, "spam", "bob", "Owner").await.status(), 303, "what expired makes room");
        assert_eq!(bob.accept(&world, "spam").await.location(), PROJECTS);
        assert_eq!(bob.is(&world).await, "Owner");
        assert_eq!(answer(&bob.seat(&world).await, second, "accept").await.status(), 422, "an old one");
    }

    /// PYPI-22 and what PyPI refuses besides: nobody, no verified address, invited or holding a role already, no role of one's own.
    async fn an_invitation_is_refused_where_it_makes_no_sense(world: World) {
        let [ada, bob, eve] = members(&world, ["ada", "bob", "eve"]).await;
        given::account(&world, "newcomer", Has::Nothing).await;
        project(&world, "spam", &[ada.account]).await;
        for (name, role, says) in [
            ("nobody-has-it", "Owner", "No account has the user name"),
            ("newcomer", "Owner", "no verified primary address"),
            ("ada", "Owner", "holds a role on spam already"),
            ("bob", "Boss", "Choose Owner or Maintainer"),
        ] {
            let refused = ada.invite(&world, "spam", name, role).await;
            assert!(refused.status() == 422 && refused.text().contains(says), "{name}: {}", refused.text());
            assert!(refused.text().contains(name), "what was typed is kept");
        }
        ada.invite(&world, "spam", "bob", "Maintainer").await;
        assert!(ada.invite(&world, "spam", "bob", "Owner").await.text().contains("is invited to spam already"));
        bob.accept(&world, "spam").await;
        let form = [("username", "eve"), ("role_name", "Owner")];
        let seat = bob.seat(&world).await;
        let token = seat.browser.get("/manage/account/").await.csrf_token();
        let fields = [("csrf_token", token.as_str()), form[0], form[1]];
        assert_eq!(seat.browser.post(&page("spam"), &fields).await.status(), 403, "a Maintainer invites nobody");
        let seat = eve.seat(&world).await;
        for path in ["", "collaboration/", "history/"] {
            assert_eq!(seat.browser.get(&format!("/manage/project/spam/{path}")).await.status(), 404, "no role, nothing there");
            assert_eq!(seat.browser.get(&format!("/manage/project/not-there/{path}")).await.status(), 404);
        }
        assert_eq!(all::<invitations::Entity>(&world).await.len(), 1);
    }

    /// TAKEOVER-1.
    /// P10, R14: all owners and whom it is about are told at invitation, acceptance, refusal, revocation, change and removal, once each.
    async fn p10_all_owners_and_the_subject_are_told_of_each_step(world: World) {
        let [ada, bob, carol] = members(&world, ["ada", "bob", "carol"]).await;
        project(&world, "spam", &[ada.account, bob.account]).await;
        let everybody = ["ada@example.org", "bob@example.org", "carol@example.org"];
        ada.invite(&world, "spam", "carol", "Maintainer").await;
        for address in everybody { assert_eq!(told(&world, address, "carol was invited to spam as Maintainer").await, 1, "{address}"); }
        let mail = world.newest_mail_to("carol@example.org").await;
        assert!(mail.text.contains(INVITATION) && mail.text.contains("/account/not-me/"), "{}", mail.text);
        assert!(world.newest_mail_to("bob@example.org").await.text.contains("/account/alarm/"), "somebody else's act");
        answer(&carol.seat(&world).await, invitation(&world, carol.account).await.expect("open"), "decline").await;
        for address in everybody { assert_eq!(told(&world, address, "carol declined the invitation").await, 1, "{address}"); }
        assert!(carol.role(&world).await.is_none());
        ada.invite(&world, "spam", "carol", "Maintainer").await;
        let revoke = format!("{}revoke_invite/", page("spam"));
        ada.seat(&world).await.browser.submit(&page("spam"), &revoke, &[("user_id", &carol.account.to_string())]).await;
        for address in everybody { assert_eq!(told(&world, address, "was taken back").await, 1, "{address}"); }
        ada.invite(&world, "spam", "carol", "Maintainer").await;
        carol.accept(&world, "spam").await;
        for address in everybody { assert_eq!(told(&world, address, "is Maintainer of spam").await, 1, "{address}"); }
        assert_eq!(ada.change(&world, "spam", carol.role_id(&world).await, "Owner").await.status(), 303);
        for address in everybody { assert_eq!(told(&world, address, "is Owner now").await, 1, "{address}"); }
        bob.remove(&world, "spam", carol.role_id(&world).await).await;
        for address in everybody { assert_eq!(told(&world, address, "Remove carol as Owner of spam").await, 1, "{address}"); }
        serve(&world, 73 * HOUR).await;
        assert!(carol.role(&world).await.is_none());
        for address in everybody { assert_eq!(told(&world, address, "carol is no longer Owner of spam").await, 1, "{address}"); }
        let history = ada.seat(&world).await.browser.get("/manage/project/spam/history/").await.text();
        for what in ["was invited", "declined", "was taken back", "accepted", "is Owner now", "was suspended", "no longer"] {
            assert!(history.contains(what), "{what}: {history}");
        }
        assert!(!history.contains("192.0.2."), "R27: no networks of others");
    }

    /// WEAK-10.
    /// R13, and PyPI's gap: at acceptance the standing and the rights of who invited are asked again; the way back is exact.
    async fn r13_who_invited_must_still_be_able_to_when_it_is_accepted(world: World) {
        let [ada, bob, carol] = members(&world, ["ada", "bob", "carol"]).await;
        project(&world, "spam", &[ada.account, bob.account]).await;
        ada.invite(&world, "spam", "carol", "Owner").await;
        let id = invitation(&world, carol.account).await.expect("open");
        given::freeze(&world.env, ada.account).await;
        let refused = answer(&carol.seat(&world).await, id, "accept").await;
        assert!(refused.status() == 422 && refused.text().contains("may not do so any more"), "{}", refused.text());
        world.run(&format!("UPDATE account_causes SET until_at = {}", world.env.now().as_micros())).await;
        assert_eq!(invitation(&world, carol.account).await, Some(id), "nothing of it was rewritten");
        world.run(&format!("UPDATE roles SET role = 'Maintainer' WHERE account_id = {}", raw(&world, ada.account.0))).await;
        assert_eq!(answer(&carol.seat(&world).await, id, "accept").await.status(), 422, "no Owner any more");
        world.run(&format!("UPDATE roles SET role = 'Owner' WHERE account_id = {}", raw(&world, ada.account.0))).await;
        assert_eq!(carol.accept(&world, "spam").await.location(), PROJECTS);
        assert_eq!(carol.is(&world).await, "Owner");
    }

    /// PYPI-23: the last Owner neither leaves nor is demoted; an Owner of two does, through a hold (R7, R8): the role stays until then.
    async fn pypi_23_r8_the_last_owner_stays_and_one_of_two_leaves_through_a_hold(world: World) {
        let [ada, bob] = members(&world, ["ada", "bob"]).await;
        project(&world, "spam", &[ada.account]).await;
        for answer in [ada.remove(&world, "spam", ada.role_id(&world).await).await, ada.change(&world, "spam", ada.role_id(&world).await, "Maintainer").await] {
            assert!(answer.status() == 400 && answer.text().contains("last Owner"), "{}", answer.text());
        }
        given::owner(&world, "spam", bob.account).await;
        let left = bob.remove(&world, "spam", bob.role_id(&world).await).await;
        assert_eq!(left.location(), HOLDS, "{}", left.text());
        assert_eq!(bob.is(&world).await, "Owner", "the role stays, and works");
        let shown = ada.seat(&world).await.browser.get("/manage/project/spam/").await.text();
        assert!(shown.contains("bob leaves spam as Owner") && shown.contains("Stop this change"), "{shown}");
        serve(&world, 71 * HOUR).await;
        assert_eq!(bob.is(&world).await, "Owner", "an hour is missing");
        serve(&world, HOUR).await;
        assert_eq!(bob.is(&world).await, "");
        let row = all::<roles::Entity>(&world).await.into_iter().find(|row| row.account_id == bob.account).expect("rows stay");
        assert!(row.until_at.is_some() && row.ended_by.is_some());
        assert_eq!(ada.remove(&world, "spam", ada.role_id(&world).await).await.status(), 400, "the last one again");
        assert_eq!(newest(&world).await.state, "done");
    }

    /// R8: demoting oneself waits too.
    async fn r8_demoting_oneself_waits(world: World) {
        let [ada, bob] = members(&world, ["ada", "bob"]).await;
        project(&world, "spam", &[ada.account, bob.account]).await;
        assert_eq!(bob.change(&world, "spam", bob.role_id(&world).await, "Maintainer").await.location(), HOLDS);
        assert_eq!(bob.is(&world).await, "Owner");
        serve(&world, 73 * HOUR).await;
        assert_eq!(bob.is(&world).await, "Maintainer");
    }

    /// R8: who leaves may drop the rights at once; the role stays, and a veto gives them back.
    async fn r8_rights_can_be_dropped_at_once_and_a_veto_gives_them_back(world: World) {
        let [ada, bob] = members(&world, ["ada", "bob"]).await;
        project(&world, "spam", &[ada.account, bob.account]).await;
        let token = given::minted(&world, bob.account, "scope:user", "").await.text.expose().to_owned();
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
        let left = remove(&bob.seat(&world).await, "spam", bob.role_id(&world).await, &[("drop_rights", "y")]).await;
        assert_eq!(left.location(), HOLDS, "{}", left.text());
        assert_eq!(bob.is(&world).await, "Owner!");
        assert_eq!(upload(&world, &token, &wheel("spam", "1.1").build()).await.status(), 403);
        let shown = bob.seat(&world).await.browser.get(&page("spam")).await.text();
        assert!(shown.contains("Your role is suspended") && !shown.contains("Invite somebody"), "{shown}");
        world.work().await;
        assert_eq!(press(&world, &veto_link(&world, "bob@example.org").await).await.status(), 200);
        assert_eq!(bob.is(&world).await, "Owner");
        assert_eq!(upload(&world, &token, &wheel("spam", "1.1").build()).await.status(), 200);
    }

    /// R7: everybody concerned, one of them settled and not the proposer, lets it happen at once; less does not.
    async fn r7_everybodys_approval_skips_the_wait_and_nothing_less(world: World) {
        let [ada, bob, carol] = members(&world, ["ada", "bob", "carol"]).await;
        project(&world, "spam", &[ada.account, bob.account, carol.account]).await;
        ada.remove(&world, "spam", carol.role_id(&world).await).await;
        let approve = format!("{HOLDS}{}/approve/", newest(&world).await.id);
        bob.seat(&world).await.proved(HOLDS, &approve, &[]).await;
        serve(&world, HOUR).await;
        assert_eq!(carol.is(&world).await, "Owner", "carol has said nothing");
        carol.seat(&world).await.proved(HOLDS, &approve, &[]).await;
        world.work().await;
        assert_eq!(carol.is(&world).await, "");

        let [dave] = members(&world, ["dave"]).await;
        given::owner(&world, "spam", dave.account).await;
        dave.remove(&world, "spam", dave.role_id(&world).await).await;
        let approve = format!("{HOLDS}{}/approve/", newest(&world).await.id);
        ada.seat(&world).await.proved(HOLDS, &approve, &[]).await;
        world.work().await;
        assert_eq!(dave.is(&world).await, "Owner", "bob is concerned too");
    }

    /// R11: a settled Owner removing an unsettled one suspends him at once, which he cannot stop; another settled Owner can.
    async fn r11_a_settled_owner_suspends_an_unsettled_one_at_once(world: World) {
        let [ada, bob, eve] = members(&world, ["ada", "bob", "eve"]).await;
        project(&world, "spam", &[ada.account, bob.account]).await;
        given::owner(&world, "spam", eve.account).await;
        let token = given::minted(&world, eve.account, "scope:user", "").await.text.expose().to_owned();
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
        assert_eq!(ada.remove(&world, "spam", eve.role_id(&world).await).await.location(), HOLDS);
        let hold = newest(&world).await;
        assert_eq!(eve.is(&world).await, "Owner!");
        assert_eq!(upload(&world, &token, &wheel("spam", "1.1").build()).await.status(), 403, "his tokens open nothing there");
        let refused = invite(&eve.seat(&world).await, "spam", "bob", "Owner").await;
        assert!(refused.status() == 403 || refused.status() == 422, "{}", refused.status());
        assert_eq!(eve.remove(&world, "spam", ada.role_id(&world).await).await.status(), 403);
        assert_eq!(eve.seat(&world).await.veto(&hold).await.status(), 403, "not an unsettled Owner his own removal");
        world.work().await;
        assert_eq!(press(&world, &veto_link(&world, "eve@example.org").await).await.status(), 403, "nor by mail");
        assert_eq!(bob.seat(&world).await.veto(&hold).await.status(), 303);
        assert_eq!(eve.is(&world).await, "Owner", "another settled Owner has undone it");
        assert_eq!(upload(&world, &token, &wheel("spam", "1.1").build()).await.status(), 200);
    }

    /// R11: a change that an unsettled Owner has asked for before keeps no settled one from suspending him, and makes no other role of the
    /// one that is suspended.
    async fn r11_what_was_asked_before_keeps_nobody_from_being_suspended(world: World) {
        let [ada, bob, eve, mallory] = members(&world, ["ada", "bob", "eve", "mallory"]).await;
        project(&world, "spam", &[ada.account, bob.account]).await;
        given::owner(&world, "spam", eve.account).await;
        assert_eq!(eve.remove(&world, "spam", eve.role_id(&world).await).await.location(), HOLDS, "she leaves, some day");
        assert_eq!(eve.is(&world).await, "Owner");
        let answer = ada.remove(&world, "spam", eve.role_id(&world).await).await;
        assert_eq!((answer.status(), eve.is(&world).await.as_str()), (303, "Owner!"), "{}", answer.text());
        assert_eq!(eve.seat(&world).await.veto(&newest(&world).await).await.status(), 403);

        project(&world, "eggs", &[ada.account, bob.account]).await;
        given::owner(&world, "eggs", mallory.account).await;
        let role = mallory.role_id(&world).await;
        assert_eq!(mallory.change(&world, "eggs", role, "Maintainer").await.location(), HOLDS);
        world.work().await;
        world.advance(HOUR);
        ada.remove(&world, "eggs", role).await;
        assert_eq!(mallory.is(&world).await, "Owner!");
        serve(&world, 71 * HOUR + HOUR / 2).await;
        assert_eq!(mallory.is(&world).await, "Owner!", "her own change came first, and changes nothing that is suspended");
        serve(&world, HOUR).await;
        assert_eq!(mallory.is(&world).await, "");
    }

    /// R9, R11: whoever is removed stops his own account so that the removal cannot be served. It waits, he stays suspended, however long;
    /// the months make no settled Owner of him.
    async fn r11_a_removal_that_cannot_be_served_outlasts_whom_it_suspends(world: World) {
        let [ada, bob, eve] = members(&world, ["ada", "bob", "eve"]).await;
        project(&world, "spam", &[ada.account, bob.account]).await;
        given::owner(&world, "spam", eve.account).await;
        ada.remove(&world, "spam", eve.role_id(&world).await).await;
        world.work().await;
        given::freeze(&world.env, eve.account).await;
        serve(&world, 40 * DAY).await;
        world.run(&format!("UPDATE account_causes SET until_at = {}", world.env.now().as_micros())).await;
        world.work().await;
        assert_eq!((eve.is(&world).await.as_str(), newest(&world).await.state.as_str()), ("Owner!", "waiting"));
        serve(&world, 25 * HOUR).await;
        assert_eq!((eve.is(&world).await.as_str(), newest(&world).await.state.as_str()), ("", "done"));
    }

    /// R27: an invitation that nobody answers leaves an event when its time is over, once, whoever comes first; no mail tells of it.
    async fn an_invitation_that_nobody_answers_leaves_one_event(world: World) {
        let [ada, bob, eve] = members(&world, ["ada", "bob", "eve"]).await;
        project(&world, "spam", &[ada.account]).await;
        ada.invite(&world, "spam", "bob", "Maintainer").await;
        ada.invite(&world, "spam", "eve", "Maintainer").await;
        world.work().await;
        world.advance(7 * DAY - HOUR);
        world.work().await;
        assert_eq!(count(&world, "project:role:expire_invite").await, 0, "an hour is left");
        world.advance(HOUR);
        // Bob is invited again before the job comes by.
        ada.invite(&world, "spam", "bob", "Owner").await;
        assert_eq!(count(&world, "project:role:expire_invite").await, 1);
        world.advance(Duration::from_secs(900));
        let mails = world.mail_as_it_lies().len();
        world.work().await;
        assert_eq!(count(&world, "project:role:expire_invite").await, 2, "eve's");
        world.advance(Duration::from_secs(900));
        world.work().await;
        assert_eq!(count(&world, "project:role:expire_invite").await, 2, "once");
        let expired = given::events_of(&world, "project:role:expire_invite").await;
        let about: Vec<_> = expired.iter().map(|row| (row.account_id, row.project_id.is_some())).collect();
        assert_eq!(about, [(Some(bob.account), true), (Some(eve.account), true)]);
        let mut rows: Vec<_> = all::<invitations::Entity>(&world).await.into_iter().map(|row| (row.from_at, row.outcome)).collect();
        rows.sort();
        assert_eq!(rows.iter().filter(|(_, outcome)| outcome.as_deref() == Some("expired")).count(), 2);
        assert!(invitation(&world, bob.account).await.is_some() && invitation(&world, eve.account).await.is_none());
        let told = world.mail_as_it_lies().into_iter().skip(mails).filter(|mail| mail.text.contains("nobody answered"));
        assert_eq!(told.count(), 0);
    }

    /// Who came to a role another way while an invitation was open keeps that one.
    async fn an_invitation_is_not_accepted_beside_a_role(world: World) {
        let [ada, bob] = members(&world, ["ada", "bob"]).await;
        project(&world, "spam", &[ada.account]).await;
        ada.invite(&world, "spam", "bob", "Owner").await;
        world.run("UPDATE invitations SET role = 'Maintainer'").await;
        given::owner(&world, "spam", bob.account).await;
        let answer = bob.accept(&world, "spam").await;
        assert!(answer.status() == 422 && answer.text().contains("already"), "{} {}", answer.status(), answer.text());
        assert_eq!(bob.is(&world).await, "Owner");
    }

    /// TAKEOVER-2.
    /// R11: between settled Owners there is no suspension, and each may veto; an unsettled one suspends nobody.
    async fn r11_nothing_unsettled_removes_and_between_settled_owners_nothing_is_suspended(world: World) {
        let [ada, bob, eve] = members(&world, ["ada", "bob", "eve"]).await;
        project(&world, "spam", &[ada.account, bob.account]).await;
        given::owner(&world, "spam", eve.account).await;
        eve.remove(&world, "spam", ada.role_id(&world).await).await;
        assert_eq!((ada.is(&world).await.as_str(), newest(&world).await.state.as_str()), ("Owner", "waiting"));
        assert_eq!(ada.seat(&world).await.veto(&newest(&world).await).await.status(), 303, "whom it is about");
        assert_eq!(eve.remove(&world, "spam", bob.role_id(&world).await).await.status(), 403, "R10: barred on this project until the case is closed");
        bob.remove(&world, "spam", ada.role_id(&world).await).await;
        let hold = newest(&world).await;
        assert_eq!((ada.is(&world).await.as_str(), hold.state.as_str()), ("Owner", "waiting"));
        assert_eq!(eve.seat(&world).await.veto(&hold).await.status(), 404, "an unsettled Owner is not concerned");
        assert_eq!(ada.seat(&world).await.veto(&hold).await.status(), 303);
        serve(&world, 80 * HOUR).await;
        assert_eq!((ada.is(&world).await.as_str(), bob.is(&world).await.as_str()), ("Owner", "Owner"));
    }

    /// R11, R19: a Maintainer is removed at once, in one request and without a proof; but nothing unsettled removes what is settled.
    async fn r19_a_maintainer_goes_at_once_and_not_by_what_is_younger(world: World) {
        let [ada, bob, eve] = members(&world, ["ada", "bob", "eve"]).await;
        project(&world, "spam", &[ada.account]).await;
        ada.invite(&world, "spam", "bob", "Maintainer").await;
        bob.accept(&world, "spam").await;
        world.advance(31 * DAY);
        given::owner(&world, "spam", eve.account).await;
        assert_eq!(eve.remove(&world, "spam", bob.role_id(&world).await).await.status(), 403, "an unsettled Owner, a settled Maintainer");
        let seat = ada.seat(&world).await;
        let gone = seat.browser.submit(&page("spam"), &format!("{}delete/", page("spam")), &[("role_id", &bob.role_id(&world).await.to_string())]).await;
        assert_eq!((gone.status(), gone.location()), (303, page("spam")), "{}", gone.text());
        assert_eq!(bob.is(&world).await, "");
        ada.invite(&world, "spam", "bob", "Maintainer").await;
        bob.accept(&world, "spam").await;
        assert_eq!(eve.remove(&world, "spam", bob.role_id(&world).await).await.status(), 303, "a young one");
        ada.invite(&world, "spam", "bob", "Maintainer").await;
        bob.accept(&world, "spam").await;
        assert_eq!(bob.remove(&world, "spam", bob.role_id(&world).await).await.location(), PROJECTS, "and leaves at once");
        assert_eq!(bob.is(&world).await, "");
        assert!(all::<holds::Entity>(&world).await.is_empty());
    }

    /// R9: judged again when its time has come, with the proposer's rights of then.
    async fn r9_a_removal_dies_when_its_proposer_is_no_owner_any_more(world: World) {
        let [ada, bob] = members(&world, ["ada", "bob"]).await;
        project(&world, "spam", &[ada.account, bob.account]).await;
        bob.remove(&world, "spam", ada.role_id(&world).await).await;
        world.work().await;
        world.run(&format!("UPDATE roles SET role = 'Maintainer' WHERE account_id = {}", raw(&world, bob.account.0))).await;
        serve(&world, 73 * HOUR).await;
        assert_eq!((ada.is(&world).await.as_str(), newest(&world).await.state.as_str()), ("Owner", "died"));
    }

    /// Property 8, concurrent: two owners leave at once, four workers at the same moment; one of them stays.
    async fn two_owners_leave_at_once_and_one_stays(world: World) {
        let [ada, bob] = members(&world, ["ada", "bob"]).await;
        project(&world, "spam", &[ada.account, bob.account]).await;
        for one in [ada, bob] {
            let left = remove(&one.seat(&world).await, "spam", one.role_id(&world).await, &[("drop_rights", "y")]).await;
            assert_eq!(left.location(), HOLDS, "{}", left.text());
        }
        world.work().await;
        world.advance(73 * HOUR);
        index::holds::serving::beat(&world.env).await.expect("it serves");
        let workers: Vec<_> = (0..4).map(|_| { let env = world.env.clone(); tokio::spawn(async move { while index::work::step(&env).await.expect("the queue answers") {} }) }).collect();
        for worker in workers { worker.await.expect("it ends"); }
        world.work().await;
        let mut left = [ada.is(&world).await, bob.is(&world).await];
        left.sort();
        assert_eq!(left, ["", "Owner"], "one has gone, and the rights of the other are back");
        let mut states: Vec<String> = all::<holds::Entity>(&world).await.into_iter().map(|row| row.state).collect();
        states.sort();
        assert_eq!(states, ["died", "done"]);
    }

    /// AUDIT-8.
    /// R2: a Maintainer becomes an Owner by a proof for this one act; a Maintainer promotes nobody, himself included.
    async fn r2_promoting_is_a_grant(world: World) {
        let [ada, bob] = members(&world, ["ada", "bob"]).await;
        project(&world, "spam", &[ada.account]).await;
        ada.invite(&world, "spam", "bob", "Maintainer").await;
        bob.accept(&world, "spam").await;
        let role = bob.role_id(&world).await;
        assert_eq!(bob.change(&world, "spam", role, "Owner").await.status(), 403);
        assert_eq!(bob.invite(&world, "spam", "ada", "Owner").await.status(), 403);
        let seat = ada.seat(&world).await;
        let fields = [("role_id", role.to_string()), ("role_name", "Owner".to_owned())];
        let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let act = asked(&seat.browser.submit(&page("spam"), &format!("{}change/", page("spam")), &fields).await).expect("a proof");
        assert_eq!(bob.is(&world).await, "Maintainer");
        seat.prove(&act).await;
        let back = seat.browser.get(&format!("{}?act={act}", page("spam"))).await.text();
        assert!(back.contains("One press is left") && back.contains("Do it now"), "{back}");
        assert_eq!(ada.change(&world, "spam", role, "Owner").await.status(), 303);
        assert_eq!(bob.is(&world).await, "Owner");
        assert_eq!(bob.remove(&world, "spam", role).await.status(), 404, "the old role is over");
        assert_eq!(ada.change(&world, "eggs", bob.role_id(&world).await, "Maintainer").await.status(), 404, "not of this project");
    }

    /// R3: by a phishable proof on a new device, with an old project, an invitation waits a day; all settled owners are told and may stop it.
    async fn r3_an_invitation_from_a_new_device_waits_and_every_owner_may_stop_it(world: World) {
        let [ada, bob, eve] = members(&world, ["ada", "bob", "eve"]).await;
        project(&world, "spam", &[ada.account, bob.account]).await;
        world.advance(8 * DAY);
        let held = invite(&ada.new_seat(&world).await, "spam", "eve", "Owner").await;
        assert_eq!((held.status(), held.location().as_str()), (303, HOLDS), "{}", held.text());
        assert!(invitation(&world, eve.account).await.is_none());
        serve(&world, 25 * HOUR).await;
        assert!(invitation(&world, eve.account).await.is_none(), "it only may be made now");
        assert_eq!(invite(&ada.new_seat(&world).await, "spam", "eve", "Maintainer").await.location(), HOLDS, "another one waits anew");
        assert_eq!(invite(&ada.new_seat(&world).await, "spam", "eve", "Owner").await.location(), page("spam"));
        assert!(invitation(&world, eve.account).await.is_some());
        world.work().await;
        assert_eq!(press(&world, &veto_link(&world, "bob@example.org").await).await.status(), 200, "a co-owner stops what waits");
        assert_eq!(invite(&ada.new_seat(&world).await, "spam", "eve", "Owner").await.status(), 422, "invited already");
    }

    /// R15: while who gave it within 30 days is stopped a role gives nothing; thawed, it is as it was.
    async fn r15_what_a_stopped_account_gave_gives_nothing_meanwhile(world: World) {
        let [ada, bob, eve] = members(&world, ["ada", "bob", "eve"]).await;
        project(&world, "spam", &[ada.account]).await;
        ada.invite(&world, "spam", "bob", "Owner").await;
        bob.accept(&world, "spam").await;
        world.advance(31 * DAY);
        ada.invite(&world, "spam", "eve", "Maintainer").await;
        eve.accept(&world, "spam").await;
        let token = given::minted(&world, eve.account, "scope:user", "").await.text.expose().to_owned();
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
        given::freeze(&world.env, ada.account).await;
        assert_eq!(upload(&world, &token, &wheel("spam", "1.1").build()).await.status(), 403);
        let shown = bob.seat(&world).await.browser.get(&page("spam")).await.text();
        assert!(shown.contains("the account that gave it was stopped") && shown.contains("Invite somebody"), "bob's is older: {shown}");
        world.run(&format!("UPDATE account_causes SET until_at = {}", world.env.now().as_micros())).await;
        assert_eq!(upload(&world, &token, &wheel("spam", "1.1").build()).await.status(), 200);
        assert_eq!(count(&world, "project:role:suspend").await, 0, "nothing was rewritten");
    }

    /// R15: it reaches what was given by the power of what was given; a thief puts a second account behind the first within the minute.
    async fn r15_reaches_on_through_what_was_given(world: World) {
        let [ada, bob, eve] = members(&world, ["ada", "bob", "eve"]).await;
        project(&world, "spam", &[ada.account]).await;
        for (by, who, name) in [(ada, eve, "eve"), (eve, bob, "bob")] {
            by.invite(&world, "spam", name, "Owner").await;
            who.accept(&world, "spam").await;
        }
        let token = given::minted(&world, bob.account, "scope:user", "").await.text.expose().to_owned();
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
        given::freeze(&world.env, ada.account).await;
        assert_eq!(upload(&world, &token, &wheel("spam", "1.1").build()).await.status(), 403);
        for one in [eve, bob] {
            let shown = one.seat(&world).await.browser.get("/manage/project/spam/").await.text();
            assert!(shown.contains("Your role is suspended"), "{shown}");
        }
        world.run(&format!("UPDATE account_causes SET until_at = {}", world.env.now().as_micros())).await;
        assert_eq!(upload(&world, &token, &wheel("spam", "1.1").build()).await.status(), 200);
    }

    /// R14: an alarm about an invitation stops the session that made it on that project, and nothing else.
    async fn r14_an_alarm_stops_the_session_that_invited_on_that_project(world: World) {
        let [ada, bob, carol, eve] = members(&world, ["ada", "bob", "carol", "eve"]).await;
        project(&world, "spam", &[ada.account, bob.account]).await;
        let seat = ada.seat(&world).await;
        assert_eq!(invite(&seat, "spam", "eve", "Owner").await.status(), 303);
        let link = world.newest_mail_to("bob@example.org").await.link("https://index.example.org/account/alarm/");
        assert_eq!(crate::flows::not_me::press(&world.browser(), &link).await.status(), 200);
        assert_eq!(invite(&seat, "spam", "carol", "Owner").await.status(), 403);
        assert!(invitation(&world, carol.account).await.is_none());
        let revoke = format!("{}revoke_invite/", page("spam"));
        let gone = seat.browser.submit(&page("spam"), &revoke, &[("user_id", &eve.account.to_string())]).await;
        assert_eq!(gone.status(), 303, "R19: what tightens goes on");
        assert_eq!(ada.invite(&world, "spam", "carol", "Owner").await.status(), 303, "another session");
    }

    /// R14: an invitation that an alarm is about opens nothing while what made it is paused.
    async fn r14_an_invitation_that_an_alarm_is_about_is_not_accepted_meanwhile(world: World) {
        let [ada, bob, eve] = members(&world, ["ada", "bob", "eve"]).await;
        project(&world, "spam", &[ada.account, bob.account]).await;
        assert_eq!(ada.invite(&world, "spam", "eve", "Owner").await.status(), 303);
        let link = world.newest_mail_to("bob@example.org").await.link("https://index.example.org/account/alarm/");
        assert_eq!(crate::flows::not_me::press(&world.browser(), &link).await.status(), 200);
        let refused = eve.accept(&world, "spam").await;
        assert!(refused.status() == 422 && refused.text().contains("raised the alarm"), "{}", refused.text());
        assert_eq!(eve.is(&world).await, "");
        world.advance(DAY + Duration::from_secs(1));
        assert_eq!(eve.accept(&world, "spam").await.status(), 303, "nobody has taken it back for a day");
        assert_eq!(eve.is(&world).await, "Owner");
    }

    /// The sole-owner rule looks at the history: who has lost an Owner role within 30 days has owned something.
    async fn ownership_is_remembered_when_the_role_was_taken(world: World) {
        let [ada, bob] = members(&world, ["ada", "bob"]).await;
        project(&world, "spam", &[ada.account, bob.account]).await;
        bob.remove(&world, "spam", ada.role_id(&world).await).await;
        serve(&world, 73 * HOUR).await;
        assert_eq!(ada.is(&world).await, "");
        let since = |days: u32| world.env.now().minus(days * DAY);
        let owned = async |since| {
            let account = ada.account;
            let read = index::act::housekeeping(&world.env, index::act::Housekeeping::Queue, move |tx| {
                Box::pin(async move { index::projects::roles::ownership_since(tx, account, since).await })
            });
            read.await.expect("it can be read").into_iter().map(|one| one.name).collect::<Vec<_>>()
        };
        assert_eq!(owned(since(30)).await, ["spam"]);
        world.advance(31 * DAY);
        assert!(owned(since(30)).await.is_empty());
    }
}
