//! Putting back in the console (R18, R20): the list first, then the act, with a key's proof bound to exactly that list and reason.

use index::clock::Time;
use index::db::entities::{account_causes, addresses, batches, factors, project_locks, roles, sessions};
use index::ids::AccountId;

use crate::dist::wheel;
use crate::given::{self, Has, account, all, events_of, publisher, upload};
use crate::holding::{DAY, HOUR, Seat, asked, key, raw, seat};
use crate::world::{Answer, World, both_engines};

const PROJECT: &str = "/admin/projects/spam/restore/";

/// An administrator with a key, signed in by it.
async fn staff<'w>(world: &'w World, username: &str) -> (AccountId, Seat<'w>) {
    let id = account(world, username, Has::AddressAndFactor).await;
    given::administrator(world, id).await;
    let factor = key(world, id, "a key", 40 * DAY).await;
    (id, seat(world, id, factor).await)
}

/// A project of ada's that was deleted after the moment that is returned.
async fn deleted(world: &World) -> Time {
    let (_, token) = publisher(world, "ada").await;
    assert_eq!(upload(world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
    world.advance(DAY);
    let before = world.env.now();
    world.advance(HOUR);
    let (id, now) = (raw(world, index::ids::new_uuid(world.env.now(), &*world.env.entropy)), world.env.now().as_micros());
    let sql = format!(
        "INSERT INTO project_locks (id, project_id, kind, reason, from_at, began_by) SELECT {id}, id, 'deleted', 'x', {now}, id FROM projects"
    );
    world.run(&sql).await;
    world.advance(HOUR);
    before
}

async fn is_deleted(world: &World) -> bool {
    all::<project_locks::Entity>(world).await.iter().any(|row| row.until_at.is_none())
}

fn fields<'a>(at: &'a str, digest: &'a str, act: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("at", at), ("reason", "the incident of November"), ("digest", digest), ("act", act)]
}

fn digest(answer: &Answer) -> String {
    assert_eq!(answer.status(), 200, "{}", answer.text());
    answer.between("name=\"digest\" value=\"", "\"")
}

const WHY: &str = "the incident of November";

/// Shows the list, has the key touched for it, and puts it back.
async fn put_back(seat: &Seat<'_>, path: &str, at: Time) -> Answer {
    let at = at.rfc3339();
    let seen = digest(&seat.browser.submit(path, path, &[("at", &at), ("reason", WHY), ("dry_run", "y")]).await);
    seat.proved(path, path, &[("at", &at), ("reason", WHY), ("digest", &seen)]).await
}

/// The page of the case of the batch that is in force, and the batch.
async fn newest_batch(world: &World) -> (String, String) {
    let row = all::<batches::Entity>(world).await.into_iter().find(|row| row.until_at.is_none()).expect("something was put back");
    (format!("/admin/cases/{}/", row.case_id), row.id.to_string())
}

both_engines! {
    /// R20: the proof is bound to the list, the time and the reason; R18, P9: done under the administrator's own name.
    async fn r20_a_key_is_touched_for_exactly_the_list_that_was_seen(world: World) {
        let before = deleted(&world).await.rfc3339();
        let (grace, seat) = staff(&world, "grace").await;
        let shown = seat.browser.submit(PROJECT, PROJECT, &[("at", &before), ("reason", "the incident of November"), ("dry_run", "y")]).await;
        assert!(shown.text().contains("spam is deleted"), "{}", shown.text());
        let digest = digest(&shown);
        assert!(is_deleted(&world).await, "the list changes nothing");
        let act = asked(&seat.browser.submit(PROJECT, PROJECT, &fields(&before, &digest, "")).await).expect("a proof is asked for");
        assert!(asked(&seat.browser.submit(PROJECT, PROJECT, &fields(&before, &digest, &act)).await).is_some(), "not proved yet");
        seat.prove(&act).await;
        let back = seat.browser.get(&format!("{PROJECT}?act={act}")).await;
        assert!(back.text().contains(&format!("name=\"act\" value=\"{act}\"")) && back.text().contains(&digest), "{}", back.text());
        let mut other = fields(&before, &digest, &act);
        other[1].1 = "another reason";
        assert!(asked(&seat.browser.submit(PROJECT, PROJECT, &other).await).is_some(), "another reason wants another proof");
        assert!(is_deleted(&world).await);
        let done = seat.browser.submit(PROJECT, PROJECT, &fields(&before, &digest, &act)).await;
        assert!(done.status() == 200 && done.text().contains("incident undo --batch"), "{}", done.text());
        assert!(!is_deleted(&world).await);
        let events = events_of(&world, "project:restored").await;
        assert_eq!((events.len(), events[0].actor_account_id, events[0].credential.as_str()), (1, Some(grace), "step_up"));
        assert_eq!(all::<batches::Entity>(&world).await.len(), 1);
    }

    /// R21, P7: in the console nothing is put back as it stood before what is kept whole began; the operator does it at the shell.
    async fn r21_an_administrator_puts_nothing_back_from_any_time_past(world: World) {
        let before = deleted(&world).await;
        let (_, seat) = staff(&world, "grace").await;
        world.run(&format!("UPDATE projects SET created_at = {}", before.minus(100 * DAY).as_micros())).await;
        let typed = |at: Time| vec![("at", at.rfc3339()), ("reason", WHY.to_owned())];
        let send = async |at: Time, more: (&str, &str)| {
            let fields = typed(at);
            let mut fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            fields.push(more);
            seat.browser.submit(PROJECT, PROJECT, &fields).await
        };
        for more in [("dry_run", "y"), ("digest", "0")] {
            let refused = send(world.env.now().minus(30 * DAY + HOUR), more).await;
            assert!(refused.status() == 422 && refused.text().contains("30 days") && refused.text().contains("shell"), "{}", refused.text());
        }
        assert!(all::<batches::Entity>(&world).await.is_empty());
        assert_eq!(send(world.env.now().minus(30 * DAY - HOUR), ("dry_run", "y")).await.status(), 200);
    }

    /// R20: what changed since the list was shown is not done.
    async fn r20_a_list_that_has_changed_is_shown_anew(world: World) {
        let before = deleted(&world).await.rfc3339();
        let (_, seat) = staff(&world, "grace").await;
        let typed = [("at", before.as_str()), ("reason", "the incident of November"), ("dry_run", "y")];
        let digest = digest(&seat.browser.submit(PROJECT, PROJECT, &typed).await);
        let act = asked(&seat.browser.submit(PROJECT, PROJECT, &fields(&before, &digest, "")).await).expect("a proof");
        seat.prove(&act).await;
        let mallory = account(&world, "mallory", Has::AddressAndFactor).await;
        given::owner(&world, "spam", mallory).await;
        let answer = seat.browser.submit(PROJECT, PROJECT, &fields(&before, &digest, &act)).await;
        assert!(answer.status() == 422 && answer.text().contains("has changed since"), "{}", answer.text());
        assert!(is_deleted(&world).await && all::<batches::Entity>(&world).await.is_empty());
    }

    /// P9, R21: not for others, not with less than a key, not on oneself, and what is not there is not found.
    async fn nobody_else_and_nothing_less_puts_back(world: World) {
        let before = deleted(&world).await.rfc3339();
        let (_, seat) = staff(&world, "grace").await;
        for path in ["/admin/accounts/nobody/restore/", "/admin/projects/nothing/restore/"] {
            assert_eq!(seat.browser.get(path).await.status(), 404, "{path}");
        }
        let own = "/admin/accounts/grace/restore/";
        assert_eq!(seat.browser.get(own).await.status(), 403, "no administrator puts back the own account");
        let eve = account(&world, "eve", Has::AddressAndFactor).await;
        let eves = key(&world, eve, "a key", 40 * DAY).await;
        let other = crate::holding::seat(&world, eve, eves).await;
        assert_eq!(other.browser.get(PROJECT).await.status(), 404, "not even that it exists");
        let app = all::<index::db::entities::factors::Entity>(&world).await.into_iter().find(|row| row.account_id == eve && row.kind == "totp");
        given::administrator(&world, eve).await;
        let weak = crate::holding::seat(&world, eve, app.expect("an app").id).await;
        assert!(weak.browser.get(PROJECT).await.location().starts_with("/account/reauthenticate/"), "an app is no key");
        for at in ["", "yesterday", "1999-01-01 00:00"] {
            let typed = [("at", at), ("reason", "x"), ("dry_run", "y")];
            assert_eq!(seat.browser.submit(PROJECT, PROJECT, &typed).await.status(), 422, "{at}");
        }
        let typed = [("at", before.as_str()), ("reason", " "), ("dry_run", "y")];
        let digest = digest(&seat.browser.submit(PROJECT, PROJECT, &typed).await);
        let mut form = fields(&before, &digest, "");
        form[1].1 = " ";
        assert_eq!(seat.browser.submit(PROJECT, PROJECT, &form).await.status(), 422, "a reason is wanted");
        assert!(is_deleted(&world).await && all::<roles::Entity>(&world).await.len() == 1);
    }

    async fn an_account_is_put_back_from_its_page(world: World) {
        let before = deleted(&world).await.rfc3339();
        let (_, seat) = staff(&world, "grace").await;
        let path = "/admin/accounts/ada/restore/";
        let typed = [("at", before.as_str()), ("reason", "the incident of November"), ("dry_run", "y")];
        let digest = digest(&seat.browser.submit(path, path, &typed).await);
        let act = asked(&seat.browser.submit(path, path, &fields(&before, &digest, "")).await).expect("a proof");
        seat.prove(&act).await;
        assert_eq!(seat.browser.submit(path, path, &fields(&before, &digest, &act)).await.status(), 200);
        assert!(!is_deleted(&world).await, "the project that it owned came with it");
    }

    /// P9: whoever is no administrator learns nothing of what is there from the form, whatever is typed into it.
    async fn what_cannot_be_read_tells_a_stranger_nothing(world: World) {
        deleted(&world).await;
        let eve = account(&world, "eve", Has::AddressAndFactor).await;
        let factor = key(&world, eve, "a key", 40 * DAY).await;
        let eve = seat(&world, eve, factor).await;
        for path in [PROJECT, "/admin/projects/nothing/restore/", "/admin/accounts/ada/restore/", "/admin/accounts/nobody/restore/"] {
            for at in ["yesterday", "2026-11-23 08:00"] {
                let answer = eve.browser.submit("/manage/account/", path, &[("at", at), ("reason", "x"), ("dry_run", "y")]).await;
                assert_eq!(answer.status(), 404, "{path} {at}: {}", answer.text());
            }
        }
    }

    /// R18, R20: a restore is undone on the page of its case, with a reason and a key for this one act; so is the undo.
    async fn r20_a_restore_is_undone_on_the_page_of_its_case(world: World) {
        let before = deleted(&world).await;
        let (grace, seat) = staff(&world, "grace").await;
        assert_eq!(put_back(&seat, PROJECT, before).await.status(), 200);
        assert!(!is_deleted(&world).await);
        let (case, batch) = newest_batch(&world).await;
        let undo = format!("{case}undo/");
        assert!(seat.browser.get(&case).await.text().contains("Undo the restore of spam"));
        let none = seat.browser.submit(&case, &undo, &[("reason", " "), ("of", &batch)]).await;
        assert_eq!(none.status(), 422, "a reason is wanted before a key: {}", none.text());
        let fields = [("reason", "it was the wrong hour"), ("of", batch.as_str())];
        let act = asked(&seat.browser.submit(&case, &undo, &fields).await).expect("a key is asked for");
        seat.prove(&act).await;
        let page = seat.browser.get(&format!("{case}?act={act}")).await.text();
        assert!(page.contains("Your key was used for this one act") && page.contains("it was the wrong hour"), "{page}");
        let other = seat.browser.submit(&case, &undo, &[("reason", "another reason"), ("of", &batch), ("act", &act)]).await;
        assert!(asked(&other).is_some(), "bound to the reason");
        assert!(!is_deleted(&world).await, "nothing was undone");
        let done = seat.browser.submit(&case, &undo, &[fields[0], fields[1], ("act", &act)]).await;
        assert_eq!(done.location(), case, "{}", done.text());
        assert!(is_deleted(&world).await);
        let undone = events_of(&world, "project:restore:undone").await;
        assert_eq!((undone.len(), undone[0].actor_account_id, undone[0].credential.as_str()), (1, Some(grace), "step_up"));
        assert_eq!(seat.proved(&case, &undo, &fields).await.status(), 422, "once");
        let (_, again) = newest_batch(&world).await;
        assert_eq!(seat.proved(&case, &undo, &[("reason", "it was right"), ("of", &again)]).await.location(), case);
        assert!(!is_deleted(&world).await, "an undo is undone like a restore");
        for of in ["", "nonsense", "01900000-0000-7000-8000-000000000000"] {
            let answer = seat.browser.submit(&case, &undo, &[("reason", "x"), ("of", of)]).await;
            assert!([404, 422].contains(&answer.status()), "{of}: {}", answer.text());
        }
    }

    /// R13: what the operator put back the operator undoes.
    async fn what_the_operator_put_back_no_administrator_undoes(world: World) {
        let before = deleted(&world).await;
        let on = crate::flows::restoring::project(&world, "spam").await;
        crate::flows::restoring::restore(&world, on, before).await;
        let (_, seat) = staff(&world, "grace").await;
        let (case, batch) = newest_batch(&world).await;
        assert!(!seat.browser.get(&case).await.text().contains("undo/"), "no form");
        let answer = seat.proved(&case, &format!("{case}undo/"), &[("reason", "x"), ("of", &batch)]).await;
        assert_eq!(answer.status(), 422, "{}", answer.text());
        assert!(!is_deleted(&world).await);
    }

    /// P9, R21: nobody puts back a project that is, was or would be his own, and nobody undoes that.
    async fn r21_nobody_puts_back_what_is_his_own(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
        let (grace, _) = staff(&world, "grace").await;
        given::owner(&world, "spam", grace).await;
        world.advance(DAY);
        let before = world.env.now();
        world.advance(HOUR);
        crate::flows::restoring::end(&world, "roles", &crate::flows::restoring::of("grace")).await;
        world.advance(HOUR);
        let factor = key(&world, grace, "another key", 40 * DAY).await;
        let grace = seat(&world, grace, factor).await;
        let answer = put_back(&grace, PROJECT, before).await;
        assert!(answer.status() == 403 && answer.text().contains("own affair"), "{}", answer.text());
        assert!(all::<batches::Entity>(&world).await.is_empty());
        let (_, linus) = staff(&world, "linus").await;
        assert_eq!(put_back(&linus, PROJECT, before).await.status(), 200, "a colleague may");
        let (case, batch) = newest_batch(&world).await;
        let undo = [("reason", "it is mine"), ("of", batch.as_str())];
        assert_eq!(grace.browser.submit(&case, &format!("{case}undo/"), &undo).await.status(), 403, "nor undoes it");
    }

    /// R21: putting a colleague's account back would stop him and nobody else: the operator does it.
    async fn r21_no_administrator_puts_a_colleague_back(world: World) {
        let (linus, seat_of_linus) = staff(&world, "linus").await;
        let before = world.env.now();
        world.advance(HOUR);
        key(&world, linus, "a new key", std::time::Duration::ZERO).await;
        let (_, grace) = staff(&world, "grace").await;
        let path = "/admin/accounts/linus/restore/";
        let at = before.rfc3339();
        for fields in [vec![("at", at.as_str()), ("reason", WHY), ("dry_run", "y")], vec![("at", at.as_str()), ("reason", WHY), ("digest", "x")]] {
            let answer = grace.browser.submit(path, path, &fields).await;
            assert!(answer.status() == 422 && answer.text().contains("administers the index"), "{}", answer.text());
        }
        assert!(all::<account_causes::Entity>(&world).await.is_empty());
        assert!(all::<sessions::Entity>(&world).await.iter().any(|row| row.id == seat_of_linus.session && row.until_at.is_none()));
    }

    /// R21: factors end and addresses change only on an account that was frozen for a day; all the rest is put back at once.
    async fn r21_factors_and_addresses_change_only_on_an_account_that_was_frozen_for_a_day(world: World) {
        let (ada, _) = publisher(&world, "ada").await;
        world.advance(DAY);
        let before = world.env.now();
        world.advance(HOUR);
        let thiefs = key(&world, ada, "of a thief", std::time::Duration::ZERO).await;
        let address = given::address(&world, ada, "thief@example.net").await;
        given::browser(&world, ada).await;
        world.advance(HOUR);
        let (grace, seat_of_grace) = staff(&world, "grace").await;
        let path = "/admin/accounts/ada/restore/";
        let at = before.rfc3339();
        let list = seat_of_grace.browser.submit(path, path, &[("at", &at), ("reason", WHY), ("dry_run", "y")]).await.text();
        assert!(list.contains("frozen for 24 hours"), "{list}");
        assert_eq!(put_back(&seat_of_grace, path, before).await.status(), 200);
        let open = async || {
            let factors = all::<factors::Entity>(&world).await.into_iter().filter(|row| row.id == thiefs && row.until_at.is_none()).count();
            let addresses = all::<addresses::Entity>(&world).await.into_iter().filter(|row| row.id == address && row.until_at.is_none()).count();
            (factors, addresses)
        };
        assert_eq!(open().await, (1, 1), "they stay");
        assert!(all::<account_causes::Entity>(&world).await.iter().any(|row| row.account_id == ada && row.kind == "contained"), "and do nothing");
        assert!(all::<sessions::Entity>(&world).await.iter().filter(|row| row.account_id == ada).all(|row| row.until_at.is_some()));
        given::freeze(&world.env, ada).await;
        world.advance(25 * HOUR);
        let factor = key(&world, grace, "another key", 40 * DAY).await;
        let seat_of_grace = seat(&world, grace, factor).await;
        assert_eq!(put_back(&seat_of_grace, path, before).await.status(), 200);
        assert_eq!(open().await, (0, 0), "a day has passed");
    }
}
