//! Style sheet, scripts and pictures of the pages, under names that carry their digest.

use axum::http::{HeaderValue, StatusCode, header};
use index::policy::ReadIndex;
use serde::Deserialize;

use crate::assets;
use crate::gate::Ctx;
use crate::input::Input;
use crate::refusal::Refusal;
use crate::reply::Reply;

/// The name in the address.
#[derive(Debug, Deserialize)]
pub struct Name {
    name: String,
}

/// Serves one of them, to be kept for good: another content has another name.
///
/// # Errors
/// `NotFound`.
pub async fn serve(_ctx: Ctx<ReadIndex>, input: Input<Name>) -> Result<Reply, Refusal> {
    let asset = assets::find(&format!("/static/{}", input.path.name)).ok_or(Refusal::NotFound)?;
    let etag = HeaderValue::from_static(asset.etag);
    Ok(Reply::bytes(StatusCode::OK, asset.content_type, asset.bytes)
        .with_header(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"))
        .with_header(header::ETAG, etag))
}
