//! `POST /_/mail/bounces`: what the mail server reports of mail that came back. The gate has checked the signature.

use axum::extract::Request;
use axum::http::StatusCode;
use credentials::signed_call::CallSignature;
use index::accounts::bounces::{self, Report};
use index::policy::{Denied, TakeBounce};

use crate::client::SIGNATURE;
use crate::gate::{Ctx, SITE};
use crate::input::small;
use crate::refusal::Refusal;
use crate::reply::Reply;

/// `POST /_/mail/bounces`.
///
/// # Errors
/// 403 unless it is signed; 400 for what is no report.
pub async fn take(ctx: Ctx<TakeBounce>, request: Request) -> Result<Reply, Refusal> {
    let signature = ctx.headers().get(SIGNATURE).and_then(|value| value.to_str().ok()).and_then(CallSignature::parse);
    let signature = signature.ok_or(Denied::NotValid)?;
    let body = small(request.into_body()).await?;
    let report: Report =
        serde_json::from_slice(&body).map_err(|e| Refusal::Exactly(StatusCode::BAD_REQUEST, format!("The report cannot be read: {e}.")))?;
    let env = ctx.env().clone();
    let taken = ctx
        .act(SITE, move |tx, permit| {
            let (env, report) = (env.clone(), report.clone());
            Box::pin(async move { bounces::take(&env, tx, permit, &report, &signature).await })
        })
        .await?;
    Ok(Reply::json(StatusCode::OK, &serde_json::json!({ "known": taken.known, "unverified": taken.unverified })))
}
