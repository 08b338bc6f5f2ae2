//! Doing one of the things that a plan names. Rows are ended or inserted; none that is closed is written again.

use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, Value};

use crate::accounts::addresses;
use crate::cases::{self, NewCase, Opening};
use crate::clock::Time;
use crate::containment::ending::{Links, end_everything};
use crate::db::entities::{account_causes, addresses as address_rows, api_tokens, project_locks, role_grants, roles, suspensions};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::holds;
use crate::ids::{
    AccountId, AddressId, CaseId, CauseId, EventId, FactorId, HoldId, InvitationId, LockId, ProjectId, RecoverySetId, RoleId, SuspensionId,
    TokenId,
};
use crate::policy::{Action, Permit};
use crate::projects::search;
use crate::refused::Refused;
use crate::tokens::paused;

/// One thing to do.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    EndRole(roles::Model),
    ReturnRole(roles::Model),
    EndLock(project_locks::Model),
    ReturnLock(project_locks::Model),
    EndAddress(address_rows::Model),
    ReturnAddress(address_rows::Model),
    MakePrimary(AccountId, String),
    EndFactor(FactorId),
    EndCodes(RecoverySetId),
    EndToken(TokenId),
    ReturnToken(Box<api_tokens::Model>),
    EndCause(CauseId),
    EndInvitation(InvitationId),
    EndHold(HoldId),
    EndEverything(AccountId),
    Contain(AccountId),
}

impl Deed {
    /// The project whose owners are told of it.
    pub(super) const fn project(&self) -> Option<ProjectId> {
        match self {
            Self::EndRole(row) | Self::ReturnRole(row) => Some(row.project_id),
            Self::EndLock(row) | Self::ReturnLock(row) => Some(row.project_id),
            _ => None,
        }
    }

    /// Whose role it is about.
    pub(super) const fn role_of(&self) -> Option<AccountId> {
        match self {
            Self::EndRole(row) | Self::ReturnRole(row) => Some(row.account_id),
            _ => None,
        }
    }

    /// Whether it ends a factor or changes the addresses of an account (R21).
    pub(super) const fn changes_proofs(&self) -> bool {
        matches!(self, Self::EndFactor(_) | Self::EndAddress(_) | Self::ReturnAddress(_) | Self::MakePrimary(..))
    }

    /// What ends makes room for what returns; the primary address is chosen among those that are there then.
    const fn rank(&self) -> u8 {
        match self {
            Self::ReturnRole(_) | Self::ReturnLock(_) | Self::ReturnAddress(_) | Self::ReturnToken(_) => 1,
            Self::MakePrimary(..) => 2,
            _ => 0,
        }
    }
}

/// Under which case, for which reason, and as of when.
#[derive(Clone, Debug)]
pub(super) struct Under {
    pub case: CaseId,
    pub reason: String,
    pub at: Time,
}

/// Does all of them, in the order in which they make room for each other.
pub(super) async fn all<A: Action>(env: &Env, tx: &mut Tx, permit: &Permit<A>, mut deeds: Vec<Deed>, under: &Under) -> Result<(), Refused> {
    deeds.sort_by_key(Deed::rank);
    for deed in deeds {
        one(env, tx, permit, deed, under).await?;
    }
    Ok(())
}

async fn one<A: Action>(env: &Env, tx: &mut Tx, permit: &Permit<A>, deed: Deed, under: &Under) -> Result<(), Refused> {
    let by = permit.event();
    match deed {
        Deed::EndRole(row) => end(tx, END_ROLE, row.id.0, by).await,
        Deed::EndLock(row) => {
            end(tx, END_LOCK, row.id.0, by).await?;
            search::index_project(tx, row.project_id).await
        }
        Deed::EndAddress(row) => end(tx, END_ADDRESS, row.id.0, by).await,
        Deed::EndFactor(id) => end(tx, END_FACTOR, id.0, by).await,
        Deed::EndCodes(id) => end(tx, END_CODES, id.0, by).await,
        Deed::EndToken(id) => end(tx, END_TOKEN, id.0, by).await,
        Deed::EndCause(id) => end(tx, END_CAUSE, id.0, by).await,
        Deed::EndInvitation(id) => end(tx, END_INVITATION, id.0, by).await,
        Deed::EndHold(id) => {
            let why = ("it was proposed after the time as of which was put back", Some(under.case));
            holds::end(env, tx, permit, id, why).await.map(|_| ())
        }
        Deed::EndEverything(account) => everything(tx, account, by, under).await,
        Deed::ReturnRole(row) => return_role(env, tx, by, &row, Stood::At(under.at)).await,
        Deed::ReturnLock(row) => return_lock(env, tx, by, &row).await,
        Deed::ReturnAddress(row) => return_address(env, tx, by, &row).await,
        Deed::ReturnToken(row) => paused::bring_back(env, tx, &row, by, (under.case, &under.reason)).await,
        Deed::MakePrimary(account, folded) => primary(env, tx, by, account, &folded).await,
        Deed::Contain(account) => contain(env, tx, by, account, under).await,
    }
}

pub(super) const END_ROLE: &str = "UPDATE roles SET until_at = $2, ended_by = $3 WHERE id = $1 AND until_at IS NULL";
pub(super) const END_LOCK: &str = "UPDATE project_locks SET until_at = $2, ended_by = $3 WHERE id = $1 AND until_at IS NULL";
pub(super) const END_ADDRESS: &str =
    "UPDATE addresses SET until_at = $2, ended_by = $3, is_public = FALSE WHERE id = $1 AND until_at IS NULL";
pub(super) const END_TOKEN: &str = "UPDATE api_tokens SET until_at = $2, ended_by = $3 WHERE id = $1 AND until_at IS NULL";
pub(super) const END_CAUSE: &str = "UPDATE account_causes SET until_at = $2, ended_by = $3 WHERE id = $1 AND until_at IS NULL";
const END_FACTOR: &str = "UPDATE factors SET until_at = $2, ended_by = $3 WHERE id = $1 AND until_at IS NULL";
const END_CODES: &str = "UPDATE recovery_sets SET until_at = $2, ended_by = $3 WHERE id = $1 AND until_at IS NULL";
const END_INVITATION: &str = "UPDATE invitations SET until_at = $2, outcome = 'restored', ended_by = $3 WHERE id = $1 AND until_at IS NULL";

pub(super) async fn end(tx: &Tx, sql: &str, id: uuid::Uuid, by: EventId) -> Result<(), Refused> {
    tx.execute(sql, vec![Value::from(id), Value::from(tx.now()), Value::from(by)]).await?;
    Ok(())
}

/// A grant that has waited and was not made yet is not made any more (R10).
const SHUT_DOORS: &str = "UPDATE holds SET used_at = $2 WHERE proposer_id = $1 AND state = 'done' AND used_at IS NULL AND created_at > $3";

/// A way back that somebody has begun, and a wait with one proof of two: what it leads to is not what it was begun for.
const TAKE_BACKS: &str = "UPDATE take_backs SET spent_at = $2 WHERE account_id = $1 AND spent_at IS NULL";
const WAITS: &str = "UPDATE take_back_waits SET until_at = $2, ended_by = $3 WHERE account_id = $1 AND until_at IS NULL";

async fn everything(tx: &Tx, account: AccountId, by: EventId, under: &Under) -> Result<(), Refused> {
    end_everything(tx, account, Links::ThatGive, by).await?;
    tx.execute(TAKE_BACKS, vec![Value::from(account), Value::from(tx.now())]).await?;
    tx.execute(WAITS, vec![Value::from(account), Value::from(tx.now()), Value::from(by)]).await?;
    tx.execute(SHUT_DOORS, vec![Value::from(account), Value::from(tx.now()), Value::from(under.at)]).await?;
    Ok(())
}

/// What made a role give nothing when it stood, and so makes its copy give nothing (R11).
#[derive(Clone, Copy, Debug)]
pub(super) enum Stood {
    /// At the time as of which it is put back.
    At(Time),
    /// When this batch took it away, which is undone.
    Before(EventId),
}

impl Stood {
    fn suspended(self, row: &suspensions::Model) -> bool {
        match self {
            Self::At(at) => row.from_at <= at && row.until_at.is_none_or(|until| until > at),
            Self::Before(batch) => row.until_at.is_none() || row.ended_by == Some(batch),
        }
    }
}

/// A copy with the old age, by the same giver: who gave it goes on answering for it (R15).
pub(super) async fn return_role(env: &Env, tx: &Tx, by: EventId, old: &roles::Model, stood: Stood) -> Result<(), Refused> {
    let id = RoleId::new(tx.now(), &*env.entropy);
    let mut new = old.clone().into_active_model().reset_all();
    new.id = Set(id);
    new.until_at = Set(None);
    new.began_by = Set(by);
    new.ended_by = Set(None);
    roles::Entity::insert(new).exec_without_returning(tx.connection()).await?;
    if let Some(grant) = role_grants::Entity::find_by_id(old.id).one(tx.connection()).await? {
        let grant = role_grants::ActiveModel { role_id: Set(id), account_id: Set(grant.account_id), from_at: Set(grant.from_at) };
        role_grants::Entity::insert(grant).exec_without_returning(tx.connection()).await?;
    }
    let rows = suspensions::Entity::find().filter(suspensions::Column::AccountId.eq(old.account_id));
    let rows = rows.filter(suspensions::Column::What.eq("role")).filter(suspensions::Column::WhatId.eq(old.id.0));
    for row in rows.all(tx.connection()).await?.into_iter().filter(|row| stood.suspended(row)) {
        let mut new = row.into_active_model().reset_all();
        new.id = Set(SuspensionId::new(tx.now(), &*env.entropy));
        new.what_id = Set(id.0);
        new.until_at = Set(None);
        new.began_by = Set(by);
        new.ended_by = Set(None);
        suspensions::Entity::insert(new).exec_without_returning(tx.connection()).await?;
    }
    Ok(())
}

/// A lock confers no power: the copy is as old as it is, so that nothing is erased sooner than its retention says.
pub(super) async fn return_lock(env: &Env, tx: &Tx, by: EventId, old: &project_locks::Model) -> Result<(), Refused> {
    let mut new = old.clone().into_active_model().reset_all();
    new.id = Set(LockId::new(tx.now(), &*env.entropy));
    new.from_at = Set(tx.now());
    new.until_at = Set(None);
    new.began_by = Set(by);
    new.ended_by = Set(None);
    project_locks::Entity::insert(new).exec_without_returning(tx.connection()).await?;
    search::index_project(tx, old.project_id).await
}

/// A copy with the old age and the old proof, not the primary one.
pub(super) async fn return_address(env: &Env, tx: &Tx, by: EventId, old: &address_rows::Model) -> Result<(), Refused> {
    let mut new = old.clone().into_active_model().reset_all();
    new.id = Set(AddressId::new(tx.now(), &*env.entropy));
    new.is_primary = Set(false);
    new.is_public = Set(false);
    new.until_at = Set(None);
    new.began_by = Set(by);
    new.ended_by = Set(None);
    address_rows::Entity::insert(new).exec_without_returning(tx.connection()).await?;
    Ok(())
}

pub(super) async fn primary(env: &Env, tx: &Tx, by: EventId, account: AccountId, folded: &str) -> Result<(), Refused> {
    let row = addresses::of_account(tx, account).await?.into_iter().find(|row| row.folded == folded);
    match row.filter(|row| !row.is_primary) {
        Some(row) => addresses::make_primary(env, tx, &row, by).await,
        None => Ok(()),
    }
}

/// The account does nothing until its owner takes it back; the case is closed by that (R16).
async fn contain(env: &Env, tx: &Tx, by: EventId, account: AccountId, under: &Under) -> Result<(), Refused> {
    let why = format!("The account was put back and waits for its owner: {}", under.reason);
    let new = NewCase { opening: Opening::TakeBack, account: Some(account), project: None, why, opened_by: by };
    let case = cases::open(env, tx, new).await?;
    let row = account_causes::ActiveModel {
        id: Set(CauseId::new(tx.now(), &*env.entropy)),
        account_id: Set(account),
        kind: Set("contained".to_owned()),
        reason: Set(under.reason.clone()),
        case_id: Set(Some(case)),
        from_at: Set(tx.now()),
        until_at: Set(None),
        began_by: Set(by),
        ended_by: Set(None),
    };
    account_causes::Entity::insert(row).exec_without_returning(tx.connection()).await?;
    Ok(())
}
