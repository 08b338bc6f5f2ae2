//! Verifying: the chain of seals, every row against the leaf of its seal, and every personal part against its row.
//!
//! It reads seal after seal and changes nothing; memory grows with what is wrong, not with the trail. Rows are named by their place
//! (`seq`), which events never change.

mod parts;
mod rows;
mod sorting;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::time::Duration;
use uuid::Uuid;

use credentials::merkle::{self, Hash};

use super::checkpoint::Checkpoint;
use super::seals::{digest, kept_leaves, newest, statement, unsealed};
use crate::clock::Time;
use crate::db::Reading;
use crate::db::entities::event_seals;
use crate::env::Env;
use crate::refused::Refused;

use rows::{Rows, Seen};
use sorting::Sorting;

/// A row that is younger than this may be on its way into a seal.
const SETTLES_WITHIN: Duration = Duration::from_secs(10);
/// A row that is older than this and newer than every seal is a fault: nothing seals, or seals were taken away.
const SEALED_WITHIN: Duration = Duration::from_secs(60);
/// How many seals are read at once.
const SEALS: u64 = 20;

/// Something that is not as it was sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Seals are gone, from the first to the last of these numbers.
    SealsMissing(i64, i64),
    /// A seal was changed: its number, and what does not fit.
    SealChanged(i64, &'static str),
    /// The row at this place is not what was sealed there.
    Edited(i64),
    /// The row that was sealed at this place is gone.
    Removed(i64),
    /// The row at this place was never sealed, among rows that were.
    Inserted(i64),
    /// The row that was sealed at the first place stands at the second.
    Moved(i64, i64),
    /// The personal part of the row at this place is not what the row commits to.
    PersonalChanged(i64),
    /// The personal part of the row at this place is gone, and the trail does not say that its subject was erased.
    PersonalRemoved(i64),
    /// The personal part of the row at this place lies with another subject than the row is about.
    PersonalMoved(i64),
    /// The personal part of the row at this place does not open with the key of its subject: the key is another one.
    PersonalUnreadable(i64),
    /// The key of a subject is gone, though it was not erased: the first row that it takes with it, and the subject.
    KeyRemoved(i64, Uuid),
    /// The key of a subject was overwritten: the first row that it takes with it, and the subject.
    KeyChanged(i64, Uuid),
    /// Rows newer than every seal, though the oldest is from this moment.
    Unsealed(Time, u64),
    /// The checkpoint's seal is gone: its number, and the newest one that is there.
    CheckpointGone(i64, i64),
    /// The seal of the checkpoint's number is another one.
    CheckpointDiffers(i64),
}

impl Finding {
    /// The word for programs.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::SealsMissing(..) => "seals-missing",
            Self::SealChanged(..) => "seal-changed",
            Self::Edited(_) => "edited",
            Self::Removed(_) => "removed",
            Self::Inserted(_) => "inserted",
            Self::Moved(..) => "moved",
            Self::PersonalChanged(_) => "personal-changed",
            Self::PersonalRemoved(_) => "personal-removed",
            Self::PersonalMoved(_) => "personal-moved",
            Self::PersonalUnreadable(_) => "personal-unreadable",
            Self::KeyRemoved(..) => "key-removed",
            Self::KeyChanged(..) => "key-changed",
            Self::Unsealed(..) => "unsealed",
            Self::CheckpointGone(..) => "checkpoint-gone",
            Self::CheckpointDiffers(_) => "checkpoint-differs",
        }
    }

    /// The place of the row that it is about, or of the first one.
    #[must_use]
    pub const fn place(&self) -> Option<i64> {
        match self {
            Self::Edited(seq)
            | Self::Removed(seq)
            | Self::Inserted(seq)
            | Self::Moved(seq, _)
            | Self::PersonalChanged(seq)
            | Self::PersonalRemoved(seq)
            | Self::PersonalMoved(seq)
            | Self::PersonalUnreadable(seq)
            | Self::KeyRemoved(seq, _)
            | Self::KeyChanged(seq, _) => Some(*seq),
            _ => None,
        }
    }

    /// The number of the seal that it is about, or of the first one.
    #[must_use]
    pub const fn seal(&self) -> Option<i64> {
        match self {
            Self::SealsMissing(number, _)
            | Self::SealChanged(number, _)
            | Self::CheckpointGone(number, _)
            | Self::CheckpointDiffers(number) => Some(*number),
            _ => None,
        }
    }

    /// What was found, in one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::SealsMissing(from, to) if from == to => format!("seal {from} was removed: the rows that it held are not vouched for"),
            Self::SealsMissing(from, to) => format!("the seals {from} to {to} were removed: the rows that they held are not vouched for"),
            Self::SealChanged(number, why) => format!("seal {number} was changed ({why}): its rows are not vouched for"),
            Self::Edited(seq) => format!("row {seq} was edited after it was sealed"),
            Self::Removed(seq) => format!("row {seq} was removed after it was sealed"),
            Self::Inserted(seq) => format!("row {seq} was inserted: no seal holds it, though newer rows are sealed"),
            Self::Moved(from, to) => format!("the row that was sealed as row {from} now stands as row {to}"),
            Self::PersonalChanged(seq) => format!("the personal part of row {seq} (network, agent, address) was edited"),
            Self::PersonalRemoved(seq) => {
                format!("the personal part of row {seq} was removed, though the account that it is about was not erased")
            }
            Self::PersonalMoved(seq) => format!("the personal part of row {seq} was moved to another subject than the row is about"),
            Self::PersonalUnreadable(seq) => {
                format!("the personal part of row {seq} does not open: the key of its subject was exchanged for another")
            }
            Self::KeyRemoved(seq, subject) => {
                format!("the key of {} was removed, though nothing says that it was erased: {}", whose(*subject), lost(*seq))
            }
            Self::KeyChanged(seq, subject) => format!("the key of {} was overwritten: {}", whose(*subject), lost(*seq)),
            Self::Unsealed(oldest, count) => format!(
                "{count} rows are newer than every seal, the oldest from {oldest}: nothing seals them, or seals were removed. Start the index, and compare with a checkpoint"
            ),
            Self::CheckpointGone(number, newest) => {
                format!(
                    "seal {number} of the checkpoint is gone, and the trail ends with seal {newest}: seals, and perhaps rows, were cut off"
                )
            }
            Self::CheckpointDiffers(number) => {
                format!("seal {number} is not the one of the checkpoint: the trail was written anew since the checkpoint was taken")
            }
        }
    }
}

/// Whose key it is; the nil id stands for events about nobody.
fn whose(subject: Uuid) -> String {
    if subject.is_nil() { "events about nobody".to_owned() } else { format!("the account {subject}") }
}

fn lost(seq: i64) -> String {
    format!("the personal part of row {seq}, and of every row that it sealed, opens no more")
}

/// What was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Seals that are as they were made.
    pub seals: u64,
    /// Rows that are as they were sealed.
    pub events: u64,
    /// Up to this place the chain of seals is whole; 0 when it is not, or nothing is sealed.
    pub vouched_to: i64,
    /// When the seal of that place was made.
    pub vouched_at: Option<Time>,
    /// Rows that are newer than every seal.
    pub unsealed: u64,
    /// How many findings were told.
    pub wrong: u64,
}

/// Verifies the whole trail; findings are told as they are certain. What is written meanwhile is left for the next time.
///
/// # Errors
/// The database.
pub async fn verify(env: &Env, checkpoint: Option<&Checkpoint>, tell: impl FnMut(Finding) + Send) -> Result<Verified, Refused> {
    let before = env.now().minus(SETTLES_WITHIN);
    let read = env.db.read(env.now()).await?;
    let last = newest(&read).await?.map_or(0, |seal| seal.number);
    drop(read);
    let mut walk = Walk {
        env,
        checkpoint,
        tell,
        done: Verified::default(),
        chain: Chain::default(),
        rows: Rows::default(),
        sorting: Sorting::default(),
    };
    let mut after = 0;
    while after < last {
        let read = env.db.read(env.now()).await?;
        let numbers =
            event_seals::Entity::find().filter(event_seals::Column::Number.gt(after)).filter(event_seals::Column::Number.lte(last));
        let seals = numbers.order_by_asc(event_seals::Column::Number).limit(SEALS).all(read.connection()).await?;
        drop(read);
        let Some(newest) = seals.last() else { break };
        after = newest.number;
        for seal in &seals {
            walk.seal(seal).await?;
        }
    }
    walk.end(before).await
}

/// How far the chain of seals is followed.
#[derive(Default)]
struct Chain {
    number: i64,
    /// The digest of the seal before, where it can be trusted.
    digest: Option<Hash>,
    broken: bool,
    /// Rows of seals that are gone or changed lie between the last good one and the next.
    gap: bool,
}

struct Walk<'e, T> {
    env: &'e Env,
    checkpoint: Option<&'e Checkpoint>,
    tell: T,
    done: Verified,
    chain: Chain,
    rows: Rows,
    sorting: Sorting,
}

impl<T: FnMut(Finding) + Send> Walk<'_, T> {
    fn found(&mut self, finding: Finding) {
        self.done.wrong += 1;
        (self.tell)(finding);
    }

    async fn seal(&mut self, seal: &event_seals::Model) -> Result<(), Refused> {
        if self.checkpoint.is_some_and(|kept| kept.number == seal.number && kept.digest() != digest(seal)) {
            self.found(Finding::CheckpointDiffers(seal.number));
        }
        let expected = self.chain.number + 1;
        if seal.number != expected {
            self.found(Finding::SealsMissing(expected, seal.number - 1));
            (self.chain.broken, self.chain.gap, self.chain.digest) = (true, true, None);
        }
        self.chain.number = seal.number;
        let chained = if seal.number == 1 { Some([0; 32]) } else { self.chain.digest };
        let leaves = match self.judge(seal, chained) {
            Ok(leaves) => leaves,
            Err(why) => {
                self.found(Finding::SealChanged(seal.number, why));
                (self.chain.broken, self.chain.gap, self.chain.digest) = (true, true, None);
                return Ok(());
            }
        };
        self.chain.digest = Some(digest(seal));
        self.done.seals += 1;
        self.compare(seal, leaves).await?;
        if !self.chain.broken {
            (self.done.vouched_to, self.done.vouched_at) = (seal.max_seq, Some(seal.at));
        }
        Ok(())
    }

    /// The leaves of a seal that is as it was made, or what does not fit.
    fn judge(&self, seal: &event_seals::Model, chained: Option<Hash>) -> Result<Vec<(i64, Hash)>, &'static str> {
        let key = u32::try_from(seal.key_id).ok().and_then(|id| self.env.keys.seal_key(id)).ok_or("the key file holds no such key")?;
        if !key.verifies(statement(seal).as_bytes(), &seal.signature) {
            return Err("its signature is wrong");
        }
        if chained.is_some_and(|before| seal.previous != before) {
            return Err("it is not chained to the one before");
        }
        let leaves = kept_leaves(seal).ok_or("its leaves do not have their form")?;
        let hashes: Vec<Hash> = leaves.iter().map(|(_, hash)| *hash).collect();
        if merkle::root(&hashes)[..] != seal.root[..] { Err("its leaves are not those of its root") } else { Ok(leaves) }
    }

    /// Reads the rows up to the greatest place of the seal, and holds its leaves against them.
    async fn compare(&mut self, seal: &event_seals::Model, leaves: Vec<(i64, Hash)>) -> Result<(), Refused> {
        for finding in self.rows.read_to(self.env, seal.max_seq).await? {
            self.found(finding);
        }
        for (place, hash) in leaves {
            let finding = match self.rows.claim(place) {
                Seen::As(seen) if seen == hash => {
                    self.done.events += 1;
                    self.rows.is_bare(place).then_some(Finding::PersonalRemoved(place))
                }
                Seen::As(_) => self.sorting.edited(place, hash),
                Seen::NotThere => self.sorting.removed(place, hash),
            };
            if let Some(finding) = finding {
                self.found(finding);
            }
        }
        if std::mem::take(&mut self.chain.gap) {
            self.rows.forget_unclaimed();
        }
        Ok(())
    }

    async fn end(mut self, before: Time) -> Result<Verified, Refused> {
        if !self.chain.gap {
            for place in self.rows.unclaimed(before, self.env.now().plus(SETTLES_WITHIN)) {
                if let Some(finding) = self.sorting.inserted(place) {
                    self.found(finding);
                }
            }
        }
        let read = self.env.db.read(self.env.now()).await?;
        for finding in std::mem::take(&mut self.sorting).sorted(&read).await? {
            self.found(finding);
        }
        if let Some((oldest, count)) = unsealed(&read).await? {
            self.done.unsealed = count;
            if self.env.now().since(oldest) > SEALED_WITHIN {
                self.found(Finding::Unsealed(oldest, count));
            }
        }
        drop(read);
        if let Some(gone) = self.checkpoint.filter(|kept| kept.number > self.chain.number) {
            self.found(Finding::CheckpointGone(gone.number, self.chain.number));
        }
        Ok(self.done)
    }
}
