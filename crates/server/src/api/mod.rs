//! What programs read besides the simple API: JSON and feeds.

pub mod bounces;
pub mod json;
pub mod rss;
