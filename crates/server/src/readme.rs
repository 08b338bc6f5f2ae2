//! Descriptions of projects, turned into HTML that can do no harm.
use std::fmt;
/// HTML that has been made safe.
#[derive(Clone, Default)]
pub struct Html(String);
impl Html {
    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl askama::filters::HtmlSafe for Html {}
