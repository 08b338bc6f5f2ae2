//! Removing a factor: at once where an older settled one removes a younger, else as a change that waits (R12).

use index::Refused;
use index::ids::{ActId, FactorId};
use index::policy::{Denied, RemoveFactor};
use index::signin::removal::{self, Removed};
use serde::Deserialize;

use crate::gate::Ctx;
use crate::input::Form;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::web::holds;

/// The fields of both forms.
#[derive(Deserialize)]
pub struct Remove {
    #[serde(default)]
    device_id: String,
    end_sessions: Option<String>,
    act: Option<String>,
}

/// `POST /manage/account/two-factor/remove-totp/` and `POST /manage/account/webauthn-provision/delete`.
///
/// # Errors
/// A factor that is not the account's is not found; a proof for this act is asked for first; the last one is never removed.
pub async fn remove(ctx: Ctx<RemoveFactor>, input: Form<Remove>) -> Result<Reply, Refusal> {
    let factor = FactorId::parse(&input.form.device_id).ok_or(Refusal::NotFound)?;
    let end_sessions = input.form.end_sessions.as_deref() == Some("y");
    let act = input.form.act.as_deref().and_then(ActId::parse);
    match removal::remove(ctx.env(), ctx.actor(), factor, act, end_sessions).await {
        Ok(Removed::Now) => Ok(Reply::see_other("/manage/account/two-factor/")),
        Ok(Removed::Held(_)) => Ok(Reply::see_other(holds::PAGE)),
        Err(Refused::Denied(Denied::NeedsProof)) => {
            let more = if end_sessions { ", and end all other sessions" } else { "" };
            let description = format!("Remove a second factor from your account{more}.");
            Err(ctx.ask_proof_on(&factor.to_string(), removal::parameters(end_sessions), &description).await)
        }
        Err(refused) => Err(refused.into()),
    }
}
