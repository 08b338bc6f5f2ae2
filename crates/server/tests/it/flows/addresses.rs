//! Addresses: adding, removing, choosing the primary one, losing the proof; who is told, and what waits.

use std::time::Duration;

use index::Env;
use index::act::{Housekeeping, housekeeping};
use index::db::Reading;
use index::db::entities::{addresses, mailbox_codes};
use index::ids::{AccountId, AddressId, EventId};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};

use crate::given::all;
use crate::holding::{DAY, HOLDS, HOUR, Seat, asked, count, old_account, seat, serve};
use crate::people::{PASSWORD, register, token_of};
use crate::world::{Answer, World, both_engines};

const EMAILS: &str = "/manage/account/emails/";
const ADD: &str = "/manage/account/emails/add/";
const REMOVE: &str = "/manage/account/emails/remove/";
const PRIMARY: &str = "/manage/account/emails/primary/";
const REVERIFY: &str = "/manage/account/emails/reverify/";
const VERIFY: &str = "/account/verify-email/";

/// An address of an account, so old, and proved so long ago.
async fn has(world: &World, account: AccountId, email: &str, (age, proved): (Duration, Option<Duration>)) -> AddressId {
    let (env, email): (Env, _) = (world.env.clone(), email.to_owned());
    let made = housekeeping(&world.env, Housekeeping::Queue, move |tx| {
        Box::pin(async move {
            let id = AddressId::new(tx.now(), &*env.entropy);
            addresses::ActiveModel {
                id: Set(id),
                account_id: Set(account),
                address: Set(email.clone()),
                folded: Set(email),
                is_primary: Set(false),
                verified_at: Set(proved.map(|age| tx.now().minus(age))),
                from_at: Set(tx.now().minus(age)),
                until_at: Set(None),
                began_by: Set(EventId::new(tx.now(), &*env.entropy)),
                ended_by: Set(None),
                is_public: Set(false),
                unverified_because: Set(None),
            }
            .insert(tx.connection())
            .await?;
            Ok(id)
        })
    });
    made.await.expect("an address can be added")
}

async fn rows(world: &World, email: &str) -> Vec<addresses::Model> {
    let mut rows = all::<addresses::Entity>(world).await;
    rows.retain(|row| row.folded == email);
    rows.sort_by_key(|row| row.id);
    rows
}

async fn open(world: &World, email: &str) -> Option<addresses::Model> {
    rows(world, email).await.into_iter().find(|row| row.until_at.is_none())
}

/// Presses the button of the newest verification mail to an address, in a browser of its own.
async fn press(world: &World, email: &str) -> Answer {
    let link = world.newest_mail_to(email).await.link(VERIFY);
    world.browser().submit(&link, VERIFY, &[("token", &token_of(&link))]).await
}

async fn told(world: &World, subject: &str) -> Vec<String> {
    let mut told: Vec<String> = world.mail().await.into_iter().filter(|m| m.subject.contains(subject)).map(|m| m.to).collect();
    told.sort();
    told
}

async fn add(seat: &Seat<'_>, email: &str) -> Answer {
    seat.proved(EMAILS, ADD, &[("email", email)]).await
}

both_engines! {
    /// R2, ASVS 7.5.1: nothing is added without a proof for exactly this; then all other addresses are told, and the new one is asked.
    async fn r2_an_address_is_added_only_with_a_proof_for_exactly_this_one(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let owner = seat(&world, ada, app).await;
        let act = asked(&owner.browser.submit(EMAILS, ADD, &[("email", "second@example.org")]).await).expect("a proof is asked for");
        assert!(asked(&owner.browser.submit(EMAILS, ADD, &[("email", "second@example.org"), ("act", &act)]).await).is_some(), "not proved yet");
        owner.prove(&act).await;
        assert!(asked(&owner.browser.submit(EMAILS, ADD, &[("email", "thief@example.org"), ("act", &act)]).await).is_some(), "another address");
        let back = owner.browser.get(&format!("{EMAILS}?act={act}")).await.text();
        assert!(back.contains("value=\"second@example.org\"") && back.contains(&act), "the form comes back filled in: {back}");
        assert!(rows(&world, "second@example.org").await.is_empty() && rows(&world, "thief@example.org").await.is_empty());
        let answer = owner.browser.submit(EMAILS, ADD, &[("email", "second@example.org"), ("act", &act)]).await;
        assert_eq!((answer.status(), answer.location().as_str()), (303, EMAILS), "{}", answer.text());
        assert!(asked(&owner.browser.submit(EMAILS, ADD, &[("email", "third@example.org"), ("act", &act)]).await).is_some(), "spent");
        assert_eq!(open(&world, "second@example.org").await.expect("it is there").verified_at, None);
        assert_eq!(told(&world, "An address was added").await, ["ada@example.org"], "and not the new one, which is not proved");
        assert!(world.newest_mail_to("ada@example.org").await.text.contains("second@example.org"));
        // Opening the link changes nothing, pressing verifies; it does not become the primary one by that.
        let link = world.newest_mail_to("second@example.org").await.link(VERIFY);
        assert_eq!(world.browser().get(&link).await.status(), 200);
        assert_eq!(open(&world, "second@example.org").await.expect("it is there").verified_at, None);
        assert_eq!(press(&world, "second@example.org").await.status(), 303);
        let row = open(&world, "second@example.org").await.expect("it is there");
        assert!(row.verified_at.is_some() && !row.is_primary);
    }

    /// NIST-R3.
    /// What is no address, is there already, or is one too many is told beside the field, before any proof is asked for.
    async fn an_account_has_at_most_ten_addresses_each_once(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let owner = seat(&world, ada, app).await;
        for (email, says) in [("nonsense", "not a mail address"), ("ADA@example.org", "already"), ("\"a b\"@example.org", "not a mail address")] {
            let answer = owner.browser.submit(EMAILS, ADD, &[("email", email)]).await;
            assert_eq!(answer.status(), 422, "{email}");
            assert!(answer.text().contains(says), "{email}: {}", answer.text());
        }
        for at in 0..9 {
            has(&world, ada, &format!("a{at}@example.org"), (DAY, None)).await;
        }
        let answer = owner.browser.submit(EMAILS, ADD, &[("email", "eleventh@example.org")]).await;
        assert_eq!(answer.status(), 422);
        assert!(answer.text().contains("at most 10 addresses"), "{}", answer.text());
    }

    /// R7: an address that is not settled goes at once; it is told of that, and of everything for 30 days more (P10).
    async fn p10_a_removed_address_is_told_and_stays_reachable_for_thirty_days(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        has(&world, ada, "second@example.org", (10 * DAY, Some(10 * DAY))).await;
        let owner = seat(&world, ada, app).await;
        assert!(asked(&owner.browser.submit(EMAILS, REMOVE, &[("email", "second@example.org")]).await).is_some(), "R2: a proof first");
        let answer = owner.proved(EMAILS, REMOVE, &[("email", "Second@example.org")]).await;
        assert_eq!((answer.status(), answer.location().as_str()), (303, EMAILS), "{}", answer.text());
        assert!(open(&world, "second@example.org").await.is_none());
        assert_eq!(told(&world, "An address was removed").await, ["ada@example.org", "second@example.org"]);
        world.advance(29 * DAY);
        add(&seat(&world, ada, app).await, "third@example.org").await;
        assert_eq!(told(&world, "An address was added").await, ["ada@example.org", "second@example.org"]);
        world.advance(2 * DAY);
        add(&seat(&world, ada, app).await, "fourth@example.org").await;
        assert_eq!(told(&world, "An address was added").await.len(), 3, "thirty days are over");
    }

    /// R7: a settled address goes only after a hold, of which it is told itself.
    async fn r7_a_settled_address_is_removed_only_through_a_hold(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        has(&world, ada, "second@example.org", (31 * DAY, Some(31 * DAY))).await;
        let owner = seat(&world, ada, app).await;
        let answer = owner.proved(EMAILS, REMOVE, &[("email", "second@example.org")]).await;
        assert_eq!((answer.status(), answer.location().as_str()), (303, HOLDS), "{}", answer.text());
        assert!(owner.browser.get(EMAILS).await.text().contains("A change waits"));
        serve(&world, 71 * HOUR).await;
        assert!(open(&world, "second@example.org").await.is_some(), "an hour is missing");
        assert!(world.newest_mail_to("second@example.org").await.text.contains("/account/veto/?token="), "whoever reads it may stop it");
        serve(&world, HOUR).await;
        assert!(open(&world, "second@example.org").await.is_none());
        assert_eq!(count(&world, "account:email:remove").await, 1);
        assert!(told(&world, "An address was removed").await.contains(&"second@example.org".to_owned()));
    }

    /// The primary address, the only verified one and what is not one's own cannot be removed, with the right proof neither.
    async fn what_must_stay_is_not_removed(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let (bob, _) = old_account(&world, "bob").await;
        has(&world, ada, "claim@example.org", (DAY, None)).await;
        has(&world, bob, "bobs@example.org", (DAY, Some(DAY))).await;
        let owner = seat(&world, ada, app).await;
        for (email, says) in [("ada@example.org", "primary address"), ("bobs@example.org", "no such address"), ("nobody@example.org", "no such address")] {
            let answer = owner.proved(EMAILS, REMOVE, &[("email", email)]).await;
            assert_eq!(answer.status(), 422, "{email}");
            assert!(answer.text().contains(says), "{email}: {}", answer.text());
        }
        // The primary one loses its proof: now the other verified one is the last.
        has(&world, ada, "second@example.org", (DAY, Some(DAY))).await;
        world.run("UPDATE addresses SET verified_at = NULL WHERE folded = 'ada@example.org'").await;
        let answer = owner.proved(EMAILS, REMOVE, &[("email", "second@example.org")]).await;
        assert!(answer.text().contains("only verified address"), "{}", answer.text());
        assert_eq!(owner.proved(EMAILS, REMOVE, &[("email", "claim@example.org")]).await.location(), EMAILS, "a claim goes at once");
        assert_eq!(count(&world, "account:email:remove").await, 1);
    }

    /// R7: away from a settled address only through a hold; what was proved or sent for the old one dies with the change.
    async fn r7_a_settled_primary_address_is_replaced_only_through_a_hold(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        has(&world, ada, "claim@example.org", (DAY, None)).await;
        has(&world, ada, "second@example.org", (DAY, Some(DAY))).await;
        let owner = seat(&world, ada, app).await;
        let answer = owner.proved(EMAILS, PRIMARY, &[("email", "claim@example.org")]).await;
        assert_eq!(answer.status(), 422);
        assert!(answer.text().contains("Verify this address first"), "{}", answer.text());
        let answer = owner.proved(EMAILS, PRIMARY, &[("email", "second@example.org")]).await;
        assert_eq!(answer.location(), HOLDS, "{}", answer.text());
        assert!(open(&world, "ada@example.org").await.expect("it stands").is_primary);
        serve(&world, 72 * HOUR - Duration::from_secs(300)).await;
        // A code on its way to the old address.
        let owner = seat(&world, ada, app).await;
        owner.browser.submit("/account/verify-mailbox/", "/account/verify-mailbox/", &[]).await;
        assert_eq!(all::<mailbox_codes::Entity>(&world).await.iter().filter(|code| code.spent_at.is_none()).count(), 1);
        serve(&world, Duration::from_secs(301)).await;
        let (old, new) = (open(&world, "ada@example.org").await.expect("it stands"), open(&world, "second@example.org").await.expect("it stands"));
        assert!(new.is_primary && !old.is_primary && old.verified_at.is_some());
        assert!(all::<mailbox_codes::Entity>(&world).await.iter().all(|code| code.spent_at.is_some()), "codes for the old one are dead");
        assert_eq!(told(&world, "Your primary address changed").await, ["ada@example.org", "second@example.org"]);
    }

    /// PYPI-21.
    /// An address that is not settled gives way at once, with a proof for this act.
    async fn r2_an_unsettled_primary_address_is_replaced_at_once_with_a_proof(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        has(&world, ada, "second@example.org", (DAY, Some(DAY))).await;
        world.run("UPDATE addresses SET verified_at = NULL WHERE folded = 'ada@example.org'").await;
        let owner = seat(&world, ada, app).await;
        assert!(asked(&owner.browser.submit(EMAILS, PRIMARY, &[("email", "second@example.org")]).await).is_some());
        assert_eq!(owner.proved(EMAILS, PRIMARY, &[("email", "second@example.org")]).await.location(), EMAILS);
        assert!(open(&world, "second@example.org").await.expect("it stands").is_primary);
    }

    /// P3, R5: without a factor an address is added with a fresh proof of the mailbox; what a password alone reaches is nothing.
    async fn r5_without_a_factor_the_mailbox_is_proved_first(world: World) {
        let ada = world.verified("ada").await;
        let answer = ada.browser.submit(EMAILS, ADD, &[("email", "thief@example.org")]).await;
        assert_eq!(answer.location(), "/account/verify-mailbox/?next=%2Fmanage%2Faccount%2Femails%2F");
        assert!(rows(&world, "thief@example.org").await.is_empty());
        ada.prove_mailbox().await;
        assert_eq!(ada.browser.submit(EMAILS, ADD, &[("email", "second@example.org")]).await.location(), EMAILS);
        assert!(open(&world, "second@example.org").await.is_some());
    }

    /// An address that was mistyped at registration is mended: nothing was ever proved, so there is nothing to prove.
    async fn a_typing_error_of_the_registration_can_be_mended(world: World) {
        let ada = world.registered("ada").await;
        ada.log_in().await;
        assert_eq!(ada.browser.submit(EMAILS, ADD, &[("email", "right@people.example.org")]).await.location(), EMAILS);
        assert_eq!(ada.browser.submit(EMAILS, PRIMARY, &[("email", "right@people.example.org")]).await.location(), EMAILS);
        let answer = press(&world, "right@people.example.org").await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
        // From now on the old claim cannot lead, and nothing is added without proof.
        assert_eq!(ada.browser.submit(EMAILS, PRIMARY, &[("email", &ada.email)]).await.status(), 422);
        assert!(ada.browser.submit(EMAILS, ADD, &[("email", "more@people.example.org")]).await.location().starts_with("/account/verify-mailbox/"));
    }

    /// Warehouse 14.13, ASVS 6.3.8: an address that another account has verified is added like any other; only its owner learns of it.
    async fn adding_a_known_address_looks_like_adding_an_unknown_one(world: World) {
        let (bob, _) = old_account(&world, "bob").await;
        let (ada, app) = old_account(&world, "ada").await;
        assert_ne!(bob, ada);
        let owner = seat(&world, ada, app).await;
        let (known, unknown) = (add(&owner, "bob@example.org").await, add(&owner, "new@example.org").await);
        assert_eq!((known.status(), known.location()), (unknown.status(), unknown.location()));
        let page = owner.browser.get(EMAILS).await.text();
        let line = |email: &str| {
            let at = page.find(&format!("<span class=\"address\">{email}")).expect("it is listed");
            page[at..].split("</li>").next().expect("a line ends").replace(email, "").replace(&owner.browser.cookies()["__Host-strongroom_form"], "")
        };
        assert_eq!(line("bob@example.org"), line("new@example.org"));
        world.advance(Duration::from_secs(600));
        for email in ["bob@example.org", "new@example.org"] {
            let answer = owner.browser.submit(EMAILS, REVERIFY, &[("email", email)]).await;
            assert_eq!((answer.status(), answer.location().as_str()), (303, EMAILS), "{email}: {}", answer.text());
        }
        let history = owner.browser.get("/manage/account/security-history/").await.text();
        assert_eq!(history.matches("The verification mail was sent again.").count(), 4);
        let mail = world.newest_mail_to("bob@example.org").await;
        assert!(mail.text.contains("Somebody tried to add this address") && !mail.text.contains("token="), "{}", mail.text);
        assert!(!mail.text.contains("192.0.2.7"), "R27: networks are for the actor: {}", mail.text);
        assert_eq!(rows(&world, "bob@example.org").await.iter().filter(|row| row.verified_at.is_some()).count(), 1);
    }

    /// R4: whoever registers somebody else's address gains nothing when its owner presses the button.
    async fn r4_a_link_pressed_by_the_owner_of_a_mailbox_proves_nothing_for_who_registered_it(world: World) {
        let thief = world.registered("thief").await;
        assert_eq!(press(&world, &thief.email).await.status(), 303, "the owner of the mailbox is curious");
        thief.log_in().await;
        let answer = thief.browser.get("/manage/account/recovery-codes/generate").await;
        assert!(answer.location().starts_with("/account/verify-mailbox/"), "the flag is set, the mailbox is not proved");
    }

    /// R4: pressed in the browser that registered, the link spares the second mail, for ten minutes, and there alone.
    async fn r4_the_browser_that_registered_and_pressed_needs_no_second_mail(world: World) {
        let ada = world.registered("ada").await;
        ada.verify().await;
        let elsewhere = world.browser();
        ada.log_in_with(&elsewhere).await;
        assert_eq!(elsewhere.get("/manage/account/recovery-codes/generate").await.status(), 303, "another browser");
        ada.log_in().await;
        assert_eq!(ada.browser.get("/manage/account/recovery-codes/generate").await.status(), 200);
        ada.save_codes().await;
        world.advance(Duration::from_secs(600));
        assert_eq!(ada.browser.get("/manage/account/recovery-codes/generate").await.status(), 303, "ten minutes are over");
    }

    /// R4: a link that a session asked for proves nothing in another session of the same account.
    async fn r4_a_link_asked_for_in_one_session_proves_nothing_in_another(world: World) {
        let ada = world.registered("ada").await;
        ada.log_in().await;
        ada.browser.submit(EMAILS, REVERIFY, &[("email", &ada.email)]).await;
        let other = world.browser();
        ada.log_in_with(&other).await;
        let link = ada.verification_link().await;
        assert_eq!(other.submit(&link, VERIFY, &[("token", &token_of(&link))]).await.status(), 303);
        for browser in [&other, &ada.browser] {
            assert_eq!(browser.get("/manage/account/recovery-codes/generate").await.status(), 303, "asked here and pressed there is neither");
        }
    }

    /// R26: mails to one address are bounded however many accounts claim it; registering looks the same.
    async fn r26_mails_that_strangers_cause_to_one_address_are_bounded(world: World) {
        for at in 0..8 {
            let answer = register(&world.browser(), &format!("name{at}"), "victim@people.example.org", PASSWORD).await;
            assert_eq!(answer.status(), 200, "{}", answer.text());
        }
        let sent = world.mail().await.iter().filter(|mail| mail.to.contains("victim@")).count();
        assert_eq!(sent, 3);
    }

    /// R31: what somebody else typed does not stand in a mail to an address that is not theirs.
    async fn r31_a_registrants_own_words_are_not_mailed_to_an_unproven_address(world: World) {
        let browser = world.browser();
        let fields = [
            ("name", "Win a prize at evil.example"), ("email", "victim@people.example.org"), ("username", "ada"),
            ("new_password", PASSWORD), ("password_confirm", PASSWORD),
        ];
        assert_eq!(browser.submit("/account/register/", "/account/register/", &fields).await.status(), 200);
        let mail = world.newest_mail_to("victim@people.example.org").await;
        assert!(!mail.text.contains("prize") && !mail.subject.contains("prize"), "{}", mail.text);
    }

    /// Profile: a name that hides nothing, and at most one verified address of one's own, shown to others.
    async fn the_profile_shows_a_name_and_a_verified_address_of_ones_own(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        old_account(&world, "bob").await;
        has(&world, ada, "claim@example.org", (DAY, None)).await;
        let owner = seat(&world, ada, app).await;
        let (home, path) = ("/manage/account/", "/manage/account/profile/");
        for (name, email, says) in [
            ("a\u{202e}b", "", "none that hide or turn"),
            ("Strongroom Support", "", "people who run this index"),
            ("Ada", "claim@example.org", "verified addresses"),
            ("Ada", "bob@example.org", "verified addresses"),
        ] {
            let answer = owner.browser.submit(home, path, &[("name", name), ("public_email", email)]).await;
            assert_eq!(answer.status(), 422, "{name} {email}");
            assert!(answer.text().contains(says), "{says}: {}", answer.text());
        }
        let public = world.browser().get("/user/ada/").await.text();
        assert!(!public.contains("ada@example.org"), "nothing is shown unless it is chosen");
        let answer = owner.browser.submit(home, path, &[("name", "Ada <L>"), ("public_email", "ADA@example.org")]).await;
        assert_eq!(answer.location(), home, "{}", answer.text());
        let public = world.browser().get("/user/ada/").await.text();
        assert!(public.contains("Ada &#60;L&#62;") && public.contains("mailto:ada%40example.org"), "{public}");
        assert_eq!(count(&world, "account:profile:change").await, 1);
        owner.browser.submit(home, path, &[("name", "Ada <L>"), ("public_email", "ada@example.org")]).await;
        assert_eq!(count(&world, "account:profile:change").await, 1, "what is so already is no change");
        world.run("UPDATE addresses SET verified_at = NULL WHERE folded = 'ada@example.org'").await;
        assert!(!world.browser().get("/user/ada/").await.text().contains("mailto:"), "only while it is verified");
    }
}

/// The operator's lists of domains, on one engine.
async fn lists(world: World) {
    let browser = world.browser();
    for (email, says) in [
        ("ada@blocked.example", "not accepted on this index"),
        ("ada@deep.sub.BLOCKED.example", "not accepted on this index"),
        ("ada@mailinator.example", "thrown away"),
        ("ada@lapsed.example", "lapsed"),
    ] {
        let answer = register(&browser, "ada", email, PASSWORD).await;
        assert_eq!(answer.status(), 422, "{email}");
        assert!(answer.text().contains(says) && answer.text().contains("id=\"error-email\""), "{email}: {}", answer.text());
    }
    assert_eq!(register(&browser, "eve", "eve@notblocked.example", PASSWORD).await.status(), 200);
    let (ada, app) = old_account(&world, "ada").await;
    let owner = seat(&world, ada, app).await;
    for email in ["ada@x.blocked.example", "ada@mailinator.example", "ada@lapsed.example"] {
        assert_eq!(owner.browser.submit(EMAILS, ADD, &[("email", email)]).await.status(), 422, "{email}");
    }
    // OSSF-AN-2.1: the job takes the proof of what was verified before the domain lapsed; the others are told, itself included.
    has(&world, ada, "ada@mail.lapsed.example", (60 * DAY, Some(60 * DAY))).await;
    let before = rows(&world, "ada@mail.lapsed.example").await;
    world.advance(HOUR);
    world.work().await;
    let after = rows(&world, "ada@mail.lapsed.example").await;
    assert_eq!(after.len(), 2, "the old row ends, another begins");
    assert!(after[0].until_at.is_some() && after[0].verified_at == before[0].verified_at, "history says until when it was proved");
    assert_eq!((after[1].verified_at, after[1].unverified_because.as_deref()), (None, Some("lapsed")));
    assert_eq!(told(&world, "must be verified again").await, ["ada@example.org", "ada@mail.lapsed.example"]);
    let page = seat(&world, ada, app).await.browser.get(EMAILS).await.text();
    assert!(page.contains("its domain lapsed"), "{page}");
    let answer = seat(&world, ada, app).await.browser.submit(EMAILS, REVERIFY, &[("email", "ada@mail.lapsed.example")]).await;
    assert_eq!(answer.status(), 422, "nobody verifies it while it is listed: whoever has the domain now would");
    world.advance(HOUR);
    world.work().await;
    assert_eq!(count(&world, "account:email:unverified").await, 1, "a second run changes nothing");
}

fn settings(folder: &tempfile::TempDir) -> [(&'static str, String); 3] {
    let file = folder.path().join("disposable.txt");
    std::fs::write(&file, "# known ones\nmailinator.example\n").expect("a file can be written");
    [
        ("accounts.blocked_domains", "blocked.example, other.example".to_owned()),
        ("accounts.disposable_domains", format!("file:{}", file.display())),
        ("accounts.lapsed_domains", "lapsed.example".to_owned()),
    ]
}

/// OSSF-AN-2.1.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operators_lists_of_domains_hold_on_sqlite() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings = settings(&folder);
    let settings: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    lists(World::sqlite(&settings).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operators_lists_of_domains_hold_on_postgres() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings = settings(&folder);
    let settings: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    lists(World::postgres(&settings).await).await;
}

/// P12: when a list cannot be read nobody registers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p12_a_list_that_cannot_be_read_lets_nobody_in() {
    let world = World::sqlite(&[("accounts.disposable_domains", "file:/nowhere/list.txt")]).await;
    assert_eq!(register(&world.browser(), "ada", "ada@people.example.org", PASSWORD).await.status(), 500);
    assert_eq!(world.number("SELECT COUNT(*) AS n FROM accounts").await, 0);
}
