//! What tests of changes that wait begin with: factors of a certain age, sessions that one of them opened, and proofs made by one.

use std::time::Duration;

use credentials::link::LinkToken;
use index::act::{Housekeeping, housekeeping};
use index::db::Reading;
use index::db::entities::{acts, devices, events, factors, holds, sessions};
use index::ids::{AccountId, ActId, DeviceId, EventId, FactorId, SessionId};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};

use crate::given::{self, Has, all};
use crate::people::token_of;
use crate::world::{Answer, Browser, World};

pub const HOUR: Duration = Duration::from_secs(3600);
pub const DAY: Duration = Duration::from_secs(86_400);
pub const HOLDS: &str = "/manage/holds/";
pub const FACTORS: &str = "/manage/account/two-factor/";
const REMOVE: &str = "/manage/account/webauthn-provision/delete";

/// An account that is forty days old, with an app as old as itself.
pub async fn old_account(world: &World, username: &str) -> (AccountId, FactorId) {
    let account = given::account(world, username, Has::AddressAndFactor).await;
    let app = all::<factors::Entity>(world).await.into_iter().find(|row| row.account_id == account).expect("it has a factor").id;
    world.advance(40 * DAY);
    (account, app)
}

/// A further factor, of this age.
pub async fn key(world: &World, account: AccountId, label: &str, age: Duration) -> FactorId {
    let env = world.env.clone();
    let label = label.to_owned();
    let made = housekeeping(&world.env, Housekeeping::Queue, move |tx| {
        Box::pin(async move {
            let id = FactorId::new(tx.now(), &*env.entropy);
            factors::ActiveModel {
                id: Set(id),
                account_id: Set(account),
                kind: Set("webauthn".to_owned()),
                label: Set(label),
                secret_sealed: Set(vec![0]),
                last_step: Set(None),
                last_used_at: Set(None),
                from_at: Set(tx.now().minus(age)),
                until_at: Set(None),
                began_by: Set(EventId::new(tx.now(), &*env.entropy)),
                ended_by: Set(None),
                credential_id: Set(Some(id.0.as_bytes().to_vec())),
                ..Default::default()
            }
            .insert(tx.connection())
            .await?;
            Ok(id)
        })
    });
    made.await.expect("a factor can be added")
}

/// Somebody signed in: with which factor, in which session.
pub struct Seat<'w> {
    pub browser: Browser<'w>,
    pub session: SessionId,
    pub factor: FactorId,
    kind: String,
}

/// A browser in which the account is signed in by this factor.
pub async fn seat(world: &World, account: AccountId, factor: FactorId) -> Seat<'_> {
    seat_on(world, account, factor, None).await
}

/// The same on a device that the account has trusted for so long.
pub async fn seat_on(world: &World, account: AccountId, factor: FactorId, device: Option<Duration>) -> Seat<'_> {
    let kind = all::<factors::Entity>(world).await.into_iter().find(|row| row.id == factor).expect("the factor is there").kind;
    let token = LinkToken::generate(&*world.env.entropy);
    let (env, digest, with) = (world.env.clone(), token.digest().to_vec(), kind.clone());
    let made = housekeeping(&world.env, Housekeeping::Queue, move |tx| {
        Box::pin(async move {
            let (now, entropy) = (tx.now(), &*env.entropy);
            let (id, event) = (SessionId::new(now, entropy), EventId::new(now, entropy));
            let device_id = device.map(|_| DeviceId::new(now, entropy));
            if let (Some(id), Some(age)) = (device_id, device) {
                devices::ActiveModel {
                    id: Set(id),
                    account_id: Set(account),
                    token_digest: Set(id.0.as_bytes().to_vec()),
                    last_seen_at: Set(now),
                    from_at: Set(now.minus(age)),
                    until_at: Set(None),
                    began_by: Set(event),
                    ended_by: Set(None),
                    known_since: Set(None),
                }
                .insert(tx.connection())
                .await?;
            }
            sessions::ActiveModel {
                id: Set(id),
                account_id: Set(account),
                token_digest: Set(digest),
                factor_id: Set(Some(factor)),
                created_at: Set(now),
                last_seen_at: Set(now),
                expires_at: Set(now.plus(12 * HOUR)),
                proved_at: Set(Some(now)),
                proved_with: Set(Some(with)),
                mailbox_proved_at: Set(Some(now)),
                until_at: Set(None),
                began_by: Set(event),
                ended_by: Set(None),
                device_id: Set(device_id),
            }
            .insert(tx.connection())
            .await?;
            Ok(id)
        })
    });
    let session = made.await.expect("a session can be added");
    let browser = world.browser();
    browser.set_cookie("__Host-strongroom_session", token.expose());
    Seat { browser, session, factor, kind }
}

impl Seat<'_> {
    /// Sends a form; proves what it asks for with this seat's factor, and sends it again.
    pub async fn proved(&self, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = self.browser.submit(page, path, fields).await;
        let Some(act) = asked(&answer) else { return answer };
        self.prove(&act).await;
        let mut fields = fields.to_vec();
        fields.push(("act", &act));
        self.browser.submit(page, path, &fields).await
    }

    /// Asks that a factor be removed.
    pub async fn remove(&self, factor: FactorId) -> Answer {
        self.proved(FACTORS, REMOVE, &[("device_id", &factor.to_string())]).await
    }

    /// The factor of this seat is proved for an act.
    pub async fn prove(&self, act: &str) {
        let (act, with, factor) = (ActId::parse(act).expect("an id"), self.kind.clone(), self.factor);
        let done = housekeeping(&self.browser.world.env, Housekeeping::Queue, move |tx| {
            Box::pin(async move {
                let row = acts::Entity::find_by_id(act).one(tx.connection()).await?.expect("the act was asked for");
                let mut row = row.into_active_model();
                row.proved_at = Set(Some(tx.now()));
                row.proved_with = Set(Some(with));
                row.factor_id = Set(Some(factor));
                row.update(tx.connection()).await?;
                Ok(())
            })
        });
        done.await.expect("an act can be proved");
    }

    /// Stops a change from the page.
    pub async fn veto(&self, hold: &holds::Model) -> Answer {
        self.browser.submit(HOLDS, &format!("{HOLDS}{}/veto/", hold.id), &[]).await
    }
}

/// The act that an answer asks a proof for.
pub fn asked(answer: &Answer) -> Option<String> {
    let to = answer.header("location")?.strip_prefix("/account/reauthenticate/?act=")?;
    Some(to.split('&').next().expect("an id").to_owned())
}

/// The newest hold.
pub async fn newest(world: &World) -> holds::Model {
    let mut rows = all::<holds::Entity>(world).await;
    // Two of one moment have no order: the one that waits is newer than one that is over.
    rows.sort_by_key(|row| (row.created_at, row.state == "waiting", row.id));
    rows.pop().expect("something waits")
}

/// Whether a factor stands.
pub async fn stands(world: &World, factor: FactorId) -> bool {
    all::<factors::Entity>(world).await.iter().any(|row| row.id == factor && row.until_at.is_none())
}

/// The jobs run, then again after this long.
pub async fn serve(world: &World, time: Duration) {
    world.work().await;
    world.advance(time);
    world.work().await;
}

/// The address of the page behind the newest veto link to an address.
pub async fn veto_link(world: &World, address: &str) -> String {
    let mails = world.mail().await;
    let mail = mails.iter().rev().find(|mail| mail.to.contains(address) && mail.text.contains("/account/veto/"));
    mail.unwrap_or_else(|| panic!("no veto link to {address}")).link("/account/veto/")
}

/// Presses the button of a veto link, as a stranger.
pub async fn press(world: &World, link: &str) -> Answer {
    let browser = world.browser();
    let page = browser.get(link).await;
    assert_eq!(page.status(), 200, "{}", page.text());
    let token = page.csrf_token();
    browser.post("/account/veto/", &[("csrf_token", token.as_str()), ("token", &token_of(link))]).await
}

/// How many events of a kind there are.
pub async fn count(world: &World, kind: &str) -> usize {
    all::<events::Entity>(world).await.iter().filter(|row| row.kind == kind).count()
}

/// An id, as a raw statement of this engine writes it.
pub fn raw(world: &World, id: uuid::Uuid) -> String {
    if world.is_postgres() { format!("'{id}'") } else { format!("x'{}'", id.simple()) }
}
