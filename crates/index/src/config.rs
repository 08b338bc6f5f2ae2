//! TABLE 5: settings: key, type, default, secret or not, one sentence. Defaults < `strongroom.toml` < environment < flags.
//!
//! An unknown key is an error that names the nearest known one.

mod domains;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use credentials::secret::Secret;
use ipnet::IpNet;
use url::Url;

pub use domains::{DomainSet, Domains};

use crate::rates::{Rate, parse_rates};

macro_rules! settings { ($($(#[doc = $doc:literal])* $name:ident: $ty:ty = $key:literal, $default:literal $(, $secret:ident)?;)*) => {
    /// All settings, read and checked.
    #[derive(Clone, Debug)]
    pub struct Config { $($(#[doc = $doc])* pub $name: $ty,)* overrides: BTreeMap<String, Vec<Rate>> }
    /// The rows of the table.
    pub const SETTINGS: &[Setting] = &[$(Setting { key: $key, kind: stringify!($ty), default: $default, secret: settings!(@secret $($secret)?), sentence: concat!($($doc),*).trim_ascii() }),*];
    impl Config {
        /// Builds the settings from raw values by key; `limits` are the keys that the limits table adds.
        ///
        /// # Errors
        /// An unknown key, with the nearest known one; a value that cannot be read.
        pub fn from_values(values: &BTreeMap<String, String>, limits: &[String]) -> Result<Self, ConfigError> {
            check_keys(values, limits)?;
            Ok(Self { $($name: read::<$ty>(values, $key, $default)?,)* overrides: read_limits(values)? })
        }
    }
};
    (@secret secret) => { true };
    (@secret) => { false };
}

settings! {
    /// Where to listen for HTTP.
    listen: SocketAddr = "server.listen", "127.0.0.1:8080";
    /// The address by which people and clients reach the index; links, the token location and cookie security follow from it.
    public_url: Url = "server.public_url", "http://localhost:8080";
    /// Networks whose `X-Forwarded-For` is believed; the right-most hop outside them is the client.
    trusted_proxies: Vec<IpNet> = "server.trusted_proxies", "";
    /// The folder of everything that is kept: database, files, mail, key file.
    data_dir: PathBuf = "data.dir", "strongroom-data";
    /// `sqlite:PATH`, or `postgres://USER:PASSWORD@HOST/NAME`; empty is `strongroom.sqlite` in the data folder.
    database_url: Secret = "database.url", "", secret;
    /// `file:PATH`; empty is `blobs` in the data folder.
    blobs_url: String = "blobs.url", "";
    /// `file:PATH` (a Maildir), `smtp://USER:PASSWORD@HOST:PORT` (STARTTLS, except that a server on this machine is asked for it by `?tls=required` only), `smtps://…` (TLS); empty is `mail` in the data folder.
    mail_url: Secret = "mail.url", "", secret;
    /// A PEM file with the only authorities that are trusted for the mail server; empty trusts the public ones.
    mail_authorities: PathBuf = "mail.authorities", "";
    /// How long the mail server may take for one mail before it is tried again later; at most one minute.
    mail_timeout: Span = "mail.timeout", "30s";
    /// The sender of all mail.
    mail_from: String = "mail.from", "Strongroom <strongroom@localhost>";
    /// The key file of this instance; empty is `instance.key` in the data folder, made on the first start.
    key_file: PathBuf = "secrets.key_file", "";
    /// How the index calls itself on pages and in mails.
    name: String = "server.name", "Strongroom";
    /// A list of stolen passwords that was imported with `strongroom passwords import`; empty is `breached-passwords.set` in the data folder, used once it is there.
    breach_file: PathBuf = "passwords.breach_file", "";
    /// A range endpoint as Have I Been Pwned has one (`https://…/range/`), asked about chosen passwords and at each login; it learns five hex digits of a hash. Empty asks none.
    breach_range_url: String = "passwords.breach_range_url", "";
    /// Private networks in which the name of the range endpoint may lie; without them it must resolve to a public address. One written by its address needs none.
    breach_range_networks: Vec<IpNet> = "passwords.breach_range_networks", "";
    /// A second address to listen on, for `/metrics` alone; whoever reaches it reads them. Empty is none.
    admin_listen: Option<SocketAddr> = "server.admin_listen", "";
    /// What API tokens begin with.
    token_prefix: String = "tokens.prefix", "strongroom";
    /// The largest file that is accepted, in bytes, or as `100MiB`.
    file_max_size: Bytes = "files.max_size", "100MiB";
    /// The most that all files of a project may hold together.
    project_max_size: Bytes = "projects.max_size", "10GiB";
    /// How long a session lasts, whatever happens in it.
    session_length: Span = "sessions.length", "12h";
    /// The same for administrators.
    session_length_administrator: Span = "sessions.length_administrator", "8h";
    /// After how long without a request a session rests until a password or a factor resumes it.
    session_idle: Span = "sessions.idle", "1h";
    /// Domains whose addresses nobody may register or add, those below them included; `file:PATH` is a file with one domain a line.
    blocked_domains: Domains = "accounts.blocked_domains", "";
    /// The same for domains of throw-away mailboxes, with a sentence of its own.
    disposable_domains: Domains = "accounts.disposable_domains", "";
    /// Domains that lapsed: every hour their addresses lose their proof, and nobody may register or add one.
    lapsed_domains: Domains = "accounts.lapsed_domains", "";
    /// The secret with which the mail server signs its reports of bounces to `/_/mail/bounces`; empty refuses them all.
    bounce_secret: Secret = "mail.bounce_secret", "", secret;

    /// Whether a sign-in from an unknown browser by a factor that can be phished, or by a password alone, is confirmed in the mailbox.
    confirm_unknown_device: bool = "sessions.confirm_unknown_device", "true";
    /// A GeoIP database (`.mmdb`, GeoLite2 City or Country or one of the same shape), for places beside network addresses; empty shows none.
    geoip_database: PathBuf = "geoip.database", "";

    /// How many roles, factors and addresses must have stood to be settled, in days.
    settled_days: u32 = "power.settled_days", "30";
    /// How long a change waits that takes protection away; at least 24h.
    hold_loosening: Waiting = "holds.loosening", "72h";
    /// How long a grant waits that was proved by something that can be phished, on a new device, with an old project in reach; at least 24h.
    hold_grant: Waiting = "holds.grant", "24h";

    /// An address to which the audit trail is posted, seal after seal and signed: https, or http to this machine. Empty ships nothing.
    audit_webhook_url: String = "audit.webhook_url", "";
    /// The secret with which those posts are signed, in the header `Strongroom-Signature`.
    audit_webhook_secret: Secret = "audit.webhook_secret", "", secret;
    /// Private networks in which the name of that address may lie; without them it must resolve to a public address. One written by its address needs none.
    audit_webhook_networks: Vec<IpNet> = "audit.webhook_networks", "";

    /// How long what was deleted is kept, in days.
    retention_days: u32 = "retention.days", "30";
    /// How much is logged, in the words of `tracing` filters.
    log_filter: String = "log.filter", "info";
    /// `text` or `json`.
    log_format: String = "log.format", "text";
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// `section.name`.
    pub key: &'static str,
    /// The type of its value.
    pub kind: &'static str,
    /// Its default, as one would write it.
    pub default: &'static str,
    /// Whether its value must never be printed.
    pub secret: bool,
    /// What it is for.
    pub sentence: &'static str,
}

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A key that no row has.
    #[error("unknown setting `{key}`: the nearest known one is `{nearest}`")]
    Unknown {
        /// The key.
        key: String,
        /// The nearest known key.
        nearest: String,
    },
    /// A value that cannot be read. The value itself is not repeated: it may be a secret.
    #[error("the setting `{key}` cannot be read: {why}")]
    Value {
        /// The key.
        key: String,
        /// What it should be.
        why: String,
    },
    /// The configuration file cannot be read.
    #[error("the configuration file {path} cannot be read: {why}")]
    File {
        /// Which file.
        path: String,
        /// Why.
        why: String,
    },
}

/// A number of bytes, written `100MiB`, `2GB` or plainly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes(pub u64);

/// A duration, written `12h` or `30d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

/// How long a hold lasts: a duration of at least 24 hours (R22).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting(pub Duration);

/// Something that a setting can hold.
trait FromSetting: Sized {
    fn from_setting(text: &str) -> Result<Self, String>;
}

macro_rules! from_setting { ($($ty:ty, $what:literal;)*) => { $(impl FromSetting for $ty {
    fn from_setting(text: &str) -> Result<Self, String> { text.parse().map_err(|_| format!("it should be {}", $what)) }
})* } }

from_setting! {
    SocketAddr, "an address and a port, as in `127.0.0.1:8080`";
    u32, "a whole number";
    bool, "`true` or `false`";
    String, "text";
    PathBuf, "a path";
}

impl FromSetting for Option<SocketAddr> {
    fn from_setting(text: &str) -> Result<Self, String> {
        if text.is_empty() { Ok(None) } else { SocketAddr::from_setting(text).map(Some) }
    }
}
impl FromSetting for Url {
    fn from_setting(text: &str) -> Result<Self, String> {
        let url = Self::parse(text).map_err(|_| "it should be an address that begins with https:// or http://".to_owned())?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() || url.path() != "/" || url.query().is_some() {
            return Err("it should be https:// or http:// and a host, without a path".to_owned());
        }
        Ok(url)
    }
}
impl FromSetting for Secret {
    fn from_setting(text: &str) -> Result<Self, String> {
        Ok(Self::new(text))
    }
}
impl FromSetting for Vec<IpNet> {
    fn from_setting(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts
            .map(|part| part.parse().or_else(|_| part.parse::<std::net::IpAddr>().map(IpNet::from)))
            .collect::<Result<_, _>>()
            .map_err(|_| "it should be networks separated by commas, as in `192.0.2.0/24`".to_owned())
    }
}
impl FromSetting for Bytes {
    fn from_setting(text: &str) -> Result<Self, String> {
        let wrong = || "it should be a number of bytes, as in `100MiB`".to_owned();
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        let factor = match unit.trim() {
            "" | "B" => 1,
            "KB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return Err(wrong()),
        };
        number.parse::<u64>().ok().and_then(|n| n.checked_mul(factor)).map(Self).ok_or_else(wrong)
    }
}
impl FromSetting for Waiting {
    fn from_setting(text: &str) -> Result<Self, String> {
        let wrong = || "it should be a duration of at least 24 hours, as in `72h`".to_owned();
        let span = humantime::parse_duration(text).map_err(|_| wrong())?;
        if span < Duration::from_secs(86_400) || span > Duration::from_secs(366 * 86_400) { Err(wrong()) } else { Ok(Self(span)) }
    }
}
impl FromSetting for Span {
    fn from_setting(text: &str) -> Result<Self, String> {
        humantime::parse_duration(text).map(Self).map_err(|_| "it should be a duration, as in `12h`".to_owned())
    }
}

fn read<T: FromSetting>(values: &BTreeMap<String, String>, key: &str, default: &str) -> Result<T, ConfigError> {
    let text = values.get(key).map_or(default, String::as_str);
    T::from_setting(text).map_err(|why| ConfigError::Value { key: key.to_owned(), why })
}

fn check_keys(values: &BTreeMap<String, String>, limits: &[String]) -> Result<(), ConfigError> {
    let known = || SETTINGS.iter().map(|s| s.key).chain(limits.iter().map(String::as_str));
    for key in values.keys() {
        if !known().any(|k| k == key) {
            let nearest = known()
                .min_by_key(|k| (!k.ends_with(&format!(".{key}")), strsim::damerau_levenshtein(k, key)))
                .unwrap_or_default()
                .to_owned();
            return Err(ConfigError::Unknown { key: key.clone(), nearest });
        }
    }
    Ok(())
}

fn read_limits(values: &BTreeMap<String, String>) -> Result<BTreeMap<String, Vec<Rate>>, ConfigError> {
    let mut overrides = BTreeMap::new();
    for (key, text) in values.iter().filter(|(key, _)| key.starts_with("limits.")) {
        let rates = parse_rates(text).map_err(|why| ConfigError::Value { key: key.clone(), why })?;
        overrides.insert(key.clone(), rates);
    }
    Ok(overrides)
}

impl Config {
    /// Reads file, environment and flags, in rising order of weight.
    ///
    /// # Errors
    /// The file, an unknown key, or a value that cannot be read.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
        flags: BTreeMap<String, String>,
        limits: &[String],
    ) -> Result<Self, ConfigError> {
        let mut values = file.map(read_file).transpose()?.unwrap_or_default();
        for (name, value) in environment {
            if let Some(key) = environment_key(&name) {
                values.insert(key, value);
            }
        }
        values.extend(flags);
        Self::from_values(&values, limits)
    }

    /// The rates that the operator set for a scope of a limit, if any.
    #[must_use]
    pub fn rates(&self, limit: &str, scope: &str) -> Option<Vec<Rate>> {
        self.overrides.get(&format!("limits.{limit}.{scope}")).cloned()
    }

    /// Whether cookies carry `Secure` and the `__Host-` prefix.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// The macaroons' location: the host of the public address without its port.
    #[must_use]
    pub fn token_location(&self) -> &str {
        self.public_url.host_str().unwrap_or("localhost")
    }

    /// An address on this index, from a path that begins with a slash.
    #[must_use]
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }

    /// How long a session lasts for this kind of account.
    #[must_use]
    pub const fn session_length(&self, administrator: bool) -> Duration {
        if administrator { self.session_length_administrator.0 } else { self.session_length.0 }
    }
}

/// `STRONGROOM_SERVER__LISTEN` is `server.listen`. Names without the double underscore are not settings.
fn environment_key(name: &str) -> Option<String> {
    let rest = name.strip_prefix("STRONGROOM_")?;
    rest.contains("__").then(|| rest.to_lowercase().replace("__", "."))
}

fn read_file(path: &Path) -> Result<BTreeMap<String, String>, ConfigError> {
    let wrong = |why: String| ConfigError::File { path: path.display().to_string(), why };
    let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| wrong(e.message().to_owned()))?;
    let mut values = BTreeMap::new();
    flatten("", &table, &mut values);
    Ok(values)
}

fn flatten(prefix: &str, table: &toml::Table, values: &mut BTreeMap<String, String>) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            toml::Value::Table(inner) => flatten(&key, inner, values),
            toml::Value::String(text) => drop(values.insert(key, text.clone())),
            toml::Value::Array(items) => {
                let items: Vec<String> = items.iter().map(|i| i.as_str().map_or_else(|| i.to_string(), str::to_owned)).collect();
                values.insert(key, items.join(","));
            }
            other => drop(values.insert(key, other.to_string())),
        }
    }
}
