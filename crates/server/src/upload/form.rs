//! The body of an upload, part by part, in constant memory: multipart as all clients send it, or an ordinary form without a file.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::Request;
use axum::http::{StatusCode, header};
use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use multer::{Constraints, Field, Multipart, SizeLimit};
use tokio::time::timeout;

use crate::input::small;
use crate::refusal::Refusal;

/// All text fields together are at most 4 MiB: descriptions and licences are long.
const TEXT_MOST: usize = 4 << 20;
/// How many parts a form may have; classifiers and dependencies are one each.
const PARTS_MOST: usize = 2000;
/// How much may wait unread before the parser makes something of it: the head of a part is never that long.
const UNREAD_MOST: usize = 1 << 20;

/// How long a client may send nothing.
const IDLE: Duration = Duration::from_secs(60);

/// A part of the form.
pub enum Part {
    /// A text field.
    Text(String, String),
    /// The field `content`, with its file name; its bytes follow as chunks.
    File(String),
}

/// The body while it is read.
pub struct Body {
    action: Option<String>,
    shape: Shape,
    text_bytes: usize,
    parts: usize,
    unread: Arc<AtomicUsize>,
}

enum Shape {
    Multipart { parser: Box<Multipart<'static>>, file: Option<Box<Field<'static>>> },
    Plain(std::vec::IntoIter<(String, String)>),
}

impl Body {
    /// Begins to read. `file_most` is the size of the largest file.
    ///
    /// # Errors
    /// 400 when the body is of no known form.
    pub async fn of(request: Request, file_most: u64) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let query: Vec<(String, String)> =
            serde_urlencoded::from_str(parts.uri.query().unwrap_or_default()).map_err(|_| bad("Invalid bytes in query string."))?;
        let action = query.into_iter().find(|(key, _)| key == ":action").map(|(_, value)| value);
        let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let unread = Arc::new(AtomicUsize::new(0));
        let shape = match multer::parse_boundary(content_type) {
            Ok(boundary) => {
                let whole = file_most.saturating_add(2 * TEXT_MOST as u64);
                let constraints = Constraints::new().size_limit(SizeLimit::new().whole_stream(whole));
                let parser = Multipart::with_constraints(paced(body, Arc::clone(&unread)), boundary, constraints);
                Shape::Multipart { parser: Box::new(parser), file: None }
            }
            Err(_) => {
                let bytes = small(body).await.map_err(|_| bad("Invalid Form Data."))?;
                let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(&bytes).map_err(|_| bad("Invalid Form Data."))?;
                Shape::Plain(pairs.into_iter())
            }
        };
        Ok(Self { action, shape, text_bytes: 0, parts: 0, unread })
    }

    /// `:action`, where the address carries it.
    pub fn action(&self) -> Option<&str> {
        self.action.as_deref()
    }

    /// The next part; what is left of a file is skipped.
    ///
    /// # Errors
    /// 400 when the form is broken or too large.
    pub async fn next(&mut self) -> Result<Option<Part>, Refusal> {
        let (parser, file) = match &mut self.shape {
            Shape::Plain(pairs) => return Ok(pairs.next().map(|(name, value)| Part::Text(name, value))),
            Shape::Multipart { parser, file } => (parser, file),
        };
        drop(file.take());
        loop {
            let Some(field) = in_time(parser.next_field()).await? else { return Ok(None) };
            self.unread.store(0, Ordering::Relaxed);
            self.parts += 1;
            if self.parts > PARTS_MOST {
                return Err(bad("Invalid Form Data. The form has too many fields."));
            }
            let name = field.name().unwrap_or_default().to_owned();
            match (name.as_str(), field.file_name()) {
                // Signatures are not kept; old clients send them as a file.
                ("" | "gpg_signature", _) => drop(bytes(field, &mut self.text_bytes, &self.unread).await?),
                ("content", Some(filename)) => {
                    if field.content_type().is_some_and(|kind| kind.type_() == mime::IMAGE) {
                        return Err(bad("Invalid distribution file."));
                    }
                    let filename = filename.to_owned();
                    *file = Some(Box::new(field));
                    return Ok(Some(Part::File(filename)));
                }
                (_, Some(_)) => return Err(bad(&format!("{name}: Should not be a tuple."))),
                (_, None) => {
                    let value = bytes(field, &mut self.text_bytes, &self.unread).await?;
                    let value = String::from_utf8(value).map_err(|_| bad("Invalid Form Data."))?;
                    return Ok(Some(Part::Text(name, value)));
                }
            }
        }
    }

    /// The next bytes of the file.
    ///
    /// # Errors
    /// 400 when the form breaks off or is too large.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Refusal> {
        let Shape::Multipart { file: Some(file), .. } = &mut self.shape else { return Ok(None) };
        let chunk = in_time(file.chunk()).await?;
        self.unread.store(0, Ordering::Relaxed);
        Ok(chunk)
    }

    /// Reads the rest and forgets it, within the same limits and for a while.
    pub async fn drain(&mut self) {
        drop(timeout(IDLE, self.skip()).await);
    }

    async fn skip(&mut self) {
        while let Ok(Some(_)) = self.chunk().await {}
        let Shape::Multipart { parser, file } = &mut self.shape else { return };
        drop(file.take());
        while let Ok(Some(mut field)) = parser.next_field().await {
            self.unread.store(0, Ordering::Relaxed);
            while let Ok(Some(_)) = field.chunk().await {
                self.unread.store(0, Ordering::Relaxed);
            }
        }
    }
}

/// The next of the body, unless the client falls silent.
async fn in_time<T>(next: impl Future<Output = multer::Result<T>>) -> Result<T, Refusal> {
    match timeout(IDLE, next).await {
        Ok(next) => next.map_err(|e| broken(&e)),
        Err(_) => Err(Refusal::Exactly(StatusCode::REQUEST_TIMEOUT, "The upload stood still for a minute.".to_owned())),
    }
}

async fn bytes(mut field: Field<'static>, so_far: &mut usize, unread: &AtomicUsize) -> Result<Vec<u8>, Refusal> {
    let mut value = Vec::new();
    while let Some(chunk) = in_time(field.chunk()).await? {
        unread.store(0, Ordering::Relaxed);
        *so_far += chunk.len();
        if *so_far > TEXT_MOST {
            return Err(bad("Invalid Form Data. The fields besides the file are larger than 4 MiB together."));
        }
        value.extend_from_slice(&chunk);
    }
    Ok(value)
}

/// Hands the parser one chunk at a time: it would gather all that has come already, and the head of a part without end.
///
/// The first chunk comes without a pause and the end after one, because the parser gives up when it finds the end in the
/// moment in which it looks for the first boundary again.
fn paced(body: axum::body::Body, unread: Arc<AtomicUsize>) -> impl Stream<Item = Result<Bytes, BodyBroken>> + Send {
    let chunks = body.into_data_stream().enumerate().then(move |(place, chunk)| {
        let unread = Arc::clone(&unread);
        async move {
            if place > 0 {
                tokio::task::yield_now().await;
            }
            let chunk = chunk.map_err(|_| BodyBroken("the connection ended"))?;
            if unread.fetch_add(chunk.len(), Ordering::Relaxed) > UNREAD_MOST {
                return Err(BodyBroken("the head of a part has no end"));
            }
            Ok(chunk)
        }
    });
    chunks.chain(stream::once(async {
        tokio::task::yield_now().await;
        Ok(Bytes::new())
    }))
}

/// Why a body cannot be read on.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct BodyBroken(&'static str);

fn broken(e: &multer::Error) -> Refusal {
    match e {
        multer::Error::StreamSizeExceeded { .. } => bad("File too large. See /help/#file-size-limit for more information."),
        other => bad(&format!("Invalid Form Data. The body cannot be read: {other}.")),
    }
}

fn bad(message: &str) -> Refusal {
    Refusal::Exactly(StatusCode::BAD_REQUEST, message.to_owned())
}
