//! Which domains' addresses may be registered or added: the operator's lists say.

use crate::accounts::addresses::address::Address;
use crate::env::Env;
use crate::refused::{Invalid, Refused};

/// Refuses an address at a domain that is blocked, gives throw-away mailboxes, or has lapsed; those below one are refused with it.
///
/// # Errors
/// `Invalid` for the field `email`; `Fault` when a list cannot be read: fail closed (P12).
pub async fn check(env: &Env, address: &Address) -> Result<(), Refused> {
    let (config, domain) = (&env.config, address.domain());
    let lists = [
        (&config.blocked_domains, "are not accepted on this index: use another one."),
        (&config.disposable_domains, "are thrown away after use, so notices about your account would reach nobody: use a lasting one."),
        (&config.lapsed_domains, "are not accepted now, because this domain lapsed and may be somebody else's: use another one."),
    ];
    for (list, why) in lists {
        if list.read().await?.covers(domain) {
            return Err(Invalid::new("email", format!("Addresses at {domain} {why}")).into());
        }
    }
    Ok(())
}
