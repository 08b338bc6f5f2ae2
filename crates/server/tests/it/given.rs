//! What is there before a test begins: accounts that may upload, their tokens, and uploads, without the pages that lead there.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use credentials::caveat::Caveat;
use credentials::link::LinkToken;
use credentials::macaroon::Macaroon;
use credentials::secret::Secret;
use index::Env;
use index::act::{self, Housekeeping, housekeeping};
use index::db::Reading;
use index::db::entities::{account_causes, accounts, acts, addresses, events, factors, sessions, staff_roles};
use index::ids::{AccountId, ActId, AddressId, CauseId, EventId, FactorId, RoleId, SessionId, TokenId};
use index::policy::{Actor, Credential, MintToken, Origin, RevokeToken, Who};
use index::tokens::{self, Minted, NewToken};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, ModelTrait, QueryFilter, QueryOrder};

use crate::dist::{BOUNDARY, Dist};
use crate::world::{Answer, Browser, World};

/// Where uploads come from, unless a test says otherwise.
pub const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 80));

/// What an account has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Has {
    Nothing,
    Address,
    AddressAndFactor,
}

/// An account that is complete as far as `has` says.
pub async fn account(world: &World, username: &str, has: Has) -> AccountId {
    let (env, username) = (world.env.clone(), username.to_owned());
    let done = housekeeping(&world.env, Housekeeping::Queue, move |tx| {
        Box::pin(async move {
            let (now, entropy) = (tx.now(), &*env.entropy);
            let (id, event) = (AccountId::new(now, entropy), EventId::new(now, entropy));
            accounts::ActiveModel {
                id: Set(id),
                username: Set(username.clone()),
                username_folded: Set(index::accounts::names::folded(&username)),
                display_name: Set(String::new()),
                password_hash: Set(Some("none can match".to_owned())),
                password_changed_at: Set(Some(now)),
                created_at: Set(now),
                began_by: Set(event),
                last_login_at: Set(None),
                ..Default::default()
            }
            .insert(tx.connection())
            .await?;
            let address = format!("{username}@example.org");
            addresses::ActiveModel {
                id: Set(AddressId::new(now, entropy)),
                account_id: Set(id),
                address: Set(address.clone()),
                folded: Set(address),
                is_primary: Set(true),
                verified_at: Set((has != Has::Nothing).then_some(now)),
                from_at: Set(now),
                until_at: Set(None),
                began_by: Set(event),
                ended_by: Set(None),
                ..Default::default()
            }
            .insert(tx.connection())
            .await?;
            if has == Has::AddressAndFactor {
                factors::ActiveModel {
                    id: Set(FactorId::new(now, entropy)),
                    account_id: Set(id),
                    kind: Set("totp".to_owned()),
                    label: Set("authenticator".to_owned()),
                    secret_sealed: Set(vec![0]),
                    last_step: Set(None),
                    last_used_at: Set(None),
                    from_at: Set(now),
                    until_at: Set(None),
                    began_by: Set(event),
                    ended_by: Set(None),
                    ..Default::default()
                }
                .insert(tx.connection())
                .await?;
            }
            Ok(id)
        })
    });
    done.await.expect("the account is new")
}

/// Takes address or factor away again, as if the account had never had them.
pub async fn strip(world: &World, account: AccountId, has: Has) {
    let done = housekeeping(&world.env, Housekeeping::Queue, move |tx| {
        Box::pin(async move {
            if has != Has::AddressAndFactor {
                factors::Entity::delete_many().filter(factors::Column::AccountId.eq(account)).exec(tx.connection()).await?;
            }
            if has == Has::Nothing {
                addresses::Entity::delete_many().filter(addresses::Column::AccountId.eq(account)).exec(tx.connection()).await?;
            }
            Ok(())
        })
    });
    done.await.expect("rows can be deleted");
}

/// A browser in which the account is signed in.
pub async fn browser(world: &World, account: AccountId) -> Browser<'_> {
    let token = LinkToken::generate(&*world.env.entropy);
    let (env, digest) = (world.env.clone(), token.digest().to_vec());
    let done = housekeeping(&world.env, Housekeeping::Queue, move |tx| {
        Box::pin(async move {
            let (now, entropy) = (tx.now(), &*env.entropy);
            sessions::ActiveModel {
                id: Set(SessionId::new(now, entropy)),
                account_id: Set(account),
                token_digest: Set(digest),
                factor_id: Set(None),
                created_at: Set(now),
                last_seen_at: Set(now),
                expires_at: Set(now.plus(Duration::from_secs(3600))),
                proved_at: Set(None),
                proved_with: Set(None),
                mailbox_proved_at: Set(None),
                until_at: Set(None),
                began_by: Set(EventId::new(now, entropy)),
                ended_by: Set(None),
                ..Default::default()
            }
            .insert(tx.connection())
            .await?;
            Ok(())
        })
    });
    done.await.expect("a session can be added");
    let browser = world.browser();
    browser.set_cookie("__Host-strongroom_session", token.expose());
    browser
}

/// Proves an act that was asked for, as the right code would.
pub async fn prove(world: &World, act: ActId) {
    let done = housekeeping(&world.env, Housekeeping::Queue, move |tx| {
        Box::pin(async move {
            let row = acts::Entity::find_by_id(act).one(tx.connection()).await?.expect("the act was asked for");
            let mut row = row.into_active_model();
            row.proved_at = Set(Some(tx.now()));
            row.proved_with = Set(Some("totp".to_owned()));
            row.update(tx.connection()).await?;
            Ok(())
        })
    });
    done.await.expect("an act can be proved");
}

/// Makes an account an administrator, as the operator does.
pub async fn administrator(world: &World, account: AccountId) {
    let env = world.env.clone();
    let done = housekeeping(&world.env, Housekeeping::Queue, move |tx| {
        Box::pin(async move {
            let (now, entropy) = (tx.now(), &*env.entropy);
            staff_roles::ActiveModel {
                id: Set(RoleId::new(now, entropy)),
                account_id: Set(account),
                role: Set("administrator".to_owned()),
                from_at: Set(now),
                until_at: Set(None),
                began_by: Set(EventId::new(now, entropy)),
                ended_by: Set(None),
            }
            .insert(tx.connection())
            .await?;
            Ok(())
        })
    });
    done.await.expect("a role can be added");
}

/// Stops an account.
pub async fn freeze(env: &Env, account: AccountId) {
    let inner = env.clone();
    let done = housekeeping(env, Housekeeping::Queue, move |tx| {
        Box::pin(async move {
            let (now, entropy) = (tx.now(), &*inner.entropy);
            account_causes::ActiveModel {
                id: Set(CauseId::new(now, entropy)),
                account_id: Set(account),
                kind: Set("frozen".to_owned()),
                reason: Set("drill".to_owned()),
                case_id: Set(None),
                from_at: Set(now),
                until_at: Set(None),
                began_by: Set(EventId::new(now, entropy)),
                ended_by: Set(None),
            }
            .insert(tx.connection())
            .await?;
            Ok(())
        })
    });
    done.await.expect("a cause can be added");
}

fn signed_in(account: AccountId) -> Actor {
    let origin = Origin { network: Some(CLIENT), agent: None, request_id: "given".to_owned(), devices: Vec::new() };
    Actor { who: Who::Account(account), credential: Credential::FreshSession, ..Actor::nobody(origin) }
}

/// Mints a token; `scope` and `days` as the form has them.
pub async fn minted(world: &World, account: AccountId, scope: &str, days: &str) -> Minted {
    let new = NewToken::read("ci", scope, days).expect("the form is right");
    let env = world.env.clone();
    let actor = signed_in(account);
    let done = act::act::<MintToken, _, _>(&world.env, &actor, account, move |tx, permit| {
        let (env, new) = (env.clone(), new.clone());
        Box::pin(async move { tokens::mint(&env, tx, permit, &new).await })
    });
    done.await.expect("the account may mint")
}

/// Deletes a token.
pub async fn revoke(env: &Env, account: AccountId, token: TokenId) {
    let inner = env.clone();
    let actor = signed_in(account);
    let done = act::act::<RevokeToken, _, _>(env, &actor, token, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move { tokens::revoke(&env, tx, permit).await })
    });
    done.await.expect("the account may revoke");
}

/// An account that may upload, and its token's text.
pub async fn publisher(world: &World, username: &str) -> (AccountId, String) {
    let account = account(world, username, Has::AddressAndFactor).await;
    let token = minted(world, account, "scope:user", "").await;
    (account, token.text.expose().to_owned())
}

/// The same token, narrowed by its holder.
pub fn narrowed(world: &World, token: &str, caveat: &Caveat) -> String {
    narrowed_raw(world, token, &caveat.to_bytes())
}

/// The same token, narrowed by any bytes.
pub fn narrowed_raw(world: &World, token: &str, caveat: &[u8]) -> String {
    let prefix = &world.env.config.token_prefix;
    let macaroon = Macaroon::parse(&Secret::new(token), prefix).expect("it is a token");
    macaroon.with_caveat(caveat).to_text(prefix).expose().to_owned()
}

/// Uploads as twine does.
pub async fn upload(world: &World, token: &str, dist: &Dist) -> Answer {
    upload_body(world, token, Body::from(dist.body())).await
}

/// Uploads a body of one's own.
pub async fn upload_body(world: &World, token: &str, body: Body) -> Answer {
    world.send(CLIENT, upload_request(token, body)).await
}

/// The request of an upload, with Basic credentials as twine and uv send them.
pub fn upload_request(token: &str, body: Body) -> Request<Body> {
    Request::post("/legacy/")
        .header("authorization", format!("Basic {}", STANDARD.encode(format!("__token__:{token}"))))
        .header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"))
        .body(body)
        .expect("a well-formed request")
}

/// All rows of a table.
pub async fn all<E>(world: &World) -> Vec<E::Model>
where
    E: EntityTrait,
    E::Model: ModelTrait + Send + Sync,
{
    let done = housekeeping(&world.env, Housekeeping::Queue, |tx| Box::pin(async move { Ok(E::find().all(tx.connection()).await?) }));
    done.await.expect("the table can be read")
}

/// The details of all events of a kind, oldest first.
pub async fn events_of(world: &World, kind: &'static str) -> Vec<events::Model> {
    let done = housekeeping(&world.env, Housekeeping::Queue, move |tx| {
        Box::pin(async move {
            let found = events::Entity::find().filter(events::Column::Kind.eq(kind)).order_by_asc(events::Column::Seq);
            Ok(found.all(tx.connection()).await?)
        })
    });
    done.await.expect("the trail can be read")
}

/// The names of all files under the folder of blobs, staged ones included.
pub fn blobs(env: &Env) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![env.blobs.root().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("readable").path()) {
            if entry.is_dir() { folders.push(entry) } else { found.push(entry.display().to_string()) }
        }
    }
    found
}

/// The account with this name.
pub async fn account_id(world: &World, username: &str) -> AccountId {
    let rows = all::<accounts::Entity>(world).await;
    rows.into_iter().find(|row| row.username == username).expect("there is such an account").id
}

/// One more verified address, made now.
pub async fn address(world: &World, account: AccountId, address: &str) -> AddressId {
    let (env, address) = (world.env.clone(), address.to_owned());
    let done = housekeeping(&world.env, Housekeeping::Queue, move |tx| {
        Box::pin(async move {
            let (now, entropy) = (tx.now(), &*env.entropy);
            let id = AddressId::new(now, entropy);
            addresses::ActiveModel {
                id: Set(id),
                account_id: Set(account),
                address: Set(address.clone()),
                folded: Set(address),
                is_primary: Set(false),
                verified_at: Set(Some(now)),
                from_at: Set(now),
                until_at: Set(None),
                began_by: Set(EventId::new(now, entropy)),
                ended_by: Set(None),
                ..Default::default()
            }
            .insert(tx.connection())
            .await?;
            Ok(id)
        })
    });
    done.await.expect("an address can be added")
}

/// Makes an account an owner of a project.
pub async fn owner(world: &World, project: &str, account: AccountId) {
    let rows = all::<index::db::entities::projects::Entity>(world).await;
    let project = rows.into_iter().find(|row| row.normalized == project).expect("there is such a project").id;
    let env = world.env.clone();
    let done = housekeeping(&world.env, Housekeeping::Queue, move |tx| {
        Box::pin(async move {
            index::db::entities::roles::ActiveModel {
                id: Set(index::ids::RoleId::new(tx.now(), &*env.entropy)),
                project_id: Set(project),
                account_id: Set(account),
                role: Set("Owner".to_owned()),
                founding: Set(false),
                from_at: Set(tx.now()),
                until_at: Set(None),
                began_by: Set(EventId::new(tx.now(), &*env.entropy)),
                ended_by: Set(None),
            }
            .insert(tx.connection())
            .await?;
            Ok(())
        })
    });
    done.await.expect("a role can be added");
}

/// All open sessions of an account, as if a security key had just been proved in them.
pub async fn stepped_up(world: &World, account: AccountId) {
    let now = world.env.now();
    let done = housekeeping(&world.env, Housekeeping::Queue, move |tx| {
        Box::pin(async move {
            for row in sessions::Entity::find().filter(sessions::Column::AccountId.eq(account)).all(tx.connection()).await? {
                let mut row = row.into_active_model();
                row.proved_at = Set(Some(now));
                row.proved_with = Set(Some("webauthn".to_owned()));
                row.update(tx.connection()).await?;
            }
            Ok(())
        })
    });
    done.await.expect("sessions can be changed");
}

/// A browser in which the account is signed in as an administrator who just used a security key.
pub async fn staff(world: &World, account: AccountId) -> Browser<'_> {
    let env = world.env.clone();
    let done = housekeeping(&world.env, Housekeeping::Queue, move |tx| {
        Box::pin(async move {
            index::db::entities::staff_roles::ActiveModel {
                id: Set(index::ids::RoleId::new(tx.now(), &*env.entropy)),
                account_id: Set(account),
                role: Set("administrator".to_owned()),
                from_at: Set(tx.now()),
                until_at: Set(None),
                began_by: Set(EventId::new(tx.now(), &*env.entropy)),
                ended_by: Set(None),
            }
            .insert(tx.connection())
            .await?;
            factors::ActiveModel {
                id: Set(FactorId::new(tx.now(), &*env.entropy)),
                account_id: Set(account),
                kind: Set("webauthn".to_owned()),
                label: Set("a key".to_owned()),
                secret_sealed: Set(vec![0]),
                from_at: Set(tx.now()),
                began_by: Set(EventId::new(tx.now(), &*env.entropy)),
                ..Default::default()
            }
            .insert(tx.connection())
            .await?;
            Ok(())
        })
    });
    done.await.expect("a role can be added");
    let browser = browser(world, account).await;
    stepped_up(world, account).await;
    browser
}
