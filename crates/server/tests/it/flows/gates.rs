//! The gates (P3): each refuses what lies behind it, leads to the page that fixes it, and back.

use std::time::Duration;

use crate::people::{Person, token_of};
use crate::world::{Answer, World, both_engines};

/// Where an answer leads, without its query.
fn leads(answer: &Answer) -> String {
    assert_eq!(answer.status(), 303, "{}", answer.text());
    answer.location().split('?').next().expect("a path").to_owned()
}

const UNVERIFIED: &str = "/manage/unverified-account/";
const MAILBOX: &str = "/account/verify-mailbox/";
const GENERATE: &str = "/manage/account/recovery-codes/generate";
const BURN: &str = "/manage/account/recovery-codes/burn";
const TOTP: &str = "/manage/account/totp-provision";

/// Opens each page and says where it leads; `None` where it opens.
async fn opened(person: &Person<'_>) -> Vec<Option<String>> {
    let mut all = Vec::new();
    for page in [MAILBOX, GENERATE, BURN, TOTP] {
        let answer = person.browser.get(page).await;
        all.push((answer.status() != 200).then(|| leads(&answer)));
    }
    all
}

fn to(page: &str) -> Option<String> {
    Some(page.to_owned())
}

/// Posts a wrong form at a page that is behind a gate, with the form token of this browser.
async fn posted(person: &Person<'_>, page: &str) -> String {
    let token = person.browser.get("/account/logout/").await.csrf_token();
    let fields = [("csrf_token", token.as_str()), ("totp_value", "000000"), ("recovery_code_value", "x")];
    leads(&person.browser.post(page, &fields).await)
}

both_engines! {
    async fn a_secured_person_met_every_gate(world: World) {
        let ada = world.secured("ada").await;
        let page = ada.browser.get("/manage/account/").await;
        assert_eq!(page.status(), 200);
        assert!(page.text().contains("<strong>Secured.</strong>"), "{}", page.text());
        assert!(!page.text().contains("Secure your account first"));
        assert_eq!(leads(&ada.browser.get(UNVERIFIED).await), "/manage/account/");
    }

    /// NIST-L2.
    /// OSSF-AN-1.1, PYPI-11, PYPI-12.
    async fn the_first_gate_refuses_each_later_page_in_turn(world: World) {
        let mut ada = world.registered("ada").await;
        ada.log_in().await;
        assert_eq!(opened(&ada).await, [to(UNVERIFIED), to(UNVERIFIED), to(UNVERIFIED), to(UNVERIFIED)]);
        assert_eq!(posted(&ada, GENERATE).await, UNVERIFIED);
        let banner = ada.browser.get("/manage/account/").await.text();
        assert!(banner.contains("Secure your account first"), "a red banner says what is missing: {banner}");

        // The link is pressed in another browser: it sets the flag and proves nothing here (R4).
        let link = ada.verification_link().await;
        world.browser().submit(&link, "/account/verify-email/", &[("token", &token_of(&link))]).await;
        assert_eq!(opened(&ada).await, [None, to(MAILBOX), to(MAILBOX), to(MAILBOX)]);
        assert_eq!(posted(&ada, TOTP).await, MAILBOX);

        ada.prove_mailbox().await;
        assert_eq!(opened(&ada).await, [None, None, to(GENERATE), to(GENERATE)]);
        assert_eq!(posted(&ada, TOTP).await, GENERATE);

        let page = ada.browser.submit(GENERATE, GENERATE, &[]).await;
        let code = page.between("<code class=\"recovery-code\">", "<");
        assert_eq!(opened(&ada).await, [None, None, None, to(BURN)]);
        assert_eq!(posted(&ada, TOTP).await, BURN);

        assert_eq!(leads(&ada.browser.submit(BURN, BURN, &[("recovery_code_value", &code)]).await), TOTP);
        assert_eq!(opened(&ada).await, [None, None, None, None]);
        ada.enrol().await;
        assert!(ada.browser.get("/manage/account/").await.text().contains("<strong>Secured.</strong>"));
    }

    async fn a_gate_leads_back_to_where_the_person_wanted_to_be(world: World) {
        let mut ada = world.verified("ada").await;
        let wanted = "/manage/account/security-history/";
        let next = format!("?next={}", wanted.replace('/', "%2F"));
        let code = {
            let page = format!("{MAILBOX}{next}");
            let answer = ada.browser.submit(&page, MAILBOX, &[("next", wanted)]).await;
            assert_eq!(answer.location(), page);
            world.newest_mail_to(&ada.email).await.code()
        };
        let fields = [("mailbox_code", code.as_str()), ("next", wanted)];
        let answer = ada.browser.submit(MAILBOX, MAILBOX, &fields).await;
        assert_eq!(answer.location(), format!("{GENERATE}{next}"));
        let page = ada.browser.submit(GENERATE, GENERATE, &[("next", wanted)]).await;
        assert!(page.text().contains(&format!("{BURN}{next}")), "{}", page.text());
        let code = page.between("<code class=\"recovery-code\">", "<");
        let answer = ada.browser.submit(BURN, BURN, &[("recovery_code_value", &code), ("next", wanted)]).await;
        assert_eq!(answer.location(), format!("{TOTP}{next}"));
        ada.totp = Some(ada.offered().await);
        let answer = ada.browser.submit(TOTP, TOTP, &[("totp_value", &ada.code()), ("next", wanted)]).await;
        assert_eq!(answer.location(), wanted);
    }

    /// ASVS-6.6.2.
    async fn r4_a_mailbox_code_works_only_in_the_session_that_asked(world: World) {
        let ada = world.verified("ada").await;
        let code = ada.mailbox_code().await;
        let thief = world.browser();
        ada.log_in_with(&thief).await;
        let answer = thief.submit(MAILBOX, MAILBOX, &[("mailbox_code", &code)]).await;
        assert_eq!(answer.status(), 422, "{}", answer.text());
        assert_eq!(leads(&thief.get(GENERATE).await), MAILBOX);
        let answer = ada.browser.submit(MAILBOX, MAILBOX, &[("mailbox_code", &code)]).await;
        assert_eq!(answer.status(), 303, "the right session is not disturbed: {}", answer.text());
    }

    async fn r4_a_verification_link_proves_the_mailbox_in_the_session_that_pressed_it_and_no_other(world: World) {
        let ada = world.registered("ada").await;
        ada.log_in().await;
        let other = world.browser();
        ada.log_in_with(&other).await;
        ada.verify().await;
        assert_eq!(ada.browser.get(GENERATE).await.status(), 200);
        assert_eq!(leads(&other.get(GENERATE).await), MAILBOX);
        world.advance(Duration::from_secs(600));
        assert_eq!(leads(&ada.browser.get(GENERATE).await), MAILBOX, "the proof is ten minutes old");
    }

    async fn r4_a_link_pressed_by_another_account_proves_nothing(world: World) {
        let ada = world.registered("ada").await;
        let eve = world.verified("eve").await;
        let link = ada.verification_link().await;
        let answer = eve.browser.submit(&link, "/account/verify-email/", &[("token", &token_of(&link))]).await;
        assert_eq!(answer.location(), "/account/login/");
        assert_eq!(leads(&eve.browser.get(GENERATE).await), MAILBOX);
    }

    /// ASVS-6.6.3.
    async fn the_sixth_try_of_a_mailbox_code_fails_even_when_it_is_right(world: World) {
        let ada = world.verified("ada").await;
        let code = ada.mailbox_code().await;
        let wrong = if code == "000000" { "000001" } else { "000000" };
        for at in 0..5 {
            if at == 3 {
                // Past the limit of five failures in five minutes, so that the code's own bound is what is seen.
                world.advance(Duration::from_secs(570));
            }
            let answer = ada.browser.submit(MAILBOX, MAILBOX, &[("mailbox_code", wrong)]).await;
            assert_eq!(answer.status(), 422, "{}", answer.text());
        }
        let answer = ada.browser.submit(MAILBOX, MAILBOX, &[("mailbox_code", &code)]).await;
        assert_eq!(answer.status(), 422, "{}", answer.text());
        assert_eq!(leads(&ada.browser.get(GENERATE).await), MAILBOX);
    }

    /// ASVS-6.5.5, NIST-R2.
    async fn a_mailbox_code_is_dead_after_ten_minutes_after_use_and_after_a_newer_one(world: World) {
        let ada = world.verified("ada").await;
        let old = ada.mailbox_code().await;
        let new = ada.mailbox_code().await;
        if old != new {
            assert_eq!(ada.browser.submit(MAILBOX, MAILBOX, &[("mailbox_code", &old)]).await.status(), 422);
        }
        assert_eq!(ada.browser.submit(MAILBOX, MAILBOX, &[("mailbox_code", &new)]).await.status(), 303);
        assert_eq!(ada.browser.submit(MAILBOX, MAILBOX, &[("mailbox_code", &new)]).await.status(), 422);
        let late = ada.mailbox_code().await;
        world.advance(Duration::from_secs(600));
        assert_eq!(ada.browser.submit(MAILBOX, MAILBOX, &[("mailbox_code", &late)]).await.status(), 422);
    }

    /// R4: a code that is pressed twice is spent once. The press that comes too late finds the code spent, or finds that the cookie it
    /// was sent with has been replaced and is led to the login page; it proves nothing either way.
    async fn r4_a_mailbox_code_sent_twice_at_once_is_spent_once(world: World) {
        let ada = world.verified("ada").await;
        let code = ada.mailbox_code().await;
        let token = ada.browser.get(MAILBOX).await.csrf_token();
        let fields = [("csrf_token", token.as_str()), ("mailbox_code", &code)];
        let both = tokio::join!(ada.browser.post(MAILBOX, &fields), ada.browser.post(MAILBOX, &fields));
        let late = |answer: &Answer| answer.status() == 422 || leads(answer) == "/account/login/";
        assert_eq!([&both.0, &both.1].iter().filter(|answer| late(answer)).count(), 1, "{both:?}");
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM events WHERE kind = 'account:mailbox:proved'").await, 1);
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM mailbox_codes WHERE spent_at IS NOT NULL").await, 1);
    }

    async fn codes_are_mailed_three_times_in_six_hours_and_then_429(world: World) {
        let ada = world.verified("ada").await;
        for _ in 0..3 {
            ada.mailbox_code().await;
        }
        let answer = ada.browser.submit(MAILBOX, MAILBOX, &[]).await;
        assert_eq!(answer.status(), 429);
        assert!(answer.header("retry-after").is_some_and(|s| s.parse::<u64>().is_ok_and(|s| s > 0)));
    }

    async fn a_wrong_recovery_code_does_not_prove_that_they_were_saved(world: World) {
        let ada = world.verified("ada").await;
        ada.prove_mailbox().await;
        ada.browser.submit(GENERATE, GENERATE, &[]).await;
        for wrong in ["", "aaaa-aaaa-aaaa-aaaa", "0", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"] {
            let answer = ada.browser.submit(BURN, BURN, &[("recovery_code_value", wrong)]).await;
            assert_eq!(answer.status(), 422, "{wrong}");
        }
        assert_eq!(leads(&ada.browser.get(TOTP).await), BURN);
    }

    async fn the_enrolment_page_offers_one_secret_for_ten_minutes_and_another_one_elsewhere(world: World) {
        let ada = world.verified("ada").await;
        ada.prove_mailbox().await;
        ada.save_codes().await;
        let secret = |s: credentials::totp::TotpSecret| s.base32().expose().to_owned();
        let first = secret(ada.offered().await);
        world.advance(Duration::from_secs(300));
        assert_eq!(secret(ada.offered().await), first);
        let other = ada.elsewhere();
        ada.log_in_with(&other.browser).await;
        other.prove_mailbox().await;
        assert_ne!(secret(other.offered().await), first, "a secret belongs to one session");
    }

    /// PYPI-4, ASVS-6.5.8.
    async fn a_code_of_a_device_whose_clock_is_wrong_is_explained_and_refused(world: World) {
        let mut ada = world.verified("ada").await;
        ada.prove_mailbox().await;
        ada.save_codes().await;
        ada.totp = Some(ada.offered().await);
        let (step, token) = (ada.step(), ada.browser.get(TOTP).await.csrf_token());
        for (ahead, says) in [(2, "60 seconds ahead"), (-3, "90 seconds behind"), (11, "not the code")] {
            let code = ada.code_at(step + ahead);
            let answer = ada.browser.post(TOTP, &[("csrf_token", &token), ("totp_value", &code)]).await;
            assert_eq!(answer.status(), 422);
            assert!(answer.text().contains(says), "{}", answer.text());
        }
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM factors").await, 0);
    }

    /// ASVS-7.5.1, PYPI-13.
    async fn r2_an_account_with_a_factor_proves_it_before_it_gets_new_recovery_codes(world: World) {
        let ada = world.secured("ada").await;
        ada.prove_mailbox().await;
        let asked = ada.browser.submit(GENERATE, GENERATE, &[]).await;
        assert_eq!(leads(&asked), "/account/reauthenticate/");
        let back = ada.prove_at(&asked.location()).await;
        assert!(back.starts_with(&format!("{GENERATE}?act=")), "{back}");
        let act = ada.browser.get(&back).await.between("name=\"act\" value=\"", "\"");

        // Another session of the same account cannot use the proof.
        let other = world.browser();
        ada.log_in_with(&other).await;
        let answer = other.submit("/account/logout/", GENERATE, &[("act", &act)]).await;
        assert_eq!(leads(&answer), MAILBOX);

        let made = ada.browser.submit(GENERATE, GENERATE, &[("act", &act)]).await;
        assert_eq!(made.status(), 200, "{}", made.text());
        assert!(made.text().contains("recovery-code"));
        let again = ada.browser.submit(GENERATE, GENERATE, &[("act", &act)]).await;
        assert_eq!(leads(&again), "/account/reauthenticate/", "a proof is spent once");
    }

    async fn r2_a_proof_that_was_asked_for_and_not_made_or_too_old_does_nothing(world: World) {
        let ada = world.secured("ada").await;
        ada.prove_mailbox().await;
        let asked = ada.browser.submit(GENERATE, GENERATE, &[]).await.location();
        let act = asked.split("act=").nth(1).expect("an act").split('&').next().expect("its id").to_owned();
        assert_eq!(leads(&ada.browser.submit(GENERATE, GENERATE, &[("act", &act)]).await), "/account/reauthenticate/");
        ada.prove_at(&asked).await;
        world.advance(Duration::from_secs(600));
        assert_eq!(ada.browser.get(&asked).await.status(), 404, "the page of an act that is over is not found");
        let code = ada.mailbox_code().await;
        ada.browser.submit(MAILBOX, MAILBOX, &[("mailbox_code", &code)]).await;
        assert_eq!(leads(&ada.browser.submit(GENERATE, GENERATE, &[("act", &act)]).await), "/account/reauthenticate/");
    }

    async fn r2_an_act_of_somebody_else_is_not_found_and_cannot_be_proved(world: World) {
        let ada = world.secured("ada").await;
        ada.prove_mailbox().await;
        let asked = ada.browser.submit(GENERATE, GENERATE, &[]).await.location();
        let act = asked.split("act=").nth(1).expect("an act").split('&').next().expect("its id").to_owned();
        let eve = world.secured("eve").await;
        assert_eq!(eve.browser.get(&asked).await.status(), 404);
        let fields = [("totp_value", eve.code()), ("act", act)];
        let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
        assert_eq!(eve.browser.submit("/account/logout/", "/account/reauthenticate/", &fields).await.status(), 404);
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM acts WHERE proved_at IS NOT NULL").await, 0);
    }
}
