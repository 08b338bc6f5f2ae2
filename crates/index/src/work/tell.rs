//! Telling people: `Notify` finds who, `SendMail` hands one mail over.

use std::time::Duration;

use credentials::secret::Secret;
use sea_orm::{EntityTrait, Value};
use serde::{Deserialize, Serialize};

use super::Failed;
use crate::act::{Housekeeping, housekeeping};
use crate::clock::Time;
use crate::db::entities::addresses;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::Kind;
use crate::holds::serving;
use crate::ids::{AddressId, EventId, HoldId};
use crate::mail::Undelivered;
use crate::notices::{self, NoLetter, Recipient};
use crate::queue::{self, Claimed, Enclosed, JobKind, NewJob};
use crate::refused::Refused;

/// How often a mail whose text the server refuses is tried: six hours, in which an operator can mend a quota or a filter.
const REFUSED_TRIES: i64 = 16;
/// For how long a mail that carries a link or a code is tried: both have expired then, and another can be asked for.
const SECRET_FOR: Duration = Duration::from_secs(86_400);

/// What both jobs need to know. Neither words nor addresses: those are read when the mail is sent.
#[derive(Serialize, Deserialize)]
struct Payload {
    event: EventId,
    to: Option<AddressId>,
    /// The link in it works as long as the hold waits: it is worth telling however late.
    #[serde(default)]
    lasting: bool,
}

impl Payload {
    fn of(job: &Claimed) -> Result<Self, Failed> {
        serde_json::from_value(job.payload.clone()).map_err(|e| Failed::Fail(anyhow::Error::new(e).context("the payload")))
    }
}

impl From<NoLetter> for Failed {
    fn from(e: NoLetter) -> Self {
        match e {
            NoLetter::Gone(why) => Self::Fail(anyhow::anyhow!(why)),
            NoLetter::Fault(refused) => refused.into(),
        }
    }
}

/// Enqueues one mail for each person whom the event concerns. A second run finds the same keys and enqueues nothing.
pub(super) async fn notify(env: &Env, job: Claimed) -> Result<(), Failed> {
    let payload = Payload::of(&job)?;
    let read = env.db.read(env.now()).await.map_err(Refused::from)?;
    let (kind, event) = notices::event(&read, payload.event).await?;
    let people = notices::recipients(&read, kind, &event, payload.to).await?;
    drop(read);
    if people.is_empty() {
        tracing::info!(event = %event.id, kind = kind.wire(), "nobody has a verified address to be told at");
        return Ok(());
    }
    let proposed = if kind == Kind::HoldProposed { notices::hold_of(&event) } else { None };
    let own = env.clone();
    housekeeping(env, Housekeeping::Queue, move |tx| {
        Box::pin(async move {
            for person in people {
                let key = format!("mail:{}:{}", payload.event, person.mark);
                let enclosed = match proposed {
                    Some(hold) => veto_link(&own, tx, hold, &person, (payload.event, &key)).await?,
                    None => job.enclosed.clone(),
                };
                let mail = NewJob {
                    kind: JobKind::SendMail,
                    key,
                    payload: serde_json::to_value(Payload { event: payload.event, to: Some(person.address), lasting: proposed.is_some() })?,
                    enclosed: enclosed.filter(|_| !person.as_staff).map(Enclosed),
                    run_at: tx.now(),
                };
                queue::enqueue(&own, tx, mail).await?;
            }
            Ok(())
        })
    })
    .await?;
    Ok(())
}

/// A veto link for one recipient (R10). A second run finds the mail and makes none.
async fn veto_link(env: &Env, tx: &Tx, hold: HoldId, to: &Recipient, (event, key): (EventId, &str)) -> Result<Option<Secret>, Refused> {
    const KNOWN: &str = "SELECT 1 AS one FROM jobs WHERE key = $1";
    if tx.row(KNOWN, vec![Value::from(key)]).await?.is_some() {
        return Ok(None);
    }
    let link = serving::veto_link(env, tx, hold, (to.account, to.address), event).await?;
    Ok(link.map(|token| Secret::new(token.expose())))
}

/// The mail server took a notice of a hold: its reader counts as told (R9).
async fn note_told(env: &Env, event: EventId, to: AddressId) -> Result<(), Failed> {
    let read = env.db.read(env.now()).await.map_err(Refused::from)?;
    let (kind, event) = notices::event(&read, event).await?;
    let Some(hold) = (if kind == Kind::HoldProposed { notices::hold_of(&event) } else { None }) else { return Ok(()) };
    drop(read);
    let told = housekeeping(env, Housekeeping::Holds, move |tx| {
        Box::pin(async move {
            let row = addresses::Entity::find_by_id(to).one(tx.connection()).await?;
            match row {
                Some(row) => serving::told(tx, hold, row.account_id).await,
                None => Ok(()),
            }
        })
    });
    Ok(told.await?)
}

/// Hands one mail over. Delivered at least once: a second run sends the same mail under the same Message-ID.
pub(super) async fn send_mail(env: &Env, job: Claimed) -> Result<(), Failed> {
    let payload = Payload::of(&job)?;
    let to = payload.to.ok_or_else(|| Failed::Fail(anyhow::anyhow!("the payload names no address")))?;
    let read = env.db.read(env.now()).await.map_err(Refused::from)?;
    let letter = notices::compose(env, &read, payload.event, to, job.enclosed.as_ref()).await?;
    drop(read);
    match env.mailer.deliver(&letter).await {
        Ok(()) => note_told(env, payload.event, to).await,
        Err(e) => Err(judge(&job, payload.lasting, letter.at, env.now(), e)),
    }
}

/// Whether another try makes sense.
fn judge(job: &Claimed, lasting: bool, at: Time, now: Time, e: Undelivered) -> Failed {
    let stale = job.enclosed.is_some() && !lasting && now.since(at) > SECRET_FOR;
    let last = match &e {
        Undelivered::Never(_) => true,
        Undelivered::Refused(_) => stale || job.tries >= REFUSED_TRIES,
        Undelivered::Later(_) => stale,
    };
    let e = anyhow::Error::new(e);
    if last { Failed::Fail(e) } else { Failed::Retry(e) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::JobId;
    use credentials::secret::Secret;

    fn job(tries: i64, secret: bool) -> Claimed {
        Claimed {
            id: JobId(uuid::Uuid::nil()),
            kind: JobKind::SendMail,
            key: String::new(),
            payload: serde_json::Value::Null,
            enclosed: secret.then(|| Secret::new("123456")),
            tries,
        }
    }

    fn is_last(job: &Claimed, hours: u64, e: Undelivered) -> bool {
        let at = Time::from_seconds(1_700_000_000);
        matches!(judge(job, false, at, at.plus(Duration::from_secs(hours * 3600)), e), Failed::Fail(_))
    }

    #[test]
    fn a_notice_is_tried_until_the_server_takes_it() {
        assert!(!is_last(&job(10_000, false), 24 * 365, Undelivered::Later(String::new())));
    }

    #[test]
    fn a_mail_whose_link_has_expired_is_given_up() {
        assert!(!is_last(&job(3, true), 23, Undelivered::Later(String::new())));
        assert!(is_last(&job(3, true), 25, Undelivered::Later(String::new())));
    }

    #[test]
    fn a_refused_recipient_is_given_up_at_once_and_a_refused_text_after_hours() {
        assert!(is_last(&job(1, false), 0, Undelivered::Never(String::new())));
        assert!(!is_last(&job(15, false), 5, Undelivered::Refused(String::new())));
        assert!(is_last(&job(16, false), 6, Undelivered::Refused(String::new())));
    }
}
