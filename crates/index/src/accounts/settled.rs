//! What has stood long enough to be settled: everything that confers power has an age.

use std::time::Duration;

use crate::clock::Time;
use crate::env::Env;

/// What was made this soon after the account itself is settled from the start.
const FIRST_DAY: Duration = Duration::from_secs(86_400);

/// Whether a factor, address or set of recovery codes is settled: it has stood for `power.settled_days`, or it was made within 24
/// hours of its account's creation. Ages survive restore.
#[must_use]
pub fn is_settled(env: &Env, now: Time, from_at: Time, account_created_at: Time) -> bool {
    let days = Duration::from_secs(u64::from(env.config.settled_days) * 86_400);
    now.since(from_at) >= days || from_at.since(account_created_at) <= FIRST_DAY
}

/// Whether a role is settled: it is the one its project was created with, or it has stood for `power.settled_days`.
#[must_use]
pub fn is_role_settled(env: &Env, now: Time, from_at: Time, founding: bool) -> bool {
    let days = Duration::from_secs(u64::from(env.config.settled_days) * 86_400);
    founding || now.since(from_at) >= days
}
