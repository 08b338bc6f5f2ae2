//! Handing one mail over: to a folder (Maildir) or to a mail server (SMTP). Knows no events and no accounts; `work` calls it.
//!
//! A letter is built from types that cannot carry a second header (R31), and a letter handed over twice is the same letter:
//! same Message-ID, date and boundary.

mod file;
mod smtp;

use std::time::{Duration, SystemTime};

use anyhow::{Context, bail};
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};

use crate::clock::Time;
use crate::config::Config;
use file::Maildir;
use smtp::Smtp;

/// The longest that `mail.timeout` may be: a job's lease must outlast it.
pub const TIMEOUT_MOST: Duration = Duration::from_secs(60);

/// One mail to one person.
#[derive(Clone)]
pub struct Letter {
    /// To whom.
    pub to: Address,
    /// The subject line.
    pub subject: String,
    /// The plain-text part.
    pub text: String,
    /// The HTML part, which says the same.
    pub html: String,
    /// Names the mail for good: letters, digits, dashes and dots. With `@HOST` it is the Message-ID.
    pub id: String,
    /// The host in the Message-ID.
    pub host: String,
    /// When what it tells happened.
    pub at: Time,
    /// The place of what it tells in the audit trail; files of one moment sort by it.
    pub order: i64,
}

impl std::fmt::Debug for Letter {
    /// Prints the id alone: the address is personal, and the text may hold a link or a code.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Letter {
    /// The mail as it is sent.
    fn message(&self, from: &Mailbox) -> anyhow::Result<Message> {
        let date = SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(self.at.as_micros()).unwrap_or(0));
        let parts = MultiPart::alternative()
            .boundary(format!("strongroom.{}", self.id))
            .singlepart(part(ContentType::TEXT_PLAIN, self.text.clone()))
            .singlepart(part(ContentType::TEXT_HTML, self.html.clone()));
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        let message = Message::builder()
            .from(from.clone())
            .to(Mailbox::new(None, self.to.clone()))
            .subject(self.subject.clone())
            .date(date)
            .message_id(Some(format!("<{}@{}>", self.id, self.host)))
            .raw_header(automatic)
            .multipart(parts);
        message.context("the mail cannot be put together")
    }
}

/// Plain ASCII travels as it is, so that a link in a kept file can be read and copied; anything else is quoted.
fn part(kind: ContentType, text: String) -> SinglePart {
    let plain = text.is_ascii() && text.lines().all(|line| line.len() <= 900);
    let encoding = if plain { ContentTransferEncoding::SevenBit } else { ContentTransferEncoding::QuotedPrintable };
    let body = Body::new_with_encoding(text, encoding).unwrap_or_else(Body::new);
    SinglePart::builder().header(kind).body(body)
}

/// Why a mail was not handed over. The texts name no address.
#[derive(Debug, thiserror::Error)]
pub enum Undelivered {
    /// Not now: the server is away, hangs, or asks to try again.
    #[error("{0}")]
    Later(String),
    /// The server refuses the text of this mail for good; a few more tries may meet it in a better state.
    #[error("{0}")]
    Refused(String),
    /// This recipient can never be reached.
    #[error("{0}")]
    Never(String),
}

/// Hands mail over in the one way that the settings name.
pub struct Mailer {
    from: Mailbox,
    way: Way,
}

enum Way {
    Maildir(Maildir),
    Smtp(Box<Smtp>),
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mailer")
    }
}

impl Mailer {
    /// The way that `mail.url` names.
    ///
    /// # Errors
    /// A setting that cannot be used; its value is not repeated, since it may hold a password.
    pub fn open(config: &Config) -> anyhow::Result<Self> {
        let from = config.mail_from.parse().context("the setting `mail.from` should be as in `Strongroom <strongroom@example.org>`")?;
        let url = config.mail_url.expose();
        let way = match url.split_once(':') {
            None if url.is_empty() => Way::Maildir(Maildir::new(config.data_dir.join("mail"))),
            Some(("file", path)) if !path.is_empty() => Way::Maildir(Maildir::new(path.into())),
            Some(("smtp" | "smtps", _)) => Way::Smtp(Box::new(Smtp::new(config)?)),
            _ => bail!("the setting `mail.url` must begin with `file:`, `smtp:` or `smtps:`"),
        };
        Ok(Self { from, way })
    }

    /// Hands one mail over; it counts as accepted when this returns.
    ///
    /// # Errors
    /// Why not, and whether another try makes sense.
    pub async fn deliver(&self, letter: &Letter) -> Result<(), Undelivered> {
        let message = letter.message(&self.from).map_err(|e| Undelivered::Never(format!("{e:#}")))?;
        match &self.way {
            Way::Maildir(folder) => {
                let name = format!("{:016}.{:012}.{}.eml", letter.at.as_micros(), letter.order, letter.id);
                folder.write(name, message.formatted()).await.map_err(|e| Undelivered::Later(format!("the mail folder: {e}")))
            }
            Way::Smtp(server) => server.deliver(&self.from.email, &letter.to, &message.formatted()).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter() -> Letter {
        Letter {
            to: "ada@example.org".parse().unwrap(),
            subject: "A second factor was added".to_owned(),
            text: "What: nothing\n".to_owned(),
            html: "<p>nothing</p>\n".to_owned(),
            id: "0190-1.ab".to_owned(),
            host: "index.example.org".to_owned(),
            at: Time::from_seconds(1_700_642_855),
            order: 7,
        }
    }

    fn sent(letter: &Letter) -> String {
        String::from_utf8(letter.message(&"Strongroom <strongroom@example.org>".parse().unwrap()).unwrap().formatted()).unwrap()
    }

    #[test]
    fn a_mail_carries_its_id_its_date_and_that_no_person_wrote_it() {
        let text = sent(&letter());
        for line in [
            "From: Strongroom <strongroom@example.org>\r\n",
            "To: ada@example.org\r\n",
            "Message-ID: <0190-1.ab@index.example.org>\r\n",
            "Date: Wed, 22 Nov 2023 08:47:35 +0000\r\n",
            "Auto-Submitted: auto-generated\r\n",
        ] {
            assert!(text.contains(line), "{line} is missing from {text}");
        }
    }

    #[test]
    fn the_same_letter_is_the_same_bytes_at_each_try() {
        assert_eq!(sent(&letter()), sent(&letter()));
    }

    #[test]
    fn a_line_break_in_a_subject_makes_no_second_header() {
        let mut letter = letter();
        letter.subject = "Hello\r\nBcc: eve@example.org\r\n\r\nbody".to_owned();
        let text = sent(&letter);
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        assert!(!head.lines().any(|line| line.to_ascii_lowercase().starts_with("bcc:")), "{head}");
        assert!(text.contains("nothing"), "the body is still ours: {text}");
    }

    #[test]
    fn an_address_with_a_line_break_is_no_address() {
        assert!("ada@example.org\r\nBcc: eve@example.org".parse::<Address>().is_err());
    }

    #[test]
    fn a_letter_does_not_print_its_text_or_its_address() {
        assert_eq!(format!("{:?}", letter()), "Letter { id: \"0190-1.ab\", .. }");
    }
}
