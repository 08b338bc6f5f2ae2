//! P12: when something that decides cannot answer, no credential is accepted.

use crate::given::{self, Has};
use crate::people::PASSWORD;
use crate::world::{World, both_engines};

const LOGIN: &str = "/account/login/";
const HOME: &str = "/manage/account/";
const REQUEST: &str = "/account/request-password-reset/";
const RESET: &str = "/account/reset-password/";

both_engines! {
    async fn p12_without_the_causes_nobody_is_known_not_to_be_stopped(world: World) {
        let ada = world.verified("ada").await;
        let id = given::account(&world, "robot", Has::AddressAndFactor).await;
        let token = given::minted(&world, id, "scope:user", "").await;
        world.run("ALTER TABLE account_causes RENAME TO account_causes_gone").await;
        assert_eq!(ada.browser.get(HOME).await.status(), 500, "a session");
        let browser = world.browser();
        assert_eq!(ada.send_password(&browser).await.status(), 500, "a password");
        assert!(!browser.cookies().keys().any(|name| name.contains("session")));
        let answer = given::upload_body(&world, token.text.expose(), axum::body::Body::empty()).await;
        assert_eq!(answer.status(), 500, "a token");
    }

    async fn p12_without_the_tables_of_credentials_none_is_accepted(world: World) {
        let ada = world.verified("ada").await;
        let id = given::account(&world, "robot", Has::AddressAndFactor).await;
        let token = given::minted(&world, id, "scope:user", "").await;
        let asked = world.browser();
        assert_eq!(asked.submit(REQUEST, REQUEST, &[("username_or_email", "ada")]).await.status(), 200);
        let link = world.newest_mail_to(&ada.email).await.link(RESET);
        let form = asked.get(LOGIN).await.csrf_token();
        for table in ["sessions", "api_tokens", "links"] {
            world.run(&format!("ALTER TABLE {table} RENAME TO {table}_gone")).await;
        }
        assert_eq!(ada.browser.get(HOME).await.status(), 500);
        let answer = given::upload_body(&world, token.text.expose(), axum::body::Body::empty()).await;
        assert_eq!(answer.status(), 500);
        let fields = [("csrf_token", form.as_str()), ("token", &crate::people::token_of(&link)), ("new_password", PASSWORD), ("password_confirm", PASSWORD)];
        assert_eq!(asked.post(RESET, &fields).await.status(), 500);
    }

    /// The counters of the breach check are part of the decision: without them a password is neither disabled nor accepted.
    async fn p12_without_the_counters_a_listed_password_opens_nothing(world: World) {
        let ada = world.verified("ada").await;
        world.run("ALTER TABLE limit_windows RENAME TO limit_windows_gone").await;
        let browser = world.browser();
        assert_eq!(ada.send_password(&browser).await.status(), 500);
        assert!(!browser.cookies().keys().any(|name| name.contains("session")));
    }
}
