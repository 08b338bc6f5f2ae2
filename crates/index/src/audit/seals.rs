//! Sealing: committed rows are closed into a batch whose Merkle root is chained to the one before and signed.
//!
//! Rows are read and hashed on a snapshot, and the seal is one insert: writers never wait for the chain. Several processes may seal; the
//! number of a seal is unique, and whoever comes second begins anew.

use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Value};
use sha2::{Digest, Sha256};

use credentials::merkle::{self, Hash};

use super::leaf::leaf;
use crate::act::{Housekeeping, housekeeping};
use crate::clock::Time;
use crate::db::entities::{event_seals, events};
use crate::db::{Engine, Read, Reading, is_taken};
use crate::env::Env;
use crate::refused::Refused;

/// How many rows a seal closes at most.
const BATCH: u64 = 1000;
/// The length of a leaf as it is kept: place and hash.
pub(super) const KEPT_LEN: usize = 40;

/// Seals every row that may be sealed; says how many were.
///
/// # Errors
/// The database; or the seal that this process made last is not in the database any more: then nothing is built upon what is left.
pub async fn seal(env: &Env) -> Result<u64, Refused> {
    let mut sealed = 0;
    loop {
        let some = seal_some(env).await?;
        sealed += some;
        if some < BATCH {
            return Ok(sealed);
        }
    }
}

/// The oldest row that no seal holds yet and that is newer than all sealed ones, and how many there are.
///
/// # Errors
/// The database.
pub async fn unsealed<R: Reading>(read: &R) -> Result<Option<(Time, u64)>, Refused> {
    const UNSEALED: &str =
        "SELECT MIN(at) AS oldest, COUNT(*) AS n FROM events WHERE seq > COALESCE((SELECT MAX(max_seq) FROM event_seals), 0)";
    let Some(row) = read.row(UNSEALED, Vec::new()).await? else { return Ok(None) };
    let (oldest, n): (Option<Time>, i64) = (row.try_get("", "oldest")?, row.try_get("", "n")?);
    Ok(oldest.map(|oldest| (oldest, u64::try_from(n).unwrap_or(0))))
}

async fn seal_some(env: &Env) -> Result<u64, Refused> {
    // Before the snapshot: what another hand of this process seals meanwhile is not in it.
    let remembered = *env.sealed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let read = env.db.read(env.now()).await?;
    let before = newest(&read).await?;
    check_remembered(&read, before.as_ref(), remembered).await?;
    let batch = next_rows(&read, before.as_ref()).await?;
    drop(read);
    if batch.rows.is_empty() {
        return Ok(0);
    }
    let count = batch.rows.len() as u64;
    let made = make(env, before.as_ref(), &batch);
    let (number, digest) = (made.number, digest(&made));
    let inserted = housekeeping(env, Housekeeping::Seals, move |tx| {
        Box::pin(async move {
            match made.into_active_model().insert(tx.connection()).await {
                Ok(_) => Ok(true),
                Err(e) if is_taken(&e) => Ok(false),
                Err(e) => Err(e.into()),
            }
        })
    })
    .await;
    match inserted {
        Ok(true) => remember(env, number, digest),
        // Another process sealed them.
        Ok(false) => return Ok(BATCH),
        Err(refused) => return Err(refused),
    }
    Ok(count)
}

/// The newest seal.
pub(super) async fn newest<R: Reading>(read: &R) -> Result<Option<event_seals::Model>, Refused> {
    Ok(event_seals::Entity::find().order_by_desc(event_seals::Column::Number).one(read.connection()).await?)
}

fn remember(env: &Env, number: i64, digest: Hash) {
    *env.sealed.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some((number, digest));
}

/// What this process sealed last must be what the database holds: otherwise somebody takes seals away, to have rows sealed anew.
async fn check_remembered(read: &Read, newest: Option<&event_seals::Model>, remembered: Option<(i64, Hash)>) -> Result<(), Refused> {
    let Some((number, expected)) = remembered else { return Ok(()) };
    let kept = match newest {
        Some(seal) if seal.number == number => Some(seal.clone()),
        _ => event_seals::Entity::find_by_id(number).one(read.connection()).await?,
    };
    if kept.is_some_and(|seal| digest(&seal) == expected) {
        return Ok(());
    }
    let why = format!("seal {number} of the audit trail, made by this process, was removed or changed: nothing is sealed any more");
    Err(anyhow::anyhow!(why).into())
}

/// Rows to be sealed, in the order of the tree.
struct Batch {
    rows: Vec<events::Model>,
    last_tx: i64,
    next_tx: i64,
}

/// Rows of PostgreSQL that every later snapshot sees as well: their transactions, and all that began before them, have ended. A row whose
/// place lies before sealed ones was written by a transaction that was running when they were sealed, or it does not belong there.
const READY: &str = "SELECT e.seq, e.tx, pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next_tx FROM events e \
    WHERE (e.tx, e.seq) > ($1, $2) AND e.tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint AND e.seq > $4 \
    AND (e.seq > $3 OR e.tx < COALESCE((SELECT s.next_tx FROM event_seals s WHERE s.max_seq > e.seq ORDER BY s.max_seq LIMIT 1 OFFSET 1), \
    9223372036854775807)) ORDER BY e.tx, e.seq LIMIT 1000";
const XMIN: &str = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin";

async fn next_rows(read: &Read, before: Option<&event_seals::Model>) -> Result<Batch, Refused> {
    let max_seq = before.map_or(0, |seal| seal.max_seq);
    match read.engine() {
        Engine::Sqlite => {
            let after = events::Entity::find().filter(events::Column::Seq.gt(max_seq));
            let rows = after.order_by_asc(events::Column::Seq).limit(BATCH).all(read.connection()).await?;
            Ok(Batch { rows, last_tx: 0, next_tx: 0 })
        }
        Engine::Postgres => next_rows_of_postgres(read, before, max_seq).await,
    }
}

async fn next_rows_of_postgres(read: &Read, before: Option<&event_seals::Model>, max_seq: i64) -> Result<Batch, Refused> {
    let xmin: i64 = read.row(XMIN, Vec::new()).await?.map(|row| row.try_get("", "xmin")).transpose()?.unwrap_or(0);
    // After which transaction and place, and beyond which place in any case.
    let (mut after, beyond) = match before {
        // A copy in another cluster, which counts its transactions anew: only what is newer than all that is sealed.
        Some(seal) if seal.last_tx >= xmin => ((0, max_seq), max_seq),
        Some(seal) => ((seal.last_tx, last_place(seal)), i64::MIN),
        None => ((-1, 0), i64::MIN),
    };
    loop {
        let values = [after.0, after.1, max_seq, beyond].map(Value::from).to_vec();
        let found = read.rows(READY, values).await?;
        let (mut places, mut last_tx, mut next_tx) = (Vec::with_capacity(found.len()), 0, 0);
        for row in &found {
            after = (row.try_get("", "tx")?, row.try_get("", "seq")?);
            // Rows of a copy carry the transaction that copied them.
            if after.1 > max_seq || !is_sealed(read, after.1).await? {
                places.push(after.1);
                (last_tx, next_tx) = (after.0, row.try_get("", "next_tx")?);
            }
        }
        if !places.is_empty() || (found.len() as u64) < BATCH {
            return Ok(Batch { rows: by_places(read, &places).await?, last_tx, next_tx });
        }
    }
}

/// Whether a seal holds the row at this place.
async fn is_sealed(read: &Read, place: i64) -> Result<bool, Refused> {
    let seals = event_seals::Entity::find()
        .filter(event_seals::Column::MaxSeq.gte(place))
        .filter(event_seals::Column::FirstSeq.lte(place))
        .filter(event_seals::Column::LastSeq.gte(place))
        .all(read.connection())
        .await?;
    let holds = |seal: &event_seals::Model| kept_leaves(seal).is_some_and(|leaves| leaves.iter().any(|(kept, _)| *kept == place));
    Ok(seals.iter().any(holds))
}

/// Rows by their places, in this order; those that are not there are left out.
pub(super) async fn by_places<R: Reading>(read: &R, places: &[i64]) -> Result<Vec<events::Model>, Refused> {
    let mut rows = std::collections::HashMap::with_capacity(places.len());
    for some in places.chunks(500) {
        let found = events::Entity::find().filter(events::Column::Seq.is_in(some.iter().copied())).all(read.connection()).await?;
        rows.extend(found.into_iter().map(|row| (row.seq, row)));
    }
    Ok(places.iter().filter_map(|place| rows.remove(place)).collect())
}

fn make(env: &Env, before: Option<&event_seals::Model>, batch: &Batch) -> event_seals::Model {
    let hashes: Vec<Hash> = batch.rows.iter().map(leaf).collect();
    let leaves = batch.rows.iter().zip(&hashes).flat_map(|(row, hash)| [&row.seq.to_be_bytes()[..], hash].concat()).collect();
    let places = || batch.rows.iter().map(|row| row.seq);
    let last_seq = places().max().unwrap_or(0);
    let key = env.keys.sealing_key();
    let mut seal = event_seals::Model {
        number: before.map_or(1, |seal| seal.number + 1),
        at: env.now(),
        events: i64::try_from(hashes.len()).unwrap_or(i64::MAX),
        first_seq: places().min().unwrap_or(0),
        last_seq,
        max_seq: before.map_or(0, |seal| seal.max_seq).max(last_seq),
        last_tx: batch.last_tx,
        next_tx: batch.next_tx,
        key_id: i64::from(key.public().key_id),
        leaves,
        root: merkle::root(&hashes).to_vec(),
        previous: before.map_or([0; 32], digest).to_vec(),
        signature: Vec::new(),
    };
    seal.signature = key.sign(statement(&seal).as_bytes()).to_vec();
    seal
}

/// What is signed: every column of a seal but the leaves, which the root stands for, and the signature.
pub(super) fn statement(seal: &event_seals::Model) -> String {
    format!(
        "strongroom seal 1\nnumber {}\nat {}\nevents {}\nplaces {} {} {}\ntransactions {} {}\nkey {}\nroot {}\nprevious {}\n",
        seal.number,
        seal.at.as_micros(),
        seal.events,
        seal.first_seq,
        seal.last_seq,
        seal.max_seq,
        seal.last_tx,
        seal.next_tx,
        seal.key_id,
        hex::encode(&seal.root),
        hex::encode(&seal.previous)
    )
}

/// What the next seal is chained to.
pub(super) fn digest(seal: &event_seals::Model) -> Hash {
    Sha256::digest(statement(seal)).into()
}

/// The places and hashes that a seal holds; `None` when they do not have the form.
pub(super) fn kept_leaves(seal: &event_seals::Model) -> Option<Vec<(i64, Hash)>> {
    let chunks = seal.leaves.chunks_exact(KEPT_LEN);
    if !chunks.remainder().is_empty() || i64::try_from(chunks.len()) != Ok(seal.events) {
        return None;
    }
    let kept = |chunk: &[u8]| {
        let (place, hash) = chunk.split_first_chunk::<8>()?;
        Some((i64::from_be_bytes(*place), Hash::try_from(hash).ok()?))
    };
    chunks.map(kept).collect()
}

/// The place of the last leaf.
fn last_place(seal: &event_seals::Model) -> i64 {
    let at = seal.leaves.len().saturating_sub(KEPT_LEN);
    seal.leaves[at..].first_chunk::<8>().map_or(0, |place| i64::from_be_bytes(*place))
}
