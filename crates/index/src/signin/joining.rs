//! Registering and setting up, whole: what was typed is read, the password weighed and hashed on the lane, and then the account made.
//!
//! The hash is made whether or not the address is known, so that both take as long.

use credentials::link::LinkToken;
use credentials::secret::Secret;

use crate::accounts::addresses::{self, Address};
use crate::accounts::domains;
use crate::accounts::names::UserName;
use crate::accounts::profile::display_name;
use crate::accounts::register::{self, Registration};
use crate::accounts::setup::{self, Completion};
use crate::act;
use crate::env::Env;
use crate::ids::Site;
use crate::limits::{self, Limit, Whom};
use crate::policy::{Actor, Denied, Register, SetUp};
use crate::refused::Refused;
use crate::signin::password::{self, Chosen};

/// What was typed into the form.
#[derive(Clone)]
pub struct Form {
    /// The field `name`.
    pub name: String,
    /// The field `email`.
    pub email: String,
    /// The field `username`.
    pub username: String,
    /// The field `new_password`.
    pub new_password: Secret,
    /// The field `password_confirm`.
    pub password_confirm: Secret,
    /// The digest of the form cookie of the browser at hand: in it the verification link counts as a fresh proof (R4).
    pub browser: Option<Vec<u8>>,
}

impl Form {
    fn chosen(&self, username: &UserName, address: &Address) -> Chosen {
        let context = vec![self.name.clone(), username.as_str().to_owned(), address.as_str().to_owned()];
        Chosen { password: self.new_password.clone(), confirm: self.password_confirm.clone(), context }
    }
}

/// Registers an account.
///
/// # Errors
/// `Invalid` with the field; `Limited` when too many wait for the lane. A known address is no error.
pub async fn register(env: &Env, actor: &Actor, form: &Form) -> Result<(), Refused> {
    let display_name = display_name(&env.config.name, &form.name)?;
    let address = Address::parse(&form.email)?;
    domains::check(env, &address).await?;
    let username = UserName::parse(&form.username)?;
    let password_hash = password::hash_chosen(env, form.chosen(&username, &address)).await?;
    let whom = Whom { account: Some(format!("registration:{}", address.folded())), network: None };
    let may_mail = match limits::take(env, Limit::Mail, &whom).await {
        Ok(_counted) => addresses::may_mail_to(env, &address.folded()).await?,
        Err(Refused::Limited(_)) => false,
        Err(other) => return Err(other),
    };
    let new = Registration { display_name, username, address, password_hash, may_mail, browser: form.browser.clone() };
    let inner = env.clone();
    act::act::<Register, _, _>(env, actor, Site, move |tx, permit| {
        let (env, new) = (inner.clone(), new.clone());
        Box::pin(async move { register::register(&env, tx, permit, &new).await })
    })
    .await
}

/// Completes the account of a set-up link.
///
/// # Errors
/// `NotValid` when the link is dead; `Invalid` with the field.
pub async fn set_up(env: &Env, actor: &Actor, token: &LinkToken, form: &Form) -> Result<(), Refused> {
    let found = {
        let token = token.clone();
        act::view::<SetUp, _, _>(env, actor, Site, move |read, _| Box::pin(async move { setup::to_set_up(read, &token).await })).await?
    };
    let found = found.ok_or(Denied::NotValid)?;
    let display_name = display_name(&env.config.name, &form.name)?;
    // An account that exists keeps its name and address, whatever the form says.
    let (username, address) = match &found.account {
        Some((account, address)) => (UserName::parse(&account.username)?, Address::parse(address)?),
        None => (UserName::parse(&form.username)?, Address::parse(&form.email)?),
    };
    let password_hash = password::hash_chosen(env, form.chosen(&username, &address)).await?;
    let completion = Completion { display_name, username, address, password_hash, browser: form.browser.clone() };
    let inner = env.clone();
    act::act::<SetUp, _, _>(env, actor, Site, move |tx, permit| {
        let (env, completion) = (inner.clone(), completion.clone());
        Box::pin(async move { setup::complete(&env, tx, permit, &completion).await })
    })
    .await
}
