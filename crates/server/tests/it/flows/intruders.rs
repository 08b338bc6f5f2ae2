//! Somebody who came in by a stolen account: what a settled Owner does about him holds until another settled Owner or staff undo it (R11),
//! and what the stolen account gave him is found again under every name (R15, R16, R18).

use index::db::entities::{cases, holds, role_grants};
use index::resources::Restorable;
use index::restoring::Does;

use super::people::project;
use super::restoring::{self, restore, undo};
use crate::dist::wheel;
use crate::given::{self, all, events_of, upload};
use crate::holding::{DAY, HOLDS, HOUR, asked, count, newest, raw, serve};
use crate::team::{Member, members};
use crate::world::{World, both_engines};

const PHISHED: &str = "/manage/account/phished/";

/// "I was phished", since yesterday.
async fn say_phished(world: &World, who: Member) {
    let since = world.env.now().minus(DAY).rfc3339();
    assert_eq!(who.seat(world).await.browser.submit(PHISHED, PHISHED, &[("since", &since)]).await.location(), PHISHED);
}

async fn state_of(world: &World, hold: &holds::Model) -> String {
    all::<holds::Entity>(world).await.into_iter().find(|row| row.id == hold.id).expect("it is there").state
}

fn veto_of(hold: &holds::Model) -> String {
    format!("{HOLDS}{}/veto/", hold.id)
}

/// Eve, an unsettled Owner whom bob's account let in, is removed and so suspended by ada; ada and bob are settled.
async fn suspended(world: &World) -> ([Member; 3], holds::Model) {
    let [ada, bob, eve] = members(world, ["ada", "bob", "eve"]).await;
    project(world, "spam", &[ada.account, bob.account]).await;
    given::owner(world, "spam", eve.account).await;
    world.advance(HOUR);
    assert_eq!(ada.remove(world, "spam", eve.role_id(world).await).await.location(), HOLDS);
    assert_eq!(eve.is(world).await, "Owner!");
    let hold = newest(world).await;
    ([ada, bob, eve], hold)
}

both_engines! {
    /// R15, R16: a thief's accomplice asks to be less, and is what the stolen account made of him all the same.
    async fn r15_r16_a_demotion_does_not_hide_who_gave_the_role(world: World) {
        let [ada, eve] = members(&world, ["ada", "eve"]).await;
        project(&world, "spam", &[ada.account]).await;
        ada.invite(&world, "spam", "eve", "Owner").await;
        eve.accept(&world, "spam").await;
        let token = given::minted(&world, eve.account, "scope:user", "").await.text.expose().to_owned();
        world.advance(HOUR);
        assert_eq!(eve.change(&world, "spam", eve.role_id(&world).await, "Maintainer").await.location(), HOLDS);
        let approve = format!("{HOLDS}{}/approve/", newest(&world).await.id);
        ada.seat(&world).await.proved(HOLDS, &approve, &[]).await;
        world.work().await;
        assert_eq!(eve.is(&world).await, "Maintainer");
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 200);

        given::freeze(&world.env, ada.account).await;
        assert_eq!(upload(&world, &token, &wheel("spam", "1.1").build()).await.status(), 403, "ada is stopped, and what she gave with her");
        world.run(&format!("UPDATE account_causes SET until_at = {}", world.env.now().as_micros())).await;
        assert_eq!(upload(&world, &token, &wheel("spam", "1.1").build()).await.status(), 200);

        say_phished(&world, ada).await;
        assert_eq!(eve.is(&world).await, "Maintainer!");
        let shown = ada.seat(&world).await.browser.get(PHISHED).await.text();
        assert!(shown.contains("eve, who was made Maintainer of spam"), "{shown}");
        ada.seat(&world).await.proved(PHISHED, &format!("{PHISHED}decide/"), &[]).await;
        assert_eq!(eve.is(&world).await, "", "what is not kept ends");
    }

    /// R15: the copy is as old as the grant: what was given long ago is not doubted because it became less today.
    async fn r15_a_demotion_makes_no_old_role_young(world: World) {
        let [ada, eve] = members(&world, ["ada", "eve"]).await;
        project(&world, "spam", &[ada.account]).await;
        ada.invite(&world, "spam", "eve", "Owner").await;
        eve.accept(&world, "spam").await;
        let token = given::minted(&world, eve.account, "scope:user", "").await.text.expose().to_owned();
        world.advance(40 * DAY);
        eve.change(&world, "spam", eve.role_id(&world).await, "Maintainer").await;
        serve(&world, 73 * HOUR).await;
        assert_eq!(eve.is(&world).await, "Maintainer");
        given::freeze(&world.env, ada.account).await;
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
    }

    /// R2, R11: a stolen cookie of who removed the intruder, or of his mailbox, lets the intruder in no more; who asked for it takes it
    /// back by a proof for that one act, and may ask again.
    async fn r11_who_suspended_somebody_undoes_it_by_a_proof_alone(world: World) {
        let ([ada, bob, eve], hold) = suspended(&world).await;
        world.work().await;
        let with_link = async |name: &str| {
            let address = format!("{name}@example.org");
            world.mail().await.iter().any(|mail| mail.to.contains(&address) && mail.text.contains("/account/veto/"))
        };
        assert!(!with_link("ada").await, "her mailbox alone takes nothing back");
        assert!(with_link("bob").await);

        let seat = ada.seat(&world).await;
        let answer = seat.veto(&hold).await;
        let act = asked(&answer).unwrap_or_else(|| panic!("a proof is asked for: {} {}", answer.status(), answer.text()));
        let answer = seat.browser.submit(HOLDS, &veto_of(&hold), &[("act", &act)]).await;
        assert!(asked(&answer).is_some(), "not proved yet");
        assert_eq!((eve.is(&world).await.as_str(), state_of(&world, &hold).await.as_str()), ("Owner!", "waiting"));
        seat.prove(&act).await;
        let shown = seat.browser.get(&format!("{HOLDS}?act={act}")).await.text();
        assert!(shown.contains(&act), "the page brings the proof along: {shown}");
        assert_eq!(seat.browser.submit(HOLDS, &veto_of(&hold), &[("act", &act)]).await.location(), HOLDS);
        assert_eq!((eve.is(&world).await.as_str(), state_of(&world, &hold).await.as_str()), ("Owner", "died"));
        assert!(all::<cases::Entity>(&world).await.is_empty());

        world.advance(HOUR);
        assert_eq!(ada.remove(&world, "spam", eve.role_id(&world).await).await.location(), HOLDS, "R10: her own change of mind bars nothing");
        assert_eq!(eve.is(&world).await, "Owner!");
        assert_eq!(bob.seat(&world).await.veto(&newest(&world).await).await.location(), HOLDS);
        assert_eq!(eve.is(&world).await, "Owner", "another settled Owner");
        world.advance(HOUR);
        assert_eq!(ada.remove(&world, "spam", eve.role_id(&world).await).await.location(), HOLDS, "nor does any veto bar a suspension");
        assert_eq!(eve.is(&world).await, "Owner!");
        assert_eq!(ada.remove(&world, "spam", bob.role_id(&world).await).await.status(), 403, "R10: everything else it does");
    }

    /// R10, R11: what ends other changes of who suspended somebody does not end the suspension.
    async fn r11_a_suspension_outlasts_what_ends_other_changes(world: World) {
        let ([ada, bob, eve], hold) = suspended(&world).await;
        assert_eq!(ada.remove(&world, "spam", bob.role_id(&world).await).await.location(), HOLDS);
        let other = all::<holds::Entity>(&world).await.into_iter().find(|row| row.account_id == bob.account).expect("it waits");
        assert_eq!(ada.seat(&world).await.veto(&other).await.location(), HOLDS);
        let is = async || (eve.is(&world).await, state_of(&world, &hold).await);
        let stays = ("Owner!".to_owned(), "waiting".to_owned());
        assert_eq!(is().await, stays, "another change of hers was stopped");
        say_phished(&world, ada).await;
        assert_eq!(is().await, stays, "she, or whoever sits in her session, says that she was phished");
        world.run(&format!("UPDATE sessions SET until_at = {}", world.env.now().as_micros())).await;
        serve(&world, HOUR).await;
        assert_eq!(is().await, stays, "her sessions are ended from elsewhere");
        let factor = raw(&world, ada.factor.0);
        world.run(&format!("UPDATE factors SET until_at = {} WHERE id = {factor}", world.env.now().as_micros())).await;
        serve(&world, HOUR).await;
        assert_eq!(is().await, stays, "the factor that proved it is gone");
        world.run(&format!("UPDATE factors SET until_at = NULL WHERE id = {factor}")).await;
        serve(&world, 73 * HOUR).await;
        assert_eq!(is().await, (String::new(), "done".to_owned()), "and in the end it takes effect");
        assert_eq!(count(&world, "project:role:resume").await, 0);
    }

    /// R11, R18: a restore of the defender's account, or of the project, does not let the intruder in again.
    async fn r11_r18_no_restore_ends_a_suspension(world: World) {
        let ([ada, _, eve], hold) = suspended(&world).await;
        let before = world.env.now().minus(HOUR / 2);
        for on in [Restorable::Account(ada.account), restoring::project(&world, "spam").await] {
            world.advance(HOUR);
            let restored = restore(&world, on, before).await;
            let listed = restored.differences.iter().find(|one| one.id == Some(hold.id.0)).expect("it is listed");
            assert_eq!(listed.does, Does::Stays, "{listed:?}");
            assert_eq!((eve.is(&world).await.as_str(), state_of(&world, &hold).await.as_str()), ("Owner!", "waiting"));
        }
    }

    /// R11: an accomplice, as unsettled, asks first for what a settled Owner would ask, so that it only waits. It makes room.
    async fn r11_what_an_accomplice_asked_before_makes_room(world: World) {
        let [ada, eve, norma] = members(&world, ["ada", "eve", "norma"]).await;
        project(&world, "spam", &[ada.account]).await;
        for one in [eve, norma] { given::owner(&world, "spam", one.account).await; }
        assert_eq!(norma.remove(&world, "spam", eve.role_id(&world).await).await.location(), HOLDS);
        let hers = newest(&world).await;
        assert_eq!(eve.is(&world).await, "Owner");
        world.advance(HOUR);
        let answer = ada.remove(&world, "spam", eve.role_id(&world).await).await;
        assert_eq!((answer.status(), eve.is(&world).await.as_str()), (303, "Owner!"), "{}", answer.text());
        assert_eq!(state_of(&world, &hers).await, "died");
        let answer = ada.remove(&world, "spam", eve.role_id(&world).await).await;
        assert_eq!(answer.status(), 400, "a suspension does not make room for another: {}", answer.text());
        assert_eq!(eve.is(&world).await, "Owner!");
    }

    /// P4, P10: whoever owns the project is told when a suspended role works again, by whomever; its history says so.
    async fn p4_p10_the_end_of_a_suspension_is_told_and_stands_in_the_history(world: World) {
        let ([ada, bob, eve], hold) = suspended(&world).await;
        assert_eq!(bob.seat(&world).await.veto(&hold).await.location(), HOLDS);
        let resumed = events_of(&world, "project:role:resume").await;
        assert_eq!(resumed.len(), 1);
        assert_eq!((resumed[0].account_id, resumed[0].actor_account_id), (Some(eve.account), Some(bob.account)));
        for name in ["ada", "bob", "eve"] {
            let address = format!("{name}@example.org");
            let told = world.mail().await.iter().filter(|mail| mail.to.contains(&address) && mail.text.contains("works again")).count();
            assert_eq!(told, 1, "{name}");
        }
        let history = ada.seat(&world).await.browser.get("/manage/project/spam/history/").await.text();
        assert!(history.contains("works again"), "{history}");
    }

    /// R16, R18: an account that is put back takes along what it gave since, and what was given by the power of that; undone, it is back and
    /// still its giver's. What has settled meanwhile stands by itself (R11): it is named, and put back with its project.
    async fn r18_a_restored_account_has_given_nothing_since(world: World) {
        let [ada, bob, eve, mallory] = members(&world, ["ada", "bob", "eve", "mallory"]).await;
        project(&world, "spam", &[ada.account, bob.account]).await;
        let before = world.env.now();
        world.advance(HOUR);
        ada.invite(&world, "spam", "eve", "Owner").await;
        eve.accept(&world, "spam").await;
        world.advance(HOUR);
        eve.invite(&world, "spam", "mallory", "Maintainer").await;
        mallory.accept(&world, "spam").await;
        world.advance(HOUR);
        let restored = restore(&world, Restorable::Account(ada.account), before).await;
        let said = |who: &str| restored.differences.iter().find(|one| one.sort == "role" && one.what.starts_with(who)).map(|one| one.does);
        assert_eq!((said("eve"), said("mallory")), (Some(Does::Ends), Some(Does::Ends)), "{:?}", restored.differences);
        assert_eq!((eve.is(&world).await.as_str(), mallory.is(&world).await.as_str()), ("", ""));
        assert_eq!((ada.is(&world).await.as_str(), bob.is(&world).await.as_str()), ("Owner", "Owner"));

        world.advance(HOUR);
        undo(&world, restored.done.expect("it did something").0).await.expect("it can be undone");
        assert_eq!((eve.is(&world).await.as_str(), mallory.is(&world).await.as_str()), ("Owner", "Maintainer"));
        let role = eve.role_id(&world).await;
        assert!(all::<role_grants::Entity>(&world).await.iter().any(|row| row.role_id == role && row.account_id == ada.account));
        world.advance(31 * DAY);
        let restored = restore(&world, Restorable::Account(ada.account), before).await;
        let listed: Vec<_> = restored.differences.iter().filter(|one| one.sort == "role").collect();
        assert!(listed.len() == 2 && listed.iter().all(|one| one.does == Does::Stays && one.why.is_some()), "{listed:?}");
        assert_eq!(eve.is(&world).await, "Owner");
    }
}
