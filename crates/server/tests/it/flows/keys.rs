//! Security keys and passkeys: added, used in all three ways, and each way of answering wrongly refused.

use std::time::Duration;

use crate::authenticator::{Key, act_of};
use crate::given;
use crate::people::Person;
use crate::world::{Answer, World, both_engines};

const PROVISION: &str = "/manage/account/webauthn-provision";
const FACTORS: &str = "/manage/account/two-factor/";

async fn keys(world: &World) -> i64 {
    world.number("SELECT COUNT(*) AS n FROM factors WHERE kind = 'webauthn' AND until_at IS NULL").await
}

async fn sessions(world: &World) -> i64 {
    world.number("SELECT COUNT(*) AS n FROM sessions WHERE until_at IS NULL").await
}

fn refused(answer: &Answer) -> String {
    assert_eq!(answer.status(), 422, "{}", answer.text());
    answer.json()["fail"]["errors"][0].as_str().expect("a sentence").to_owned()
}

fn leads(answer: &Answer) -> String {
    assert_eq!(answer.status(), 200, "{}", answer.text());
    answer.json()["success"]["redirect_to"].as_str().expect("a place").to_owned()
}

/// Somebody behind all gates, signed in, without a factor yet.
async fn ready<'w>(world: &'w World, username: &str) -> Person<'w> {
    let person = world.verified(username).await;
    person.prove_mailbox().await;
    person.save_codes().await;
    person
}

/// One thing wrong with an answer.
type Spoil = fn(&mut Key);

const SPOILED: [(&str, Spoil); 8] = [
    ("another type", |key| key.kind = Some("webauthn.other")),
    ("another origin", |key| key.origin = "https://index.example.org.evil.example".to_owned()),
    ("another port", |key| key.origin = "https://index.example.org:8443".to_owned()),
    ("plain http", |key| key.origin = "http://index.example.org".to_owned()),
    ("another party", |key| key.party = "example.org".to_owned()),
    ("nobody present", |key| key.present = false),
    ("an embedded page", |key| key.beside = Some(("crossOrigin", true.into()))),
    ("a page above", |key| key.beside = Some(("topOrigin", "https://evil.example".into()))),
];

both_engines! {
    /// OSSF-AN-2.2, ASVS-6.3.3.
    /// OSSF-AN-3.2, WebAuthn L3 §7.1, R5: a key is a first factor behind the same gates, and then the second one of a sign-in.
    async fn a_key_is_a_first_factor_and_finishes_a_sign_in(world: World) {
        let newcomer = world.verified("newcomer").await;
        let gate = newcomer.browser.get(&format!("{PROVISION}/options")).await;
        assert_eq!(gate.status(), 403, "{}", gate.text());
        assert!(gate.json()["fail"]["redirect_to"].as_str().expect("a gate").starts_with("/account/verify-mailbox/"));
        assert!(newcomer.browser.get(PROVISION).await.location().starts_with("/account/verify-mailbox/"));

        let (ada, mut key) = world.secured_with_key("ada", Key::usb()).await;
        assert_eq!(keys(&world).await, 1);
        let page = ada.browser.get(FACTORS).await.text();
        assert!(page.contains("blue key") && page.contains("Security key") && page.contains("not synced"), "{page}");
        assert!(page.contains(&format!("data-key-accepted=\"{}\"", key.id_text())), "{page}");

        let browser = world.browser();
        assert_eq!(ada.send_password(&browser).await.location(), "/account/two-factor/");
        let page = browser.get("/account/two-factor/").await.text();
        assert!(page.contains("Use your security key") && !page.contains("totp_value") && page.contains("/account/recovery-code/"), "{page}");
        let options = browser.challenge("").await;
        assert_eq!(options["allowCredentials"][0]["id"], key.id_text());
        assert_eq!(options["userVerification"], "preferred");
        let answer = browser.answer_challenge(&key.assert(&options), &[("next", "/manage/account/token/")]).await;
        assert_eq!(leads(&answer), "/manage/account/token/");
        assert_eq!(browser.get("/manage/account/token/").await.status(), 200);
        let signed_in = given::events_of(&world, "account:login:success").await;
        assert!(signed_in.last().expect("an event").detail.contains("webauthn"));
    }

    /// ASVS-6.7.2, NIST-C1, NIST-F3, NIST-B7, WEBAUTHN-2, WEBAUTHN-8, WEBAUTHN-20, WEBAUTHN-21.
    /// WebAuthn L3 §14.6.1: no personal data in the handle; every kind of key may come; nothing is asked that names the device.
    async fn what_is_asked_of_a_new_key(world: World) {
        let (ada, key) = world.secured_with_key("ada", Key::passkey()).await;
        let options = ada.challenge_to_add().await;
        assert_eq!(options["rp"]["id"], "index.example.org");
        assert_eq!(options["attestation"], "none");
        assert_eq!(options["authenticatorSelection"]["residentKey"], "preferred");
        assert_eq!(options["authenticatorSelection"]["userVerification"], "preferred");
        assert_eq!(options["excludeCredentials"][0]["id"], key.id_text());
        assert_eq!(options["user"]["id"].as_str().expect("a handle").len(), 22, "16 bytes");
        let algorithms: Vec<i64> = options["pubKeyCredParams"].as_array().expect("a list").iter().map(|p| p["alg"].as_i64().expect("a number")).collect();
        assert!(algorithms.contains(&-7) && algorithms.contains(&-257), "{algorithms:?}");
        assert!(options["challenge"].as_str().expect("text").len() >= 22, "V6.7.2: 128 bits or more");
        assert_ne!(options["challenge"], ada.challenge_to_add().await["challenge"]);
    }

    /// WEBAUTHN-1, WEBAUTHN-2, WEBAUTHN-3, WEBAUTHN-4, WEBAUTHN-5, WEBAUTHN-7, WEBAUTHN-9.
    /// WebAuthn L3 §7.1: each thing that can be wrong with a new key refuses it, and spends its challenge.
    async fn a_new_key_that_is_wrong_in_one_thing_is_refused(world: World) {
        let ada = ready(&world, "ada").await;
        for (what, spoil) in SPOILED {
            let mut key = Key::usb();
            spoil(&mut key);
            let options = ada.challenge_to_add().await;
            refused(&ada.send_new_key("key", &key.create(&options), None).await);
            assert_eq!(keys(&world).await, 0, "{what}");
            refused(&ada.send_new_key("key", &Key::usb().create(&options), None).await);
            assert_eq!(keys(&world).await, 0, "the challenge was used twice: {what}");
        }
        let mut copied = Key { backed_up: true, ..Key::usb() };
        refused(&ada.add_key(&mut copied, "key", None).await);
        let mut long = Key { id: vec![7; 1024], ..Key::usb() };
        refused(&ada.add_key(&mut long, "key", None).await);
        refused(&ada.send_new_key("key", "{}", None).await);
        refused(&ada.send_new_key("key", &"x".repeat(40_000), None).await);
        assert_eq!(keys(&world).await, 0);
        assert!(given::events_of(&world, "account:two_factor:refused").await.len() > 10, "each is in the trail");
    }

    /// WEBAUTHN-2, WEBAUTHN-12.
    /// WebAuthn L3 §13.4.3: a challenge counts once, for five minutes, in the browser and session that asked, for what it was for.
    async fn a_challenge_for_a_new_key_is_bound_and_spent(world: World) {
        let (ada, grace) = (ready(&world, "ada").await, ready(&world, "grace").await);
        let options = ada.challenge_to_add().await;
        refused(&grace.send_new_key("key", &Key::usb().create(&options), None).await);
        let again = world.browser();
        ada.log_in_with(&again).await;
        let token = again.form_token().await;
        let credential = Key::usb().create(&options);
        let fields = [("csrf_token", token.as_str()), ("label", "key"), ("credential", &credential)];
        assert_eq!(again.post(&format!("{PROVISION}/validate"), &fields).await.status(), 403, "another session has no mailbox proof");
        world.advance(Duration::from_secs(301));
        refused(&ada.send_new_key("key", &Key::usb().create(&options), None).await);
        assert_eq!(keys(&world).await, 0);
        let mut key = Key::usb();
        let options = ada.challenge_to_add().await;
        assert_eq!(leads(&ada.send_new_key("key", &key.create(&options), None).await), FACTORS);
        // Its use has another purpose: the creation's challenge answers nothing there.
        refused(&ada.browser.answer_challenge(&key.assert(&options), &[]).await);
    }

    /// WEBAUTHN-10.
    /// WebAuthn L3 §7.1 step 26: a credential belongs to one account.
    async fn a_key_of_one_account_is_not_added_to_another(world: World) {
        let (_ada, key) = world.secured_with_key("ada", Key::usb()).await;
        let grace = ready(&world, "grace").await;
        refused(&grace.add_key(&mut key.clone(), "mine too", None).await);
        assert_eq!(keys(&world).await, 1);
    }

    /// The button of the login page signs in alone, whatever else the browser holds: a sign-in that somebody left half open there is not
    /// finished by it, and its factor is not asked for.
    async fn the_button_of_the_login_page_signs_in_alone(world: World) {
        let (ada, _) = world.secured_with_key("ada", Key::usb()).await;
        let (_grace, mut passkey) = world.secured_with_key("grace", Key::passkey()).await;
        let browser = world.browser();
        assert!(browser.get("/account/login/").await.text().contains("name=\"alone\" value=\"y\""));
        assert_eq!(ada.send_password(&browser).await.location(), "/account/two-factor/");
        let options = browser.challenge("?alone=y").await;
        assert!(options["allowCredentials"].as_array().is_none_or(Vec::is_empty), "it asks for no account's key: {options}");
        assert_eq!(options["userVerification"], "required");
        let assertion = passkey.assert(&options);
        refused(&browser.answer_challenge(&assertion, &[]).await);
        let assertion = passkey.assert(&browser.challenge("?alone=y").await);
        assert_eq!(leads(&browser.answer_challenge(&assertion, &[("alone", "y")]).await), "/manage/account/");
        assert!(browser.get("/manage/account/").await.text().contains("grace"));
        assert!(!browser.cookies().contains_key("__Host-strongroom_attempt"), "what was half open is left behind");
        // A half-open sign-in of a key's own account is finished where that is asked for, and only there.
        let other = world.browser();
        ada.send_password(&other).await;
        assert_eq!(other.challenge("").await["allowCredentials"].as_array().map(Vec::len), Some(1));
    }

    /// R25: an answer of a key is no guess, right or not: it uses up no try and sends nobody a mail about a wrong factor.
    async fn r25_a_refused_key_is_no_guess(world: World) {
        let (ada, mut key) = world.secured_with_key("ada", Key::usb()).await;
        let browser = world.browser();
        ada.send_password(&browser).await;
        let before = world.mail().await.len();
        for _ in 0..7 {
            let options = browser.challenge("").await;
            refused(&browser.answer_challenge(&Key::usb().assert(&options), &[]).await);
            refused(&browser.answer_challenge("{}", &[]).await);
        }
        assert!(given::events_of(&world, "account:login:failure").await.len() >= 14, "each is in the history");
        assert!(given::events_of(&world, "account:login:wrong-factor").await.is_empty());
        assert_eq!(world.mail().await.len(), before);
        assert_eq!(browser.use_key(&mut key).await.status(), 200, "and the right one still counts");
        // What is typed is a guess: it counts, and is told.
        let typing = world.browser();
        ada.send_password(&typing).await;
        typing.submit("/account/two-factor/", "/account/recovery-code/", &[("recovery_code_value", "none")]).await;
        assert_eq!(given::events_of(&world, "account:login:wrong-factor").await.len(), 1);
    }

    /// Labels tell keys apart.
    async fn labels_are_short_and_unique_in_an_account(world: World) {
        let (ada, mut key) = world.secured_with_key("ada", Key::usb()).await;
        for bad in ["", "   ", &"x".repeat(65), "Blue Key", "two\nlines"] {
            let query = serde_urlencoded::to_string([("label", bad)]).expect("text");
            let early = ada.browser.get(&format!("{PROVISION}/options?{query}")).await;
            refused(&early);
        }
        let at = ada.ask_to_add("Blue KEY").await;
        let act = prove_with_key(&ada, &at, &mut key).await;
        refused(&ada.add_key(&mut Key::usb(), "Blue KEY", Some(&act)).await);
        assert_eq!(keys(&world).await, 1);
    }

    /// R1, R2: a further key wants a proof for exactly this act; a TOTP account proves its app for it.
    async fn a_further_key_needs_a_proof_made_for_it(world: World) {
        let ada = world.secured("ada").await;
        let mut key = Key::usb();
        let options = ada.challenge_to_add().await;
        let credential = key.create(&options);
        let answer = ada.send_new_key("first", &credential, None).await;
        assert_eq!(answer.status(), 401, "{}", answer.text());
        let to = answer.json()["fail"]["redirect_to"].as_str().expect("where the proof is made").to_owned();
        assert!(to.starts_with("/account/reauthenticate/?act="), "{to}");
        let page = ada.browser.get(&to).await.text();
        assert!(page.contains("Add the security key or passkey “first”"), "{page}");
        let back = ada.prove_at(&to).await;
        assert!(back.starts_with(PROVISION), "{back}");
        let page = ada.browser.get(&back).await.text();
        assert!(page.contains("data-key-ready") && page.contains("data-key-label=\"first\""), "{page}");

        let act = act_of(&back);
        let other = ada.send_new_key("second", &credential, Some(&act)).await;
        assert_eq!(other.status(), 401, "the proof is for another label: {}", other.text());
        assert_eq!(leads(&ada.send_new_key("first", &credential, Some(&act)).await), FACTORS);
        assert_eq!(keys(&world).await, 1);
        let spent = ada.add_key(&mut Key::usb(), "first again", Some(&act)).await;
        assert_eq!(spent.status(), 401, "a proof is spent once: {}", spent.text());
        assert_eq!(keys(&world).await, 1);
    }

    /// NIST-F1, NIST-B2.
    /// R2: where an account holds a key, a proof by anything weaker does not count for an act.
    async fn r2_an_act_wants_the_strongest_kind_of_factor(world: World) {
        let ada = world.secured("ada").await;
        let tokens = "/manage/account/token/";
        let form = [("description", "ci"), ("token_scope", "scope:user"), ("expires_in_days", "")];
        let before = ada.browser.submit(tokens, tokens, &form).await.location();
        let weak = act_of(&ada.prove_at(&before).await);

        let mut key = Key::usb();
        let act = act_of(&ada.prove_at(&ada.ask_to_add("key").await).await);
        leads(&ada.add_key(&mut key, "key", Some(&act)).await);

        // The proof by the app was made before there was a key: it is worth nothing now.
        let answer = ada.browser.submit(tokens, tokens, &[&form[..], &[("act", weak.as_str())]].concat()).await;
        let at = answer.location();
        assert!(at.starts_with("/account/reauthenticate/?act="), "{at}");
        let page = ada.browser.get(&at).await.text();
        assert!(page.contains("Confirm with your security key") && !page.contains("totp_value"), "{page}");
        let act = act_of(&at);
        let code = ada.code();
        let weak = ada.browser.submit(&at, "/account/reauthenticate/", &[("totp_value", &code), ("act", &act), ("next", tokens)]).await;
        assert_eq!(weak.status(), 422, "{}", weak.text());

        let act = prove_with_key(&ada, &at, &mut key).await;
        let answer = ada.browser.submit(tokens, tokens, &[&form[..], &[("act", act.as_str())]].concat()).await;
        assert!(answer.text().contains("provisioned-key"), "{}", answer.text());
    }

    /// R2, R20: a challenge for one act proves no other act, and nothing else.
    async fn a_challenge_for_one_act_proves_that_one_alone(world: World) {
        let (ada, mut key) = world.secured_with_key("ada", Key::usb()).await;
        let (one, other) = (act_of(&ada.ask_to_add("one").await), act_of(&ada.ask_to_add("other").await));
        let options = ada.browser.challenge(&format!("?act={one}")).await;
        refused(&ada.browser.answer_challenge(&key.assert(&options), &[("act", &other)]).await);
        refused(&ada.browser.answer_challenge(&key.assert(&options), &[]).await);
        let (grace, _) = world.secured_with_key("grace", Key::usb()).await;
        let query = format!("/account/webauthn-authenticate/options?act={one}");
        assert_eq!(grace.browser.get(&query).await.status(), 404, "an act of somebody else is not there");
        let fresh = ada.browser.challenge("").await;
        refused(&ada.browser.answer_challenge(&key.assert(&fresh), &[("act", &one)]).await);
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM acts WHERE proved_at IS NOT NULL").await, 0);
        leads(&ada.browser.answer_challenge(&key.assert(&options), &[("act", &one)]).await);
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM acts WHERE proved_with = 'webauthn' AND factor_id IS NOT NULL").await, 1);
    }

    /// R1, V7.2.4: proving again makes the session fresh, and gives it a new token: a copied cookie is worth nothing afterwards.
    async fn proving_a_key_again_makes_the_session_fresh_and_renews_it(world: World) {
        let (ada, mut key) = world.secured_with_key("ada", Key::usb()).await;
        world.advance(Duration::from_secs(16 * 60));
        let thief = world.browser();
        for (name, value) in ada.browser.cookies() {
            thief.set_cookie(&name, &value);
        }
        assert_eq!(thief.get("/manage/account/").await.status(), 200);
        let page = ada.browser.get("/account/reauthenticate/?next=/manage/account/token/").await;
        assert!(page.text().contains("Confirm with your security key"), "{}", page.text());
        let options = ada.browser.challenge("").await;
        let answer = ada.browser.answer_challenge(&key.assert(&options), &[("next", "/manage/account/token/")]).await;
        assert_eq!(leads(&answer), "/manage/account/token/");
        assert_eq!(ada.browser.get("/manage/account/token/").await.status(), 200);
        assert!(thief.get("/manage/account/").await.location().starts_with("/account/login/"));
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM sessions WHERE proved_with = 'webauthn'").await, 1);
    }

    /// A key-only account adds an app, with its key as the proof (R2); the proof of the mailbox adds the first factor alone (R5).
    async fn an_app_is_added_beside_a_key_with_the_key(world: World) {
        let (mut ada, mut key) = world.secured_with_key("ada", Key::usb()).await;
        let page = "/manage/account/totp-provision";
        ada.totp = Some(ada.offered().await);
        let answer = ada.browser.submit(page, page, &[("totp_value", &ada.code())]).await;
        let at = answer.location();
        assert!(at.starts_with("/account/reauthenticate/?act="), "{at}");
        let act = prove_with_key(&ada, &at, &mut key).await;
        let wrong = ada.browser.submit(&format!("{page}?act={act}"), page, &[("totp_value", "000000"), ("act", &act)]).await;
        assert_eq!(wrong.status(), 422, "{}", wrong.text());
        let answer = ada.browser.submit(&format!("{page}?act={act}"), page, &[("totp_value", &ada.code()), ("act", &act)]).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM factors WHERE until_at IS NULL").await, 2);
        let browser = world.browser();
        ada.log_in_with(&browser).await;
        assert_eq!(browser.get("/manage/account/").await.status(), 200);
    }

    /// WEBAUTHN-13, WEBAUTHN-14, WEBAUTHN-16, WEBAUTHN-17.
    /// WebAuthn L3 §7.2: each thing that can be wrong with an assertion refuses the second factor, and spends its challenge.
    async fn an_assertion_that_is_wrong_in_one_thing_is_refused(world: World) {
        let (ada, key) = world.secured_with_key("ada", Key::usb()).await;
        let (_grace, mut theirs) = world.secured_with_key("grace", Key::usb()).await;
        let before = sessions(&world).await;
        let wrong: [(&str, Spoil); 4] = [
            ("a wrong signature", |key| key.lies = true),
            ("can be copied now", |key| key.eligible = true),
            ("is copied and cannot be", |key| key.backed_up = true),
            ("names somebody else", |key| key.handle = Some(vec![7; 16])),
        ];
        for (what, spoil) in SPOILED.iter().chain(&wrong) {
            // Ten and more in a row: R25, none of them counts as a guess.
            let browser = world.browser();
            ada.send_password(&browser).await;
            let mut spoiled = Key { counter: 100, ..key.clone() };
            spoil(&mut spoiled);
            let options = browser.challenge("").await;
            refused(&browser.answer_challenge(&spoiled.assert(&options), &[]).await);
            let mut good = Key { counter: 100, ..key.clone() };
            refused(&browser.answer_challenge(&good.assert(&options), &[]).await);
            assert_eq!(sessions(&world).await, before, "{what}");
        }
        let browser = world.browser();
        ada.send_password(&browser).await;
        let answer = browser.use_key(&mut theirs).await;
        assert!(refused(&answer).contains("not one of this account"));
        assert!(answer.json()["fail"]["unknown_credential"].is_null(), "the keeper must not drop what is good elsewhere");
        ada.log_in_with_key(&browser, &mut Key { counter: 200, ..key }).await;
    }

    /// WebAuthn L3 §13.4.3: the challenge of a sign-in counts in that sign-in alone.
    async fn a_challenge_of_one_sign_in_finishes_no_other(world: World) {
        let (ada, mut key) = world.secured_with_key("ada", Key::internal()).await;
        let before = sessions(&world).await;
        let (one, other) = (world.browser(), world.browser());
        ada.send_password(&one).await;
        ada.send_password(&other).await;
        let options = one.challenge("").await;
        refused(&other.answer_challenge(&key.assert(&options), &[]).await);
        // The same browser, another attempt.
        ada.send_password(&one).await;
        refused(&one.answer_challenge(&key.assert(&options), &[]).await);
        // Another purpose: nobody half signed in, so that it would be a sign-in alone.
        let stranger = world.browser();
        for (name, value) in one.cookies().into_iter().filter(|(name, _)| name.contains("form")) {
            stranger.set_cookie(&name, &value);
        }
        refused(&stranger.answer_challenge(&key.assert(&options), &[]).await);
        world.advance(Duration::from_secs(299));
        let late = one.challenge("").await;
        world.advance(Duration::from_secs(2));
        let over = one.answer_challenge(&key.assert(&late), &[]).await;
        assert_ne!(over.status(), 200, "the sign-in is over after five minutes: {}", over.text());
        assert_eq!(sessions(&world).await, before);
    }

    /// WEBAUTHN-22.
    /// OSSF-AN-3.1: a passkey that verified its user signs in alone, and is what administrators' acts want (StepUp).
    async fn a_passkey_signs_in_without_name_and_password(world: World) {
        let (ada, mut key) = world.secured_with_key("ada", Key::passkey()).await;
        let browser = world.browser();
        let page = browser.get("/account/login/").await.text();
        assert!(page.contains("Log in with a passkey") && page.contains("data-key=\"use\""), "{page}");
        let options = browser.challenge("").await;
        assert_eq!(options["userVerification"], "required");
        assert_eq!(options["allowCredentials"].as_array().map(Vec::len), Some(0), "nothing tells which accounts there are");
        assert_eq!(leads(&browser.answer_challenge(&key.assert(&options), &[]).await), "/manage/account/");
        let page = browser.get("/manage/account/").await.text();
        assert!(page.contains("ada"), "{page}");
        assert!(ada.browser.get(FACTORS).await.text().contains("Passkey"));
        // A password that was disabled takes nothing from a passkey.
        world.run("UPDATE accounts SET password_hash = NULL, password_disabled_at = 1").await;
        assert_eq!(leads(&world.browser().use_key(&mut key).await), "/manage/account/");
    }

    /// NIST-C3, WEBAUTHN-6, WEBAUTHN-15.
    /// WebAuthn L3 §7.2 steps 6, 17: alone, a key must be verified by its user, discoverable, and name its own account.
    async fn alone_a_key_must_verify_its_user_and_name_its_account(world: World) {
        let (_ada, key) = world.secured_with_key("ada", Key::passkey()).await;
        let (_grace, theirs) = world.secured_with_key("grace", Key::passkey()).await;
        let before = sessions(&world).await;
        let wrong: [(&str, Key); 4] = [
            ("did not verify", Key { verifies: false, ..key.clone() }),
            ("names nobody", Key { handle: None, ..key.clone() }),
            ("names another account", Key { handle: theirs.handle.clone(), ..key.clone() }),
            ("lies", Key { lies: true, ..key.clone() }),
        ];
        for (what, mut wrong) in wrong {
            let browser = world.browser();
            let options = browser.challenge("").await;
            refused(&browser.answer_challenge(&wrong.assert(&options), &[]).await);
            refused(&browser.answer_challenge(&key.clone().assert(&options), &[]).await);
            assert_eq!(sessions(&world).await, before, "{what}");
        }
        for (what, spoil) in SPOILED {
            let mut wrong = key.clone();
            spoil(&mut wrong);
            refused(&world.browser().use_key(&mut wrong).await);
            assert_eq!(sessions(&world).await, before, "{what}");
        }
        // Another browser's challenge.
        let options = world.browser().challenge("").await;
        refused(&world.browser().answer_challenge(&key.clone().assert(&options), &[]).await);
        let browser = world.browser();
        let options = browser.challenge("").await;
        world.advance(Duration::from_secs(301));
        assert!(refused(&browser.answer_challenge(&key.clone().assert(&options), &[]).await).contains("challenge is over"));
        assert_eq!(sessions(&world).await, before);
        assert!(given::events_of(&world, "account:login:failure").await.len() >= 10, "P4: each is in the trail");
    }

    /// WebAuthn L3 §7.2 step 26: whoever found a key without a PIN and gave it one does not sign in with it alone.
    async fn a_key_that_got_its_pin_later_counts_alone_only_after_a_password(world: World) {
        let (ada, mut key) = world.secured_with_key("ada", Key { resident: true, ..Key::usb() }).await;
        key.verifies = true;
        assert!(refused(&world.browser().use_key(&mut key).await).contains("did not check that it is you"));
        ada.log_in_with_key(&world.browser(), &mut key).await;
        leads(&world.browser().use_key(&mut key).await);
        // And from then on it must verify, as a second factor too.
        key.verifies = false;
        let browser = world.browser();
        ada.send_password(&browser).await;
        refused(&browser.use_key(&mut key).await);
    }

    /// P8: a stopped account is told so, and gets nothing.
    async fn a_stopped_account_does_not_sign_in_with_a_passkey(world: World) {
        let (ada, mut key) = world.secured_with_key("ada", Key::passkey()).await;
        let account = given::all::<index::db::entities::accounts::Entity>(&world).await[0].id;
        let half = world.browser();
        ada.send_password(&half).await;
        given::freeze(&world.env, account).await;
        for browser in [world.browser(), half] {
            let answer = browser.use_key(&mut key).await;
            assert_eq!(answer.status(), 403, "{}", answer.text());
            assert!(answer.text().contains("stopped the account"), "{}", answer.text());
            assert!(browser.get("/manage/account/").await.location().starts_with("/account/"), "no session");
        }
    }

    /// WEBAUTHN-19.
    /// A passkey that no account has is named, so that its keeper can drop it (`signalUnknownCredential`).
    async fn a_passkey_that_nobody_has_is_named_to_its_keeper(world: World) {
        let (_ada, mut key) = world.secured_with_key("ada", Key::passkey()).await;
        world.run("UPDATE factors SET until_at = 1").await;
        let answer = world.browser().use_key(&mut key).await;
        refused(&answer);
        assert_eq!(answer.json()["fail"]["unknown_credential"], key.id_text());
    }

    /// WEBAUTHN-18.
    /// WebAuthn L3 §6.1.1, V6.3.5: a counter that does not grow is refused, told to every address, and opens one case. Never silent.
    async fn a_counter_that_does_not_grow_is_refused_told_and_a_case(world: World) {
        let (ada, mut key) = world.secured_with_key("ada", Key::internal()).await;
        let mut clone = key.clone();
        ada.log_in_with_key(&world.browser(), &mut key).await;
        ada.log_in_with_key(&world.browser(), &mut key).await;
        let before = sessions(&world).await;
        let half = world.browser();
        ada.send_password(&half).await;
        assert!(refused(&half.use_key(&mut clone.clone()).await).contains("counter did not grow"));
        assert!(refused(&world.browser().use_key(&mut clone).await).contains("counter did not grow"));
        clone.counts = false;
        clone.counter = 0;
        refused(&ada.browser.use_key(&mut clone).await);
        assert_eq!(sessions(&world).await, before);
        let told = given::events_of(&world, "account:webauthn:counter-regression").await;
        assert_eq!(told.len(), 3);
        assert!(told[0].detail.contains("blue key"));
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM cases WHERE kind = 'cloned' AND closed_at IS NULL").await, 1);
        let mails = world.mail().await.into_iter().filter(|mail| mail.text.contains("its counter did not grow")).count();
        assert_eq!(mails, 3);
        // The key that counts on goes on working.
        ada.log_in_with_key(&world.browser(), &mut key).await;
    }

    /// WEBAUTHN-11.
    /// WebAuthn L3 §7.2 steps 24, 25: the counter and the state of copies move with each use; zero stays zero.
    async fn counter_and_state_of_copies_are_kept(world: World) {
        let (ada, mut key) = world.secured_with_key("ada", Key::passkey()).await;
        assert_eq!(world.number("SELECT sign_count AS n FROM factors WHERE kind = 'webauthn'").await, 0);
        key.backed_up = false;
        ada.log_in_with_key(&world.browser(), &mut key).await;
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM factors WHERE backed_up = FALSE AND backup_eligible = TRUE AND discoverable = TRUE").await, 1);
        assert!(ada.browser.get(FACTORS).await.text().contains("not synced"));
        let (grace, mut counting) = world.secured_with_key("grace", Key::usb()).await;
        counting.counter = 41;
        grace.log_in_with_key(&world.browser(), &mut counting).await;
        assert_eq!(world.number("SELECT MAX(sign_count) AS n FROM factors").await, 42);
    }

    /// P11: neither the credential nor the challenge stands in the database in the clear.
    async fn credentials_and_challenges_are_sealed(world: World) {
        let (ada, _key) = world.secured_with_key("ada", Key::usb()).await;
        ada.challenge_to_add().await;
        let rows = given::all::<index::db::entities::factors::Entity>(&world).await;
        assert!(rows.iter().all(|row| !contains(&row.secret_sealed, b"cred")));
        let rows = given::all::<index::db::entities::ceremonies::Entity>(&world).await;
        assert!(!rows.is_empty() && rows.iter().all(|row| !contains(&row.state_sealed, b"challenge")));
    }

    /// R26: challenges are swept once they are over.
    async fn challenges_that_are_over_are_swept(world: World) {
        for _ in 0..3 {
            world.browser().challenge("").await;
        }
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM ceremonies").await, 3);
        world.advance(Duration::from_secs(2 * 86_400));
        world.browser().challenge("").await;
        world.work().await;
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM ceremonies").await, 1);
    }

    /// NIST-F2, NIST-B1.
    /// AAL2 F2: where a person looks, an account whose factors can be phished is shown the way to one that cannot.
    async fn accounts_with_an_app_alone_are_shown_the_way_to_a_key(world: World) {
        let ada = world.secured("ada").await;
        let (grace, _) = world.secured_with_key("grace", Key::usb()).await;
        for page in ["/manage/account/", FACTORS] {
            assert!(ada.browser.get(page).await.text().contains("imitated page"), "{page}");
            assert!(!grace.browser.get(page).await.text().contains("imitated page"), "{page}");
        }
    }

    /// P9: whoever administers the index needs a key, and is led to it.
    async fn an_administrator_without_a_key_is_led_to_one(world: World) {
        let ada = world.secured("ada").await;
        let account = given::all::<index::db::entities::accounts::Entity>(&world).await[0].id;
        given::administrator(&world, account).await;
        let page = ada.browser.get("/manage/account/").await.text();
        assert!(page.contains("Administrators need a security key or passkey."), "{page}");
        let act = act_of(&ada.prove_at(&ada.ask_to_add("staff key").await).await);
        leads(&ada.add_key(&mut Key::usb(), "staff key", Some(&act)).await);
        let page = ada.browser.get("/manage/account/").await.text();
        assert!(!page.contains("Administrators need"), "{page}");
    }

    /// Keepers of passkeys find the pages (W3C "A Well-Known URL for Relying Party Passkey Endpoints").
    async fn the_pages_of_passkeys_are_where_keepers_look(world: World) {
        let answer = world.browser().get("/.well-known/passkey-endpoints").await;
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.json()["enroll"], "https://index.example.org/manage/account/webauthn-provision");
        assert_eq!(answer.json()["manage"], "https://index.example.org/manage/account/two-factor/");
    }

    /// R30: the scripts' posts stand behind the same origin and form token as every form.
    async fn a_key_is_used_from_our_own_pages_alone(world: World) {
        let (_ada, mut key) = world.secured_with_key("ada", Key::passkey()).await;
        let browser = world.browser();
        let credential = key.assert(&browser.challenge("").await);
        let answer = browser.post("/account/webauthn-authenticate/validate", &[("credential", &credential)]).await;
        assert_eq!(answer.status(), 403, "{}", answer.text());
        let page = browser.get("/account/login/").await;
        let policy = page.header("content-security-policy").expect("a policy");
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
        assert!(!page.text().contains("<script>"), "no inline code");
    }
}

/// Proves the act that a page at `location` asks for, and says its id.
async fn prove_with_key(person: &Person<'_>, location: &str, key: &mut Key) -> String {
    let act = act_of(location);
    let options = person.browser.challenge(&format!("?act={act}")).await;
    let answer = person.browser.answer_challenge(&key.assert(&options), &[("act", &act), ("next", "/manage/account/token/")]).await;
    assert_eq!(leads(&answer), format!("/manage/account/token/?act={act}"));
    act
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
