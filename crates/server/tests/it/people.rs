//! People who come through the front door: they register, read their mail, and keep a phone with an authenticator app.

use std::sync::Mutex;
use std::time::Duration;

use credentials::totp::{STEP_S, TotpSecret, code_at};
use data_encoding::BASE32_NOPAD;

use crate::world::{Answer, Browser, World};

/// A password that nobody guesses.
pub const PASSWORD: &str = "wicker-orbit-plinth-42";

/// The cookie by which a browser is known.
pub const DEVICES: &str = "__Host-strongroom_devices";

/// Somebody with an account, a browser and a phone.
pub struct Person<'w> {
    pub browser: Browser<'w>,
    pub username: String,
    pub email: String,
    pub password: String,
    /// The secret of the authenticator app, once there is one.
    pub totp: Option<TotpSecret>,
    /// The recovery codes that are not used yet.
    pub codes: Mutex<Vec<String>>,
    /// The step whose code was used last: a phone's owner waits for the next one.
    pub used: Mutex<i64>,
}

impl World {
    /// Registers, and nothing else: the address is not verified.
    pub async fn registered(&self, username: &str) -> Person<'_> {
        let person = Person {
            browser: self.browser(),
            username: username.to_owned(),
            email: format!("{username}@people.example.org"),
            password: PASSWORD.to_owned(),
            totp: None,
            codes: Mutex::default(),
            used: Mutex::new(0),
        };
        let answer = register(&person.browser, username, &person.email, PASSWORD).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
        person
    }

    /// Registers, verifies the address in another browser, which proves nothing here (R4), logs in: no second factor yet.
    pub async fn verified(&self, username: &str) -> Person<'_> {
        let person = self.registered(username).await;
        person.verify_in(&self.browser()).await;
        person.log_in().await;
        person
    }

    /// Somebody who met all the gates and is signed in, the factor just proved.
    pub async fn secured(&self, username: &str) -> Person<'_> {
        let mut person = self.verified(username).await;
        person.prove_mailbox().await;
        person.save_codes().await;
        person.enrol().await;
        person
    }
}

/// Fills in the registration form.
pub async fn register(browser: &Browser<'_>, username: &str, email: &str, password: &str) -> Answer {
    let fields =
        [("name", "Somebody"), ("email", email), ("username", username), ("new_password", password), ("password_confirm", password)];
    browser.submit("/account/register/", "/account/register/", &fields).await
}

/// The value of `token` in a link.
pub fn token_of(link: &str) -> String {
    link.split_once("token=").unwrap_or_else(|| panic!("no token in {link}")).1.to_owned()
}

impl<'w> Person<'w> {
    fn world(&self) -> &'w World {
        self.browser.world
    }

    /// The same person at another browser, signed in nowhere, without the phone.
    pub fn elsewhere(&self) -> Self {
        Person {
            browser: self.world().browser(),
            username: self.username.clone(),
            email: self.email.clone(),
            password: self.password.clone(),
            totp: None,
            codes: Mutex::default(),
            used: Mutex::new(0),
        }
    }

    /// The same person with the same phone, at a browser of another index that knows the account.
    pub fn at<'o>(&self, other: &'o World) -> Person<'o> {
        Person {
            browser: other.browser(),
            username: self.username.clone(),
            email: self.email.clone(),
            password: self.password.clone(),
            totp: self.totp.clone(),
            codes: Mutex::default(),
            used: Mutex::new(*self.used.lock().expect("not poisoned")),
        }
    }

    /// The link of the newest verification mail.
    pub async fn verification_link(&self) -> String {
        self.world().newest_mail_with(&self.email, "/account/verify-email/").await
    }

    /// Presses the button behind the link of the verification mail, in the person's own browser.
    pub async fn verify(&self) {
        self.verify_in(&self.browser).await;
    }

    /// The same in another browser.
    pub async fn verify_in(&self, browser: &Browser<'_>) {
        let link = self.verification_link().await;
        let answer = browser.submit(&link, "/account/verify-email/", &[("token", &token_of(&link))]).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
    }

    /// Sends user name and password.
    pub async fn send_password(&self, browser: &Browser<'_>) -> Answer {
        browser.submit("/account/login/", "/account/login/", &[("username", &self.username), ("password", &self.password)]).await
    }

    /// Logs in, with the factor when there is one, and has the browser remembered.
    pub async fn log_in(&self) {
        self.log_in_with(&self.browser).await;
    }

    /// The same with another browser.
    pub async fn log_in_with(&self, browser: &Browser<'_>) {
        let mut answer = self.send_password(browser).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
        if self.totp.is_some() {
            assert_eq!(answer.location(), "/account/two-factor/");
            answer = browser.submit("/account/two-factor/", "/account/two-factor/", &[("totp_value", &self.code())]).await;
        }
        if answer.location() == "/account/confirm-login/" {
            answer = self.confirm_in(browser, true).await;
        }
        assert_eq!(answer.location(), "/manage/account/", "{}", answer.text());
    }

    /// Opens the link of the newest confirmation mail in a browser, and presses the button there.
    pub async fn confirm_in(&self, browser: &Browser<'_>, remember: bool) -> Answer {
        let link = self.confirmation_link().await;
        let token = token_of(&link);
        let fields = [("token", token.as_str()), ("remember_device", "y")];
        browser.submit(&link, "/account/confirm-login/", &fields[..if remember { 2 } else { 1 }]).await
    }

    /// The link of the newest mail that asks to confirm a sign-in.
    pub async fn confirmation_link(&self) -> String {
        self.world().newest_mail_with(&self.email, "/account/confirm-login/").await
    }

    /// Another browser of the same person, which the account remembers like the first one.
    pub fn known_browser(&self) -> Browser<'w> {
        let browser = self.world().browser();
        let devices = self.browser.cookies().get(DEVICES).cloned().expect("the person's browser is remembered");
        browser.set_cookie(DEVICES, &devices);
        browser
    }

    /// Proves the mailbox with a code.
    pub async fn prove_mailbox(&self) {
        let code = self.mailbox_code().await;
        let answer = self.browser.submit("/account/verify-mailbox/", "/account/verify-mailbox/", &[("mailbox_code", &code)]).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
    }

    /// Has a code sent, and reads it.
    pub async fn mailbox_code(&self) -> String {
        let answer = self.browser.submit("/account/verify-mailbox/", "/account/verify-mailbox/", &[]).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
        self.world().newest_mail_to(&self.email).await.code()
    }

    /// Makes recovery codes and enters one back.
    pub async fn save_codes(&self) {
        let page = "/manage/account/recovery-codes/generate";
        let answer = self.browser.submit(page, page, &[]).await;
        let text = answer.text();
        let codes: Vec<String> = text
            .split("<code class=\"recovery-code\">")
            .skip(1)
            .map(|rest| rest.split('<').next().expect("a code ends").to_owned())
            .collect();
        assert_eq!(codes.len(), 8, "{text}");
        *self.codes.lock().expect("not poisoned") = codes;
        let page = "/manage/account/recovery-codes/burn";
        let answer = self.browser.submit(page, page, &[("recovery_code_value", &self.recovery_code())]).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
    }

    /// A recovery code that was not used yet.
    pub fn recovery_code(&self) -> String {
        self.codes.lock().expect("not poisoned").pop().expect("a code is left")
    }

    /// Puts the secret of the page into the phone, and enters its code.
    pub async fn enrol(&mut self) {
        let page = "/manage/account/totp-provision";
        self.totp = Some(self.offered().await);
        let answer = self.browser.submit(page, page, &[("totp_value", &self.code())]).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
    }

    /// The secret that the enrolment page offers.
    pub async fn offered(&self) -> TotpSecret {
        let otpauth = self.browser.get("/manage/account/totp-provision").await.between("data-otpauth=\"", "\"");
        let secret = otpauth.split("secret=").nth(1).expect("a secret").split('&').next().expect("it ends").to_owned();
        let bytes = BASE32_NOPAD.decode(secret.as_bytes()).expect("base32");
        TotpSecret::from_bytes(&bytes).expect("20 bytes")
    }

    /// The next code of the phone that was not used yet; the clock moves on when the present one was.
    pub fn code(&self) -> String {
        let mut used = self.used.lock().expect("not poisoned");
        let world = self.world();
        if self.step() <= *used {
            let seconds = u64::try_from((*used + 1) * STEP_S - world.env.now().as_seconds()).expect("the next step is ahead");
            world.advance(Duration::from_secs(seconds));
        }
        *used = self.step();
        self.code_at(*used)
    }

    /// The code of a step.
    pub fn code_at(&self, step: i64) -> String {
        code_at(self.totp.as_ref().expect("the phone has the secret"), step)
    }

    /// The present step.
    pub fn step(&self) -> i64 {
        self.world().env.now().as_seconds().div_euclid(STEP_S)
    }

    /// Proves the factor again in the person's browser, as the page at `location` asks; says where that leads.
    pub async fn prove_at(&self, location: &str) -> String {
        let page = self.browser.get(location).await;
        let field = |name: &str| {
            let text = page.text();
            text.contains(&format!("name=\"{name}\"")).then(|| page.between(&format!("name=\"{name}\" value=\""), "\""))
        };
        let (token, next, act) = (page.csrf_token(), field("next").expect("a way back"), field("act").unwrap_or_default());
        let code = self.code();
        let fields = [("csrf_token", token.as_str()), ("totp_value", &code), ("next", &next), ("act", &act)];
        let answer = self.browser.post("/account/reauthenticate/", &fields).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
        answer.location()
    }
}
