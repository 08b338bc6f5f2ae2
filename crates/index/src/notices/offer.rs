//! What the reader of a notice can do about it with one link: stop the own account, or pause the credential of somebody else's act (R14).

use sea_orm::EntityTrait;
use serde::{Deserialize, Serialize};

use credentials::link::LinkToken;
use credentials::secret::Secret;

use super::NoLetter;
use crate::accounts::addresses::may_have_links;
use crate::accounts::link::{self, NewLink, Purpose};
use crate::db::entities::{addresses, events};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{Audience, Kind};
use crate::ids::{AccountId, AddressId};
use crate::policy::Credential;
use crate::queue::Enclosed;
use crate::refused::Refused;

/// Which of the two links a notice carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Offer {
    /// "This was not me": the reader acted, or it was done to the reader.
    NotMe,
    /// "Raise the alarm": somebody else did it, with a credential that can be paused.
    Alarm,
}

impl Offer {
    /// The purpose of its link.
    #[must_use]
    pub const fn purpose(self) -> Purpose {
        match self {
            Self::NotMe => Purpose::NotMe,
            Self::Alarm => Purpose::Alarm,
        }
    }
}

/// What a mail carries beside its words: sealed in its job, blanked when it is sent (R29).
#[derive(Clone, Default)]
pub struct Enclosure {
    /// The link token or code that the mail is for.
    pub own: Option<Secret>,
    /// The link by which its reader can stop what it tells.
    pub offer: Option<(Offer, Secret)>,
}

#[derive(Serialize, Deserialize)]
struct Written {
    own: Option<String>,
    offer: Option<(Offer, String)>,
}

impl Enclosure {
    /// As it goes into the job; nothing when there is nothing in it.
    ///
    /// # Errors
    /// None that can happen.
    pub fn seal(&self) -> Result<Option<Enclosed>, Refused> {
        if self.own.is_none() && self.offer.is_none() {
            return Ok(None);
        }
        let own = self.own.as_ref().map(|secret| secret.expose().to_owned());
        let offer = self.offer.as_ref().map(|(offer, secret)| (*offer, secret.expose().to_owned()));
        Ok(Some(Enclosed(Secret::new(serde_json::to_string(&Written { own, offer })?))))
    }

    /// As it comes out of the job. What was enclosed before there were offers is a bare token or code.
    #[must_use]
    pub fn open(enclosed: Option<&Secret>) -> Self {
        let Some(text) = enclosed else { return Self::default() };
        if !text.expose().starts_with('{') {
            return Self { own: Some(text.clone()), offer: None };
        }
        let Ok(Written { own, offer }) = serde_json::from_str(text.expose()) else { return Self::default() };
        Self { own: own.map(Secret::new), offer: offer.map(|(offer, token)| (offer, Secret::new(token))) }
    }
}

/// What the reader at an address is offered about an event. Everybody can stop only themselves (R14).
///
/// # Errors
/// The database.
pub async fn offer<R: Reading>(read: &R, kind: Kind, event: &events::Model, to: AddressId) -> Result<Option<Offer>, NoLetter> {
    let Some(address) = addresses::Entity::find_by_id(to).one(read.connection()).await? else { return Ok(None) };
    if !may_have_links(read, &address).await? {
        return Ok(None);
    }
    Ok(judge(kind.audience(), event, address.account_id))
}

/// What only those who run the index do: no owner's alarm stops an administrator's session.
pub(super) const OF_STAFF: [&str; 12] = [
    "account:freeze",
    "account:thaw",
    "project:quarantine:enter",
    "project:quarantine:exit",
    "hold:stopped",
    "case:close",
    "account:restored",
    "account:restore:undone",
    "project:restored",
    "project:restore:undone",
    "project:role:restore:ended",
    "project:role:restore:returned",
];

/// Whether only those who run the index do it, or did this.
pub(super) fn is_of_staff(event: &events::Model) -> bool {
    let said = || serde_json::from_str::<serde_json::Value>(&event.detail).is_ok_and(|detail| detail["by_staff"] == true);
    OF_STAFF.contains(&event.kind.as_str()) || said()
}

/// Only what the account itself did is offered in a mail to one address: a stranger who asks for a link did nothing to it.
pub(super) fn judge(audience: Audience, event: &events::Model, reader: AccountId) -> Option<Offer> {
    let taking_back = event.credential == Credential::TakeBack.wire();
    let acted = event.actor_account_id == Some(reader) && !taking_back;
    let concerned = event.account_id == Some(reader);
    match audience {
        Audience::Nobody(_) | Audience::Administrators => None,
        Audience::Addressee => acted.then_some(Offer::NotMe),
        _ if acted || concerned => Some(Offer::NotMe),
        _ => {
            let can_be_paused =
                !is_of_staff(event) && event.actor_account_id.is_some() && event.credential_id.is_some() && event.project_id.is_some();
            can_be_paused.then_some(Offer::Alarm)
        }
    }
}

/// Keeps the link of an offer that a mail will carry.
pub(crate) async fn keep(env: &Env, tx: &Tx, offer: Offer, token: &LinkToken, event: &events::Model, to: AddressId) -> Result<(), Refused> {
    let address = addresses::Entity::find_by_id(to).one(tx.connection()).await?;
    let account = address.map(|address| address.account_id);
    let new = NewLink { purpose: offer.purpose(), account, address: Some(to), session: None, began_by: event.id };
    link::keep_for_notice(env, tx, token, new, event.id).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_enclosed_comes_out_as_it_went_in() {
        let both = Enclosure { own: Some(Secret::new("042117")), offer: Some((Offer::NotMe, Secret::new("TOKEN"))) };
        let sealed = both.seal().unwrap().unwrap();
        let open = Enclosure::open(Some(&sealed.0));
        assert_eq!(open.own.unwrap().expose(), "042117");
        let (offer, token) = open.offer.unwrap();
        assert_eq!((offer, token.expose()), (Offer::NotMe, "TOKEN"));
    }

    #[test]
    fn a_code_that_was_queued_before_there_were_offers_is_still_mailed() {
        let open = Enclosure::open(Some(&Secret::new("042117")));
        assert_eq!(open.own.unwrap().expose(), "042117");
        assert!(open.offer.is_none() && Enclosure::default().seal().unwrap().is_none());
    }
}
