//! Publishing a file, in three steps: `Incoming` takes its bytes in, `examine` looks into it, `publish` decides and writes the rows.
//!
//! Bytes go to disk before the row that names them: a crash leaves an orphan, never a row without bytes. Nothing here reads a request.

mod examine;
mod publish;
mod receive;

pub use examine::{Distribution, Keeper, examine};
pub use publish::{Fits, Published, check_begin, check_fits, publish};
pub use receive::{Incoming, Received};

use crate::refused::{Invalid, Refused};

/// A refusal whose text is the whole answer to the client.
fn refuse<T>(message: impl Into<String>) -> Result<T, Refused> {
    Err(Invalid::new("", message).into())
}

/// Our disk failed.
fn disk(what: &'static str) -> impl FnOnce(std::io::Error) -> Refused {
    move |e| Refused::Fault(anyhow::Error::new(e).context(what))
}
