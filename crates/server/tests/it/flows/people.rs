//! Accounts, projects and events that tests of mail and jobs begin with, written as their rooms write them.

use std::net::{IpAddr, Ipv4Addr};

use index::Env;
use index::act::{Housekeeping, act, housekeeping};
use index::clock::Time;
use index::db::Reading;
use index::db::entities::{accounts, addresses, factors, projects, roles};
use index::events::{self, AccountCreated, AccountFrozen, Entry, FileUploaded, MailboxCodeSent};
use index::ids::{AccountId, AddressId, EventId, FactorId, ProjectId, RoleId, Site};
use index::policy::{Actor, Credential, FreezeAccount, Origin, ProveMailbox, Register, UploadFile, Who};
use index::queue::Enclosed;
use index::refused::Refused;
use index::resources::ProjectOrNew;
use sea_orm::{ActiveModelTrait, ActiveValue::Set};

use crate::world::World;

/// An address of an account, and since when and until when it was proved.
pub struct Mailbox {
    pub address: &'static str,
    pub verified: Option<Time>,
    pub until: Option<Time>,
}

impl Mailbox {
    /// One that is verified since yesterday.
    pub fn proved(world: &World, address: &'static str) -> Self {
        Self { address, verified: Some(world.env.now().minus(DAY)), until: None }
    }
}

pub const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);

fn id<T>(env: &Env, of: fn(Time, &dyn credentials::entropy::Entropy) -> T) -> T {
    of(env.now(), &*env.entropy)
}

/// An account with these addresses, the first one primary.
pub async fn account(world: &World, username: &str, mailboxes: Vec<Mailbox>) -> (AccountId, Vec<AddressId>) {
    let env = world.env.clone();
    let account = id(&env, AccountId::new);
    let ids: Vec<AddressId> = mailboxes.iter().map(|_| id(&env, AddressId::new)).collect();
    let (username, rows) = (username.to_owned(), ids.clone());
    let made = housekeeping(&world.env, Housekeeping::Refusals, move |tx| {
        Box::pin(async move {
            let began_by = id(&env, EventId::new);
            let row = accounts::ActiveModel {
                id: Set(account),
                username: Set(username.clone()),
                username_folded: Set(username.clone()),
                display_name: Set(username),
                password_hash: Set(Some("a hash".to_owned())),
                password_changed_at: Set(None),
                created_at: Set(env.now()),
                began_by: Set(began_by),
                last_login_at: Set(None),
                ..Default::default()
            };
            row.insert(tx.connection()).await?;
            for (at, (mailbox, id)) in mailboxes.into_iter().zip(rows).enumerate() {
                let row = addresses::ActiveModel {
                    id: Set(id),
                    account_id: Set(account),
                    address: Set(mailbox.address.to_owned()),
                    folded: Set(mailbox.address.to_lowercase()),
                    is_primary: Set(at == 0 && mailbox.until.is_none()),
                    verified_at: Set(mailbox.verified),
                    from_at: Set(env.now().minus(DAY)),
                    until_at: Set(mailbox.until),
                    began_by: Set(began_by),
                    ended_by: Set(mailbox.until.map(|_| began_by)),
                    ..Default::default()
                };
                row.insert(tx.connection()).await?;
            }
            Ok(())
        })
    });
    made.await.expect("rows can be written");
    (account, ids)
}

/// A project with these owners.
pub async fn project(world: &World, name: &str, owners: &[AccountId]) -> ProjectId {
    let env = world.env.clone();
    let project = id(&env, ProjectId::new);
    let (name, owners) = (name.to_owned(), owners.to_vec());
    let made = housekeeping(&world.env, Housekeeping::Refusals, move |tx| {
        Box::pin(async move {
            let began_by = id(&env, EventId::new);
            let row = projects::ActiveModel {
                id: Set(project),
                name: Set(name.clone()),
                normalized: Set(name.clone()),
                look_alike: Set(name),
                serial: Set(0),
                created_at: Set(env.now()),
                began_by: Set(began_by),
            };
            row.insert(tx.connection()).await?;
            for account in owners {
                let row = roles::ActiveModel {
                    id: Set(id(&env, RoleId::new)),
                    project_id: Set(project),
                    account_id: Set(account),
                    role: Set("Owner".to_owned()),
                    founding: Set(true),
                    from_at: Set(env.now()),
                    until_at: Set(None),
                    began_by: Set(began_by),
                    ended_by: Set(None),
                };
                row.insert(tx.connection()).await?;
            }
            Ok(())
        })
    });
    made.await.expect("rows can be written");
    project
}

/// The account gets a second factor.
pub async fn enrol(world: &World, account: AccountId) {
    let env = world.env.clone();
    let made = housekeeping(&world.env, Housekeeping::Refusals, move |tx| {
        Box::pin(async move {
            let row = factors::ActiveModel {
                id: Set(id(&env, FactorId::new)),
                account_id: Set(account),
                kind: Set("totp".to_owned()),
                label: Set("telephone".to_owned()),
                secret_sealed: Set(vec![0]),
                last_step: Set(None),
                last_used_at: Set(None),
                from_at: Set(env.now()),
                until_at: Set(None),
                began_by: Set(id(&env, EventId::new)),
                ended_by: Set(None),
                ..Default::default()
            };
            row.insert(tx.connection()).await?;
            Ok(())
        })
    });
    made.await.expect("rows can be written");
}

fn origin() -> Origin {
    let network = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)));
    Origin { network, agent: Some("Mozilla/5.0 (X11; Linux x86_64)".to_owned()), request_id: "r1".to_owned(), devices: Vec::new() }
}

/// An account that acts with a credential.
pub fn actor(account: AccountId, credential: Credential) -> Actor {
    Actor { who: Who::Account(account), credential, ..Actor::nobody(origin()) }
}

/// The account is frozen from the shell.
pub async fn freeze(world: &World, account: AccountId, reason: &str) {
    let (env, reason) = (world.env.clone(), reason.to_owned());
    let operator = Actor::operator("grace", "r2".to_owned());
    let done = act::<FreezeAccount, _, _>(&world.env, &operator, account, move |tx, permit| {
        let (env, reason) = (env.clone(), reason.clone());
        Box::pin(async move {
            let entry = Entry::of(AccountFrozen { reason, already: false }).about(*permit.on());
            events::record(&env, tx, permit, entry).await.map(|_| ())
        })
    });
    done.await.expect("the operator may");
}

/// A stranger registers: the mail to verify carries a token.
pub async fn register(world: &World, account: AccountId, to: AddressId, token: &str) -> EventId {
    let (env, token) = (world.env.clone(), token.to_owned());
    let stranger = Actor::nobody(origin());
    let done = act::<Register, _, _>(&world.env, &stranger, Site, move |tx, permit| {
        let (env, token) = (env.clone(), token.clone());
        Box::pin(async move {
            let event = AccountCreated { username: "ada".to_owned() };
            let enclosed = Enclosed(credentials::secret::Secret::new(token));
            events::record(&env, tx, permit, Entry::of(event).about(account).addressed_to(to).enclosing(enclosed)).await
        })
    });
    done.await.expect("a stranger may register")
}

/// A code is sent to a mailbox.
pub async fn send_code(world: &World, account: AccountId, to: AddressId, code: &str) -> Result<EventId, Refused> {
    let (env, code) = (world.env.clone(), code.to_owned());
    act::<ProveMailbox, _, _>(&world.env, &actor(account, Credential::Session), account, move |tx, permit| {
        let (env, code) = (env.clone(), code.clone());
        Box::pin(async move {
            let enclosed = Enclosed(credentials::secret::Secret::new(code));
            let entry = Entry::of(MailboxCodeSent {}).about(*permit.on()).addressed_to(to).enclosing(enclosed);
            events::record(&env, tx, permit, entry).await
        })
    })
    .await
}

/// A stranger registers with an address that is known, or the like: any event of the stranger's, for the texts.
pub async fn upload(world: &World, by: AccountId, project: ProjectId, name: &str) -> Result<EventId, Refused> {
    let env = world.env.clone();
    let on = ProjectOrNew(formats::name::ProjectName::parse(name).expect("a right name"));
    act::<UploadFile, _, _>(&world.env, &actor(by, Credential::ApiToken), on, move |tx, permit| {
        let env = env.clone();
        Box::pin(async move {
            let event = FileUploaded {
                filename: "spam-1.0.tar.gz".to_owned(),
                sha256: "00".repeat(32),
                version: "1.0".to_owned(),
                new_project: false,
                new_release: true,
            };
            let account = permit.actor().account().expect("an account uploads");
            events::record(&env, tx, permit, Entry::of(event).about(account).on_project(project)).await
        })
    })
    .await
}
