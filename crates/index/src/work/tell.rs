//! Telling people: `Notify` finds who, `SendMail` hands one mail over.

use std::time::Duration;

use credentials::link::LinkToken;
use credentials::secret::Secret;
use sea_orm::{EntityTrait, Value};
use serde::{Deserialize, Serialize};

use super::Failed;

use crate::act::{Housekeeping, housekeeping};
use crate::db::entities::{addresses, events};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::Kind;
use crate::holds::{self, serving};
use crate::ids::{AddressId, EventId, HoldId};
use crate::mail::Undelivered;
use crate::measure;
use crate::notices::deliveries::{self, State, Tried};
use crate::notices::{self, Enclosure, NoLetter, Offer, Recipient};
use crate::queue::{self, Claimed, JobKind, NewJob};
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
    /// Its reader was chosen as an administrator, and is told in those words.
    #[serde(default)]
    as_staff: bool,
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
    let mut mails = Vec::with_capacity(people.len());
    for person in people {
        // Who is told as an administrator gets the words alone: no link of the mail is theirs.
        let offer = if person.as_staff { None } else { notices::offer(&read, kind, &event, person.address).await? };
        mails.push((person, offer));
    }
    drop(read);
    if mails.is_empty() {
        tracing::info!(event = %event.id, kind = kind.wire(), "nobody has a verified address to be told at");
        return Ok(());
    }
    let hold = if kind == Kind::HoldProposed { notices::hold_of(&event) } else { None };
    let own = env.clone();
    housekeeping(env, Housekeeping::Queue, move |tx| {
        Box::pin(async move {
            for (person, offer) in mails {
                let secret = job.enclosed.clone().filter(|_| !person.as_staff);
                enqueue_mail(&own, tx, &event, &person, (offer, hold, secret)).await?;
            }
            Ok(())
        })
    })
    .await?;
    Ok(())
}

/// One mail, its own link made for it alone; nothing when it is in the queue already.
async fn enqueue_mail(
    env: &Env,
    tx: &Tx,
    event: &events::Model,
    person: &Recipient,
    (offer, hold, secret): (Option<Offer>, Option<HoldId>, Option<Secret>),
) -> Result<(), Refused> {
    const KNOWN: &str = "SELECT 1 AS one FROM jobs WHERE key = $1";
    let key = format!("mail:{}:{}", event.id, person.mark);
    if tx.row(KNOWN, vec![Value::from(key.as_str())]).await?.is_some() {
        return Ok(());
    }
    let own = match hold {
        Some(hold) => veto_link(env, tx, hold, person, event.id).await?,
        None => secret,
    };
    let token = offer.map(|offer| (offer, LinkToken::generate(&*env.entropy)));
    let offered = token.as_ref().map(|(offer, token)| (*offer, Secret::new(token.expose())));
    let mail = NewJob {
        kind: JobKind::SendMail,
        key,
        payload: serde_json::to_value(Payload {
            event: event.id,
            to: Some(person.address),
            lasting: hold.is_some(),
            as_staff: person.as_staff,
        })?,
        enclosed: Enclosure { own, offer: offered }.seal()?,
        run_at: tx.now(),
    };
    queue::enqueue(env, tx, mail).await?;
    if let Some((offer, token)) = &token {
        notices::keep(env, tx, *offer, token, event, person.address).await?;
    }
    deliveries::queued(env, tx, event, person).await
}

/// A veto link for one recipient (R10).
async fn veto_link(env: &Env, tx: &Tx, hold: HoldId, to: &Recipient, event: EventId) -> Result<Option<Secret>, Refused> {
    // Who suspended somebody takes it back signed in, by a proof: his mailbox alone does not (R11).
    let proposed = holds::by_id(tx, hold).await?.is_some_and(|row| row.proposer_id == to.account);
    if proposed && holds::suspends(tx, hold).await? {
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
    let done = hand_over(env, &job, &payload, to).await;
    let (state, error) = match &done {
        Ok(()) => (State::Sent, None),
        Err(Failed::Retry(e)) => (State::Queued, Some(format!("{e:#}"))),
        Err(Failed::Fail(e)) => (State::Failed, Some(format!("{e:#}"))),
    };
    let tried = Tried { event: payload.event, address: to, state, tries: job.tries, error };
    housekeeping(env, Housekeeping::Queue, move |tx| Box::pin(async move { deliveries::tried(tx, &tried).await })).await?;
    done
}

async fn hand_over(env: &Env, job: &Claimed, payload: &Payload, to: AddressId) -> Result<(), Failed> {
    let enclosure = Enclosure::open(job.enclosed.as_ref());
    let read = env.db.read(env.now()).await.map_err(Refused::from)?;
    let reader = notices::Reader { address: to, as_staff: payload.as_staff };
    let letter = notices::compose(env, &read, payload.event, reader, &enclosure).await?;
    drop(read);
    match env.mailer.deliver(&letter).await {
        Ok(()) => {
            measure::mailed("sent");
            note_told(env, payload.event, to).await
        }
        Err(e) => {
            let failed = judge(job.tries, enclosure.own.is_some() && !payload.lasting, env.now().since(letter.at), e);
            measure::mailed(if matches!(failed, Failed::Retry(_)) { "later" } else { "failed" });
            Err(failed)
        }
    }
}

/// Whether another try makes sense. A notice is never given up for its age: only what is useless when it is old.
fn judge(tries: i64, is_for_its_secret: bool, age: Duration, e: Undelivered) -> Failed {
    let stale = is_for_its_secret && age > SECRET_FOR;
    let last = match &e {
        Undelivered::Never(_) => true,
        Undelivered::Refused(_) => stale || tries >= REFUSED_TRIES,
        Undelivered::Later(_) => stale,
    };
    let e = anyhow::Error::new(e);
    if last { Failed::Fail(e) } else { Failed::Retry(e) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_last(tries: i64, secret: bool, hours: u64, e: Undelivered) -> bool {
        matches!(judge(tries, secret, Duration::from_secs(hours * 3600), e), Failed::Fail(_))
    }

    #[test]
    fn a_notice_is_tried_until_the_server_takes_it() {
        assert!(!is_last(10_000, false, 24 * 365, Undelivered::Later(String::new())));
    }

    #[test]
    fn a_mail_whose_link_has_expired_is_given_up() {
        assert!(!is_last(3, true, 23, Undelivered::Later(String::new())));
        assert!(is_last(3, true, 25, Undelivered::Later(String::new())));
    }

    #[test]
    fn a_refused_recipient_is_given_up_at_once_and_a_refused_text_after_hours() {
        assert!(is_last(1, false, 0, Undelivered::Never(String::new())));
        assert!(!is_last(15, false, 5, Undelivered::Refused(String::new())));
        assert!(is_last(16, false, 6, Undelivered::Refused(String::new())));
    }
}
