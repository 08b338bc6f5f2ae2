//! Putting back in the console (R18, R20): the list first, then the act, with a key's proof bound to exactly that list and reason.

use index::clock::Time;
use index::db::entities::{batches, project_locks, roles};
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
        let act = asked(&seat.browser.submit(PROJECT, PROJECT, &form).await).expect("a proof");
        seat.prove(&act).await;
        form[3].1 = &act;
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
}
