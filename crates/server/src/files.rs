//! Downloads. What others wrote never becomes a page of our origin: attachments, unsniffed, sandboxed (R31).

use std::io::SeekFrom;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use index::policy::ReadIndex;
use index::projects::files::{self, Download};
use serde::Deserialize;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use crate::conditional::{self, Outcome, Wanted};
use crate::gate::{Ctx, SITE};
use crate::input::Input;
use crate::refusal::Refusal;
use crate::reply::Reply;

/// The parts of a file's address.
#[derive(Debug, Deserialize)]
pub struct Address {
    a: String,
    b: String,
    rest: String,
    filename: String,
}

/// How much is read at once.
const CHUNK: usize = 64 * 1024;

/// Streams a file or its metadata, whole or a range of it.
///
/// # Errors
/// `NotFound`; a row whose blob is gone is a fault.
pub async fn download(ctx: Ctx<ReadIndex>, input: Input<Address>) -> Result<Reply, Refusal> {
    let Address { a, b, rest, filename } = input.path;
    if (a.len(), b.len(), rest.len()) != (2, 2, 60) {
        return Err(Refusal::NotFound);
    }
    let digest = format!("{a}{b}{rest}");
    let found = ctx.view(SITE, move |read, _| Box::pin(async move { files::find(read, &digest, &filename).await })).await?;
    let Some(found) = found else { return Err(Refusal::NotFound) };
    let (file, size) = ctx
        .env()
        .blobs
        .get(&found.blob)
        .await
        .map_err(|e| index::Refused::Fault(anyhow::Error::new(e).context(format!("blob {} cannot be read", found.blob))))?;
    let etag = format!("\"{}\"", found.sha256);
    let response = match conditional::judge(ctx.headers(), &etag, Some(found.uploaded_at)) {
        Outcome::NotModified => empty(StatusCode::NOT_MODIFIED),
        Outcome::Failed => empty(StatusCode::PRECONDITION_FAILED),
        Outcome::Send => body(conditional::wanted(ctx.headers(), &etag, found.uploaded_at, size), file, size).await?,
    };
    Ok(dressed(response, &found, &etag))
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

async fn body(wanted: Wanted, mut file: File, size: u64) -> Result<Response, Refusal> {
    let (status, first, length) = match wanted {
        Wanted::Whole => (StatusCode::OK, 0, size),
        Wanted::Part { first, last } => (StatusCode::PARTIAL_CONTENT, first, last - first + 1),
        Wanted::Nothing => {
            let mut response = empty(StatusCode::RANGE_NOT_SATISFIABLE);
            set(&mut response, header::CONTENT_RANGE, &format!("bytes */{size}"));
            return Ok(response);
        }
    };
    if first > 0 {
        file.seek(SeekFrom::Start(first)).await.map_err(|e| index::Refused::Fault(anyhow::Error::new(e).context("seeking in a blob")))?;
    }
    let stream = ReaderStream::with_capacity(file.take(length), CHUNK);
    let mut response = Response::new(Body::from_stream(stream));
    *response.status_mut() = status;
    set(&mut response, header::CONTENT_LENGTH, &length.to_string());
    if status == StatusCode::PARTIAL_CONTENT {
        set(&mut response, header::CONTENT_RANGE, &format!("bytes {first}-{}/{size}", first + length - 1));
    }
    Ok(response)
}

fn set(response: &mut Response, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn dressed(mut response: Response, found: &Download, etag: &str) -> Reply {
    if response.status().is_success() {
        set(&mut response, header::CONTENT_TYPE, "application/octet-stream");
    }
    set(&mut response, header::ETAG, etag);
    set(&mut response, header::LAST_MODIFIED, &conditional::http_date(found.uploaded_at));
    set(&mut response, header::ACCEPT_RANGES, "bytes");
    set(&mut response, header::CACHE_CONTROL, "public, max-age=31536000, immutable");
    set(&mut response, header::CONTENT_DISPOSITION, "attachment");
    set(&mut response, header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox");
    set(&mut response, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    Reply::from(response)
}
