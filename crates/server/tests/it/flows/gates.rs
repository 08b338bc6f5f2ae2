//! The gates (P3): each refuses what lies behind it, leads to the page that fixes it, and back.

use crate::people::token_of;
use crate::world::{Answer, World, both_engines};

/// Where an answer leads, without its query.
fn leads(answer: &Answer) -> String {
    answer.location().split('?').next().expect("a path").to_owned()
}

const MAILBOX: &str = "/account/verify-mailbox/";
const GENERATE: &str = "/manage/account/recovery-codes/generate";
const BURN: &str = "/manage/account/recovery-codes/burn";
const TOTP: &str = "/manage/account/totp-provision";
const UNVERIFIED: &str = "/manage/unverified-account/";

both_engines! {
    async fn a_secured_person_met_every_gate(world: World) {
        let ada = world.secured("ada").await;
        let page = ada.browser.get("/manage/account/").await;
        assert_eq!(page.status(), 200);
        assert!(page.text().contains("<strong>Secured.</strong>"), "{}", page.text());
        assert!(!page.text().contains("Secure your account first"));
    }
}
