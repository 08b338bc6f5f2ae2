//! Notices: who is told about an event, and the mail that says so. Who is told is the events table's word; `work` calls it.
//!
//! A mail is put together when it is sent, from the event and the address: the queue holds neither words nor addresses.

pub mod deliveries;
mod facts;
mod offer;
mod people;
mod words;

use askama::Template;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

pub use facts::tell;
pub(crate) use offer::keep;
pub use offer::{Enclosure, Offer, offer};
pub(crate) use people::hold_of;
pub use people::{Recipient, recipients};

use crate::db::Reading;
use crate::db::entities::{accounts, addresses, events, projects};
use crate::env::Env;
use crate::events::{Kind, Private, open_private};
use crate::ids::{AddressId, EventId};
use crate::mail::Letter;
use crate::refused::Refused;

/// Why there is no mail.
#[derive(Debug, thiserror::Error)]
pub enum NoLetter {
    /// What it would be made from is not there, and will not come.
    #[error("{0}")]
    Gone(String),
    /// Ours.
    #[error(transparent)]
    Fault(#[from] Refused),
}

impl From<sea_orm::DbErr> for NoLetter {
    fn from(e: sea_orm::DbErr) -> Self {
        Self::Fault(e.into())
    }
}

/// Everything that a mail is made from.
struct Story<'a> {
    env: &'a Env,
    kind: Kind,
    event: events::Model,
    detail: serde_json::Value,
    private: Option<Private>,
    /// The account that gets the mail.
    reader: accounts::Model,
    /// The account that acted, when it is another one.
    other: Option<accounts::Model>,
    /// Whether the reader was chosen as an administrator.
    as_staff: bool,
    /// The account that it is about, when the reader is an administrator who is told of what the operator did (R32).
    subject: Option<accounts::Model>,
    project: Option<projects::Model>,
    enclosure: &'a Enclosure,
}

/// A line of facts: its name and what it says.
struct Fact {
    name: &'static str,
    says: String,
}

/// A link that leads to the page on which something is done.
#[derive(Clone)]
struct Button {
    label: &'static str,
    link: String,
}

#[derive(Template)]
#[template(path = "mail/letter.txt", escape = "none")]
struct Text<'a> {
    heading: &'a str,
    facts: &'a [Fact],
    code: Option<&'a str>,
    button: Option<&'a Button>,
    paragraphs: &'a [String],
    offered: Option<&'a words::Offered>,
    footer: &'a str,
}

#[derive(Template)]
#[template(path = "mail/letter.html")]
struct Html<'a> {
    index: &'a str,
    heading: &'a str,
    facts: &'a [Fact],
    code: Option<&'a str>,
    button: Option<&'a Button>,
    paragraphs: &'a [String],
    offered: Option<&'a words::Offered>,
    footer: &'a str,
}

/// The event that a mail tells.
///
/// # Errors
/// `Gone` when there is none, or its kind is not known here.
pub async fn event<R: Reading>(read: &R, id: EventId) -> Result<(Kind, events::Model), NoLetter> {
    let row = events::Entity::find().filter(events::Column::Id.eq(id)).one(read.connection()).await?;
    let row = row.ok_or_else(|| NoLetter::Gone(format!("there is no event {id}")))?;
    let kind = Kind::from_wire(&row.kind).ok_or_else(|| NoLetter::Gone(format!("event {id} is of an unknown kind")))?;
    Ok((kind, row))
}

/// Who reads a mail: at which address, and whether as an administrator. One account may be told of one kind as the one and of another as
/// the other, and of most as itself.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    /// The address.
    pub address: AddressId,
    /// Chosen as an administrator, not as the account or an Owner that it concerns.
    pub as_staff: bool,
}

/// Puts the mail together: the same event, address and enclosure always make the same letter.
///
/// # Errors
/// `Gone` when the event or the address is not there, or a mail that needs a secret has none; `Fault` for the database.
pub async fn compose<R: Reading>(env: &Env, read: &R, id: EventId, to: Reader, enclosure: &Enclosure) -> Result<Letter, NoLetter> {
    let (kind, event) = event(read, id).await?;
    let address = addresses::Entity::find_by_id(to.address).one(read.connection()).await?;
    let address = address.ok_or_else(|| NoLetter::Gone(format!("there is no address {}", to.address)))?;
    let reader = accounts::Entity::find_by_id(address.account_id).one(read.connection()).await?;
    let reader = reader.ok_or_else(|| NoLetter::Gone(format!("address {} belongs to nobody", to.address)))?;
    let other = match event.actor_account_id {
        Some(actor) if actor != reader.id => accounts::Entity::find_by_id(actor).one(read.connection()).await?,
        _ => None,
    };
    let subject = match event.account_id {
        Some(about) if to.as_staff && about != reader.id && kind.tells_administrators(&event.actor) => {
            accounts::Entity::find_by_id(about).one(read.connection()).await?
        }
        _ => None,
    };
    let project = match event.project_id {
        Some(project) => projects::Entity::find_by_id(project).one(read.connection()).await?,
        None => None,
    };
    let detail = serde_json::from_str(&event.detail).map_err(Refused::from)?;
    let private = open_private(env, read, id).await?;
    let story = Story { env, kind, event, detail, private, reader, other, as_staff: to.as_staff, subject, project, enclosure };
    write(&story, &address)
}

/// The local part of the Message-ID: one mail about one event to one recipient.
pub(crate) fn message_id(event: EventId, mark: &str) -> String {
    format!("{event}.{mark}")
}

fn write(story: &Story<'_>, address: &addresses::Model) -> Result<Letter, NoLetter> {
    let to = address.address.parse().map_err(|_| NoLetter::Gone(format!("address {} cannot be written to", address.id)))?;
    let index = &story.env.config.name;
    let wording = words::of(story)?;
    let heading = wording.heading.as_str();
    let (facts, paragraphs) = (story.facts(), wording.paragraphs.as_slice());
    let footer = format!(
        "This mail went to an address of the account {} on {index}, {}. Nobody reads answers to it.",
        story.reader.username, story.env.config.public_url
    );
    let (code, button) = (wording.code.as_deref(), wording.button.as_ref());
    let offered = story.offered();
    let offered = offered.as_ref();
    let fault = |e: askama::Error| NoLetter::Fault(anyhow::Error::new(e).context("a mail template").into());
    let text = Text { heading, facts: &facts, code, button, paragraphs, offered, footer: &footer }.render().map_err(fault)?;
    let html = Html { index, heading, facts: &facts, code, button, paragraphs, offered, footer: &footer }.render().map_err(fault)?;
    Ok(Letter {
        to,
        subject: format!("{heading} ({} on {index})", story.reader.username),
        text,
        html,
        id: message_id(story.event.id, &people::mark(&address.folded)),
        host: story.env.config.token_location().to_owned(),
        at: story.event.at,
        order: story.event.seq,
    })
}

#[cfg(test)]
mod tests;
