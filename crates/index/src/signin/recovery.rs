//! Recovery codes: a way back, never a factor (R5). One salt for each set, so that a guess costs one hash; each works once.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, Value};

use credentials::recovery_code::{self, PARAMETERS, RecoverySet};
use credentials::secret::Secret;

use crate::accounts::show::codes_left;
use crate::act;
use crate::db::entities::{recovery_codes, recovery_sets};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, RecoveryCodeUsed, RecoveryCodesGenerated, RecoveryCodesLow, RecoveryCodesProved, RecoveryCodesRefused};
use crate::holds::{self, Grant, Passed};
use crate::ids::{AccountId, ActId, EventId, HoldId, RecoveryCodeId, RecoverySetId, Site};
use crate::lane::For;
use crate::limits::{self, Limit, Whom};
use crate::policy::{Action, Actor, Denied, MakeRecoveryCodes, Permit, ProveFactor, ProveRecoveryCodes, UndeleteAccount};
use crate::refused::{Invalid, Refused};
use crate::signin::acts;
use crate::signin::attempt::{self, Outcome, Step};
use crate::signin::devices;
use crate::signin::session::With;

/// Makes a new set, ending the old one; the codes are in the answer and nowhere else.
///
/// # Errors
/// `Denied` by a gate; `NeedsProof` where the account has a factor (R2).
pub async fn generate(env: &Env, actor: &Actor, account: AccountId, act: Option<ActId>) -> Result<Made, Refused> {
    act::may::<MakeRecoveryCodes>(env, actor, account).await?;
    // Eight slow hashes are worth asking first: without a proof nothing is hashed.
    let asking = actor.clone();
    act::view::<MakeRecoveryCodes, _, _>(env, actor, account, move |read, permit| {
        Box::pin(async move {
            let ready = !permit.standing().factor || acts::is_proved(read, &asking, act).await?;
            if ready { Ok(()) } else { Err(Denied::NeedsProof.into()) }
        })
    })
    .await?;
    drop(limits::take(env, Limit::Act, &Whom::account(account, actor.origin.network)).await?);
    let hashing = env.clone();
    let set = env.lane.run_for(For::Known, move || recovery_code::generate(&hashing.keys, &*hashing.entropy, PARAMETERS)).await?;
    let texts = set.codes.iter().map(|code| code.text.clone()).collect();
    let (inner, set) = (env.clone(), std::sync::Arc::new(set));
    let held = act::act::<MakeRecoveryCodes, _, _>(env, actor, account, move |tx, permit| {
        let (env, set) = (inner.clone(), set.clone());
        Box::pin(async move { store(&env, tx, permit, act, &set).await })
    })
    .await?;
    Ok(held.map_or(Made::Now(texts), Made::Held))
}

/// What became of asking for codes.
#[derive(Debug)]
pub enum Made {
    /// The codes, which are kept nowhere.
    Now(Vec<Secret>),
    /// It waits as this hold (R3); the old codes go on working.
    Held(HoldId),
}

/// What the page that asks for the proof says, and the notice of a hold.
pub const DESCRIPTION: &str = "Make new recovery codes; the old ones stop working";

async fn store(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<MakeRecoveryCodes>,
    act: Option<ActId>,
    set: &RecoverySet,
) -> Result<Option<HoldId>, Refused> {
    let account = *permit.on();
    if permit.standing().factor {
        let proof = acts::spend(env, tx, permit, act, &serde_json::Value::Null).await?;
        let grant = Grant { proof, parameters: serde_json::Value::Null, description: DESCRIPTION.to_owned() };
        if let Passed::Held(hold) = holds::pass(env, tx, permit, grant).await? {
            return Ok(Some(hold));
        }
    }
    let end = "UPDATE recovery_sets SET until_at = $2, ended_by = $3 WHERE account_id = $1 AND until_at IS NULL";
    tx.execute(end, vec![Value::from(account), Value::from(tx.now()), Value::from(permit.event())]).await?;
    let id = RecoverySetId::new(tx.now(), &*env.entropy);
    let row = recovery_sets::ActiveModel {
        id: Set(id),
        account_id: Set(account),
        salt: Set(set.salt.clone()),
        proved_at: Set(None),
        from_at: Set(tx.now()),
        until_at: Set(None),
        began_by: Set(permit.event()),
        ended_by: Set(None),
    };
    let nothing = sea_orm::sea_query::OnConflict::new().do_nothing().to_owned();
    let rows = recovery_sets::Entity::insert(row).on_conflict(nothing).exec_without_returning(tx.connection()).await?;
    if rows != 1 {
        return Err(Invalid::new("", "Codes were made in another window at the same moment: open the page again.").into());
    }
    let codes = set.codes.iter().map(|code| recovery_codes::ActiveModel {
        id: Set(RecoveryCodeId::new(tx.now(), &*env.entropy)),
        set_id: Set(id),
        digest: Set(code.digest.to_vec()),
        used_at: Set(None),
        ended_by: Set(None),
    });
    recovery_codes::Entity::insert_many(codes).exec_without_returning(tx.connection()).await?;
    events::record(env, tx, permit, Entry::of(RecoveryCodesGenerated { count: set.codes.len() }).about(account)).await?;
    Ok(None)
}

/// So few that their owner is reminded to make new ones.
pub const FEW: u32 = 3;

/// Reminds the owner when few codes are left.
async fn remind<A: Action>(env: &Env, tx: &mut Tx, permit: &Permit<A>, account: AccountId) -> Result<(), Refused> {
    match codes_left(tx, account).await? {
        Some(left) if left <= FEW => {
            events::record(env, tx, permit, Entry::of(RecoveryCodesLow { left }).about(account)).await?;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Tells the owner that a code opened something: codes lie on paper and in vaults, and whoever copied one leaves no other trace.
async fn tell_use<A: Action>(env: &Env, tx: &mut Tx, permit: &Permit<A>, account: AccountId) -> Result<(), Refused> {
    match codes_left(tx, account).await? {
        Some(left) if left > FEW => {
            events::record(env, tx, permit, Entry::of(RecoveryCodeUsed { left }).about(account)).await?;
            Ok(())
        }
        _ => remind(env, tx, permit, account).await,
    }
}

/// Random bytes of a salt, after the number of the key.
const SALT_BYTES: usize = 16;

/// A typed code, hashed with the salt of the set that was open a moment ago.
#[derive(Clone, Debug)]
pub(crate) struct Hashed {
    set: Option<RecoverySetId>,
    digest: Option<[u8; 32]>,
}

/// One hash for one guess, outside any transaction. Also where the account has no codes, so that it takes as long.
async fn hash<A: Action>(env: &Env, actor: &Actor, on: A::On, (account, lane): (AccountId, For), typed: Secret) -> Result<Hashed, Refused> {
    let set = act::view::<A, _, _>(env, actor, on, move |read, _| Box::pin(async move { open_set(read, account).await })).await?;
    let (keys, entropy) = (env.keys.clone(), env.entropy.clone());
    let hashing = move || match &set {
        Some(set) => Hashed { set: Some(set.id), digest: recovery_code::digest(typed.expose(), &set.salt, &keys, PARAMETERS) },
        None => {
            let mut salt = keys.current_id().to_be_bytes().to_vec();
            salt.resize(salt.len() + SALT_BYTES, 0);
            entropy.fill(&mut salt[4..]);
            recovery_code::digest(typed.expose(), &salt, &keys, PARAMETERS);
            Hashed { set: None, digest: None }
        }
    };
    env.lane.run_for(lane, hashing).await
}

async fn open_set<R: Reading>(read: &R, account: AccountId) -> Result<Option<recovery_sets::Model>, Refused> {
    Ok(recovery_sets::Entity::find()
        .filter(recovery_sets::Column::AccountId.eq(account))
        .filter(recovery_sets::Column::UntilAt.is_null())
        .one(read.connection())
        .await?)
}

const USE: &str = "UPDATE recovery_codes SET used_at = $3, ended_by = $4 WHERE set_id = $1 AND digest = $2 AND used_at IS NULL \
    AND EXISTS (SELECT 1 FROM recovery_sets s WHERE s.id = $1 AND s.until_at IS NULL)";

/// Uses a code: once, whoever else tries at the same moment.
async fn spend(tx: &Tx, hashed: &Hashed, by: EventId) -> Result<Option<RecoverySetId>, Refused> {
    let (Some(set), Some(digest)) = (hashed.set, hashed.digest) else { return Ok(None) };
    let values = vec![Value::from(set), Value::from(digest.to_vec()), Value::from(tx.now()), Value::from(by)];
    Ok((tx.execute(USE, values).await? == 1).then_some(set))
}

/// Hashes a code that should bring a deleted account back; nobody's takes as long.
pub(crate) async fn hash_for_undelete(env: &Env, actor: &Actor, account: Option<AccountId>, typed: Secret) -> Result<Hashed, Refused> {
    let account = account.unwrap_or(AccountId(uuid::Uuid::nil()));
    hash::<UndeleteAccount>(env, actor, Site, (account, For::Strangers), typed).await
}

/// Uses a code to bring a deleted account back; false when it is wrong or was used.
pub(crate) async fn spend_for_undelete(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<UndeleteAccount>,
    (account, hashed): (AccountId, &Hashed),
) -> Result<bool, Refused> {
    let spent = spend(tx, hashed, permit.event()).await?.is_some();
    if spent {
        tell_use(env, tx, permit, account).await?;
    }
    Ok(spent)
}

/// What became of a code that was entered back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnteredBack {
    /// It is one of the set: they were saved.
    Right,
    /// It is not, or it was used.
    Wrong,
}

/// Enters one code back, which spends it.
///
/// # Errors
/// `Limited`, or `Denied` by a gate.
pub async fn enter_back(env: &Env, actor: &Actor, account: AccountId, typed: Secret) -> Result<EnteredBack, Refused> {
    let (taken, _) = devices::take(env, actor, Some(account), Limit::Factor, &devices::within(actor)).await?;
    let hashed = hash::<ProveRecoveryCodes>(env, actor, account, (account, For::Known), typed).await?;
    let inner = env.clone();
    let entered = act::act::<ProveRecoveryCodes, _, _>(env, actor, account, move |tx, permit| {
        let (env, hashed) = (inner.clone(), hashed.clone());
        Box::pin(async move { prove(&env, tx, permit, &hashed).await })
    })
    .await?;
    if entered == EnteredBack::Right {
        limits::give_back(env, taken).await?;
    }
    Ok(entered)
}

async fn prove(env: &Env, tx: &mut Tx, permit: &Permit<ProveRecoveryCodes>, hashed: &Hashed) -> Result<EnteredBack, Refused> {
    let account = *permit.on();
    let Some(set) = spend(tx, hashed, permit.event()).await? else {
        events::record_failure(env, tx, permit, Entry::of(RecoveryCodesRefused {}).about(account), account.0.as_bytes()).await?;
        return Ok(EnteredBack::Wrong);
    };
    let sql = "UPDATE recovery_sets SET proved_at = COALESCE(proved_at, $2) WHERE id = $1";
    tx.execute(sql, vec![Value::from(set), Value::from(tx.now())]).await?;
    events::record(env, tx, permit, Entry::of(RecoveryCodesProved {}).about(account)).await?;
    remind(env, tx, permit, account).await?;
    Ok(EnteredBack::Right)
}

/// Finishes a half-open sign-in with a code.
///
/// # Errors
/// `Limited`; `Denied` when nothing is half open.
pub async fn sign_in(env: &Env, actor: &Actor, typed: Secret, remember: bool) -> Result<Outcome, Refused> {
    let account = actor.account().ok_or(Denied::NotValid)?;
    let whom = attempt::whom(env, actor, account).await?;
    let (taken, lane) = devices::take(env, actor, Some(account), Limit::Factor, &whom).await?;
    let hashed = hash::<ProveFactor>(env, actor, Site, (account, lane), typed).await?;
    let inner = env.clone();
    attempt::step(env, actor, Step { taken: Some(taken), remember }, move |tx, permit| {
        let (env, hashed) = (inner.clone(), hashed.clone());
        Box::pin(async move {
            let spent = spend(tx, &hashed, permit.event()).await?;
            if spent.is_some() {
                tell_use(&env, tx, permit, account).await?;
            }
            Ok(spent.map(|_| With::RecoveryCode).ok_or("the recovery code was wrong or used"))
        })
    })
    .await
}
