//! The end of a take-back: what is not kept ends, everything in which a thief could sit ends, and only not-me causes are lifted (R16).

use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, Value};
use uuid::Uuid;

use credentials::keys::Place;
use credentials::secret::Secret;

use super::gained::{self, Gained, Sort, Thing};
use super::{account_of, is_ready, row_of, settled, steps};
use crate::accounts::taking_back::Begun;
use crate::accounts::{self, Account, addresses};
use crate::act;
use crate::cases::{self, Opening};
use crate::containment::ending::{Links, end_everything};
use crate::db::entities::{addresses as address_rows, factors, quiet_addresses, take_backs};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, AccountTakenBack, Entry};
use crate::holds;
use crate::ids::{AccountId, AddressId, CaseId, FactorId, InvitationId, RoleId, Site};
use crate::policy::{Action, Actor, Denied, Permit, TakeBack};
use crate::projects::collaboration::given;
use crate::refused::Refused;
use crate::signin::password::{self, Chosen};

/// What the form of the last step says.
#[derive(Clone)]
pub struct Decision {
    /// What is kept, by id. Everything else that was gained ends.
    pub keep: Vec<Uuid>,
    /// Which addresses are told without links from now on, by id.
    pub quiet: Vec<Uuid>,
    /// The new password.
    pub new_password: Secret,
    /// The same once more.
    pub password_confirm: Secret,
}

/// What the take-back did.
#[derive(Clone, Debug)]
pub struct TakenBack {
    /// The account.
    pub username: String,
    /// Whether a freeze by staff still stops it.
    pub frozen: bool,
}

/// Takes the account back.
///
/// # Errors
/// `NotValid` when the proofs are not there or the take-back is over; `Invalid` for a password that cannot be chosen.
pub async fn finish(env: &Env, actor: &Actor, decision: Decision) -> Result<TakenBack, Refused> {
    let (inner, looking) = (env.clone(), actor.clone());
    let context = act::view::<TakeBack, _, _>(env, actor, Site, move |read, _| {
        Box::pin(async move {
            let row = row_of(read, &looking).await?;
            let account = account_of(read, &row).await?.ok_or(Denied::NotValid)?;
            if Begun::undeletes(&row.begun_with) || !is_ready(read, &row).await? {
                return Err(Denied::NotValid.into());
            }
            let mut context = vec![account.username.clone(), account.display_name.clone()];
            context.extend(settled::addresses(&inner, read, &account).await?.into_iter().map(|row| row.address));
            Ok(context)
        })
    })
    .await?;
    let chosen = Chosen { password: decision.new_password.clone(), confirm: decision.password_confirm.clone(), context };
    let hash = password::hash_chosen(env, chosen).await?;
    let inner = env.clone();
    act::act::<TakeBack, _, _>(env, actor, Site, move |tx, permit| {
        let (env, decision, hash) = (inner.clone(), decision.clone(), hash.clone());
        Box::pin(async move { take(&env, tx, permit, &decision, &hash).await })
    })
    .await
}

const LIFT: &str = "UPDATE account_causes SET until_at = $2, ended_by = $3 WHERE account_id = $1 AND kind = 'contained' \
    AND until_at IS NULL AND case_id IN (SELECT id FROM cases WHERE kind IN ('not-me', 'take-back'))";
const END_WAITS: &str = "UPDATE take_back_waits SET until_at = $2, ended_by = $3 WHERE account_id = $1 AND until_at IS NULL";
/// Those that a name alone began prove nothing, and end by themselves within the hour: their end would tell strangers of this one.
const END_TAKE_BACKS: &str = "UPDATE take_backs SET spent_at = $2 WHERE account_id = $1 AND spent_at IS NULL \
    AND NOT (begun_with = 'name' AND address_proved_at IS NULL AND factor_proved_at IS NULL)";

async fn take(env: &Env, tx: &mut Tx, permit: &Permit<TakeBack>, decision: &Decision, hash: &str) -> Result<TakenBack, Refused> {
    let row = steps::held(tx, permit).await?;
    let id = row.account_id.ok_or(Denied::NotValid)?;
    accounts::lock(tx, id).await?;
    // Read again behind the lock: a containment in between wins.
    let row = row_of(tx, permit.actor()).await.map(|_| row)?;
    let account = account_of(tx, &row).await?.ok_or(Denied::NotValid)?;
    if Begun::undeletes(&row.begun_with) || !is_ready(tx, &row).await? {
        return Err(Denied::NotValid.into());
    }
    let gained = gained::of(env, tx, &account, row.factor_proved_at.is_some()).await?;
    let (kept, ended) = drop_the_rest(env, tx, permit, &account, (&gained, decision)).await?;
    restore_factor(env, tx, permit, &row).await?;
    restore_address(env, tx, permit, &account, &row).await?;
    let now = tx.now();
    password::store(tx, id, hash).await?;
    let sessions_ended = end_everything(tx, id, Links::All, permit.event()).await?;
    for sql in [LIFT, END_WAITS] {
        tx.execute(sql, vec![Value::from(id), Value::from(now), Value::from(permit.event())]).await?;
    }
    let case = close_cases(tx, permit, id).await?;
    tx.execute(END_TAKE_BACKS, vec![Value::from(id), Value::from(now)]).await?;
    let mut entry = Entry::of(AccountTakenBack { kept, ended, sessions_ended }).about(id);
    if let Some(case) = case {
        entry = entry.in_case(case);
    }
    events::record(env, tx, permit, entry).await?;
    // A thief who signed out after asking left no session whose end would end it (R10).
    holds::disown(env, tx, permit, id, ("the account of its proposer was taken back", case)).await?;
    let frozen = accounts::taking_back::is_frozen(tx, id).await?;
    Ok(TakenBack { username: account.username, frozen })
}

/// Closes the cases that a take-back decides; says which it was, the oldest where there are several.
async fn close_cases(tx: &Tx, permit: &Permit<TakeBack>, account: AccountId) -> Result<Option<CaseId>, Refused> {
    let mut first = None;
    for case in cases::open_of(tx, account).await?.into_iter().filter(|case| Opening::is_closed_by_take_back(&case.kind)) {
        cases::close(tx, case.id, permit.event()).await?;
        first = first.or(Some(case.id));
    }
    Ok(first)
}

/// Ends what is not kept; an address that ends is told without links. Says how many were kept and how many ended.
async fn drop_the_rest(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<TakeBack>,
    account: &Account,
    (gained, decision): (&Gained, &Decision),
) -> Result<(u64, u64), Refused> {
    let (kept, ended): (Vec<&Thing>, Vec<&Thing>) = gained.things.iter().partition(|thing| decision.keep.contains(&thing.id));
    for thing in &ended {
        end(env, tx, permit, thing).await?;
    }
    let dropped = ended.iter().filter(|thing| thing.sort == Sort::Address).map(|thing| thing.id);
    let chosen = decision.quiet.iter().copied().filter(|id| gained.told.iter().any(|(told, _)| told == id));
    for address in dropped.chain(chosen) {
        silence(env, tx, permit, account, AddressId(address)).await?;
    }
    Ok((u64::try_from(kept.len()).unwrap_or(u64::MAX), u64::try_from(ended.len()).unwrap_or(u64::MAX)))
}

/// Ends one thing that was gained.
pub(in crate::containment) async fn end<A: Action>(env: &Env, tx: &mut Tx, permit: &Permit<A>, thing: &Thing) -> Result<(), Refused> {
    match thing.sort {
        Sort::Role => {
            // The last Owner that can be reached stays: people decide about it.
            given::end_role(env, tx, permit, RoleId(thing.id)).await?;
        }
        Sort::Invitation => given::end_invitation(env, tx, permit, InvitationId(thing.id)).await?,
        Sort::Factor | Sort::Codes | Sort::Address | Sort::Token => {
            let sql = thing.sort.end().expect("these have a row of the account's own");
            tx.execute(sql, vec![Value::from(thing.id), Value::from(tx.now()), Value::from(permit.event())]).await?;
        }
    }
    Ok(())
}

/// From now on the notices to this address carry no link (R17).
async fn silence(env: &Env, tx: &Tx, permit: &Permit<TakeBack>, account: &Account, address: AddressId) -> Result<(), Refused> {
    let Some(row) = address_rows::Entity::find_by_id(address).one(tx.connection()).await? else { return Ok(()) };
    let quiet = quiet_addresses::ActiveModel {
        id: Set(AddressId::new(tx.now(), &*env.entropy)),
        account_id: Set(account.id),
        folded: Set(row.folded),
        from_at: Set(tx.now()),
        began_by: Set(permit.event()),
    };
    let nothing = sea_orm::sea_query::OnConflict::new().do_nothing().to_owned();
    quiet_addresses::Entity::insert(quiet).on_conflict(nothing).exec_without_returning(tx.connection()).await?;
    Ok(())
}

/// The factor that proved it comes back when it had been removed, with its old age (R18).
async fn restore_factor(env: &Env, tx: &Tx, permit: &Permit<TakeBack>, row: &take_backs::Model) -> Result<(), Refused> {
    let Some(proved) = row.factor_id else { return Ok(()) };
    let Some(old) = factors::Entity::find_by_id(proved).one(tx.connection()).await? else { return Ok(()) };
    if old.until_at.is_none() {
        return Ok(());
    }
    let id = FactorId::new(tx.now(), &*env.entropy);
    let account = old.account_id;
    let from = Place { table: "factors", row: old.id.0.as_bytes(), account: account.0.as_bytes() };
    let secret = env.keys.open(&from, &old.secret_sealed).map_err(|e| anyhow::anyhow!("the secret of factor {}: {e}", old.id))?;
    let to = Place { table: "factors", row: id.0.as_bytes(), account: account.0.as_bytes() };
    let sealed = env.keys.seal(&*env.entropy, &to, secret.expose());
    let mut new = old.into_active_model().reset_all();
    new.id = Set(id);
    new.secret_sealed = Set(sealed);
    new.until_at = Set(None);
    new.began_by = Set(permit.event());
    new.ended_by = Set(None);
    let nothing = sea_orm::sea_query::OnConflict::new().do_nothing().to_owned();
    factors::Entity::insert(new).on_conflict(nothing).exec_without_returning(tx.connection()).await?;
    Ok(())
}

/// The mailbox that was proved is an address of the account again, and the primary one where none is left that is verified.
async fn restore_address(env: &Env, tx: &Tx, permit: &Permit<TakeBack>, account: &Account, row: &take_backs::Model) -> Result<(), Refused> {
    const VERIFY: &str =
        "UPDATE addresses SET verified_at = COALESCE(verified_at, $3) WHERE account_id = $1 AND folded = $2 AND until_at IS NULL";
    let open = addresses::of_account(tx, account.id).await?;
    let settled = settled::addresses(env, tx, account).await?;
    let proved = settled.iter().find(|address| Some(address.id) == row.address_id);
    let has_one = open.iter().any(|address| address.verified_at.is_some());
    let wanted = proved.or_else(|| settled.first().filter(|_| !has_one));
    if let Some(wanted) = wanted {
        // Another account may have verified it meanwhile: then it is theirs (R24).
        if row.address_proved_at.is_some() && addresses::by_folded(tx, &wanted.folded).await?.is_none() {
            let values = vec![Value::from(account.id), Value::from(wanted.folded.clone()), Value::from(tx.now())];
            tx.execute(VERIFY, values).await?;
        }
        if open.iter().all(|address| address.folded != wanted.folded) {
            put_back(env, tx, permit, wanted).await?;
        }
    }
    choose_primary(env, tx, permit, account, wanted.map(|wanted| wanted.folded.as_str())).await
}

/// A row of its own, with the old age; nothing when another account has the address meanwhile.
async fn put_back(env: &Env, tx: &Tx, permit: &Permit<TakeBack>, old: &address_rows::Model) -> Result<(), Refused> {
    let mut new = old.clone().into_active_model().reset_all();
    new.id = Set(AddressId::new(tx.now(), &*env.entropy));
    new.is_primary = Set(false);
    new.until_at = Set(None);
    new.began_by = Set(permit.event());
    new.ended_by = Set(None);
    let nothing = sea_orm::sea_query::OnConflict::new().do_nothing().to_owned();
    address_rows::Entity::insert(new).on_conflict(nothing).exec_without_returning(tx.connection()).await?;
    Ok(())
}

/// Where the primary address went, or lost its proof, another one takes its place.
pub(in crate::containment) async fn choose_primary<A: Action>(
    env: &Env,
    tx: &Tx,
    permit: &Permit<A>,
    account: &Account,
    wanted: Option<&str>,
) -> Result<(), Refused> {
    let open = addresses::of_account(tx, account.id).await?;
    if open.iter().any(|address| address.is_primary && address.verified_at.is_some()) {
        return Ok(());
    }
    let verified = || open.iter().filter(|address| address.verified_at.is_some());
    let best = verified().find(|address| Some(address.folded.as_str()) == wanted).or_else(|| verified().next());
    let Some(best) = best else { return Ok(()) };
    addresses::make_primary(env, tx, best, permit.event()).await
}
