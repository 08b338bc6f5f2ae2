//! A backup while the index serves, and the way back from it (R18, R29), as the binary that is shipped and through the verbs.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use credentials::entropy::SystemEntropy;
use credentials::password::Parameters;
use index::act::act;
use index::backup;
use index::check::check;
use index::clock::{Clock, Time};
use index::config::Config;
use index::db::entities::{accounts, api_tokens, epochs, events, factors, files, holds, projects, roles, sessions, suspensions};
use index::ids::Site;
use index::policy::{Actor, OpenEpoch};
use index::{Env, limits, open};
use sea_orm::{ConnectionTrait, Database};
use sha2::Digest;

use crate::dist::wheel;
use crate::given::{self, Has, all, publisher, upload};
use crate::holding::{DAY, HOUR, key, old_account, press, seat, stands, veto_link};
use crate::world::{World, both_engines};

fn operator() -> Actor {
    Actor::operator("olga", "a-request".to_owned())
}

/// An empty place of the same engine, with the key file of the world laid into it.
async fn place(world: &World, folder: &Path, with_key: bool) -> Config {
    if with_key {
        std::fs::create_dir_all(folder).expect("a folder");
        std::fs::copy(world.env.config.data_dir.join("instance.key"), folder.join("instance.key")).expect("the key is there");
    }
    let mut values = BTreeMap::from([
        ("data.dir".to_owned(), folder.display().to_string()),
        ("server.public_url".to_owned(), "https://index.example.org".to_owned()),
    ]);
    if world.is_postgres() {
        let server = std::env::var("STRONGROOM_TEST_POSTGRES").expect("a server");
        let name = format!("strongroom_{}", index::ids::new_uuid(world.env.now(), &*world.env.entropy).simple());
        let admin = Database::connect(server.clone()).await.expect("it answers");
        admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("databases may be made");
        admin.close().await.expect("it closes");
        values.insert("database.url".to_owned(), format!("{}/{name}", server.trim_end_matches("/postgres")));
    }
    Config::from_values(&values, &limits::setting_keys()).expect("settings are right")
}

/// What `strongroom restore DIR` does.
async fn restored(world: &World, from: &Path, config: Config) -> anyhow::Result<World> {
    let clock: Arc<dyn Clock> = world.clock.clone();
    let loaded = backup::load(&config, from, &clock).await?;
    let other = World::over(config, world.clock.clone()).await;
    assert_eq!(loaded.made_at, begin(&other.env).await?.made_at);
    Ok(other)
}

/// The second half of `strongroom restore DIR`.
async fn begin(env: &Env) -> anyhow::Result<backup::Begun> {
    backup::begin(env, &operator()).await
}

/// What `strongroom restore --open` does.
async fn open_up(env: &Env) -> Result<(), index::Refused> {
    let inner = env.clone();
    act::<OpenEpoch, _, _>(env, &operator(), Site, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move { backup::open(&env, tx, permit).await })
    })
    .await
}

macro_rules! same { ($here:expr, $there:expr, $($table:ident),*) => { $(
    let (mut here, mut there) = (all::<$table::Entity>($here).await, all::<$table::Entity>($there).await);
    here.sort_by_key(|row| row.id);
    there.sort_by_key(|row| row.id);
    assert_eq!(here, there, stringify!($table));
)* } }

both_engines! {
    /// R18: every row and byte comes back; what a person or program still held from before opens nothing.
    async fn r18_a_restored_index_has_everything_and_honours_no_credential(world: World) {
        let (ada, token) = publisher(&world, "ada").await;
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
        let seat = given::browser(&world, ada).await;
        let cookies = seat.cookies();
        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join("copy");
        backup::backup(&world.env, &copy).await.expect("it is made");
        assert!(!copy.join("instance.key").exists() && !copy.join("mail").exists(), "R29: neither key nor mail");

        let other = restored(&world, &copy, place(&world, &folder.path().join("there"), true).await).await.expect("it is restored");
        same!(&world, &other, accounts, factors, files, projects, roles, api_tokens);
        let before = all::<events::Entity>(&world).await;
        assert_eq!(all::<events::Entity>(&other).await[..before.len()], before[..], "the trail goes on");
        let checked = check(&other.env, true, |_| {}).await.expect("it can be checked");
        assert_eq!((checked.files, checked.wrong, checked.orphans), (1, 0, 0));
        assert!(all::<sessions::Entity>(&other).await.iter().all(|row| row.until_at.is_some()));
        assert_eq!(all::<suspensions::Entity>(&other).await.iter().filter(|row| row.until_at.is_none()).count(), 1);
        let thief = other.browser();
        for (name, value) in cookies {
            thief.set_cookie(&name, &value);
        }
        assert_eq!(thief.get("/manage/account/").await.status(), 303);
        let found = other.browser().get("/search/?q=spam").await;
        assert!(found.text().contains("/project/spam/"), "the search is built anew");
        open_up(&other.env).await.expect("it was closed");
        let answer = upload(&other, &token, &wheel("spam", "1.1").build()).await;
        assert!(answer.status() == 403 && answer.text().contains("paused"), "{}", answer.text());
        let (_, another) = publisher(&other, "bob").await;
        assert_eq!(upload(&other, &another, &wheel("eggs", "1.0").build()).await.status(), 200, "counters go on");
    }

    /// R18: of recovery codes nobody knows which were used since the backup, so none works; the factor does, and makes new ones.
    async fn r18_recovery_codes_end_with_a_restore(world: World) {
        let ada = world.secured("ada").await;
        let spent = ada.recovery_code();
        let unspent = ada.recovery_code();
        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join("copy");
        backup::backup(&world.env, &copy).await.expect("it is made");
        let page = "/account/recovery-code/";
        let browser = ada.known_browser();
        ada.send_password(&browser).await;
        let answer = browser.submit(page, page, &[("recovery_code_value", &spent)]).await;
        assert_eq!(answer.status(), 303, "used after the backup: {}", answer.text());

        let other = restored(&world, &copy, place(&world, &folder.path().join("there"), true).await).await.expect("it is restored");
        let ada = ada.at(&other);
        for opened in [false, true] {
            if opened {
                open_up(&other.env).await.expect("it was closed");
            }
            for code in [&spent, &unspent] {
                let thief = other.browser();
                ada.send_password(&thief).await;
                let answer = thief.submit(page, page, &[("recovery_code_value", code)]).await;
                assert_eq!(answer.status(), 422, "{}", answer.text());
                assert!(answer.text().contains("recovery code"), "{}", answer.text());
            }
            other.advance(HOUR);
        }
        ada.log_in().await;
        let banner = ada.browser.get("/manage/account/").await;
        assert!(banner.text().contains("No recovery code of this account works any more."), "{}", banner.text());
        let factors = ada.browser.get("/manage/account/two-factor/").await;
        assert!(factors.text().contains("when the index was restored from a backup"), "{}", factors.text());
        ada.prove_mailbox().await;
        let page = "/manage/account/recovery-codes/generate";
        let asked = ada.browser.submit(page, page, &[]).await;
        let back = ada.prove_at(&asked.location()).await;
        let act = back.split("act=").nth(1).expect("the act that was proved").split('&').next().expect("it ends").to_owned();
        let answer = ada.browser.submit(&back, page, &[("act", &act)]).await;
        assert!(answer.text().contains("Save these recovery codes now"), "{}", answer.text());
        let told = all::<events::Entity>(&other).await.into_iter().find(|row| row.kind == "index:restored").expect("an event");
        assert!(told.detail.contains("\"codes_ended\":1"), "{}", told.detail);
    }

    /// R18, R19: until it is opened it reads and tightens, and says so.
    async fn r19_a_restored_index_reads_and_tightens_until_it_is_opened(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let young = key(&world, ada, "new key", HOUR).await;
        seat(&world, ada, young).await.remove(app).await;
        let link = veto_link(&world, "ada@example.org").await;
        let (_, token) = publisher(&world, "bob").await;
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join("copy");
        backup::backup(&world.env, &copy).await.expect("it is made");
        let other = restored(&world, &copy, place(&world, &folder.path().join("there"), true).await).await.expect("it is restored");

        assert_eq!(other.browser().get("/project/spam/").await.status(), 200);
        let fields = [("name", "Eve"), ("email", "eve@people.example.org"), ("username", "eve"),
            ("new_password", "wicker-orbit-plinth-42"), ("password_confirm", "wicker-orbit-plinth-42")];
        let answer = other.browser().submit("/account/register/", "/account/register/", &fields).await;
        assert_eq!(answer.status(), 503, "{}", answer.text());
        assert!(answer.text().contains("restored from a backup"), "{}", answer.text());
        // However long it stays closed, nothing that waited takes effect; the veto of the mail works.
        other.advance(10 * DAY);
        other.work().await;
        assert!(stands(&other, app).await);
        assert_eq!(press(&other, &link).await.status(), 200);
        assert_eq!(all::<holds::Entity>(&other).await[0].state, "vetoed");
        given::freeze(&other.env, ada).await;

        open_up(&other.env).await.expect("it was closed");
        assert!(open_up(&other.env).await.is_err(), "once");
        let answer = other.browser().submit("/account/register/", "/account/register/", &fields).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
    }

    /// Property 3 through a restore: the clock of a hold begins anew, at the restore and at the opening.
    async fn property_3_the_clocks_of_holds_begin_anew(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let young = key(&world, ada, "new key", HOUR).await;
        seat(&world, ada, young).await.remove(app).await;
        world.work().await;
        world.advance(71 * HOUR);
        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join("copy");
        backup::backup(&world.env, &copy).await.expect("it is made");
        let other = restored(&world, &copy, place(&world, &folder.path().join("there"), true).await).await.expect("it is restored");
        let begun = other.env.now();
        assert_eq!(all::<holds::Entity>(&other).await[0].due_at, begun.plus(72 * HOUR));
        other.advance(71 * HOUR);
        other.work().await;
        open_up(&other.env).await.expect("it was closed");
        other.advance(2 * HOUR);
        other.work().await;
        assert!(stands(&other, app).await, "it was served for two hours since it was opened");
    }

    /// A backup while uploads run holds, of each file, both row and bytes or neither row nor harm.
    async fn a_backup_while_uploads_run_is_whole(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        assert_eq!(upload(&world, &token, &wheel("spam", "0.1").build()).await.status(), 200);
        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join("copy");
        let uploads = async {
            for n in 1..12 {
                let dist = wheel("spam", &format!("1.{n}")).build();
                assert_eq!(upload(&world, &token, &dist).await.status(), 200);
            }
        };
        let (made, ()) = tokio::join!(backup::backup(&world.env, &copy), uploads);
        made.expect("it is made");
        let other = restored(&world, &copy, place(&world, &folder.path().join("there"), true).await).await.expect("it is restored");
        let checked = check(&other.env, true, |_| {}).await.expect("it can be checked");
        assert!(checked.wrong == 0 && checked.files >= 1, "{checked:?}");
        assert_eq!(all::<epochs::Entity>(&other).await.len(), 1);
    }

    async fn what_is_no_empty_place_or_no_whole_backup_is_refused(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
        given::account(&world, "eve", Has::Nothing).await;
        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join("copy");
        backup::backup(&world.env, &copy).await.expect("it is made");
        let refused = |e: anyhow::Error| format!("{e:#}");
        let again = backup::backup(&world.env, &copy).await.map_err(refused).expect_err("it holds a backup");
        assert!(again.contains("is not empty"), "{again}");

        let there = folder.path().join("there");
        let clock: Arc<dyn Clock> = world.clock.clone();
        let load = |config: Config, from: std::path::PathBuf| {
            let clock = clock.clone();
            async move { backup::load(&config, &from, &clock).await.map_err(|e| format!("{e:#}")).expect_err("it is refused") }
        };
        let said = load(place(&world, &there, false).await, copy.clone()).await;
        assert!(said.contains("the key file"), "{said}");
        std::fs::create_dir_all(&there).expect("a folder");
        let said = {
            let other = World::sqlite(&[]).await;
            std::fs::copy(other.env.config.data_dir.join("instance.key"), there.join("instance.key")).expect("a key");
            load(place(&world, &there, false).await, copy.clone()).await
        };
        assert!(said.contains("not the one"), "{said}");
        let mine = world.env.config.clone();
        let said = load(mine, copy.clone()).await;
        assert!(said.contains("empty"), "{said}");

        let part = folder.path().join("part");
        std::fs::create_dir_all(&part).expect("a folder");
        let said = load(place(&world, &folder.path().join("a"), true).await, part).await;
        assert!(said.contains("no backup"), "{said}");
        let table = copy.join("tables/accounts.jsonl");
        let text = std::fs::read_to_string(&table).expect("it is there").replace("eve", "adm");
        std::fs::write(&table, text).expect("it can be written");
        let said = load(place(&world, &folder.path().join("b"), true).await, copy.clone()).await;
        assert!(said.contains("was changed"), "{said}");
        // Whoever can write to where backups lie writes the digest into the manifest as well.
        let mut manifest: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(copy.join("manifest.json")).expect("it is there")).expect("JSON");
        let digest = data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(std::fs::read(&table).expect("it is there")));
        for one in manifest["tables"].as_array_mut().expect("a list").iter_mut().filter(|one| one["name"] == "accounts") {
            one["sha256"] = digest.clone().into();
        }
        std::fs::write(copy.join("manifest.json"), manifest.to_string()).expect("it can be written");
        let said = load(place(&world, &folder.path().join("c"), true).await, copy.clone()).await;
        assert!(said.contains("the manifest was changed"), "{said}");
    }

    /// R18: a restore that was cut off leaves an index that is closed, and that nobody opens before it was finished.
    async fn r18_a_restore_that_was_cut_off_leaves_a_closed_index(world: World) {
        let (ada, token) = publisher(&world, "ada").await;
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
        given::browser(&world, ada).await;
        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join("copy");
        backup::backup(&world.env, &copy).await.expect("it is made");
        let config = place(&world, &folder.path().join("there"), true).await;
        let clock: Arc<dyn Clock> = world.clock.clone();
        backup::load(&config, &copy, &clock).await.expect("it is loaded");
        let other = World::over(config, world.clock.clone()).await;
        assert!(backup::check_finished(&other.env).await.is_err(), "it is not served");
        assert_eq!(upload(&other, &token, &wheel("spam", "1.1").build()).await.status(), 503, "it changes nothing");
        assert_eq!(all::<files::Entity>(&other).await.len(), 1);
        let refused = open_up(&other.env).await.expect_err("it was not finished");
        assert!(matches!(&refused, index::Refused::Invalid(invalid) if invalid.message.contains("cut off")), "{refused}");
        begin(&other.env).await.expect("it can be finished");
        backup::check_finished(&other.env).await.expect("now it may be served");
        assert!(begin(&other.env).await.is_err(), "once");
        assert!(all::<sessions::Entity>(&other).await.iter().all(|row| row.until_at.is_some()));
        open_up(&other.env).await.expect("it was closed");
        assert_eq!(all::<epochs::Entity>(&other).await.len(), 1);
    }

    /// R18: the moment of a backup is that of its snapshot, however long the bytes took.
    async fn r18_a_backup_is_as_old_as_its_rows(world: World) {
        let folder = tempfile::tempdir().expect("a folder");
        let hurrying = Arc::new(Hurrying(AtomicI64::new(world.env.now().as_micros())));
        let cheap = Parameters { memory_kib: 64, passes: 1, lanes: 1 };
        let slow = open::open(world.env.config.clone(), hurrying, Arc::new(SystemEntropy), cheap).await.expect("the index opens");
        let begun = slow.now();
        let made = backup::backup(&slow, &folder.path().join("copy")).await.expect("it is made");
        assert_eq!(made.at, begun.plus(HOUR), "the first look at the clock, and no later one");
    }

    /// P7, R18: what was deleted before the backup is not erased before anybody has looked.
    async fn p7_nothing_is_erased_before_the_index_is_opened(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
        let (one, two, bob) = (raw_id(&world), raw_id(&world), given::account(&world, "bob", Has::Address).await);
        let bob = crate::holding::raw(&world, bob.0);
        world.run(&format!("INSERT INTO project_locks (id, project_id, kind, reason, from_at, began_by) SELECT {one}, id, 'deleted', 'x', 0, id FROM projects; \
            INSERT INTO account_causes (id, account_id, kind, reason, from_at, began_by) VALUES ({two}, {bob}, 'deleted', 'x', 0, {two})")).await;
        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join("copy");
        backup::backup(&world.env, &copy).await.expect("it is made");
        let other = restored(&world, &copy, place(&world, &folder.path().join("there"), true).await).await.expect("it is restored");
        let erased = async |world: &World| crate::holding::count(world, "project:erase").await + crate::holding::count(world, "account:erase").await;
        for _ in 0..2 {
            other.advance(HOUR);
            other.work().await;
        }
        assert_eq!(erased(&other).await, 0, "it is closed");
        let checked = check(&other.env, true, |_| {}).await.expect("it can be checked");
        assert_eq!(checked.kept, 0, "and nothing is late");
        open_up(&other.env).await.expect("it was closed");
        other.advance(HOUR);
        other.work().await;
        assert_eq!(erased(&other).await, 2);
    }

    /// R18, R19: in a restored index that is closed people sign in, look, and stop what must be stopped; nothing else is done.
    async fn r18_people_sign_in_look_and_stop_things_before_the_index_is_opened(world: World) {
        let ada = world.secured("ada").await;
        let id = given::account_id(&world, "ada").await;
        given::minted(&world, id, "scope:user", "").await;
        let staff = world.secured("grace").await;
        let grace = given::account_id(&world, "grace").await;
        given::administrator(&world, grace).await;
        given::account(&world, "mallory", Has::AddressAndFactor).await;
        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join("copy");
        backup::backup(&world.env, &copy).await.expect("it is made");
        let other = restored(&world, &copy, place(&world, &folder.path().join("there"), true).await).await.expect("it is restored");

        let ada = ada.at(&other);
        assert_eq!(other.browser().submit("/account/login/", "/account/login/", &[("username", "ada"), ("password", "wrong-wrong-wrong")]).await.status(), 422);
        ada.log_in().await;
        let page = ada.browser.get("/manage/account/token/").await;
        assert!(page.text().contains("Paused") && page.text().contains("was restored from a backup"), "{}", page.text());
        let token = all::<api_tokens::Entity>(&other).await.into_iter().find(|row| row.account_id == id).expect("a token").id.to_string();
        let answer = ada.browser.submit("/manage/account/token/", "/manage/account/token/confirm/", &[("token_id", &token)]).await;
        assert_eq!(answer.status(), 503, "{}", answer.text());
        let answer = ada.browser.submit("/manage/account/", "/manage/account/profile/", &[("name", "Eve"), ("public_email", "")]).await;
        assert_eq!(answer.status(), 503, "{}", answer.text());
        let answer = ada.browser.submit("/manage/account/token/", "/manage/account/token/delete/", &[("token_id", &token)]).await;
        assert_eq!(answer.status(), 303, "what tightens works: {}", answer.text());

        staff.at(&other).log_in().await;
        let factor = key(&other, grace, "a key", DAY).await;
        let grace = seat(&other, grace, factor).await;
        let page = grace.browser.get("/admin/cases/").await;
        assert!(page.status() == 200 && page.text().contains("restored from the backup of"), "{}", page.text());
        let answer = grace.browser.submit("/admin/", "/admin/accounts/mallory/freeze/", &[("reason", "a thief"), ("case", "")]).await;
        let case = answer.location();
        assert!(case.starts_with("/admin/cases/"), "{}", answer.text());
        let answer = grace.browser.submit(&case, &format!("{case}note/"), &[("note", "seen")]).await;
        assert_eq!(answer.status(), 503, "{}", answer.text());
        let id = case.trim_start_matches("/admin/cases/").trim_end_matches('/');
        let thaw = [("reason", "no thief"), ("case", id), ("of", "")];
        assert_eq!(grace.proved("/admin/", "/admin/accounts/mallory/thaw/", &thaw).await.status(), 503);
        assert_eq!(ada.browser.submit("/manage/account/", "/account/logout/", &[]).await.status(), 303);
        open_up(&other.env).await.expect("it was closed");
        ada.log_in().await;
        assert!(!ada.browser.get("/manage/account/").await.text().contains("was restored from a backup"));
    }
}

/// A clock that is an hour further each time somebody looks.
struct Hurrying(AtomicI64);

impl Clock for Hurrying {
    fn now(&self) -> Time {
        let hour = i64::try_from(HOUR.as_micros()).expect("an hour is short");
        Time(self.0.fetch_add(hour, Ordering::SeqCst) + hour)
    }
}

/// A new id, as both engines write it.
fn raw_id(world: &World) -> String {
    crate::holding::raw(world, index::ids::new_uuid(world.env.now(), &*world.env.entropy))
}
