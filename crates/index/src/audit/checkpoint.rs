//! A checkpoint: the statement of one seal with its signature, as text for a second place. Whoever cuts the trail after it was taken
//! cannot make it fit again.

use std::fmt::Write as _;

use credentials::keys::InstanceKeys;
use credentials::merkle::Hash;
use sha2::{Digest, Sha256};

use super::seals::{newest, statement};
use crate::db::entities::event_seals;
use crate::env::Env;
use crate::refused::Refused;

/// The newest seal, as it is kept elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The number of the seal.
    pub number: i64,
    /// The greatest place that it and all before it hold.
    pub max_seq: i64,
    key_id: u32,
    statement: String,
    signature: Vec<u8>,
}

/// Why a file is no checkpoint of this index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotACheckpoint {
    /// It has another form.
    #[error("it does not have the form of a checkpoint: it is what `strongroom audit checkpoint` writes")]
    Form,
    /// The key file holds no such key.
    #[error("it is signed under key {0}, which the key file does not hold")]
    Key(u32),
    /// It was changed, or another index made it.
    #[error("its signature is wrong: it was changed, or another index made it")]
    Signature,
}

impl Checkpoint {
    pub(super) fn of(seal: &event_seals::Model) -> Self {
        Self {
            number: seal.number,
            max_seq: seal.max_seq,
            key_id: u32::try_from(seal.key_id).unwrap_or(0),
            statement: statement(seal),
            signature: seal.signature.clone(),
        }
    }

    /// The text: the statement, then the signature in hex.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = self.statement.clone();
        writeln!(text, "signature {}", hex::encode(&self.signature)).expect("text grows");
        text
    }

    /// Reads a text that this index wrote; the signature is checked.
    ///
    /// # Errors
    /// Why it is none.
    pub fn read(keys: &InstanceKeys, text: &str) -> Result<Self, NotACheckpoint> {
        let at = text.find("signature ").ok_or(NotACheckpoint::Form)?;
        let (statement, rest) = text.split_at(at);
        let signature = rest.trim().strip_prefix("signature ").and_then(|hex| hex::decode(hex).ok()).ok_or(NotACheckpoint::Form)?;
        let field = |name: &str| statement.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let number = |text: Option<&str>| text.and_then(|text| text.parse::<i64>().ok()).ok_or(NotACheckpoint::Form);
        let max_seq = number(field("places").and_then(|places| places.rsplit(' ').next()))?;
        let key_id = u32::try_from(number(field("key"))?).map_err(|_| NotACheckpoint::Form)?;
        let read =
            Self { number: number(field("number"))?, max_seq, key_id, statement: statement.to_owned(), signature: signature.clone() };
        let key = keys.seal_key(key_id).ok_or(NotACheckpoint::Key(key_id))?;
        if key.verifies(statement.as_bytes(), &signature) { Ok(read) } else { Err(NotACheckpoint::Signature) }
    }

    pub(super) fn digest(&self) -> Hash {
        Sha256::digest(&self.statement).into()
    }
}

/// The newest seal of the trail; `None` when nothing is sealed yet.
///
/// # Errors
/// The database.
pub async fn newest_checkpoint(env: &Env) -> Result<Option<Checkpoint>, Refused> {
    let read = env.db.read(env.now()).await?;
    Ok(newest(&read).await?.map(|seal| Checkpoint::of(&seal)))
}
