//! R32: what the operator does is told to the administrators; a shifted clock is refused, recorded, and erases nothing.

use std::process::{Command, Output};
use std::time::Duration;

use index::accounts::addresses::{self, Because};
use index::act::act;
use index::db::entities::{jobs, links, staff_roles};
use index::ids::{AccountId, EventId, RoleId};
use index::policy::{Actor, UnverifyAddress};
use index::refused::Refused;
use sea_orm::{ActiveModelTrait, ActiveValue::Set};

use super::people::{self, Mailbox};
use crate::given::{self, Has, all};
use crate::holding::{DAY, count};
use crate::world::{World, both_engines};

async fn administrator(world: &World, name: &'static str, email: &'static str) -> AccountId {
    let (account, _) = people::account(world, name, vec![Mailbox::proved(world, email)]).await;
    let env = world.env.clone();
    let made = index::act::housekeeping(&world.env, index::act::Housekeeping::Queue, move |tx| {
        Box::pin(async move {
            use index::db::Reading;
            let row = staff_roles::ActiveModel {
                id: Set(RoleId::new(tx.now(), &*env.entropy)),
                account_id: Set(account),
                role: Set("administrator".to_owned()),
                from_at: Set(tx.now()),
                until_at: Set(None),
                began_by: Set(EventId::new(tx.now(), &*env.entropy)),
                ended_by: Set(None),
            };
            row.insert(tx.connection()).await?;
            Ok(())
        })
    });
    made.await.expect("a role can be given");
    account
}

/// What `strongroom account unverify` does.
async fn unverify(world: &World, account: AccountId, email: &'static str) -> Result<(), Refused> {
    let env = world.env.clone();
    let operator = Actor::operator("olga", "a-request".to_owned());
    act::<UnverifyAddress, _, _>(&world.env, &operator, account, move |tx, permit| {
        let env = env.clone();
        Box::pin(async move {
            let because = Because { word: "operator", reason: "seen in a leak".to_owned() };
            addresses::unverify_address(&env, tx, permit, email, &because).await
        })
    })
    .await
}

both_engines! {
    /// WEAK-16.
    /// R32: every act of the operator is mailed to all administrators, in words of their own, and to whom it concerns as before.
    async fn r32_the_administrators_are_told_what_the_operator_does(world: World) {
        administrator(&world, "grace", "grace@example.org").await;
        administrator(&world, "linus", "linus@example.org").await;
        let (ada, _) = people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org")]).await;
        people::freeze(&world, ada, "an incident").await;
        let mails = world.mail().await;
        let mut told: Vec<&str> = mails.iter().map(|mail| mail.to.as_str()).collect();
        told.sort_unstable();
        assert_eq!(told, ["ada@example.org", "grace@example.org", "linus@example.org"]);
        let to_staff = world.newest_mail_to("grace@example.org").await;
        assert!(to_staff.text.contains("Account: ada") && to_staff.text.contains("an incident"), "{}", to_staff.text);
        assert!(to_staff.text.contains("by the operator grace"), "the login name: {}", to_staff.text);
        assert!(to_staff.subject.contains("The operator acted"), "{}", to_staff.subject);
        assert!(world.newest_mail_to("ada@example.org").await.subject.contains("Your account was frozen"));
    }

    /// R32: what nobody else is told of is told to the administrators; an administrator who is concerned is told once.
    async fn r32_an_administrator_who_is_concerned_is_told_once(world: World) {
        let grace = administrator(&world, "grace", "grace@example.org").await;
        people::freeze(&world, grace, "an incident").await;
        let mails = world.mail().await;
        assert_eq!(mails.len(), 1);
        assert!(mails[0].subject.contains("Your account was frozen"), "{}", mails[0].subject);
    }

    /// What people do themselves is not told to administrators.
    async fn what_people_do_themselves_is_not_told_to_administrators(world: World) {
        administrator(&world, "grace", "grace@example.org").await;
        world.registered("ada").await;
        assert!(world.mail().await.iter().all(|mail| !mail.to.contains("grace")));
    }

    /// The operator takes a proof away: once, of an address that is verified; its owner is led to verify it again.
    async fn the_operator_unverifies_an_address(world: World) {
        let ada = given::account(&world, "ada", Has::AddressAndFactor).await;
        let bob = given::account(&world, "bob", Has::AddressAndFactor).await;
        assert!(matches!(unverify(&world, bob, "ada@example.org").await, Err(Refused::Invalid(_))), "of another account");
        unverify(&world, ada, "ada@example.org").await.expect("it is verified");
        assert!(matches!(unverify(&world, ada, "ada@example.org").await, Err(Refused::Invalid(_))), "it is not verified any more");
        assert_eq!(count(&world, "account:email:unverified").await, 1);
        let answer = given::browser(&world, ada).await.get("/manage/account/token/").await;
        assert!(answer.location().starts_with("/manage/unverified-account/"), "{}", answer.location());
        assert!(world.newest_mail_to("ada@example.org").await.text.contains("seen in a leak"));
    }

    /// R32: under a shifted clock nothing is erased, however old it looks.
    async fn r32_nothing_is_erased_under_a_shifted_clock(world: World) {
        world.registered("ada").await;
        world.work().await;
        let counted = async || (all::<links::Entity>(&world).await.len(), all::<jobs::Entity>(&world).await.iter().filter(|j| j.kind == "send-mail").count());
        let before = counted().await;
        assert!(before.0 > 0 && before.1 > 0);
        world.clock.shift();
        world.advance(400 * DAY);
        world.work().await;
        world.advance(Duration::from_secs(3600));
        world.work().await;
        assert_eq!(counted().await, before);
    }
}

struct Shell(tempfile::TempDir);

impl Shell {
    fn run(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
        command.env_clear().env("USER", "olga").env("STRONGROOM_SERVER__PUBLIC_URL", "https://index.example.org");
        command.current_dir(self.0.path()).args(["--data", "data"]).args(words).output().expect("the binary runs")
    }
}

/// R32: a shifted clock is refused while the public address is https, unless the data folder is marked; never backwards; and it leaves
/// an event with the login name before anything is done by it.
#[test]
fn r32_a_shifted_clock_is_refused_where_it_would_harm() {
    let shell = Shell(tempfile::tempdir().expect("a temporary folder"));
    let create = ["account", "create", "ada", "--email", "ada@people.example.org"];
    assert!(shell.run(&create).status.success());
    for words in [&["--clock-offset", "73h", "account", "show", "ada"][..], &["--clock-offset", "73h", "serve", "--listen", "127.0.0.1:0"]]
    {
        let refused = shell.run(words);
        let stderr = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{words:?}: {stderr}");
        assert!(stderr.contains("--clock-offset is refused"), "{stderr}");
    }
    for backwards in ["-73h", "--clock-offset=-73h"] {
        let words = if backwards.starts_with("--") { vec![backwards] } else { vec!["--clock-offset", backwards] };
        let refused = shell.run(&[words.as_slice(), &["account", "show", "ada"]].concat());
        assert_eq!(refused.status.code(), Some(2), "{backwards}: {}", String::from_utf8_lossy(&refused.stderr));
    }
    std::fs::write(shell.0.path().join("data/drill"), "").expect("a mark can be made");
    let shifted = shell.run(&["--clock-offset", "73h", "account", "show", "ada"]);
    assert!(shifted.status.success(), "{}", String::from_utf8_lossy(&shifted.stderr));
    let database = std::fs::read(shell.0.path().join("data/strongroom.sqlite")).expect("the database");
    let holds = |text: &str| database.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("index:clock:shifted") && holds("operator:olga"), "it is recorded");
}

/// `account unverify`: one sentence, exit 1 for what nobody has verified.
#[test]
fn account_unverify_says_what_it_did_or_why_not() {
    let shell = Shell(tempfile::tempdir().expect("a temporary folder"));
    assert!(shell.run(&["account", "create", "ada", "--email", "ada@people.example.org"]).status.success());
    for (address, says) in [("ada@people.example.org", "No account has verified"), ("nonsense", "not a mail address")] {
        let refused = shell.run(&["account", "unverify", address, "--reason", "a drill"]);
        let stderr = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains(says) && stderr.lines().count() == 1, "{stderr}");
    }
    assert_eq!(shell.run(&["account", "unverify"]).status.code(), Some(2));
}
