//! From what was presented to an `Actor`: the only place that says who is calling.

mod vain;

use std::time::Duration;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Value};

use credentials::link::LinkToken;
use credentials::secret::Secret;
use credentials::signed_call::CallSignature;
use uuid::Uuid;

use crate::accounts::{bounces, link};
use crate::act::{Housekeeping, housekeeping};
use crate::cases;
use crate::clock::Time;
use crate::db::entities::{accounts, links, sessions, sign_in_attempts, take_backs};
use crate::db::{Read, Reading};
use crate::env::Env;
use crate::epochs;
use crate::events::{self, BounceRefused, Entry};
use crate::holds;
use crate::ids::AccountId;
use crate::limits::{self, Limit, Whom};
use crate::policy::{
    ActionName, Actor, Credential, Credentials, Denied, MAILBOX_PROOF, Origin, Proof, SessionProof, Standing, State, Who, standing,
};
use crate::refused::Refused;
use crate::tokens;
use vain::{Dead, InVain, Presence, over, refuse};

/// How long a proved factor keeps a session fresh (R1).
pub const FRESH: Duration = Duration::from_secs(900);
/// How often a session notes when it was last seen.
const SEEN_EVERY: Duration = Duration::from_secs(60);

/// What a request carries. Only what the route's row accepts is read from it.
#[derive(Debug, Default)]
pub struct Presented {
    /// The session cookie.
    pub session: Option<LinkToken>,
    /// The cookie of a half-open sign-in.
    pub attempt: Option<LinkToken>,
    /// The cookie of a take-back.
    pub take_back: Option<LinkToken>,
    /// The `token` field of a posted form.
    pub link: Option<LinkToken>,
    /// The token in the `Authorization` header, or what is wrong with the header.
    pub api_token: Option<Result<Secret, Denied>>,
    /// The form cookie, which tells browsers apart before anybody signs in (R4).
    pub browser: Option<LinkToken>,
    /// The signature of a call by another machine, and the body that it is over.
    pub signed: Option<SignedCall>,
}

/// A call that claims to be signed: nothing of its body was read yet.
#[derive(Debug)]
pub struct SignedCall {
    /// The header.
    pub signature: String,
    /// The body as it came.
    pub body: bytes::Bytes,
}

/// Who looks at a page, for its frame.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// The account.
    pub account: AccountId,
    /// Its user name.
    pub username: String,
    /// What it is and has.
    pub standing: Standing,
    /// How many changes wait that concern it.
    pub holds: u64,
    /// How many open cases concern it.
    pub cases: u64,
    /// Whether the index was restored and only reads still (R18).
    pub read_only: bool,
}

/// The actor, and the signed-in person behind the page, if any.
#[derive(Clone, Debug)]
pub struct Identified {
    /// Who acts, with what.
    pub actor: Actor,
    /// Who looks.
    pub viewer: Option<Viewer>,
}

/// Says who is calling, looking only at the kinds of credential that the row accepts.
///
/// # Errors
/// `NotValid` when what was presented is not good and the row does not also accept nobody; `Stopped` when the account may not act;
/// `Fault` when the database does not answer: fail closed.
///
/// What was presented in vain is an event, and so is a credential that does not open this action (P4).
pub async fn identify(
    env: &Env,
    (accepts, action): (Credentials, ActionName),
    presented: Presented,
    origin: Origin,
) -> Result<Identified, Refused> {
    // What only strangers may open is answered without asking the database who they are.
    if accepts == Credentials::of(&[Credential::Nobody]) {
        return stranger(origin);
    }
    if accepts.contains(Credential::ApiToken) {
        if let Some(token) = presented.api_token {
            let actor = tokens::verify(env, token, origin).await?;
            return Ok(Identified { actor, viewer: None });
        }
        return Err(Denied::NotValid.into())
            .or_else(|e: Refused| if accepts.contains(Credential::Nobody) { stranger(origin) } else { Err(e) });
    }
    if accepts.contains(Credential::Signature) {
        return signed_call(env, presented.signed, origin).await;
    }
    let mut vain = InVain::default();
    let read = env.db.read(env.now()).await?;
    let signed_in = match &presented.session {
        Some(cookie) => vain.or(session(env, &read, cookie, presented.browser.as_ref()).await?),
        None => None,
    };
    if accepts.contains(Credential::MailLink) {
        // What rests proves nothing beside a link.
        let found = vain.or(mail_link(&read, presented.link, signed_in.filter(|s| !s.idle), origin.clone()).await?);
        drop(read);
        vain.record(env, action, &origin).await?;
        if found.is_none() {
            drop(limits::take(env, Limit::Link, &Whom::network(origin.network)).await?);
        }
        return found.ok_or_else(|| Denied::NotValid.into());
    }
    if accepts.contains(Credential::HalfSession)
        && let Some(cookie) = &presented.attempt
        && let Some(actor) = vain.or(half_session(&read, cookie, origin.clone()).await?)
    {
        return Ok(Identified { actor, viewer: None });
    }
    if accepts.contains(Credential::TakeBack)
        && let Some(cookie) = &presented.take_back
        && let Some(actor) = vain.or(take_back(&read, cookie, origin.clone()).await?)
    {
        return Ok(Identified { actor, viewer: None });
    }
    drop(read);
    vain.record(env, action, &origin).await?;
    let Some(signed_in) = signed_in else {
        return if accepts.contains(Credential::Nobody) { stranger(origin) } else { Err(Denied::NotValid.into()) };
    };
    as_session(env, (accepts, action), signed_in, origin).await
}

fn stranger(origin: Origin) -> Result<Identified, Refused> {
    Ok(Identified { actor: Actor::nobody(origin), viewer: None })
}

struct SignedIn {
    row: sessions::Model,
    viewer: Viewer,
    now: Time,
    /// Nobody used it for a while: it rests until a password or a factor resumes it.
    idle: bool,
}

impl SignedIn {
    fn proof(&self) -> SessionProof {
        proof_of(&self.row)
    }
    fn credential(&self) -> Credential {
        let fresh = self.row.proved_at.is_some_and(|at| self.now.since(at) < FRESH);
        match self.proof().proved_with {
            _ if self.idle => Credential::IdleSession,
            Some(Proof::Key) if fresh => Credential::StepUp,
            Some(Proof::Totp) if fresh => Credential::FreshSession,
            // A password makes fresh only where it is all that the account has (R1); a recovery code makes nothing fresh (R5).
            Some(Proof::Password) if fresh && !self.viewer.standing.factor => Credential::FreshSession,
            _ => Credential::Session,
        }
    }
}

fn proof_of(row: &sessions::Model) -> SessionProof {
    SessionProof {
        id: row.id,
        proved_at: row.proved_at,
        proved_with: row.proved_with.as_deref().and_then(Proof::from_wire),
        factor: row.factor_id,
        device: row.device_id,
        mailbox_proved_at: row.mailbox_proved_at,
    }
}

/// The session behind a cookie, when it is alive.
async fn session(env: &Env, read: &Read, cookie: &LinkToken, browser: Option<&LinkToken>) -> Result<Presence<SignedIn>, Refused> {
    const WHAT: (Credential, &str) = (Credential::Session, "The cookie of a session");
    let row = sessions::Entity::find().filter(sessions::Column::TokenDigest.eq(cookie.digest().to_vec())).one(read.connection()).await?;
    let now = read.now();
    let Some(mut row) = row else { return Ok(Dead::unknown(WHAT)) };
    if row.until_at.is_some() || row.expires_at <= now {
        let reason = if row.until_at.is_some() { "the session was ended" } else { "the session has expired" };
        return Ok(Dead::known(WHAT, (row.id.0, Some(row.account_id)), reason));
    }
    let idle = now.since(row.last_seen_at) >= env.config.session_idle.0;
    if row.mailbox_proved_at.is_none() && now.since(row.created_at) < MAILBOX_PROOF {
        row.mailbox_proved_at = proved_before(read, &row, browser).await?;
    }
    let Some(account) = accounts::Entity::find_by_id(row.account_id).one(read.connection()).await? else {
        return Ok(Dead::known(WHAT, (row.id.0, Some(row.account_id)), "its account is gone"));
    };
    let proof = proof_of(&row);
    let standing = standing(read, account.id, Some(&proof)).await?;
    let holds = holds::concerning(read, account.id).await?;
    let cases = cases::open_on(read, account.id).await?;
    let read_only = epochs::is_read_only(read).await?;
    let viewer = Viewer { account: account.id, username: account.username, standing, holds, cases, read_only };
    Ok(Ok(SignedIn { row, viewer, now, idle }))
}

/// When the mailbox was proved in this browser before it signed in: by the link that it had asked for when it registered (R4).
async fn proved_before(read: &Read, row: &sessions::Model, browser: Option<&LinkToken>) -> Result<Option<Time>, Refused> {
    match browser {
        Some(browser) => link::proved_in_browser(read, row.account_id, &browser.digest()).await,
        None => Ok(None),
    }
}

/// A call by another machine: the signature is checked over the raw body, in constant time, before anything of it is read.
async fn signed_call(env: &Env, signed: Option<SignedCall>, origin: Origin) -> Result<Identified, Refused> {
    let Some(SignedCall { signature, body }) = signed else { return Err(Denied::NotValid.into()) };
    let secret = &env.config.bounce_secret;
    let read = CallSignature::parse(&signature);
    let age = |read: CallSignature| {
        let at = Time::from_seconds(read.at_s.clamp(0, i64::from(u32::MAX)));
        env.now().since(at).max(at.since(env.now()))
    };
    let refused = match read {
        _ if secret.expose().is_empty() => "the setting `mail.bounce_secret` is empty",
        None => "the header does not have the form of a signature",
        Some(read) if !read.is_of(secret, &body) => "the signature is wrong",
        Some(read) if age(read) > bounces::SIGNED_WITHIN => "it was signed too long ago, or in the future",
        Some(read) => {
            let id = Uuid::from_slice(&read.digest()[..16]).ok();
            let actor = Actor { credential: Credential::Signature, credential_id: id, ..Actor::worker("mail-server", String::new()) };
            return Ok(Identified { actor: Actor { origin, ..actor }, viewer: None });
        }
    };
    drop(limits::take(env, Limit::Signature, &Whom::network(origin.network)).await?);
    let (inner, stranger) = (env.clone(), Actor { credential: Credential::Signature, ..Actor::nobody(origin) });
    housekeeping(env, Housekeeping::Refusals, move |tx| {
        Box::pin(async move {
            let key = format!("{:?}", stranger.origin.network);
            let entry = Entry::of(BounceRefused { reason: refused.to_owned() });
            events::record_stranger(&inner, tx, (&stranger, ActionName::TakeBounce), entry, key.as_bytes()).await
        })
    })
    .await?;
    Err(Denied::NotValid.into())
}

/// A signed-in request. A stopped account is treated as nobody where nobody may come, and told so elsewhere.
async fn as_session(
    env: &Env,
    (accepts, action): (Credentials, ActionName),
    signed_in: SignedIn,
    origin: Origin,
) -> Result<Identified, Refused> {
    let state = signed_in.viewer.standing.state;
    // What stops others' changes is open to whoever is stopped himself (R19).
    let credential = if state == State::Active { signed_in.credential() } else { Credential::StoppedSession };
    let actor = Actor {
        who: Who::Account(signed_in.viewer.account),
        credential,
        credential_id: Some(signed_in.row.id.0),
        session: Some(signed_in.proof()),
        token: None,
        origin,
    };
    if !accepts.contains(credential) {
        if accepts.contains(Credential::Nobody) {
            return stranger(actor.origin);
        }
        let denied = if state == State::Active { Denied::WrongCredential } else { Denied::Stopped(state) };
        return Err(refuse(env, actor, action, denied).await?.into());
    }
    if !signed_in.idle {
        note_seen(env, &signed_in).await?;
    }
    Ok(Identified { actor, viewer: Some(signed_in.viewer) })
}

async fn note_seen(env: &Env, signed_in: &SignedIn) -> Result<(), Refused> {
    if signed_in.now.since(signed_in.row.last_seen_at) < SEEN_EVERY {
        return Ok(());
    }
    let (id, now) = (signed_in.row.id, signed_in.now);
    housekeeping(env, Housekeeping::SessionSeen, move |tx| {
        Box::pin(async move {
            let sql = "UPDATE sessions SET last_seen_at = $2 WHERE id = $1 AND until_at IS NULL";
            tx.execute(sql, vec![Value::from(id), Value::from(now)]).await?;
            Ok(())
        })
    })
    .await
}

/// A half-open sign-in: the password was proved, minutes ago.
async fn half_session(read: &Read, cookie: &LinkToken, origin: Origin) -> Result<Presence<Actor>, Refused> {
    const WHAT: (Credential, &str) = (Credential::HalfSession, "The cookie of a half-open sign-in");
    let row = sign_in_attempts::Entity::find()
        .filter(sign_in_attempts::Column::TokenDigest.eq(cookie.digest().to_vec()))
        .one(read.connection())
        .await?;
    let Some(row) = row else { return Ok(Dead::unknown(WHAT)) };
    if let Some(reason) = over(row.spent_at, row.expires_at, read.now()) {
        return Ok(Dead::known(WHAT, (row.id.0, Some(row.account_id)), reason));
    }
    Ok(Ok(Actor {
        who: Who::Account(row.account_id),
        credential: Credential::HalfSession,
        credential_id: Some(row.id.0),
        session: None,
        token: None,
        origin,
    }))
}

/// The way back into a stopped account, begun in this browser. One without an account is nobody's, and looks the same.
async fn take_back(read: &Read, cookie: &LinkToken, origin: Origin) -> Result<Presence<Actor>, Refused> {
    const WHAT: (Credential, &str) = (Credential::TakeBack, "The cookie of a take-back");
    let row =
        take_backs::Entity::find().filter(take_backs::Column::TokenDigest.eq(cookie.digest().to_vec())).one(read.connection()).await?;
    let Some(row) = row else { return Ok(Dead::unknown(WHAT)) };
    if let Some(reason) = over(row.spent_at, row.expires_at, read.now()) {
        return Ok(Dead::known(WHAT, (row.id.0, row.account_id), reason));
    }
    Ok(Ok(Actor {
        who: row.account_id.map_or(Who::Nobody, Who::Account),
        credential: Credential::TakeBack,
        credential_id: Some(row.id.0),
        session: None,
        token: None,
        origin,
    }))
}

/// A link of a mail: it names itself, not an account. The session of the browser is kept beside it (R4).
async fn mail_link(
    read: &Read,
    link: Option<LinkToken>,
    signed_in: Option<SignedIn>,
    origin: Origin,
) -> Result<Presence<Identified>, Refused> {
    const WHAT: (Credential, &str) = (Credential::MailLink, "The link of a mail");
    let Some(link) = link else { return Ok(Dead::shapeless(WHAT)) };
    let row = links::Entity::find().filter(links::Column::TokenDigest.eq(link.digest().to_vec())).one(read.connection()).await?;
    let Some(row) = row else { return Ok(Dead::unknown(WHAT)) };
    if let Some(reason) = over(row.spent_at, row.expires_at, read.now()) {
        return Ok(Dead::known(WHAT, (row.id.0, row.account_id), reason));
    }
    let session = signed_in.as_ref().map(SignedIn::proof);
    let actor = Actor { who: Who::Nobody, credential: Credential::MailLink, credential_id: Some(row.id.0), session, token: None, origin };
    Ok(Ok(Identified { actor, viewer: signed_in.map(|s| s.viewer) }))
}
