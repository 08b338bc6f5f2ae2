//! What a handler reads of a request: parts of the path, the query, a small form.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts, Path, Request};
use axum::http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::refusal::Refusal;

/// Forms are at most 64 KiB.
pub const FORM_MOST: usize = 64 * 1024;

/// Reads nothing: stands where a part is not wanted.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Nothing {}

/// The parts of a request, each as a struct whose fields are the names.
#[derive(Debug)]
pub struct Input<P = Nothing, Q = Nothing, F = Nothing> {
    /// Parts of the path.
    pub path: P,
    /// The query.
    pub query: Q,
    /// The form.
    pub form: F,
}

/// A form alone.
pub type Form<F> = Input<Nothing, Nothing, F>;

/// What a handler can be handed: read from the request after the gate let it through.
pub trait Reads: Sized + Send + 'static {
    /// Reads it.
    fn read(request: Request) -> impl Future<Output = Result<Self, Refusal>> + Send;
}

/// The request itself, for bodies that are streamed.
impl Reads for Request {
    async fn read(request: Request) -> Result<Self, Refusal> {
        Ok(request)
    }
}

impl<P, Q, F> Reads for Input<P, Q, F>
where
    P: DeserializeOwned + Send + 'static,
    Q: DeserializeOwned + Send + 'static,
    F: DeserializeOwned + Send + 'static,
{
    async fn read(request: Request) -> Result<Self, Refusal> {
        let (mut parts, body) = request.into_parts();
        let path = Path::<P>::from_request_parts(&mut parts, &()).await.map_err(|_| Refusal::NotFound)?.0;
        // A GET has no body that anybody wants: whoever announces one is not waited for.
        let bytes = if parts.method.is_safe() { Bytes::new() } else { small(body).await? };
        let query = parts.uri.query().unwrap_or_default();
        let query = serde_urlencoded::from_str(query).map_err(|e| bad(&format!("The address has a wrong query: {e}.")))?;
        let form = serde_urlencoded::from_bytes(&bytes).map_err(|e| bad(&format!("The form cannot be read: {e}.")))?;
        Ok(Self { path, query, form })
    }
}

/// How long a small body may take.
const FORM_WITHIN: Duration = Duration::from_secs(30);

/// A small body, read whole.
///
/// # Errors
/// 413 when it is larger than 64 KiB, 408 when it does not come within half a minute.
pub async fn small(body: Body) -> Result<Bytes, Refusal> {
    let too_large = |_| Refusal::Exactly(StatusCode::PAYLOAD_TOO_LARGE, "The form is larger than 64 KiB, or it broke off.".to_owned());
    match tokio::time::timeout(FORM_WITHIN, to_bytes(body, FORM_MOST)).await {
        Ok(read) => read.map_err(too_large),
        Err(_) => Err(Refusal::Exactly(StatusCode::REQUEST_TIMEOUT, "The form did not come within 30 seconds.".to_owned())),
    }
}

fn bad(message: &str) -> Refusal {
    Refusal::Exactly(StatusCode::BAD_REQUEST, message.to_owned())
}
