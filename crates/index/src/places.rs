//! Where a request came from, in words that a person knows: the place of a network, the browser or tool of an agent.
//!
//! Only words for people: no rule of power looks at a place or an agent (a device is a random cookie, never an address).

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use maxminddb::{Reader, geoip2};
use woothee::parser::Parser;

/// The GeoIP database, if one is configured.
#[derive(Clone, Default)]
pub struct Places(Option<Arc<Reader<Vec<u8>>>>);

impl std::fmt::Debug for Places {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Places").field(&self.0.is_some()).finish()
    }
}

impl Places {
    /// Opens the database of the setting `geoip.database`; an empty path knows no places.
    ///
    /// # Errors
    /// The file cannot be read, or is no such database: said at the start, not found out when somebody looks at a page.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        if path.as_os_str().is_empty() {
            return Ok(Self(None));
        }
        let reader = Reader::open_readfile(path)
            .with_context(|| format!("the setting `geoip.database`: {} is no GeoIP database that can be read", path.display()))?;
        Ok(Self(Some(Arc::new(reader))))
    }

    /// The place of a network address: "Delft, The Netherlands". `None` when it is not known; a damaged entry is not known.
    #[must_use]
    pub fn of(&self, network: &str) -> Option<String> {
        let reader = self.0.as_deref()?;
        let network: IpAddr = network.parse().ok()?;
        let found = reader.lookup(network).ok()?.decode::<geoip2::City<'_>>().ok()??;
        let parts: Vec<&str> = [found.city.names.english, found.country.names.english].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(", ")).map(|place| plain(&place))
    }
}

/// The longest word for a place or an agent, in characters.
const MOST: usize = 80;

/// A database is a file of somebody else: its words are kept on one line and bounded.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MOST).collect()
}

/// The browser and system of an agent: "Firefox 128 on Linux". `None` when the agent says nothing that is known.
///
/// The words come from a list, never from the agent itself, except the digits of a version: they can stand in a mail (R31).
#[must_use]
pub fn browser(agent: &str) -> Option<String> {
    let found = Parser::new().parse(agent)?;
    let known = |word: &str| !word.is_empty() && word != "UNKNOWN";
    if !known(found.name) {
        return None;
    }
    let version: String = found.version.chars().take_while(char::is_ascii_digit).take(6).collect();
    let version = if version.is_empty() { version } else { format!(" {version}") };
    let system = if known(found.os) { format!(" on {}", found.os) } else { String::new() };
    Some(format!("{}{version}{system}", found.name))
}

#[cfg(test)]
mod tests;
