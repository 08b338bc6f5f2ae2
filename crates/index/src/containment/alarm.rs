//! Raising the alarm about somebody else's act: what was used for it stops on that project for a day, what it uploaded is taken from
//! serving, and a case is opened (R14).

use sea_orm::{ActiveValue::Set, EntityTrait, Value};

use credentials::link::LinkToken;

use super::not_me::{event_of, told};
use super::withdrawing::{self, Target};
use super::{ALARM_EVERY, PAUSE};
use crate::accounts;
use crate::accounts::link::{self, Purpose};
use crate::cases::{self, NewCase, Opening};
use crate::clock::Time;
use crate::db::entities::{events as event_rows, links, pauses, projects};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, AlarmRaised, CredentialPaused, Entry};
use crate::ids::{AccountId, CaseId, PauseId, ProjectId};
use crate::policy::{Denied, Permit, RaiseAlarm};
use crate::projects::roles::held;
use crate::refused::Refused;

/// What a link would do, for the page with its button.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The project, by its display name.
    pub project: String,
    /// The account that acted.
    pub whose: String,
    /// What the notice told.
    pub what: String,
    /// When that was.
    pub at: Time,
    /// Whether this person raised the alarm on this project within a week: then nothing more is stopped.
    pub again: bool,
    /// Whether this person holds a role on the project that gives something now: without one nothing is stopped.
    pub pauses: bool,
    /// What is taken from serving, in words: the release or file that was uploaded.
    pub withdraws: Option<String>,
}

/// What an alarm is about.
struct About {
    event: event_rows::Model,
    project: projects::Model,
    raiser: accounts::Account,
    actor: accounts::Account,
    credential: uuid::Uuid,
    what: String,
    at: Time,
}

/// Reads what a link would do; changes nothing. `None` when the link is dead.
///
/// # Errors
/// The database.
pub async fn explained<R: Reading>(read: &R, token: &LinkToken) -> Result<Option<Explained>, Refused> {
    let Some(link) = link::peek(read, token, Purpose::Alarm).await? else { return Ok(None) };
    let Some(about) = about(read, &link).await? else { return Ok(None) };
    let again = raised_recently(read, about.raiser.id, about.project.id).await?;
    let pauses = has_word(read, &about).await?;
    let withdraws = withdrawing::target(read, &about.event, about.raiser.id).await?.map(|target| target.words());
    let (project, whose) = (about.project.name, about.actor.username);
    Ok(Some(Explained { project, whose, what: about.what, at: about.at, again, pauses, withdraws }))
}

async fn about<R: Reading>(read: &R, link: &links::Model) -> Result<Option<About>, Refused> {
    let Some(event) = event_of(read, link).await? else { return Ok(None) };
    let (Some(project), Some(actor), Some(credential)) = (event.project_id, event.actor_account_id, event.credential_id) else {
        return Ok(None);
    };
    let Some(project) = projects::Entity::find_by_id(project).one(read.connection()).await? else { return Ok(None) };
    let Some(actor) = accounts::by_id(read, actor).await? else { return Ok(None) };
    let Some(raiser) = link.account_id else { return Ok(None) };
    let Some(raiser) = accounts::by_id(read, raiser).await? else { return Ok(None) };
    let Some((what, at)) = told(read, link).await? else { return Ok(None) };
    Ok(Some(About { event, project, raiser, actor, credential, what, at }))
}

/// What pressing the button did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Raised {
    /// Until when what was used is stopped on the project; nothing where the person holds no role there that gives anything now, or raised
    /// the alarm within a week.
    pub until: Option<Time>,
    /// Whether the person raised the alarm on this project within a week: then no further case is opened.
    pub again: bool,
    /// What was taken from serving, in words.
    pub withdrawn: Option<String>,
}

/// Whether whoever got the notice may still stop somebody on the project: a link outlives a role that has ended or is suspended, and a
/// person who is being removed would stop with it whoever removes him (R11).
async fn has_word<R: Reading>(read: &R, about: &About) -> Result<bool, Refused> {
    Ok(!held(read, about.project.id, about.raiser.id).await?.is_empty())
}

/// Raises the alarm of the link that was posted. A link that does nothing stays good.
///
/// # Errors
/// `NotValid` when the link is dead.
pub async fn raise(env: &Env, tx: &mut Tx, permit: &Permit<RaiseAlarm>) -> Result<Raised, Refused> {
    let link = link::spend(tx, permit, Purpose::Alarm).await?;
    let about = about(tx, &link).await?.ok_or(Denied::NotValid)?;
    // Two links of one person at the same moment take turns.
    accounts::lock(tx, about.raiser.id).await?;
    // An upload with the token, or an act in the session, is done before, or sees the pause.
    for sql in ["SELECT 1 AS one FROM api_tokens WHERE id = $1", "SELECT 1 AS one FROM sessions WHERE id = $1"] {
        tx.row(&format!("{sql}{}", tx.lock(true)), vec![Value::from(about.credential)]).await?;
    }
    withdrawing::lock(tx, &about.event).await?;
    let target = withdrawing::target(tx, &about.event, about.raiser.id).await?;
    let withdrawn = target.as_ref().map(Target::words);
    let again = raised_recently(tx, about.raiser.id, about.project.id).await?;
    if again && target.is_none() {
        tx.leave_as_it_was();
        return Ok(Raised { again, ..Raised::default() });
    }
    let (until, case) = if again { (None, None) } else { stop(env, tx, permit, &about).await? };
    if let Some(target) = &target {
        withdrawing::withdraw(env, tx, permit, target, (&about.raiser.username, case)).await?;
    }
    Ok(Raised { until, again, withdrawn })
}

/// Opens a case, and stops what was used where whoever asks has a word on the project.
async fn stop(env: &Env, tx: &mut Tx, permit: &Permit<RaiseAlarm>, about: &About) -> Result<(Option<Time>, Option<CaseId>), Refused> {
    let why = format!(
        "{} raised the alarm on {} about what {} did: {}",
        about.raiser.username, about.project.name, about.actor.username, about.what
    );
    let new =
        NewCase { opening: Opening::Alarm, account: Some(about.actor.id), project: Some(about.project.id), why, opened_by: permit.event() };
    let case = cases::open(env, tx, new).await?;
    let pauses = has_word(tx, about).await?;
    // One that stops nothing is kept as well: it counts for the week.
    let until = if pauses { tx.now().plus(PAUSE) } else { tx.now() };
    pause(env, tx, permit, about, (case, until)).await?;
    record(env, tx, permit, about, (case, pauses)).await?;
    Ok((pauses.then_some(until), Some(case)))
}

async fn pause(env: &Env, tx: &Tx, permit: &Permit<RaiseAlarm>, about: &About, (case, until): (CaseId, Time)) -> Result<(), Refused> {
    let row = pauses::ActiveModel {
        id: Set(PauseId::new(tx.now(), &*env.entropy)),
        project_id: Set(about.project.id),
        credential_id: Set(about.credential),
        account_id: Set(about.actor.id),
        raised_by: Set(about.raiser.id),
        case_id: Set(case),
        from_at: Set(tx.now()),
        expires_at: Set(until),
        began_by: Set(permit.event()),
    };
    pauses::Entity::insert(row).exec_without_returning(tx.connection()).await?;
    Ok(())
}

/// Owners are told about the alarm, and whose credential it is about what stopped.
async fn record(env: &Env, tx: &mut Tx, permit: &Permit<RaiseAlarm>, about: &About, (case, paused): (CaseId, bool)) -> Result<(), Refused> {
    let (by, text) = (about.raiser.username.clone(), case.to_string());
    let (whose, what) = (about.actor.username.clone(), about.what.clone());
    let alarm = AlarmRaised { by: by.clone(), whose, about: what, case: text.clone(), paused };
    events::record(env, tx, permit, Entry::of(alarm).on_project(about.project.id).in_case(case)).await?;
    if !paused {
        return Ok(());
    }
    let paused = Entry::of(CredentialPaused { by, case: text }).about(about.actor.id).on_project(about.project.id).in_case(case);
    events::record(env, tx, permit, paused).await?;
    Ok(())
}

const RAISED: &str = "SELECT 1 AS one FROM pauses WHERE raised_by = $1 AND project_id = $2 AND from_at > $3 LIMIT 1";

async fn raised_recently<R: Reading>(read: &R, raiser: AccountId, project: ProjectId) -> Result<bool, Refused> {
    let since = read.now().minus(ALARM_EVERY);
    Ok(read.row(RAISED, vec![Value::from(raiser), Value::from(project), Value::from(since)]).await?.is_some())
}
