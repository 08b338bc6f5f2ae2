//! The three kinds of error: `Denied` (policy), `Invalid` (the caller's input), `Fault` (ours); and `Limited`, which is a Denied with a clock.
//! Faces turn them into answers in one place; verbs only return them.

use std::time::Duration;

use crate::denied::Denied;

/// Why a verb did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Policy says no.
    #[error("denied: {0}")]
    Denied(#[from] Denied),
    /// The input is wrong; the message is meant for the person who sent it.
    #[error("{0}")]
    Invalid(#[from] Invalid),
    /// Too many of these; try again after this long.
    #[error("too many attempts: try again in {} seconds", .0.as_secs())]
    Limited(Duration),
    /// Ours: logged with an id, shown as that id.
    #[error("internal fault: {0:#}")]
    Fault(#[from] anyhow::Error),
}

/// A field of the caller's input and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Invalid {
    /// Name of the form field, or empty when it is about the whole.
    pub field: &'static str,
    /// One sentence: what is wrong and what to do.
    pub message: String,
}

impl Invalid {
    /// An error about one field.
    pub fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self { field, message: message.into() }
    }
}

impl From<sea_orm::DbErr> for Refused {
    fn from(e: sea_orm::DbErr) -> Self {
        Self::Fault(anyhow::Error::new(e).context("database"))
    }
}

impl From<serde_json::Error> for Refused {
    fn from(e: serde_json::Error) -> Self {
        Self::Fault(anyhow::Error::new(e).context("JSON"))
    }
}
