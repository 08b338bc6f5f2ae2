//! Choosing and weighing passwords: always on the hashing lane, never inside a transaction.

use sea_orm::Value;

use credentials::password::{self, LEAST_SCORE, Password, Verified};
use credentials::secret::Secret;

use crate::accounts::link::{self, Purpose};
use crate::breach::Verdict;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::ids::{AccountId, EventId};
use crate::lane::For;
use crate::refused::{Invalid, Refused};

/// What is said of a chosen password that a list has.
const LISTED: &str = "This password appears in a public list of stolen passwords: whoever tries stolen ones tries it first, whatever account it was stolen from. Choose another, and change it wherever else you use it.";

/// A password that somebody chose, typed twice.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The password.
    pub password: Secret,
    /// The same once more.
    pub confirm: Secret,
    /// What an attacker would try first: name, user name, address.
    pub context: Vec<String>,
}

/// Looks a chosen password up in the lists of stolen ones, weighs it and hashes it.
///
/// # Errors
/// `Invalid` with what is wrong; `Limited` when too many wait for the lane.
pub async fn hash_chosen(env: &Env, chosen: Chosen) -> Result<String, Refused> {
    if chosen.password.expose() != chosen.confirm.expose() {
        return Err(Invalid::new("password_confirm", "The two passwords differ: type the same one twice.").into());
    }
    let password = Password::chosen(&chosen.password).map_err(|e| Invalid::new("new_password", e.to_string()))?;
    if env.breach.check(&password.listed_as()).await == Verdict::Listed {
        return Err(Invalid::new("new_password", LISTED).into());
    }
    let (env, mut context) = (env.clone(), chosen.context);
    context.push(env.config.name.clone());
    let outer = env.clone();
    let hashed = outer.lane.run(move || {
        let context: Vec<&str> = context.iter().map(String::as_str).collect();
        let strength = password::strength(&password, &context);
        if strength.score < LEAST_SCORE {
            return Err(too_weak(strength.warning.as_deref(), &strength.suggestions));
        }
        Ok(password::hash(&password, env.hashing, &env.keys, &*env.entropy))
    });
    Ok(hashed.await??)
}

fn too_weak(warning: Option<&str>, suggestions: &[String]) -> Invalid {
    let mut message = "This password is too easy to guess.".to_owned();
    for sentence in warning.into_iter().chain(suggestions.iter().map(String::as_str)) {
        message.push(' ');
        message.push_str(sentence);
        if !message.ends_with('.') {
            message.push('.');
        }
    }
    Invalid::new("new_password", message)
}

/// Writes the new password of an account; one that was disabled is enabled by it, and links to choose another end.
pub(crate) async fn store(tx: &Tx, account: AccountId, hash: &str) -> Result<(), Refused> {
    const STORE: &str = "UPDATE accounts SET password_hash = $2, password_changed_at = $3, password_disabled_at = NULL, \
        password_disabled_by = NULL WHERE id = $1";
    tx.execute(STORE, vec![Value::from(account), Value::from(hash), Value::from(tx.now())]).await?;
    link::void(tx, Some(account), Purpose::ResetPassword).await
}

/// Ends all API tokens of an account, where whoever sets its password asks for that; says how many.
pub(crate) async fn end_tokens(tx: &Tx, account: AccountId, by: EventId) -> Result<u64, Refused> {
    const END_TOKENS: &str = "UPDATE api_tokens SET until_at = $2, ended_by = $3 WHERE account_id = $1 AND until_at IS NULL";
    Ok(tx.execute(END_TOKENS, vec![Value::from(account), Value::from(tx.now()), Value::from(by)]).await?)
}

/// What became of a typed password.
#[derive(Clone, Debug)]
pub struct Weighed {
    /// Whether it is right.
    pub right: bool,
    /// What the lists of stolen passwords say, once it is right: nothing is asked about a wrong one (R33).
    pub listed: Verdict,
    /// A new hash to store, when the stored one has older parameters or an older key.
    pub upgrade: Option<String>,
}

/// Weighs a typed password against the stored hash, or against a decoy of the same cost when there is none; a right one is looked
/// up in the lists of stolen ones.
///
/// # Errors
/// `Limited` when too many wait for the lane.
pub async fn weigh(env: &Env, stored: Option<String>, typed: Secret) -> Result<Weighed, Refused> {
    weigh_for(env, For::Strangers, stored, typed).await
}

/// The same, on the side of the lane that the try belongs to.
///
/// # Errors
/// As [`weigh`].
pub async fn weigh_for(env: &Env, lane: For, stored: Option<String>, typed: Secret) -> Result<Weighed, Refused> {
    let password = Password::typed(&typed);
    let digest = password.listed_as();
    let inner = env.clone();
    let weighing = env.lane.run_for(lane, move || {
        let env = &inner;
        let decoy = || password::decoy(env.hashing, &env.keys);
        let against = stored.clone().unwrap_or_else(decoy);
        match password::verify(&password, &against, &env.keys, env.hashing) {
            Verified::Right { outdated } => {
                let upgrade = outdated.then(|| password::hash(&password, env.hashing, &env.keys, &*env.entropy));
                Weighed { right: true, listed: Verdict::Off, upgrade }
            }
            Verified::Wrong => Weighed { right: false, listed: Verdict::Off, upgrade: None },
        }
    });
    let weighed = weighing.await?;
    if !weighed.right {
        return Ok(weighed);
    }
    Ok(Weighed { listed: env.breach.check(&digest).await, ..weighed })
}
