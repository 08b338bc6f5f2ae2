//! What a handler reads of a request: parts of the path, the query, a small form.

use axum::body::to_bytes;
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
        let bytes = to_bytes(body, FORM_MOST).await.map_err(|_| bad("The form is larger than 64 KiB."))?;
        let query = parts.uri.query().unwrap_or_default();
        let query = serde_urlencoded::from_str(query).map_err(|e| bad(&format!("The address has a wrong query: {e}.")))?;
        let form = serde_urlencoded::from_bytes(&bytes).map_err(|e| bad(&format!("The form cannot be read: {e}.")))?;
        Ok(Self { path, query, form })
    }
}

fn bad(message: &str) -> Refusal {
    Refusal::Exactly(StatusCode::BAD_REQUEST, message.to_owned())
}
