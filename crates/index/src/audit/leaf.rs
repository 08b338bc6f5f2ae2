//! What the seal of a row commits to: every column of it, each with its length, so that no two rows read the same.
//!
//! The column `tx` of PostgreSQL is left out: it says when a row may be sealed, belongs to one database cluster, and tells nobody anything.

use credentials::merkle::{self, Hash};

use crate::db::entities::events;

/// The first bytes of every leaf.
const VERSION: &[u8] = b"strongroom event 1\n";

/// The hash of a row as a leaf.
pub(super) fn leaf(row: &events::Model) -> Hash {
    let mut text = VERSION.to_vec();
    let mut field = |value: Option<&[u8]>| match value {
        Some(value) => {
            text.push(1);
            text.extend_from_slice(&(value.len() as u64).to_be_bytes());
            text.extend_from_slice(value);
        }
        None => text.push(0),
    };
    field(Some(&row.seq.to_be_bytes()));
    field(Some(row.id.0.as_bytes()));
    field(Some(row.kind.as_bytes()));
    field(Some(&row.at.as_micros().to_be_bytes()));
    field(row.account_id.as_ref().map(|id| &id.0.as_bytes()[..]));
    field(row.actor_account_id.as_ref().map(|id| &id.0.as_bytes()[..]));
    field(Some(row.actor.as_bytes()));
    field(row.project_id.as_ref().map(|id| &id.0.as_bytes()[..]));
    field(Some(row.credential.as_bytes()));
    field(row.credential_id.as_ref().map(|id| &id.as_bytes()[..]));
    field(Some(row.direction.as_bytes()));
    field(row.case_id.as_ref().map(|id| &id.0.as_bytes()[..]));
    field(Some(row.request_id.as_bytes()));
    field(Some(row.detail.as_bytes()));
    field(Some(&row.commitment));
    merkle::leaf(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Time;
    use crate::ids::{AccountId, CaseId, EventId, ProjectId};
    use uuid::Uuid;

    fn row() -> events::Model {
        events::Model {
            seq: 7,
            id: EventId(Uuid::from_u128(1)),
            kind: "k".to_owned(),
            at: Time::from_seconds(1),
            account_id: None,
            actor_account_id: Some(AccountId(Uuid::from_u128(2))),
            actor: "account".to_owned(),
            project_id: None,
            credential: "session".to_owned(),
            credential_id: None,
            direction: "neither".to_owned(),
            case_id: None,
            request_id: "r".to_owned(),
            detail: "{}".to_owned(),
            commitment: vec![1, 2],
        }
    }

    /// A change of any column, and a value that moves from one column to the next, is another leaf.
    #[test]
    fn every_column_counts() {
        let changes: Vec<fn(&mut events::Model)> = vec![
            |r| r.seq = 8,
            |r| r.id = EventId(Uuid::from_u128(9)),
            |r| r.kind = "l".to_owned(),
            |r| r.at = Time::from_seconds(2),
            |r| r.account_id = Some(AccountId(Uuid::from_u128(2))),
            |r| std::mem::swap(&mut r.account_id, &mut r.actor_account_id),
            |r| r.actor_account_id = None,
            |r| r.actor = "nobody".to_owned(),
            |r| r.project_id = Some(ProjectId(Uuid::from_u128(2))),
            |r| r.credential = "api_token".to_owned(),
            |r| r.credential_id = Some(Uuid::from_u128(3)),
            |r| r.direction = "grants".to_owned(),
            |r| r.case_id = Some(CaseId(Uuid::from_u128(3))),
            |r| r.request_id = String::new(),
            |r| r.detail = "{ }".to_owned(),
            |r| r.commitment = vec![1],
        ];
        let mut seen = vec![leaf(&row())];
        for (at, change) in changes.into_iter().enumerate() {
            let mut changed = row();
            change(&mut changed);
            let hash = leaf(&changed);
            assert!(!seen.contains(&hash), "change {at} is not seen");
            seen.push(hash);
        }
    }
}
