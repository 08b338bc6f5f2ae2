//! `/manage/account/profile/`: the name and the address that others see. The form stands on the account's own page.

use index::accounts::profile;
use index::policy::ChangeProfile;
use serde::Deserialize;

use super::{HOME, account, field_error};
use crate::gate::Ctx;
use crate::input::Form;
use crate::refusal::Refusal;
use crate::reply::Reply;

/// The fields of the form.
#[derive(Deserialize)]
pub struct Fields {
    #[serde(default)]
    name: String,
    #[serde(default)]
    public_email: String,
}

/// `POST /manage/account/profile/`.
///
/// # Errors
/// What is wrong is shown on the page.
pub async fn change(ctx: Ctx<ChangeProfile>, input: Form<Fields>) -> Result<Reply, Refusal> {
    let Fields { name, public_email } = input.form;
    match attempt(&ctx, &name, &public_email).await {
        Ok(()) => Ok(Reply::see_other(HOME)),
        Err(refused) => {
            let errors = field_error(refused)?;
            account::refused_profile(&ctx, errors, name, public_email).await
        }
    }
}

async fn attempt(ctx: &Ctx<ChangeProfile>, name: &str, public_email: &str) -> Result<(), index::Refused> {
    let name = profile::display_name(&ctx.env().config.name, name)?;
    let (env, public_email) = (ctx.env().clone(), public_email.to_owned());
    let account = ctx.actor().account().ok_or(index::policy::Denied::NotValid)?;
    ctx.act(account, move |tx, permit| {
        let (env, name, public_email) = (env.clone(), name.clone(), public_email.clone());
        Box::pin(async move { profile::change(&env, tx, permit, &name, &public_email).await })
    })
    .await
}
