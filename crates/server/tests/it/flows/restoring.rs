//! As it stood at a time (P7, R18): what was taken away comes back with its age, what was added ends, credentials never revive.

use std::time::Duration;

use index::Refused;
use index::act::{act, view};
use index::clock::Time;
use index::db::entities::{account_causes, addresses, api_tokens, batches, factors, project_locks, roles, sessions};
use index::ids::{AccountId, ActId, BatchId, CaseId};
use index::policy::{Actor, PlanRestore, RestoreAtShell, UndoRestore};
use index::resources::Restorable;
use index::restoring::{self, Does, Order, Preview, Restored, Undone};

use crate::dist::wheel;
use crate::given::{self, Has, account, all, events_of, publisher, upload};
use crate::world::{World, both_engines};

const HOUR: Duration = Duration::from_secs(3600);
const PAGE: &str = "/manage/account/token/";

fn operator() -> Actor {
    Actor::operator("olga", "a-request".to_owned())
}

fn order(at: Time) -> Order {
    Order { at, reason: "the incident of November".to_owned(), case: None, digest: None }
}

/// What `strongroom incident restore` does.
async fn restore_as(world: &World, on: Restorable, order: Order) -> Result<Restored, Refused> {
    let env = world.env.clone();
    act::<RestoreAtShell, _, _>(&world.env, &operator(), on, move |tx, permit| {
        let (env, order) = (env.clone(), order.clone());
        Box::pin(async move { restoring::restore(&env, tx, permit, &order).await })
    })
    .await
}

pub async fn restore(world: &World, on: Restorable, at: Time) -> Restored {
    restore_as(world, on, order(at)).await.expect("it can be put back")
}

/// What `strongroom incident restore --dry-run` does.
async fn preview(world: &World, on: Restorable, at: Time) -> Result<Preview, Refused> {
    let env = world.env.clone();
    view::<PlanRestore, _, _>(&world.env, &operator(), on, move |read, permit| {
        Box::pin(async move { restoring::by_operator(&env, read, permit, at).await })
    })
    .await
}

/// What `strongroom incident undo` does.
pub async fn undo(world: &World, batch: BatchId) -> Result<Undone, Refused> {
    let env = world.env.clone();
    act::<UndoRestore, _, _>(&world.env, &operator(), batch, move |tx, permit| {
        let env = env.clone();
        Box::pin(async move { restoring::undo(&env, tx, permit, "it was the wrong one").await })
    })
    .await
}

pub async fn project(world: &World, name: &str) -> Restorable {
    let rows = all::<index::db::entities::projects::Entity>(world).await;
    Restorable::Project(rows.into_iter().find(|row| row.normalized == name).expect("there is such a project").id)
}

/// Ends open rows of a table, as an act of that moment does.
pub async fn end(world: &World, table: &str, condition: &str) {
    let now = world.env.now().as_micros();
    world.run(&format!("UPDATE {table} SET until_at = {now}, ended_by = began_by WHERE until_at IS NULL AND {condition}")).await;
}

pub fn of(username: &str) -> String {
    format!("account_id = (SELECT id FROM accounts WHERE username = '{username}')")
}

/// Who holds which role, with its age: what a restore must bring back exactly.
async fn standing(world: &World) -> Vec<(AccountId, String, bool, Time)> {
    let rows = all::<roles::Entity>(world).await.into_iter().filter(|row| row.until_at.is_none());
    let mut standing: Vec<_> = rows.map(|row| (row.account_id, row.role, row.founding, row.from_at)).collect();
    standing.sort();
    standing
}

async fn open_locks(world: &World) -> Vec<String> {
    let rows = all::<project_locks::Entity>(world).await.into_iter().filter(|row| row.until_at.is_none());
    let mut kinds: Vec<String> = rows.map(|row| row.kind).collect();
    kinds.sort();
    kinds
}

/// A lock on the whole project, as an act of that moment adds it.
pub async fn lock(world: &World, kind: &str) {
    let now = world.env.now().as_micros();
    world
        .run(&format!(
            "INSERT INTO project_locks (id, project_id, kind, reason, from_at, began_by) SELECT {}, id, '{kind}', 'x', {now}, id FROM projects",
            given_id(world)
        ))
        .await;
}

/// A new id, as both engines write it.
fn given_id(world: &World) -> String {
    crate::holding::raw(world, index::ids::new_uuid(world.env.now(), &*world.env.entropy))
}

/// A project of ada's, and mallory, who is not in it yet. The moment before the incident.
async fn spam(world: &World) -> (AccountId, String, AccountId, Time) {
    let (ada, token) = publisher(world, "ada").await;
    assert_eq!(upload(world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
    let mallory = account(world, "mallory", Has::AddressAndFactor).await;
    world.advance(31 * 24 * HOUR);
    let before = world.env.now();
    world.advance(HOUR);
    (ada, token, mallory, before)
}

/// The takeover of the project: mallory is made an Owner, ada is removed, the project is deleted.
async fn taken_over(world: &World, mallory: AccountId) {
    given::owner(world, "spam", mallory).await;
    end(world, "roles", &of("ada")).await;
    lock(world, "deleted").await;
    world.advance(HOUR);
}

both_engines! {
    /// R18, P7: the whole project in one act, ages included; the dry run is exactly the list.
    async fn a_project_comes_back_as_it_stood_with_its_old_ages(world: World) {
        let (ada, token, mallory, before) = spam(&world).await;
        let stood = standing(&world).await;
        taken_over(&world, mallory).await;
        let on = project(&world, "spam").await;
        let seen = preview(&world, on, before).await.expect("it existed");
        let restored = restore(&world, on, before).await;
        assert_eq!(seen.differences, restored.differences, "the dry run is the list that was made");
        let does = |sort: &str, does: Does| seen.differences.iter().filter(|one| one.sort == sort && one.does == does).count();
        assert_eq!((does("role", Does::Ends), does("role", Does::Returns), does("lock", Does::Ends)), (1, 1, 1), "{:?}", seen.differences);
        assert_eq!(standing(&world).await, stood);
        assert!(open_locks(&world).await.is_empty());
        assert_eq!(upload(&world, &token, &wheel("spam", "1.1").build()).await.status(), 200, "her token opens her project again");
        let rows = all::<roles::Entity>(&world).await;
        assert_eq!(rows.len(), 3, "closed rows stay as they were, the copy stands beside them");
        let copy = rows.iter().find(|row| row.account_id == ada && row.until_at.is_none()).expect("a copy");
        assert_eq!((copy.founding, Some(copy.began_by)), (true, restored.done.map(|(batch, _)| index::ids::EventId(batch.0))));
        let again = restore(&world, on, before).await;
        assert!(again.done.is_none() && again.already == 1, "nothing is left to do: {again:?}");
    }

    /// P10: those who owned it before and those who own it after are told, once each.
    async fn the_owners_of_before_and_after_are_told_once(world: World) {
        let (_, _, mallory, before) = spam(&world).await;
        taken_over(&world, mallory).await;
        world.work().await;
        let on = project(&world, "spam").await;
        restore(&world, on, before).await;
        for who in ["ada@example.org", "mallory@example.org"] {
            let told = world.mail().await.into_iter().filter(|mail| mail.to.contains(who) && mail.text.contains("was put back as it stood"));
            assert_eq!(told.count(), 1, "{who}");
        }
        let events = events_of(&world, "project:restored").await;
        assert_eq!((events.len(), events[0].actor.as_str()), (1, "operator:olga"));
    }

    /// P10, P4: each role that ends or comes back is an event of its own; whose it is is told, and the Owners read the list in their mail.
    async fn p10_whoever_gains_or_loses_a_role_by_a_restore_is_told(world: World) {
        let (_, _, mallory, before) = spam(&world).await;
        taken_over(&world, mallory).await;
        let norma = account(&world, "norma", Has::AddressAndFactor).await;
        given::owner(&world, "spam", norma).await;
        world.run(&format!("UPDATE roles SET role = 'Maintainer' WHERE {}", of("norma"))).await;
        world.work().await;
        let done = restore(&world, project(&world, "spam").await, before).await;
        let told = |kind: &'static str| {
            let world = &world;
            async move { events_of(world, kind).await.into_iter().map(|row| row.detail).collect::<Vec<_>>() }
        };
        let (ended, back) = (told("project:role:restore:ended").await, told("project:role:restore:returned").await);
        assert_eq!((ended.len(), back.len()), (2, 1), "{ended:?} {back:?}");
        assert!(ended.iter().any(|detail| detail.contains("norma") && detail.contains("Maintainer")) && back[0].contains("ada"), "{ended:?} {back:?}");
        let to_norma = world.newest_mail_to("norma@example.org").await;
        assert!(to_norma.text.contains("You are no longer Maintainer of spam"), "{}", to_norma.text);
        let mails = world.mail().await;
        let to_owner = mails.iter().find(|mail| mail.to.contains("ada@example.org") && mail.text.contains("was put back as it stood"));
        let text = &to_owner.expect("the Owners are told").text;
        for line in ["ada is Owner again", "mallory is no longer Owner", "norma is no longer Maintainer"] {
            assert!(text.contains(line), "{line} in {text}");
        }
        undo(&world, done.done.expect("it did something").0).await.expect("it can be undone");
        assert_eq!((told("project:role:restore:ended").await.len(), told("project:role:restore:returned").await.len()), (3, 3));
        assert!(world.newest_mail_to("norma@example.org").await.text.contains("You are Maintainer of spam again"));
    }

    /// R32, P10: what the operator did is told to co-owners as to co-owners: who administers the index is told as that.
    async fn r32_who_does_not_administer_the_index_is_not_told_that_they_do(world: World) {
        let [ada, bob] = crate::team::members(&world, ["ada", "bob"]).await;
        let grace = account(&world, "grace", Has::AddressAndFactor).await;
        given::administrator(&world, grace).await;
        let token = given::minted(&world, ada.account, "scope:user", "").await.text.expose().to_owned();
        upload(&world, &token, &wheel("spam", "1.0").build()).await;
        given::owner(&world, "spam", bob.account).await;
        world.advance(40 * 24 * HOUR);
        let before = world.env.now();
        world.advance(HOUR);
        ada.remove(&world, "spam", bob.role_id(&world).await).await;
        world.work().await;
        restore(&world, project(&world, "spam").await, before).await;
        let mails = world.mail().await;
        let died = |who: &str| mails.iter().rev().find(|mail| mail.to.contains(who) && mail.text.contains("will not happen")).expect("told").text.clone();
        for who in ["ada@example.org", "bob@example.org"] {
            assert!(!died(who).contains("you administer the index"), "{}", died(who));
        }
        let to_grace = mails.iter().rev().find(|mail| mail.to.contains("grace@example.org")).expect("told");
        assert!(to_grace.text.contains("you administer the index"), "{}", to_grace.text);
    }

    /// R18: the state at a time stays right when there were restores in between.
    async fn a_time_between_theft_and_restore_shows_what_stood_then(world: World) {
        let (_, _, mallory, before) = spam(&world).await;
        taken_over(&world, mallory).await;
        let stolen = standing(&world).await;
        let between = world.env.now();
        world.advance(HOUR);
        let on = project(&world, "spam").await;
        restore(&world, on, before).await;
        world.advance(HOUR);
        restore(&world, on, between).await;
        assert_eq!(standing(&world).await, stolen, "the copy with the old age did not stand then");
        world.advance(HOUR);
        restore(&world, on, before).await;
        assert_eq!(standing(&world).await.len(), 1);
        assert_eq!(open_locks(&world).await.len(), 0);
    }

    /// Property 9: undo after act is the identity; an undo can be undone.
    async fn an_undo_brings_back_what_was_before_and_can_be_undone(world: World) {
        let (_, _, mallory, before) = spam(&world).await;
        let stood = standing(&world).await;
        taken_over(&world, mallory).await;
        let stolen = standing(&world).await;
        let on = project(&world, "spam").await;
        let (batch, _) = restore(&world, on, before).await.done.expect("it did something");
        world.advance(HOUR);
        let undone = undo(&world, batch).await.expect("it can be undone");
        assert_eq!((standing(&world).await, open_locks(&world).await), (stolen, vec!["deleted".to_owned()]));
        assert!(matches!(undo(&world, batch).await, Err(Refused::Invalid(_))), "once");
        undo(&world, undone.batch).await.expect("it is a batch like another");
        assert_eq!((standing(&world).await, open_locks(&world).await), (stood, Vec::new()));
        assert_eq!(all::<batches::Entity>(&world).await.len(), 3);
    }

    /// R13: a quarantine is lifted by whoever put it there.
    async fn a_quarantine_stands_and_is_not_put_back(world: World) {
        let (_, _, _, before) = spam(&world).await;
        lock(&world, "quarantined").await;
        lock(&world, "archived").await;
        let during = world.env.now();
        world.advance(HOUR);
        let on = project(&world, "spam").await;
        let restored = restore(&world, on, before).await;
        assert_eq!(open_locks(&world).await, ["quarantined"]);
        assert!(restored.differences.iter().any(|one| one.does == Does::Stays && one.what.contains("quarantined")));
        end(&world, "project_locks", "kind = 'quarantined'").await;
        world.advance(HOUR);
        restore(&world, on, during).await;
        assert_eq!(open_locks(&world).await, ["archived"], "what staff lifted since is not put back");
    }

    /// Property 8: no restore leaves a project without an owner.
    async fn what_would_leave_nobody_is_refused_or_left(world: World) {
        let (_, _, mallory, before) = spam(&world).await;
        taken_over(&world, mallory).await;
        let on = project(&world, "spam").await;
        let (batch, _) = restore(&world, on, before).await.done.expect("it did something");
        // What ended mallory's role is gone, as after an erasure; the undo would take ada's and bring nobody.
        world.run(&format!("UPDATE roles SET ended_by = began_by WHERE {}", of("mallory"))).await;
        assert!(matches!(undo(&world, batch).await, Err(Refused::Invalid(e)) if e.message.contains("nobody would own spam")));
        assert_eq!(standing(&world).await.len(), 1);
    }

    async fn what_cannot_be_meant_is_refused_and_changes_nothing(world: World) {
        let (ada, _, mallory, before) = spam(&world).await;
        taken_over(&world, mallory).await;
        let on = project(&world, "spam").await;
        let long_ago = Time::from_seconds(0);
        let soon = world.env.now().plus(HOUR);
        let wrong = [
            order(long_ago),
            order(soon),
            Order { reason: " ".to_owned(), ..order(before) },
            Order { case: Some(CaseId::new(before, &*world.env.entropy)), ..order(before) },
            Order { digest: Some("of another list".to_owned()), ..order(before) },
        ];
        for order in wrong {
            assert!(matches!(restore_as(&world, on, order).await, Err(Refused::Invalid(_))));
        }
        assert!(matches!(restore_as(&world, Restorable::Account(ada), order(long_ago)).await, Err(Refused::Invalid(_))));
        let nobody = Restorable::Account(AccountId::new(before, &*world.env.entropy));
        assert!(matches!(restore_as(&world, nobody, order(before)).await, Err(Refused::Denied(_))));
        let batch = BatchId::new(before, &*world.env.entropy);
        assert!(matches!(undo(&world, batch).await, Err(Refused::Denied(_))));
        assert_eq!(all::<batches::Entity>(&world).await.len(), 0);
        let digest = preview(&world, on, before).await.expect("it existed").digest;
        restore_as(&world, on, Order { digest: Some(digest), ..order(before) }).await.expect("the list is as it was seen");
    }

    /// TAKEOVER-5.
    /// R18: one act puts the account back and the projects that it owned; no credential revives by it.
    async fn an_account_comes_back_with_its_projects_and_without_its_credentials(world: World) {
        let (ada, token, mallory, before) = spam(&world).await;
        let (seat, stood) = (given::browser(&world, ada).await, standing(&world).await);
        taken_over(&world, mallory).await;
        let now = world.env.now().as_micros();
        end(&world, "api_tokens", &of("ada")).await;
        end(&world, "factors", &of("ada")).await;
        end(&world, "addresses", &of("ada")).await;
        let thief = given::address(&world, ada, "thief@example.net").await;
        world.run("UPDATE addresses SET is_primary = TRUE WHERE folded = 'thief@example.net'").await;
        let cause = format!("INSERT INTO account_causes (id, account_id, kind, reason, from_at, began_by) SELECT {}, id, 'deleted', 'x', {now}, id \
            FROM accounts WHERE username = 'ada'", given_id(&world));
        world.run(&cause).await;
        given::freeze(&world.env, ada).await;
        world.advance(HOUR);
        let restored = restore(&world, Restorable::Account(ada), before).await;

        assert_eq!(standing(&world).await, stood, "the project came with it");
        assert!(open_locks(&world).await.is_empty());
        let open: Vec<_> = all::<addresses::Entity>(&world).await.into_iter().filter(|row| row.account_id == ada && row.until_at.is_none()).collect();
        assert_eq!(open.len(), 1, "{open:?}");
        assert!(open[0].folded == "ada@example.org" && open[0].is_primary && open[0].verified_at.is_some() && open[0].id != thief);
        let causes = all::<account_causes::Entity>(&world).await.into_iter().filter(|row| row.until_at.is_none());
        let mut causes: Vec<String> = causes.map(|row| row.kind).collect();
        causes.sort();
        assert_eq!(causes, ["contained", "frozen"], "the freeze stands, and the owner takes the account back");
        assert!(all::<factors::Entity>(&world).await.iter().filter(|row| row.account_id == ada).all(|row| row.until_at.is_some()));
        assert!(restored.differences.iter().any(|one| one.sort == "factor" && one.does == Does::Stays));
        assert!(all::<sessions::Entity>(&world).await.iter().filter(|row| row.account_id == ada).all(|row| row.until_at.is_some()));
        assert_eq!(seat.get("/manage/account/").await.status(), 303, "the old session is over");
        let answer = upload(&world, &token, &wheel("spam", "1.1").build()).await;
        assert_eq!(answer.status(), 403, "{}", answer.text());
        let (batch, _) = restored.done.expect("it did something");
        undo(&world, batch).await.expect("it can be undone");
        assert_eq!(all::<api_tokens::Entity>(&world).await.iter().filter(|row| row.account_id == ada && row.until_at.is_none()).count(), 0);
    }

    /// R18, R2: a token comes back paused, says so, and works again when its owner has confirmed it with a proof for it alone.
    async fn a_token_comes_back_paused_and_its_owner_confirms_it(world: World) {
        let (ada, token, _, before) = spam(&world).await;
        end(&world, "api_tokens", &of("ada")).await;
        world.advance(HOUR);
        assert_eq!(upload(&world, &token, &wheel("spam", "1.1").build()).await.status(), 403);
        let (batch, _) = restore(&world, Restorable::Account(ada), before).await.done.expect("it did something");
        let answer = upload(&world, &token, &wheel("spam", "1.1").build()).await;
        assert_eq!(answer.status(), 403);
        assert!(answer.text().contains("paused until its owner confirms it"), "{}", answer.text());

        let seat = given::browser(&world, ada).await;
        let page = seat.get(PAGE).await;
        assert!(page.text().contains("Confirm this token"), "{}", page.text());
        let id = all::<api_tokens::Entity>(&world).await.into_iter().find(|row| row.until_at.is_none()).expect("the copy").id.to_string();
        let path = "/manage/account/token/confirm/";
        let (mallory, mallorys) = (given::account_id(&world, "mallory").await, "not found");
        let stranger = given::browser(&world, mallory).await;
        assert_eq!(stranger.submit(PAGE, path, &[("token_id", &id)]).await.status(), 404, "{mallorys}");
        let asked = seat.submit(PAGE, path, &[("token_id", &id)]).await.location();
        let act = asked.split("act=").nth(1).expect("a proof is asked for").split('&').next().expect("it ends").to_owned();
        assert!(seat.submit(PAGE, path, &[("token_id", &id), ("act", &act)]).await.location().contains("reauthenticate"), "not proved yet");
        given::prove(&world, ActId::parse(&act).expect("an id")).await;
        let back = seat.get(&format!("{PAGE}?act={act}")).await;
        assert!(back.text().contains(&format!("name=\"act\" value=\"{act}\"")), "{}", back.text());
        assert_eq!(seat.submit(PAGE, path, &[("token_id", &id), ("act", &act)]).await.location(), PAGE);
        assert_eq!(upload(&world, &token, &wheel("spam", "1.1").build()).await.status(), 200);
        assert_eq!(events_of(&world, "account:api_token:confirmed").await.len(), 1);

        // Undone, restored again: the same text of the token, and paused again.
        world.advance(HOUR);
        let between = world.env.now();
        world.advance(HOUR);
        undo(&world, batch).await.expect("it can be undone");
        assert_eq!(upload(&world, &token, &wheel("spam", "1.2").build()).await.status(), 403);
        world.advance(HOUR);
        restore(&world, Restorable::Account(ada), between).await;
        let answer = upload(&world, &token, &wheel("spam", "1.2").build()).await;
        assert!(answer.text().contains("paused"), "{}", answer.text());
    }

    /// R24: an address that somebody else verified meanwhile is theirs.
    async fn an_address_that_another_account_has_verified_does_not_come_back(world: World) {
        let (ada, _, mallory, before) = spam(&world).await;
        given::address(&world, ada, "ada@second.example.org").await;
        end(&world, "addresses", "folded = 'ada@example.org'").await;
        given::address(&world, mallory, "ada@example.org").await;
        world.advance(HOUR);
        let restored = restore(&world, Restorable::Account(ada), before).await;
        assert!(restored.differences.iter().any(|one| one.does == Does::Stays && one.what == "ada@example.org"), "{:?}", restored.differences);
        let open = all::<addresses::Entity>(&world).await.into_iter().filter(|row| row.folded == "ada@example.org" && row.until_at.is_none());
        assert_eq!(open.map(|row| row.account_id).collect::<Vec<_>>(), [mallory]);
    }

    /// P7: which address was the primary one stands in the rows, so that it is known of any time.
    async fn the_primary_address_at_a_time_is_known(world: World) {
        let ada = world.secured("ada").await;
        let id = given::account_id(&world, "ada").await;
        given::address(&world, id, "ada@second.example.org").await;
        let page = "/manage/account/emails/";
        let before = world.env.now();
        world.advance(Duration::from_secs(60));
        let fields = [("email", "ada@second.example.org")];
        let answer = ada.browser.submit(page, "/manage/account/emails/primary/", &fields).await;
        let back = ada.prove_at(&answer.location()).await;
        let act = back.split("act=").nth(1).expect("the act comes back").to_owned();
        let fields = [("email", "ada@second.example.org"), ("act", act.as_str())];
        ada.browser.submit(page, "/manage/account/emails/primary/", &fields).await;
        crate::holding::serve(&world, 73 * HOUR).await;
        world.work().await;
        let primary = |rows: Vec<addresses::Model>| {
            let open = rows.into_iter().filter(|row| row.until_at.is_none() && row.is_primary);
            open.map(|row| row.folded).collect::<Vec<_>>()
        };
        assert_eq!(primary(all::<addresses::Entity>(&world).await), ["ada@second.example.org"], "the hold was served");
        restore(&world, Restorable::Account(id), before).await;
        assert_eq!(primary(all::<addresses::Entity>(&world).await), ["ada@people.example.org"]);
    }

    /// R13: what was deleted again since the restore is deleted once, and is put back by one press after its undo.
    async fn an_undo_adds_no_second_deletion(world: World) {
        let (ada, _, _, before) = spam(&world).await;
        let now = world.env.now().as_micros();
        let cause = |now: i64| format!("INSERT INTO account_causes (id, account_id, kind, reason, from_at, began_by) SELECT {}, id, 'deleted', 'x', {now}, id \
            FROM accounts WHERE username = 'ada'", given_id(&world));
        world.run(&cause(now)).await;
        lock(&world, "deleted").await;
        world.advance(HOUR);
        let (batch, _) = restore(&world, Restorable::Account(ada), before).await.done.expect("it did something");
        world.advance(HOUR);
        world.run(&cause(world.env.now().as_micros())).await;
        lock(&world, "deleted").await;
        let undone = undo(&world, batch).await.expect("it can be undone");
        assert_eq!(open_locks(&world).await, ["deleted"]);
        let causes = all::<account_causes::Entity>(&world).await.into_iter().filter(|row| row.until_at.is_none() && row.kind == "deleted");
        assert_eq!((causes.count(), undone.already), (1, 2));
    }

    /// R24, R27: what was erased stays erased, also when things are kept longer by now.
    async fn what_was_erased_is_not_put_back_after_retention_was_raised(world: World) {
        let (ada, _, _, before) = spam(&world).await;
        let now = world.env.now().as_micros();
        lock(&world, "deleted").await;
        world.run(&format!("UPDATE project_locks SET erased_at = {now}; UPDATE accounts SET erased_at = {now} WHERE username = 'ada'")).await;
        world.advance(HOUR);
        let on = project(&world, "spam").await;
        let seen = preview(&world, on, before).await.expect("it existed");
        assert!(seen.differences.iter().all(|one| one.does == Does::Stays), "{:?}", seen.differences);
        assert!(matches!(restore_as(&world, Restorable::Account(ada), order(before)).await, Err(Refused::Invalid(_))));
    }
}
