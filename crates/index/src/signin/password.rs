//! Choosing and weighing passwords: always on the hashing lane, never inside a transaction.

use credentials::password::{self, LEAST_SCORE, Password, Verified};
use credentials::secret::Secret;

use crate::env::Env;
use crate::lane::For;
use crate::refused::{Invalid, Refused};

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

/// Weighs a chosen password and hashes it.
///
/// # Errors
/// `Invalid` with what is wrong; `Limited` when too many wait for the lane.
pub async fn hash_chosen(env: &Env, chosen: Chosen) -> Result<String, Refused> {
    if chosen.password.expose() != chosen.confirm.expose() {
        return Err(Invalid::new("password_confirm", "The two passwords differ: type the same one twice.").into());
    }
    let password = Password::chosen(&chosen.password).map_err(|e| Invalid::new("new_password", e.to_string()))?;
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

/// What became of a typed password.
#[derive(Clone, Debug)]
pub struct Weighed {
    /// Whether it is right.
    pub right: bool,
    /// A new hash to store, when the stored one has older parameters or an older key.
    pub upgrade: Option<String>,
}

/// Weighs a typed password against the stored hash, or against a decoy of the same cost when there is none.
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
    let outer = env.clone();
    let env = env.clone();
    let weighing = outer.lane.run_for(lane, move || {
        let password = Password::typed(&typed);
        let against = stored.unwrap_or_else(|| password::decoy(env.hashing, &env.keys));
        match password::verify(&password, &against, &env.keys, env.hashing) {
            Verified::Right { outdated } => {
                let upgrade = outdated.then(|| password::hash(&password, env.hashing, &env.keys, &*env.entropy));
                Weighed { right: true, upgrade }
            }
            Verified::Wrong => Weighed { right: false, upgrade: None },
        }
    });
    weighing.await
}
