//! One conversation with a mail server. Which step failed decides what follows: a refused recipient is final, a server that
//! does not know us is not, since no notice may be lost by a wrong password in the settings.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use lettre::Address;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use percent_encoding::percent_decode_str;
use url::Url;

use super::{TIMEOUT_MOST, Undelivered};
use crate::config::Config;

/// How long a server may take over its good-bye, when the mail is already accepted.
const GOODBYE: Duration = Duration::from_secs(1);

/// The server and how to speak to it.
pub(super) struct Smtp {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<Credentials>,
    hello: ClientId,
    timeout: Duration,
}

enum Security {
    /// On this machine only.
    None,
    StartTls(TlsParameters),
    Tls(TlsParameters),
}

impl Smtp {
    /// Reads the settings.
    pub(super) fn new(config: &Config) -> anyhow::Result<Self> {
        let url = Url::parse(config.mail_url.expose()).ok().context("the setting `mail.url` is no address of a mail server")?;
        let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            bail!("the setting `mail.url` names no host");
        }
        let timeout = config.mail_timeout.0;
        if timeout.is_zero() || timeout > TIMEOUT_MOST {
            bail!("the setting `mail.timeout` should be between one millisecond and one minute");
        }
        let security = security(&url, &host, config)?;
        let port = url.port().unwrap_or(if matches!(security, Security::Tls(_)) { 465 } else { 587 });
        let hello = ClientId::Domain(config.token_location().to_owned());
        Ok(Self { host, port, security, credentials: credentials(&url)?, hello, timeout })
    }

    /// Hands one mail over.
    pub(super) async fn deliver(&self, from: &Address, to: &Address, message: &[u8]) -> Result<(), Undelivered> {
        let late = |_| Undelivered::Later("the mail server did not answer in time".to_owned());
        let mut server = tokio::time::timeout(self.timeout, self.hand_over(from, to, message)).await.map_err(late)??;
        // The mail is accepted: whatever happens to the good-bye, it must not be sent again.
        let _ = tokio::time::timeout(GOODBYE, server.abort()).await;
        Ok(())
    }

    async fn hand_over(&self, from: &Address, to: &Address, message: &[u8]) -> Result<AsyncSmtpConnection, Undelivered> {
        let mut server = self.connect().await?;
        let mut parameters = Vec::new();
        if !to.to_string().is_ascii() {
            if !server.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Err(Undelivered::Refused("the mail server takes no addresses beyond ASCII".to_owned()));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        server.command(Mail::new(Some(from.clone()), parameters)).await.map_err(|e| later("the sender", &e))?;
        server.command(Rcpt::new(to.clone(), Vec::new())).await.map_err(|e| final_or_later("the recipient", &e, Undelivered::Never))?;
        server.command(Data).await.map_err(|e| final_or_later("the mail", &e, Undelivered::Refused))?;
        server.message(message).await.map_err(|e| final_or_later("the mail", &e, Undelivered::Refused))?;
        Ok(server)
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Undelivered> {
        let place = (self.host.as_str(), self.port);
        let whole = if let Security::Tls(tls) = &self.security { Some(tls.clone()) } else { None };
        let connected = AsyncSmtpConnection::connect_tokio1(place, Some(self.timeout), &self.hello, whole, None).await;
        let mut server = connected.map_err(|e| later("the connection", &e))?;
        if let Security::StartTls(tls) = &self.security {
            server.starttls(tls.clone(), &self.hello).await.map_err(|e| later("STARTTLS", &e))?;
        }
        if let Some(credentials) = &self.credentials {
            server.auth(DEFAULT_MECHANISMS, credentials).await.map_err(|e| later("the password", &e))?;
        }
        Ok(server)
    }
}

/// On another machine mail never travels in the clear; on this one it does unless asked otherwise.
fn security(url: &Url, host: &str, config: &Config) -> anyhow::Result<Security> {
    let asked = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
    let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match (url.scheme(), asked.as_deref()) {
        ("smtps", None | Some("required")) => Ok(Security::Tls(tls(host, config)?)),
        ("smtp", None | Some("none")) if here => Ok(Security::None),
        ("smtp", None | Some("required")) => Ok(Security::StartTls(tls(host, config)?)),
        ("smtp", Some("none")) => bail!("the setting `mail.url` says `tls=none`, which only a mail server on this machine may have"),
        _ => bail!("the setting `mail.url` should end in `?tls=required`, or without `tls`"),
    }
}

fn tls(host: &str, config: &Config) -> anyhow::Result<TlsParameters> {
    let mut builder = TlsParameters::builder(host.to_owned()).certificate_store(CertificateStore::WebpkiRoots);
    let file = &config.mail_authorities;
    if !file.as_os_str().is_empty() {
        let name = file.display();
        let pem = std::fs::read(file).with_context(|| format!("the file {name} of `mail.authorities` cannot be read"))?;
        if !pem.windows(11).any(|window| window == b"CERTIFICATE") {
            bail!("the file {name} of `mail.authorities` holds no certificate in PEM");
        }
        let authorities = Certificate::from_pem(&pem).with_context(|| format!("the file {name} of `mail.authorities` cannot be used"))?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(authorities);
    }
    builder.build().context("TLS towards the mail server cannot be set up")
}

fn credentials(url: &Url) -> anyhow::Result<Option<Credentials>> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8().map(String::from).ok();
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        (user, Some(password)) if !user.is_empty() => {
            let both = decoded(user).zip(decoded(password));
            let (user, password) = both.context("user name or password in `mail.url` is no text")?;
            Ok(Some(Credentials::new(user, password)))
        }
        _ => bail!("the setting `mail.url` should have both a user name and a password, or none"),
    }
}

type Error = lettre::transport::smtp::Error;

fn later(step: &str, e: &Error) -> Undelivered {
    Undelivered::Later(reason(step, e))
}

fn final_or_later(step: &str, e: &Error, last: fn(String) -> Undelivered) -> Undelivered {
    if e.is_permanent() { last(reason(step, e)) } else { later(step, e) }
}

/// A server's own words may repeat the address: only its code is kept.
fn reason(step: &str, e: &Error) -> String {
    match e.status() {
        Some(code) => format!("the mail server refused {step}: {code}"),
        None => format!("{step}: {}", chain(e)),
    }
}

fn chain(e: &dyn std::error::Error) -> String {
    let mut text = e.to_string();
    let mut source = e.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn with(settings: &[(&str, &str)]) -> anyhow::Result<Smtp> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let values: BTreeMap<String, String> = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Smtp::new(&Config::from_values(&values, &[]).unwrap())
    }

    #[test]
    fn another_machine_is_never_spoken_to_in_the_clear() {
        assert!(matches!(with(&[("mail.url", "smtp://mail.example.org")]).unwrap().security, Security::StartTls(_)));
        assert!(matches!(with(&[("mail.url", "smtps://mail.example.org")]).unwrap().security, Security::Tls(_)));
        assert!(with(&[("mail.url", "smtp://mail.example.org?tls=none")]).is_err());
        assert!(with(&[("mail.url", "smtp://192.0.2.1?tls=none")]).is_err());
        assert!(with(&[("mail.url", "smtp://localhost.example.org?tls=none")]).is_err());
    }

    #[test]
    fn on_this_machine_tls_is_used_when_it_is_asked_for() {
        for host in ["localhost", "127.0.0.1", "[::1]"] {
            assert!(matches!(with(&[("mail.url", &format!("smtp://{host}:25"))]).unwrap().security, Security::None));
            assert!(matches!(with(&[("mail.url", &format!("smtp://{host}?tls=required"))]).unwrap().security, Security::StartTls(_)));
        }
    }

    #[test]
    fn ports_and_passwords_are_read_from_the_address() {
        let server = with(&[("mail.url", "smtps://ada:p%40ss@mail.example.org")]).unwrap();
        assert_eq!(server.port, 465);
        assert_eq!(server.credentials, Some(Credentials::new("ada".to_owned(), "p@ss".to_owned())));
        assert_eq!(with(&[("mail.url", "smtp://mail.example.org")]).unwrap().port, 587);
        assert_eq!(with(&[("mail.url", "smtp://mail.example.org:2525")]).unwrap().port, 2525);
    }

    #[test]
    fn a_wrong_address_is_refused_without_being_repeated() {
        for url in [
            "smtp://",
            "smtp://ada@mail.example.org",
            "smtp://:geheim@mail.example.org",
            "smtp://ada:geheim@mail.example.org?tls=opportunistic",
        ] {
            let error = with(&[("mail.url", url)]).err().unwrap_or_else(|| panic!("{url} was taken"));
            let text = format!("{error:#}");
            assert!(text.contains("mail.url") && !text.contains("geheim"), "{text}");
        }
        assert!(with(&[("mail.url", "smtp://localhost"), ("mail.timeout", "10m")]).is_err(), "longer than a job's lease");
    }

    #[test]
    fn a_file_of_authorities_without_a_certificate_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().display().to_string();
        let error = with(&[("mail.url", "smtps://mail.example.org"), ("mail.authorities", &path)]).err().unwrap();
        assert!(format!("{error:#}").contains("mail.authorities"));
    }
}
