//! Served time (R9): the clocks of holds stand still while the index does not serve, and begin when everybody concerned was told.
//!
//! The process that answers people beats every half minute. What lies between two beats beyond the grace was an outage and is added to
//! every hold; it is measured by the true time, so that a clock shifted for a drill counts as served (R32).

use std::time::Duration;

use sea_orm::{ActiveValue::Set, EntityTrait, Value};

use credentials::link::LinkToken;

use super::{by_id, state};
use crate::accounts::addresses;
use crate::accounts::link::Purpose;
use crate::act::{Housekeeping, housekeeping};
use crate::clock::Time;
use crate::db::entities::links;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::ids::{AccountId, AddressId, EventId, HoldId, LinkId};
use crate::refused::Refused;

/// How often the process that answers people beats.
pub const BEAT: Duration = Duration::from_secs(30);
/// Beats further apart than this have an outage between them.
pub const GRACE: Duration = Duration::from_secs(180);
/// A notice that left this soon moves no clock.
const PROMPT: Duration = Duration::from_secs(600);
/// How long a link outlives the moment at which its hold is due: a hold may have to wait for its people.
const LINK_OUTLIVES: Duration = Duration::from_secs(31 * 86_400);

const LAST: &str = "SELECT at FROM serving WHERE name = 'index'";
const WRITE: &str = "INSERT INTO serving (name, at) VALUES ('index', $1) ON CONFLICT (name) DO UPDATE SET at = $1";
const SHIFT: &str = "UPDATE holds SET due_at = due_at + CASE WHEN $2 - created_at < 0 THEN 0 WHEN $2 - created_at < $1 \
    THEN $2 - created_at ELSE $1 END WHERE state = 'waiting'";
const SHIFT_LINKS: &str = "UPDATE links SET expires_at = expires_at + $1 WHERE spent_at IS NULL AND hold_id IS NOT NULL \
    AND EXISTS (SELECT 1 FROM holds h WHERE h.id = links.hold_id AND h.state = 'waiting')";

/// The index serves at this moment; says how long it did not before.
///
/// # Errors
/// The database.
pub async fn beat(env: &Env) -> Result<Duration, Refused> {
    let true_now = env.clock.true_now();
    let gap = housekeeping(env, Housekeeping::Holds, move |tx| {
        Box::pin(async move {
            let last = tx.row(&format!("{LAST}{}", tx.lock(true)), Vec::new()).await?;
            let last: Option<Time> = last.map(|row| row.try_get("", "at")).transpose()?;
            let gap = last.map(|at| true_now.since(at)).filter(|gap| *gap > GRACE).unwrap_or_default();
            if !gap.is_zero() {
                let micros = i64::try_from(gap.as_micros()).unwrap_or(i64::MAX / 4);
                tx.execute(SHIFT, vec![Value::from(micros), Value::from(tx.now())]).await?;
                tx.execute(SHIFT_LINKS, vec![Value::from(micros)]).await?;
            }
            tx.execute(WRITE, vec![Value::from(true_now)]).await?;
            Ok(gap)
        })
    })
    .await?;
    if !gap.is_zero() {
        tracing::warn!(seconds = gap.as_secs(), "the index did not serve: the time was added to every hold");
    }
    Ok(gap)
}

/// Whether the index serves at this moment.
pub(super) async fn serves<R: Reading>(env: &Env, read: &R) -> Result<bool, Refused> {
    let Some(row) = read.row(LAST, Vec::new()).await? else { return Ok(false) };
    Ok(env.clock.true_now().since(row.try_get("", "at")?) <= GRACE)
}

const TELL: &str = "UPDATE hold_people SET told_at = $3 WHERE hold_id = $1 AND account_id = $2 AND told_at IS NULL";
const BEGIN: &str = "UPDATE holds SET due_at = due_at + ($2 - served_from), served_from = $2 WHERE id = $1 AND state = 'waiting' \
    AND served_from < $3";

/// Notes that somebody concerned was told: the mail server accepted a notice, or it was shown to him. Told late, the time begins late.
pub(crate) async fn told(tx: &Tx, hold: HoldId, account: AccountId) -> Result<(), Refused> {
    if tx.execute(TELL, vec![Value::from(hold), Value::from(account), Value::from(tx.now())]).await? == 1 {
        let values = vec![Value::from(hold), Value::from(tx.now()), Value::from(tx.now().minus(PROMPT))];
        tx.execute(BEGIN, values).await?;
    }
    Ok(())
}

/// A veto link for one address of somebody concerned, while the hold waits; none where the address is told without links (R17).
pub(crate) async fn veto_link(
    env: &Env,
    tx: &Tx,
    hold: HoldId,
    (account, address): (AccountId, AddressId),
    event: EventId,
) -> Result<Option<LinkToken>, Refused> {
    let Some(row) = by_id(tx, hold).await?.filter(|row| row.state == state::WAITING) else { return Ok(None) };
    let to = addresses::by_id(tx, address).await?;
    match to {
        Some(to) if addresses::may_have_links(tx, &to).await? => {}
        _ => return Ok(None),
    }
    let token = LinkToken::generate(&*env.entropy);
    let link = links::ActiveModel {
        id: Set(LinkId::new(tx.now(), &*env.entropy)),
        purpose: Set(Purpose::Veto.wire().to_owned()),
        account_id: Set(Some(account)),
        address_id: Set(Some(address)),
        session_id: Set(None),
        token_digest: Set(token.digest().to_vec()),
        created_at: Set(tx.now()),
        expires_at: Set(row.due_at.plus(LINK_OUTLIVES)),
        spent_at: Set(None),
        began_by: Set(Some(event)),
        attempt_id: Set(None),
        hold_id: Set(Some(hold)),
        browser_digest: Set(None),
        proved_at: Set(None),
        event_id: Set(Some(event)),
    };
    links::Entity::insert(link).exec_without_returning(tx.connection()).await?;
    Ok(Some(token))
}

const UNSEEN: &str = "SELECT h.id AS id FROM hold_people p JOIN holds h ON h.id = p.hold_id WHERE p.account_id = $1 AND p.told_at IS NULL \
    AND h.state = 'waiting' AND (h.session_id IS NULL OR h.session_id <> $2)";

/// The page of changes that wait was shown to somebody signed in. The session that proposed a change tells nobody of it.
///
/// # Errors
/// The database.
pub async fn shown(env: &Env, account: AccountId, session: crate::ids::SessionId) -> Result<(), Refused> {
    let values = move || vec![Value::from(account), Value::from(session)];
    let read = env.db.read(env.now()).await?;
    if read.row(UNSEEN, values()).await?.is_none() {
        return Ok(());
    }
    drop(read);
    housekeeping(env, Housekeeping::Holds, move |tx| {
        Box::pin(async move {
            for row in tx.rows(UNSEEN, values()).await? {
                told(tx, row.try_get("", "id")?, account).await?;
            }
            Ok(())
        })
    })
    .await
}
