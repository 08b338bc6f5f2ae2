//! Projects, releases and files: deleted after a hold, withdrawn at once, put back by any Owner, erased after their time (P7, R7, R24).

use index::check::check;
use index::db::entities::{files, holds, project_locks, releases};
use index::ids::{AccountId, FactorId};

use crate::dist::wheel;
use crate::given::{self, Has, all};
use crate::holding::{DAY, HOLDS, HOUR, Seat, asked, count, newest, old_account, press, seat, seat_on, serve, veto_link};
use crate::world::{Answer, World, both_engines};

const SETTINGS: &str = "/manage/project/spam/settings/";
const RELEASE: &str = "/manage/project/spam/release/1.0/";

/// An Owner with a project of two releases, and another settled Owner.
struct Owners {
    ada: (AccountId, FactorId),
    bob: (AccountId, FactorId),
    token: String,
}

async fn owners(world: &World) -> Owners {
    let bob = old_account(world, "bob").await;
    let ada = old_account(world, "ada").await;
    let token = given::minted(world, ada.0, "scope:user", "").await.text.expose().to_owned();
    for version in ["1.0", "2.0"] {
        let answer = given::upload(world, &token, &wheel("spam", version).build()).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
    }
    given::owner(world, "spam", bob.0).await;
    let settled = world.env.now().minus(40 * DAY).as_micros();
    world.run(&format!("UPDATE roles SET from_at = {settled}")).await;
    Owners { ada, bob, token }
}

async fn delete_project(owner: &Seat<'_>) -> Answer {
    owner.proved(SETTINGS, "/manage/project/spam/settings/delete/", &[("confirm_project_name", "Spam")]).await
}

/// Where readers could meet the project.
async fn doors(world: &World) -> Vec<String> {
    let file = all::<files::Entity>(world).await.into_iter().find(|row| row.filename.contains("1.0")).expect("it was uploaded");
    vec![
        "/project/spam/".to_owned(),
        "/project/spam/1.0/".to_owned(),
        "/simple/spam/".to_owned(),
        "/pypi/spam/json".to_owned(),
        "/pypi/spam/1.0/json".to_owned(),
        "/rss/project/spam/releases.xml".to_owned(),
        index::projects::files::path(&file.blake2_256, &file.filename),
        format!("{}.metadata", index::projects::files::path(&file.blake2_256, &file.filename)),
    ]
}

async fn lists(world: &World) -> usize {
    let mut seen = 0;
    for page in ["/", "/search/", "/search/?q=spam", "/simple/", "/rss/updates.xml", "/rss/packages.xml", "/user/ada/"] {
        let text = world.browser().get(page).await.text();
        seen += usize::from(text.contains("/project/spam/") || text.contains("/simple/spam/"));
    }
    seen
}

async fn statuses(world: &World) -> Vec<u16> {
    let mut found = Vec::new();
    for door in doors(world).await {
        found.push(world.browser().get(&door).await.status());
    }
    found
}

/// The id of the newest open lock.
async fn lock(world: &World) -> String {
    let mut rows = all::<project_locks::Entity>(world).await;
    rows.retain(|row| row.until_at.is_none());
    rows.sort_by_key(|row| row.id);
    rows.pop().expect("a lock is on").id.to_string()
}

both_engines! {
    /// R7, R24: a deletion waits and tells every settled Owner; then nothing of the project is found, and everything of it is kept.
    async fn r7_a_deleted_project_is_hidden_everywhere_after_its_hold_and_kept(world: World) {
        let owners = owners(&world).await;
        let ada = seat(&world, owners.ada.0, owners.ada.1).await;
        let before = world.browser().get("/simple/spam/").await.text();
        let wrong = ada.browser.submit(SETTINGS, "/manage/project/spam/settings/delete/", &[("confirm_project_name", "eggs")]).await;
        assert_eq!(wrong.status(), 422, "{}", wrong.text());
        assert!(asked(&ada.browser.submit(SETTINGS, "/manage/project/spam/settings/delete/", &[("confirm_project_name", "spam")]).await).is_some());
        assert!(all::<holds::Entity>(&world).await.is_empty(), "nothing waits without a proof");
        let answer = delete_project(&ada).await;
        assert_eq!(answer.location(), HOLDS, "{}", answer.text());
        for address in ["ada@example.org", "bob@example.org"] {
            let mail = world.newest_mail_to(address).await;
            assert!(mail.text.contains("Delete the project spam") && mail.text.contains("/account/veto/"), "{}", mail.text);
        }
        assert!(statuses(&world).await.iter().all(|status| *status == 200) && lists(&world).await == 7);
        serve(&world, 71 * HOUR).await;
        assert!(statuses(&world).await.iter().all(|status| *status == 200), "an hour is missing");
        serve(&world, HOUR).await;
        assert_eq!(count(&world, "project:delete").await, 1);
        assert!(statuses(&world).await.iter().all(|status| *status == 404), "{:?}", statuses(&world).await);
        assert_eq!(lists(&world).await, 0);

        let bob = seat_on(&world, owners.bob.0, owners.bob.1, Some(40 * DAY)).await;
        assert!(bob.browser.get("/manage/projects/").await.text().contains("spam"), "its Owners still see it");
        let page = bob.browser.get(SETTINGS).await.text();
        assert!(page.contains("Undo the deletion") && page.contains("undone until"), "{page}");
        let refused = given::upload(&world, &owners.token, &wheel("spam", "3.0").build()).await;
        assert_eq!(refused.status(), 403);
        assert!(refused.text().contains("it is deleted"), "{}", refused.text());
        let (_, stranger) = given::publisher(&world, "mallory").await;
        for name in ["spam", "s-pam"] {
            let answer = given::upload(&world, &stranger, &wheel(name, "3.0").build()).await;
            assert!([400, 403].contains(&answer.status()), "{name}: {}", answer.text());
        }
        let checked = check(&world.env, true, |_| {}).await.expect("it can be checked");
        assert_eq!((checked.files, checked.wrong, checked.orphans, checked.kept), (2, 0, 0, 0), "bytes and rows are whole");

        let back = [("lock_id", lock(&world).await)];
        let back = [("lock_id", back[0].1.as_str())];
        assert!(asked(&bob.browser.submit(SETTINGS, "/manage/project/spam/settings/put-back/", &back).await).is_some(), "R2");
        let answer = bob.proved(SETTINGS, "/manage/project/spam/settings/put-back/", &back).await;
        assert_eq!(answer.location(), SETTINGS, "{}", answer.text());
        assert!(statuses(&world).await.iter().all(|status| *status == 200) && lists(&world).await == 7);
        let after = world.browser().get("/simple/spam/").await.text();
        let without_serial = |text: &str| text.lines().filter(|line| !line.to_lowercase().contains("serial")).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(without_serial(&before), without_serial(&after), "exactly as it was");
        assert!(world.newest_mail_to("ada@example.org").await.text.contains("is back"));
    }

    /// R10, R19: one mail link stops a deletion; R9: nothing takes effect while somebody concerned is stopped.
    async fn r9_r10_a_link_stops_a_deletion_and_a_stopped_owner_holds_it(world: World) {
        let owners = owners(&world).await;
        let ada = seat(&world, owners.ada.0, owners.ada.1).await;
        delete_project(&ada).await;
        world.work().await;
        given::freeze(&world.env, owners.bob.0).await;
        serve(&world, 100 * HOUR).await;
        assert_eq!((newest(&world).await.state.as_str(), count(&world, "project:delete").await), ("waiting", 0), "R9");
        let link = veto_link(&world, "bob@example.org").await;
        assert_eq!(press(&world, &link).await.status(), 200);
        serve(&world, 100 * HOUR).await;
        assert_eq!((newest(&world).await.state.as_str(), count(&world, "project:delete").await), ("vetoed", 0));
        assert!(statuses(&world).await.iter().all(|status| *status == 200));
        let ada = seat(&world, owners.ada.0, owners.ada.1).await;
        assert_eq!(delete_project(&ada).await.status(), 403, "R10: barred until the case is closed");
    }

    /// R7, R8, R10: a settled Owner who leaves, or in whose name a thief said so, still holds the role: a deletion concerns him.
    async fn r8_who_leaves_still_stops_a_deletion(world: World) {
        let owners = owners(&world).await;
        let bob = seat_on(&world, owners.bob.0, owners.bob.1, Some(40 * DAY)).await;
        let role = all::<index::db::entities::roles::Entity>(&world).await.into_iter().find(|row| row.account_id == owners.bob.0).expect("his").id;
        let left = crate::team::remove(&bob, "spam", role, &[("drop_rights", "y")]).await;
        assert_eq!(left.location(), HOLDS, "{}", left.text());
        world.advance(HOUR);
        delete_project(&seat(&world, owners.ada.0, owners.ada.1).await).await;
        let deletion = newest(&world).await;
        assert_eq!(deletion.action, "project:delete");
        assert!(world.newest_mail_to("bob@example.org").await.text.contains("Delete the project spam"), "he is told");
        let bob = seat(&world, owners.bob.0, owners.bob.1).await;
        assert_eq!(bob.veto(&deletion).await.status(), 303);
        serve(&world, 100 * HOUR).await;
        assert_eq!(count(&world, "project:delete").await, 0);
    }

    /// R14: what an alarm paused on a project proposes no deletion there, puts nothing back and approves nothing; what tightens works.
    async fn r14_what_an_alarm_paused_does_nothing_on_the_project_but_tighten(world: World) {
        let owners = owners(&world).await;
        let ada = seat(&world, owners.ada.0, owners.ada.1).await;
        let bob = seat_on(&world, owners.bob.0, owners.bob.1, Some(40 * DAY)).await;
        let (now, id) = (world.env.now(), |id: uuid::Uuid| crate::holding::raw(&world, id));
        let new = id(index::ids::new_uuid(now, &*world.env.entropy));
        world.run(&format!("INSERT INTO pauses (id, project_id, credential_id, account_id, raised_by, case_id, from_at, expires_at, began_by) \
            SELECT {new}, id, {}, {}, {}, {new}, {}, {}, {new} FROM projects", id(ada.session.0), id(owners.ada.0.0), id(owners.bob.0.0),
            now.as_micros(), now.plus(DAY).as_micros())).await;
        let refused = delete_project(&ada).await;
        assert!(refused.status() == 403 && refused.text().contains("Paused by an alarm"), "{}", refused.text());
        assert!(all::<holds::Entity>(&world).await.is_empty());
        delete_project(&bob).await;
        let hold = newest(&world).await;
        let approve = format!("{HOLDS}{}/approve/", hold.id);
        assert_eq!(ada.proved(HOLDS, &approve, &[]).await.status(), 403);
        assert_eq!(count(&world, "hold:approved").await, 0);
        let withdrawn = ada.browser.submit(RELEASE, &format!("{RELEASE}withdraw/"), &[("reason", "a secret")]).await;
        assert_eq!(withdrawn.status(), 303, "R19: {}", withdrawn.text());
        let back = [("lock_id", lock(&world).await)];
        let back = [("lock_id", back[0].1.as_str())];
        let put_back = format!("{RELEASE}put-back/");
        assert_eq!(ada.proved(SETTINGS, &put_back, &back).await.status(), 403);
        assert_eq!(ada.veto(&hold).await.status(), 303, "R19");
        world.advance(DAY);
        let ada = seat_on(&world, owners.ada.0, owners.ada.1, Some(40 * DAY)).await;
        assert_eq!(ada.proved(SETTINGS, &put_back, &back).await.location(), RELEASE, "a day later it works again");
    }

    /// R7, R19: a release and a file are withdrawn in one request, by any Owner and nobody else; putting back needs a proof (R2).
    async fn r7_a_file_or_release_is_withdrawn_at_once_and_put_back_with_a_proof(world: World) {
        let owners = owners(&world).await;
        let bob = seat(&world, owners.bob.0, owners.bob.1).await;
        let file = all::<files::Entity>(&world).await.into_iter().find(|row| row.filename.contains("1.0")).expect("it is there");
        let path = index::projects::files::path(&file.blake2_256, &file.filename);
        let id = file.id.to_string();
        let answer = bob.browser.submit(RELEASE, &format!("{RELEASE}withdraw-file/"), &[("file_id", &id)]).await;
        assert_eq!(answer.location(), RELEASE, "{}", answer.text());
        assert_eq!(world.browser().get(&path).await.status(), 404);
        let simple = world.browser().get("/simple/spam/").await.text();
        assert!(!simple.contains("spam-1.0") && simple.contains("spam-2.0"), "{simple}");
        let again = given::upload(&world, &owners.token, &wheel("spam", "1.0").build()).await;
        assert_eq!(again.status(), 400, "its name stays taken: {}", again.text());
        let back = lock(&world).await;
        assert!(asked(&bob.browser.submit(RELEASE, &format!("{RELEASE}put-back/"), &[("lock_id", &back)]).await).is_some(), "R2");
        assert_eq!(bob.proved(RELEASE, &format!("{RELEASE}put-back/"), &[("lock_id", &back)]).await.location(), RELEASE);
        assert_eq!(world.browser().get(&path).await.status(), 200);

        let answer = bob.browser.submit(RELEASE, &format!("{RELEASE}withdraw/"), &[("reason", "a password is in it")]).await;
        assert_eq!(answer.location(), RELEASE, "{}", answer.text());
        assert_eq!(world.browser().get(&path).await.status(), 404);
        assert_eq!(world.browser().get("/project/spam/1.0/").await.status(), 404);
        assert_eq!(world.browser().get("/project/spam/").await.status(), 200);
        assert!(bob.browser.get(RELEASE).await.text().contains("a password is in it"));
        let refused = given::upload(&world, &owners.token, &crate::dist::sdist("spam", "1.0").build()).await;
        assert_eq!(refused.status(), 403, "{}", refused.text());
        let strangers = given::account(&world, "mallory", Has::AddressAndFactor).await;
        let mallory = given::browser(&world, strangers).await;
        for page in [RELEASE, SETTINGS, "/manage/project/spam/releases/"] {
            assert_eq!(mallory.get(page).await.status(), 404, "{page}");
        }
        let token = mallory.get("/manage/account/").await.csrf_token();
        let fields = [("csrf_token", token.as_str()), ("file_id", id.as_str()), ("lock_id", back.as_str())];
        for form in ["withdraw/", "withdraw-file/", "delete-file/", "yank/", "unyank/"] {
            assert_eq!(mallory.post(&format!("{RELEASE}{form}"), &fields).await.status(), 404, "{form}");
        }
        for form in ["archive/", "unarchive/", "put-back/", "delete/"] {
            assert_eq!(mallory.post(&format!("{SETTINGS}{form}"), &fields).await.status(), 404, "{form}");
        }
    }

    /// R7: a Maintainer sees what is there, and deletes, withdraws and puts back nothing.
    async fn a_maintainer_changes_nothing_of_what_is_served(world: World) {
        let owners = owners(&world).await;
        world.run("UPDATE roles SET role = 'Maintainer' WHERE founding = FALSE").await;
        let bob = seat(&world, owners.bob.0, owners.bob.1).await;
        assert_eq!(bob.browser.get(RELEASE).await.status(), 200);
        let answer = bob.browser.submit(RELEASE, &format!("{RELEASE}withdraw/"), &[]).await;
        assert_eq!(answer.status(), 403, "{}", answer.text());
        assert_eq!(delete_project(&bob).await.status(), 403);
        assert_eq!(bob.browser.submit(SETTINGS, &format!("{SETTINGS}archive/"), &[]).await.status(), 403);
        assert!(all::<project_locks::Entity>(&world).await.is_empty());
    }

    /// R7, R24: a release and a file, deleted after their holds, are hidden each alone; the version takes nothing new.
    async fn r7_a_release_and_a_file_are_deleted_each_after_its_hold(world: World) {
        let owners = owners(&world).await;
        let ada = seat(&world, owners.ada.0, owners.ada.1).await;
        let file = all::<files::Entity>(&world).await.into_iter().find(|row| row.filename.contains("2.0")).expect("it is there");
        let (id, page) = (file.id.to_string(), "/manage/project/spam/release/2.0/");
        let wrong = ada.browser.submit(page, &format!("{page}delete-file/"), &[("file_id", &id), ("confirm_filename", "x")]).await;
        assert_eq!(wrong.status(), 422);
        let fields = [("file_id", id.as_str()), ("confirm_filename", file.filename.as_str())];
        assert_eq!(ada.proved(page, &format!("{page}delete-file/"), &fields).await.location(), HOLDS);
        let answer = ada.proved(RELEASE, RELEASE, &[("confirm_delete_version", "1.0")]).await;
        assert_eq!(answer.location(), HOLDS, "{}", answer.text());
        serve(&world, 73 * HOUR).await;
        let simple = world.browser().get("/simple/spam/").await.text();
        assert!(!simple.contains("spam-1.0") && !simple.contains("spam-2.0"), "{simple}");
        assert_eq!(world.browser().get("/project/spam/1.0/").await.status(), 404);
        assert_eq!(world.browser().get("/project/spam/2.0/").await.status(), 200, "its file alone was deleted");
        assert_eq!((count(&world, "project:release:remove").await, count(&world, "project:release:file:remove").await), (1, 1));
        for version in ["1.0", "2.0"] {
            let answer = given::upload(&world, &owners.token, &wheel("spam", version).build()).await;
            assert!([400, 403].contains(&answer.status()), "{version}: {}", answer.text());
        }
    }

    /// A yank asks for the version, tells installers, and is taken back.
    async fn a_release_is_yanked_and_unyanked(world: World) {
        let owners = owners(&world).await;
        let ada = seat(&world, owners.ada.0, owners.ada.1).await;
        assert_eq!(ada.browser.submit(RELEASE, RELEASE, &[("confirm_yank_version", "2.0")]).await.status(), 422);
        let fields = [("confirm_yank_version", "1.0"), ("yanked_reason", "it is broken")];
        assert_eq!(ada.browser.submit(RELEASE, RELEASE, &fields).await.location(), RELEASE);
        let simple = world.browser().get("/simple/spam/").await.text();
        assert!(simple.contains("data-yanked=\"it is broken\""), "{simple}");
        assert_eq!(ada.browser.submit(RELEASE, &format!("{RELEASE}unyank/"), &[("confirm_unyank_version", "1.0")]).await.location(), RELEASE);
        assert!(!world.browser().get("/simple/spam/").await.text().contains("data-yanked"));
        assert_eq!((count(&world, "project:release:yank").await, count(&world, "project:release:unyank").await), (1, 1));
    }

    /// An archived project is shown as such, its serial moves, and it takes no upload until an Owner opens it with a proof.
    async fn an_archived_project_is_shown_and_takes_no_upload(world: World) {
        let owners = owners(&world).await;
        let ada = seat(&world, owners.ada.0, owners.ada.1).await;
        let serial = |answer: &Answer| answer.header("x-pypi-last-serial").map(str::to_owned);
        let before = serial(&world.browser().get("/simple/spam/").await);
        assert_eq!(ada.browser.submit(SETTINGS, &format!("{SETTINGS}archive/"), &[]).await.location(), SETTINGS);
        let answer = world.browser().get("/simple/spam/").await;
        assert!(answer.text().contains("content=\"archived\""), "{}", answer.text());
        assert_ne!(serial(&answer), before);
        let refused = given::upload(&world, &owners.token, &wheel("spam", "3.0").build()).await;
        assert_eq!(refused.status(), 403);
        assert!(refused.text().contains("The user 'ada' isn't allowed to upload to project 'spam': it is archived"), "{}", refused.text());
        assert_eq!(ada.proved(SETTINGS, &format!("{SETTINGS}unarchive/"), &[]).await.location(), SETTINGS);
        assert_eq!(given::upload(&world, &owners.token, &wheel("spam", "3.0").build()).await.status(), 200);
    }

    /// WEAK-20.
    /// R24: what was not put back in time is erased, its bytes too, once; its names stay taken and nothing brings it back.
    async fn r24_after_retention_bytes_go_and_names_stay_taken(world: World) {
        let owners = owners(&world).await;
        let ada = seat(&world, owners.ada.0, owners.ada.1).await;
        let answer = ada.proved(RELEASE, RELEASE, &[("confirm_delete_version", "1.0")]).await;
        assert_eq!(answer.location(), HOLDS, "{}", answer.text());
        serve(&world, 73 * HOUR).await;
        serve(&world, 29 * DAY).await;
        let open = |rows: Vec<files::Model>| rows.into_iter().filter(|row| row.until_at.is_none()).count();
        assert_eq!((open(all::<files::Entity>(&world).await), count(&world, "project:erase").await), (2, 0), "a day is missing");
        serve(&world, 2 * DAY).await;
        assert_eq!((open(all::<files::Entity>(&world).await), count(&world, "project:erase").await), (1, 1));
        assert_eq!(all::<releases::Entity>(&world).await.iter().filter(|row| row.until_at.is_none()).count(), 1);
        let checked = check(&world.env, true, |_| {}).await.expect("it can be checked");
        assert_eq!((checked.files, checked.wrong, checked.kept), (1, 0, 0));
        serve(&world, HOUR).await;
        assert_eq!(count(&world, "project:erase").await, 1, "a second run changes nothing");
        assert_eq!(given::blobs(&world.env).len(), 2, "the other release and its metadata");
        let ada = seat(&world, owners.ada.0, owners.ada.1).await;
        let page = ada.browser.get("/manage/project/spam/releases/").await.text();
        assert!(!page.contains("release/1.0/"), "{page}");
        let answer = ada.proved(SETTINGS, &format!("{SETTINGS}put-back/"), &[("lock_id", &lock(&world).await)]).await;
        assert!([404, 422].contains(&answer.status()), "{}", answer.text());
        for dist in [wheel("spam", "1.0").build(), crate::dist::sdist("spam", "1.0").build()] {
            let answer = given::upload(&world, &owners.token, &dist).await;
            assert_eq!(answer.status(), 400, "{}", answer.text());
        }
        assert_eq!(given::upload(&world, &owners.token, &wheel("spam", "3.0").build()).await.status(), 200);
    }

    /// P7, R24: what is in quarantine is evidence: it is not erased while the quarantine stands, whoever deleted it, and nothing is late.
    async fn p7_what_is_in_quarantine_is_not_erased_before_it_is_over(world: World) {
        let owners = owners(&world).await;
        let ada = seat(&world, owners.ada.0, owners.ada.1).await;
        for (page, field, typed) in [(RELEASE, "confirm_delete_version", "1.0"), (SETTINGS, "confirm_project_name", "Spam")] {
            let path = if page == SETTINGS { "/manage/project/spam/settings/delete/" } else { page };
            assert_eq!(ada.proved(page, path, &[(field, typed)]).await.location(), HOLDS);
        }
        serve(&world, 73 * HOUR).await;
        crate::flows::restoring::lock(&world, "quarantined").await;
        serve(&world, 40 * DAY).await;
        assert_eq!(count(&world, "project:erase").await, 0);
        assert_eq!(check(&world.env, true, |_| {}).await.expect("it can be checked").kept, 0, "nothing is late");
        crate::flows::restoring::end(&world, "project_locks", "kind = 'quarantined'").await;
        serve(&world, HOUR).await;
        assert_eq!(count(&world, "project:erase").await, 2, "afterwards its time has long been over");
    }

    /// R32: under a shifted clock nothing that was deleted is erased, however long ago it looks; by the true time it is.
    async fn r32_nothing_that_was_deleted_is_erased_under_a_shifted_clock(world: World) {
        deleted_long_ago(&world).await;
        world.clock.shift();
        for _ in 0..3 {
            serve(&world, 100 * DAY).await;
        }
        assert_eq!(erased(&world).await, (0, 0));
        assert_eq!(check(&world.env, true, |_| {}).await.expect("it can be checked").kept, 0, "nothing is late by the true time");
        let true_clock = std::sync::Arc::new(index::clock::HandClock::new(world.env.now().plus(HOUR)));
        World::over(world.env.config.clone(), true_clock).await.work().await;
        assert_eq!(erased(&world).await, (2, 2));
    }
}

/// A project with two releases, both deleted each alone, and two people who deleted their accounts: all of it longer ago than is kept.
async fn deleted_long_ago(world: &World) {
    let owners = owners(world).await;
    let id = || crate::holding::raw(world, index::ids::new_uuid(world.env.now(), &*world.env.entropy));
    for release in all::<releases::Entity>(world).await {
        let (lock, release) = (id(), crate::holding::raw(world, release.id.0));
        let sql = format!(
            "INSERT INTO project_locks (id, project_id, release_id, kind, reason, from_at, began_by) \
            SELECT {lock}, project_id, id, 'deleted', 'x', 0, id FROM releases WHERE id = {release}"
        );
        world.run(&sql).await;
    }
    for name in ["eve", "mallory"] {
        let (cause, account) = (id(), crate::holding::raw(world, given::account(world, name, Has::AddressAndFactor).await.0));
        let sql = format!(
            "INSERT INTO account_causes (id, account_id, kind, reason, from_at, began_by) VALUES ({cause}, {account}, 'deleted', 'x', 0, {cause})"
        );
        world.run(&sql).await;
    }
    drop(owners);
}

/// How many accounts and how many deletions were erased.
async fn erased(world: &World) -> (usize, usize) {
    (count(world, "account:erase").await, count(world, "project:erase").await)
}

/// Works jobs as the binary that is shipped does, until it dies at a step.
fn works_until_it_dies_at(world: &World, step: &str) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_strongroom"));
    command.env_clear().env("STRONGROOM_CRASH_AT", step).env("STRONGROOM_SERVER__PUBLIC_URL", "https://index.example.org");
    command.arg("--data").arg(&world.env.config.data_dir).arg("work");
    let mut child = command.stderr(std::process::Stdio::null()).spawn().expect("the binary runs");
    for _ in 0..600 {
        if let Some(status) = child.try_wait().expect("it can be asked") {
            assert_eq!(status.code(), None, "{step}: it ended by itself: {status}");
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    child.kill().expect("it can be stopped");
    panic!("it never came to {step}");
}

/// R24, R27: a process that dies in the middle of erasing leaves each thing whole or erased, and the runs after it end where one run ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r27_a_crash_in_the_middle_of_erasing_equals_one_run() {
    let (crashed, once) = (World::sqlite(&[]).await, World::sqlite(&[]).await);
    deleted_long_ago(&crashed).await;
    deleted_long_ago(&once).await;
    let steps = [
        ("worker:erase-account/before_commit", (0, 0)),
        ("worker:erase-account/after_commit", (1, 0)),
        ("worker:erase-deleted/before_commit", (2, 0)),
        ("worker:erase-deleted/after_commit", (2, 1)),
    ];
    for (step, done) in steps {
        works_until_it_dies_at(&crashed, step);
        assert_eq!(erased(&crashed).await, done, "{step}");
        assert_eq!(check(&crashed.env, true, |_| {}).await.expect("it can be checked").wrong, 0, "{step}");
        // The job that died comes back by its lease; here it is forgotten, so that the next process need not wait for that.
        crashed.run("DELETE FROM jobs WHERE kind = 'erase'").await;
    }
    for world in [&crashed, &once] {
        world.work().await;
        serve(world, HOUR).await;
    }
    assert_eq!((erased(&crashed).await, erased(&once).await), ((2, 2), (2, 2)), "each thing once");
    let left = async |world: &World| {
        let mut left = Vec::new();
        for (table, _) in index::deletion::erasing::PERSONAL {
            left.push((table, world.number(&format!("SELECT COUNT(*) AS n FROM {table}")).await));
        }
        let open = all::<files::Entity>(world).await.iter().filter(|row| row.until_at.is_none()).count();
        let checked = check(&world.env, true, |_| {}).await.expect("it can be checked");
        (
            left.into_iter().filter(|(table, _)| ["addresses", "factors", "api_tokens"].contains(table)).collect::<Vec<_>>(),
            open,
            checked.wrong,
            checked.kept,
        )
    };
    assert_eq!(left(&crashed).await, left(&once).await);
}
