//! A backup while the index serves, and the way back from it (R18, R29), as the binary that is shipped and through the verbs.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use index::act::act;
use index::backup;
use index::check::check;
use index::clock::Clock;
use index::config::Config;
use index::db::entities::{accounts, api_tokens, epochs, events, factors, files, holds, projects, roles, sessions, suspensions};
use index::ids::Site;
use index::policy::{Actor, OpenEpoch};
use index::{Env, limits};
use sea_orm::{ConnectionTrait, Database};

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
    backup::begin(&other.env, &operator(), loaded.made_at).await?;
    Ok(other)
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
    }
}
