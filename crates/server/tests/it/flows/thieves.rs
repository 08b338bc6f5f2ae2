//! What a thief holds, and what it buys: a stolen password, a copied cookie, a half-open sign-in, an old link, a remembered browser.
//! Each suspicion is a test.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use index::db::entities::factors;

use crate::given::{self, all};
use crate::holding::{DAY, key, raw, seat};
use crate::people::{DEVICES, PASSWORD, Person, token_of};
use crate::world::{Browser, World, both_engines};

const LOGIN: &str = "/account/login/";
const TWO_FACTOR: &str = "/account/two-factor/";
const CONFIRM: &str = "/account/confirm-login/";
const HOME: &str = "/manage/account/";
const PROVISION: &str = "/manage/account/totp-provision";
const SESSION: &str = "__Host-strongroom_session";
const ATTEMPT: &str = "__Host-strongroom_attempt";

/// A browser with a copy of the session's cookie, and nothing else.
fn thief<'w>(world: &'w World, of: &Browser<'_>) -> Browser<'w> {
    let browser = world.browser();
    browser.set_cookie(SESSION, &of.cookies()[SESSION]);
    browser
}

/// A browser in which password and code were right, and that waits for the mailbox.
async fn waiting<'w>(world: &'w World, person: &Person<'w>) -> Browser<'w> {
    let browser = world.browser();
    person.send_password(&browser).await;
    let answer = browser.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", &person.code())]).await;
    assert_eq!(answer.location(), CONFIRM, "{}", answer.text());
    browser
}

both_engines! {
    /// R4, ASVS-7.2.4: a proof of the mailbox makes the session stronger, so that a copy of its cookie ends there. The copy would have
    /// seen the secret of the authenticator app that the owner is about to add, which is the same in the whole session.
    async fn r4_a_copied_cookie_does_not_share_a_proof_of_the_mailbox(world: World) {
        let ada = world.verified("ada").await;
        let thief = thief(&world, &ada.browser);
        assert_eq!(thief.get(HOME).await.status(), 200, "it opens what the session opens");
        ada.prove_mailbox().await;
        assert!(thief.get(HOME).await.location().starts_with(LOGIN));
        ada.save_codes().await;
        assert_eq!(ada.browser.get(PROVISION).await.status(), 200);
        assert!(thief.get(PROVISION).await.location().starts_with(LOGIN));
    }

    /// R12: what was proved with a factor ends with it, also a sign-in that waits for the mailbox.
    async fn r12_a_sign_in_that_a_removed_factor_proved_is_over(world: World) {
        let ada = world.secured("ada").await;
        let account = given::account_id(&world, "ada").await;
        let app = all::<factors::Entity>(&world).await[0].id;
        // The key is the older one, and of the stronger kind: it removes the app at once.
        let older = key(&world, account, "old key", 60 * DAY).await;
        let browser = waiting(&world, &ada).await;
        let link = ada.confirmation_link().await;
        let owner = seat(&world, account, older).await;
        assert_eq!(owner.remove(app).await.status(), 303);
        assert!(!crate::holding::stands(&world, app).await, "it is gone");
        assert_eq!(browser.get(&link).await.status(), 410);
        let csrf = browser.get(LOGIN).await.csrf_token();
        let answer = browser.post(CONFIRM, &[("csrf_token", &csrf), ("token", &token_of(&link))]).await;
        assert!(answer.location().starts_with(LOGIN), "{}", answer.location());
        assert!(!browser.cookies().contains_key(SESSION));
    }

    /// R2, R12: a proof for one act dies with the factor that made it.
    async fn r2_a_proof_by_a_removed_factor_grants_nothing(world: World) {
        let (ada, app) = crate::holding::old_account(&world, "ada").await;
        let young = key(&world, ada, "a thief's key", Duration::from_secs(3600)).await;
        let thief = seat(&world, ada, young).await;
        let (tokens, form) = ("/manage/account/token/", [("description", "ci"), ("token_scope", "scope:user"), ("expires_in_days", "")]);
        let act = crate::holding::asked(&thief.browser.submit(tokens, tokens, &form).await).expect("a proof is asked for");
        thief.prove(&act).await;
        let owner = seat(&world, ada, app).await;
        assert_eq!(owner.remove(young).await.status(), 303);
        assert!(!crate::holding::stands(&world, young).await, "R12: an older settled one removes it at once");
        // The session of that key ended too; here the thief has another one, and the act in it.
        world.run(&format!("UPDATE sessions SET until_at = NULL, ended_by = NULL WHERE id = {}", raw(&world, thief.session.0))).await;
        let answer = thief.browser.submit(tokens, tokens, &[form.as_slice(), &[("act", &act)]].concat()).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
        assert!(answer.location().starts_with("/account/reauthenticate/?act="), "it asks for a proof of its own");
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM api_tokens").await, 0);
    }

    /// R25: whoever has the password cannot keep its owner from typing codes in a remembered browser.
    async fn r25_a_stolen_password_uses_up_no_code_of_a_known_browser(world: World) {
        let ada = world.secured("ada").await;
        let thief = world.browser_from(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9)));
        assert_eq!(ada.send_password(&thief).await.location(), TWO_FACTOR);
        for _ in 0..5 {
            thief.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", "no code")]).await;
        }
        assert_eq!(thief.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", "no code")]).await.status(), 429, "the thief's tries are spent");
        let code = ada.mailbox_code().await;
        let page = "/account/verify-mailbox/";
        assert_eq!(ada.browser.submit(page, page, &[("mailbox_code", &code)]).await.status(), 303);
    }

    /// A remembered browser's cookie alone opens nothing, and names nobody.
    async fn r33_a_stolen_device_cookie_opens_nothing(world: World) {
        let ada = world.secured("ada").await;
        let thief = world.browser();
        thief.set_cookie(DEVICES, &ada.browser.cookies()[DEVICES]);
        assert!(thief.get(HOME).await.location().starts_with(LOGIN));
        assert!(!thief.get(LOGIN).await.says("ada"));
        // With the password too it still lacks the factor; a code of the wrong account is none.
        assert_eq!(ada.send_password(&thief).await.location(), TWO_FACTOR);
        assert!(thief.get(HOME).await.location().starts_with(TWO_FACTOR));
        assert!(!thief.cookies().contains_key(SESSION));
    }

    /// A half-open sign-in opens the pages that finish it and nothing that its account has, whatever the thief adds to it.
    async fn a_copied_half_open_cookie_finishes_nothing_by_itself(world: World) {
        let ada = world.secured("ada").await;
        let browser = waiting(&world, &ada).await;
        let thief = world.browser();
        thief.set_cookie(ATTEMPT, &browser.cookies()[ATTEMPT]);
        // It waits for the mailbox: neither a code nor a recovery code goes round that, and none is burned.
        let csrf = thief.get(LOGIN).await.csrf_token();
        for (path, field, value) in [(TWO_FACTOR, "totp_value", ada.code()), ("/account/recovery-code/", "recovery_code_value", ada.recovery_code())] {
            assert_eq!(thief.post(path, &[("csrf_token", &csrf), (field, &value)]).await.location(), CONFIRM);
        }
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM recovery_codes WHERE used_at IS NOT NULL").await, 1, "the one that was entered back");
        // A new password ends it, with the link that would have finished it.
        let link = ada.confirmation_link().await;
        let page = "/manage/account/change-password/";
        let fields = [("password", PASSWORD), ("new_password", "harbour-quilt-saffron-77"), ("password_confirm", "harbour-quilt-saffron-77")];
        assert_eq!(ada.browser.submit(page, page, &fields).await.location(), HOME);
        assert_eq!(thief.get(&link).await.status(), 410);
        assert!(thief.post(CONFIRM, &[("csrf_token", &csrf), ("token", &token_of(&link))]).await.location().starts_with(LOGIN));
        assert!(!thief.cookies().contains_key(SESSION));
    }
}
