//! The list of one's sessions, and ending them from it.

use credentials::link::LinkToken;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::clock::Time;
use crate::db::entities::sessions;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, OtherSessionsEnded, Private, SessionEnded, open_private};
use crate::ids::SessionId;
use crate::places;
use crate::policy::{Denied, EndOtherSessions, EndSession, Permit, Proof, SeeSessions};
use crate::refused::Refused;
use crate::signin::session;

/// How many sessions stand on a page.
pub const PAGE: usize = 20;

/// Where something came from, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whence {
    /// The network address.
    pub network: Option<String>,
    /// The place of that network, where it is known.
    pub place: Option<String>,
    /// The browser or tool in words: "Firefox 128 on Linux".
    pub browser: Option<String>,
    /// What it calls itself.
    pub agent: Option<String>,
}

impl Whence {
    /// The words for the sealed part of an event.
    #[must_use]
    pub fn of(env: &Env, private: Option<Private>) -> Self {
        let Private { network, agent, .. } = private.unwrap_or_default();
        let place = network.as_deref().and_then(|network| env.places.of(network));
        let browser = agent.as_deref().and_then(places::browser);
        Self { network, place, browser, agent }
    }
}

/// An open session, as its account sees it.
#[derive(Clone, Debug)]
pub struct Line {
    /// Which one.
    pub id: SessionId,
    /// When it was opened.
    pub since: Time,
    /// When it was last seen, to the minute.
    pub last_seen: Time,
    /// When it ends by itself.
    pub until: Time,
    /// Whether it rests until a password or a factor resumes it.
    pub idle: bool,
    /// Whether it is the one that asks.
    pub here: bool,
    /// What was proved in it last.
    pub proved_with: Option<Proof>,
    /// Whether it was opened in a remembered browser.
    pub remembered: bool,
    /// Where from and with what it was opened.
    pub whence: Whence,
}

/// One page of the list, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The sessions.
    pub lines: Vec<Line>,
    /// Where the next page begins: sessions opened before this one.
    pub before: Option<SessionId>,
}

/// Reads one page of the open sessions.
///
/// # Errors
/// The database, or a sealed field that does not open.
pub async fn page<R: Reading>(env: &Env, read: &R, permit: &Permit<SeeSessions>, before: Option<SessionId>) -> Result<Page, Refused> {
    let mut found = sessions::Entity::find()
        .filter(sessions::Column::AccountId.eq(*permit.on()))
        .filter(sessions::Column::UntilAt.is_null())
        .filter(sessions::Column::ExpiresAt.gt(read.now()));
    if let Some(before) = before {
        found = found.filter(sessions::Column::Id.lt(before));
    }
    let most = u64::try_from(PAGE + 1).unwrap_or(u64::MAX);
    let mut rows = found.order_by_desc(sessions::Column::Id).limit(most).all(read.connection()).await?;
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let before = rows.last().filter(|_| more).map(|row| row.id);
    let here = permit.actor().session.map(|session| session.id);
    let mut lines = Vec::with_capacity(rows.len());
    for row in rows {
        let whence = Whence::of(env, open_private(env, read, row.began_by).await?);
        lines.push(Line {
            id: row.id,
            since: row.created_at,
            last_seen: row.last_seen_at,
            until: row.expires_at,
            idle: read.now().since(row.last_seen_at) >= env.config.session_idle.0,
            here: here == Some(row.id),
            proved_with: row.proved_with.as_deref().and_then(Proof::from_wire),
            remembered: row.device_id.is_some(),
            whence,
        });
    }
    Ok(Page { lines, before })
}

/// Ends one session of the account; the one that asks, too.
///
/// # Errors
/// The database.
pub async fn end(env: &Env, tx: &mut Tx, permit: &Permit<EndSession>) -> Result<(), Refused> {
    let Some(account) = permit.actor().account() else { return Err(Denied::NotValid.into()) };
    if !session::end(tx, *permit.on(), permit.event()).await? {
        tx.leave_as_it_was();
        return Ok(());
    }
    events::record(env, tx, permit, Entry::of(SessionEnded {}).about(account)).await?;
    Ok(())
}

/// Ends all sessions but the one that asks, and the half-open sign-ins. The one that asks goes on under a new token: a copy of its
/// cookie is somebody else too.
///
/// # Errors
/// `NotValid` without a session, or when it ended meanwhile.
pub async fn end_others(env: &Env, tx: &mut Tx, permit: &Permit<EndOtherSessions>) -> Result<LinkToken, Refused> {
    let (account, keep) = (*permit.on(), permit.actor().session.ok_or(Denied::NotValid)?.id);
    let sessions = session::end_others(tx, account, Some(keep), permit.event()).await?;
    let token = session::renew(env, tx, account, keep).await?;
    events::record(env, tx, permit, Entry::of(OtherSessionsEnded { sessions }).about(account)).await?;
    Ok(token)
}
