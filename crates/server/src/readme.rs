//! Descriptions of projects, turned into HTML that can do no harm.

/// HTML that has been made safe.
#[derive(Clone, Default)]
pub struct Html(String);
