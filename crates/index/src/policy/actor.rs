//! Who acts, with what, and from where. Made by `authentication` alone (and by the shell and the jobs for themselves).

use std::net::IpAddr;

use uuid::Uuid;

use super::credential::Credential;
use super::words::Proof;
use crate::clock::Time;
use crate::ids::{AccountId, DeviceId, FactorId, ProjectId, SessionId, TokenId};

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// A stranger.
    Nobody,
    /// An account.
    Account(AccountId),
    /// The operator at the shell, by login name (R32).
    Operator(String),
    /// A job, by its kind.
    Worker(&'static str),
}

/// Where a request came from. Personal: it goes into the sealed part of events only (R27).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The client's network address, after trusted proxies.
    pub network: Option<IpAddr>,
    /// The `User-Agent` header, at most 512 bytes.
    pub agent: Option<String>,
    /// Identifies the request in answers, logs and events.
    pub request_id: String,
    /// SHA-256 of the tokens by which accounts trust this browser (R33): what they are worth is looked up, never believed.
    pub devices: Vec<[u8; 32]>,
}

impl std::fmt::Debug for Origin {
    /// Prints the request id alone: addresses and agents are personal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Origin").field("request_id", &self.request_id).finish_non_exhaustive()
    }
}

/// The session behind a request, and what was proved in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionProof {
    /// The session.
    pub id: SessionId,
    /// When a factor was last proved in it.
    pub proved_at: Option<Time>,
    /// With what.
    pub proved_with: Option<Proof>,
    /// The factor that was proved.
    pub factor: Option<FactorId>,
    /// The trusted browser that it was opened in.
    pub device: Option<DeviceId>,
    /// When the mailbox was last proved in it (R4).
    pub mailbox_proved_at: Option<Time>,
}

/// What a token's caveats still leave to be checked against the file (two-stage tokens).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenLimits {
    /// The token.
    pub id: Option<TokenId>,
    /// Each list must name the project, normalized; one list a caveat.
    pub project_names: Vec<Vec<String>>,
    /// Each list must hold the project's id; one list a caveat.
    pub project_ids: Vec<Vec<ProjectId>>,
}

/// Who acts, with what, from where.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Who.
    pub who: Who,
    /// With what kind of credential.
    pub credential: Credential,
    /// Which one: the session, token or attempt.
    pub credential_id: Option<Uuid>,
    /// The session, when there is one.
    pub session: Option<SessionProof>,
    /// The token's remaining conditions, when there is one.
    pub token: Option<TokenLimits>,
    /// From where.
    pub origin: Origin,
}

impl Actor {
    /// A stranger.
    #[must_use]
    pub const fn nobody(origin: Origin) -> Self {
        Self { who: Who::Nobody, credential: Credential::Nobody, credential_id: None, session: None, token: None, origin }
    }
    /// The same request as a stranger's: what its cookies say is left aside.
    #[must_use]
    pub fn as_nobody(&self) -> Self {
        Self::nobody(self.origin.clone())
    }
    /// The operator at the shell.
    #[must_use]
    pub fn operator(name: &str, request_id: String) -> Self {
        let origin = Origin { network: None, agent: None, request_id, devices: Vec::new() };
        Self { who: Who::Operator(name.to_owned()), credential: Credential::Operator, ..Self::nobody(origin) }
    }
    /// A job.
    #[must_use]
    pub const fn worker(kind: &'static str, request_id: String) -> Self {
        let origin = Origin { network: None, agent: None, request_id, devices: Vec::new() };
        Self { who: Who::Worker(kind), credential: Credential::Worker, credential_id: None, session: None, token: None, origin }
    }
    /// The account that acts, if one does.
    #[must_use]
    pub const fn account(&self) -> Option<AccountId> {
        match self.who {
            Who::Account(id) => Some(id),
            _ => None,
        }
    }
    /// How the events table names the actor.
    #[must_use]
    pub fn wire(&self) -> String {
        match &self.who {
            Who::Nobody => "nobody".to_owned(),
            Who::Account(_) => "account".to_owned(),
            Who::Operator(name) => format!("operator:{name}"),
            Who::Worker(kind) => format!("worker:{kind}"),
        }
    }
}
