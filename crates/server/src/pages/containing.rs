//! Pages behind the links of notices: "this was not me", the alarm, and the way back into a stopped account.

use askama::Template;

use super::{FormErrors, Frame, When};

/// `/account/not-me/?token=`: opening it changes nothing, its button does.
#[derive(Template)]
#[template(path = "account/not-me.html")]
pub struct NotMe {
    /// What surrounds the page.
    pub frame: Frame,
    /// The token of the link, sent back in the body.
    pub token: String,
    /// The account that is stopped.
    pub username: String,
    /// What the notice told.
    pub what: String,
    /// When that was.
    pub at: When,
    /// Whether it would only end sessions, because the same mailbox stopped the account within 30 days.
    pub again: bool,
}

/// After "this was not me".
#[derive(Template)]
#[template(path = "account/contained.html")]
pub struct Contained {
    /// What surrounds the page.
    pub frame: Frame,
    /// The account.
    pub username: String,
    /// How many sessions ended.
    pub sessions_ended: u64,
    /// Whether the account is stopped by it.
    pub stopped: bool,
}

/// `/account/alarm/?token=`: opening it changes nothing, its button does.
#[derive(Template)]
#[template(path = "account/alarm.html")]
pub struct Alarm {
    /// What surrounds the page.
    pub frame: Frame,
    /// The token of the link, sent back in the body.
    pub token: String,
    /// The project.
    pub project: String,
    /// Who acted.
    pub whose: String,
    /// What the notice told.
    pub what: String,
    /// When that was.
    pub at: When,
    /// Whether this person raised the alarm on this project within a week.
    pub again: bool,
    /// Whether it stops anything: not without a role on the project that gives something.
    pub pauses: bool,
    /// What it takes from serving, in words.
    pub withdraws: Option<String>,
}

/// After an alarm.
#[derive(Template)]
#[template(path = "account/alarm-raised.html")]
pub struct AlarmRaised {
    /// What surrounds the page.
    pub frame: Frame,
    /// Until when what was used is stopped; nothing when nothing more was.
    pub until: Option<When>,
    /// Whether there was an alarm within a week.
    pub again: bool,
    /// What was taken from serving, in words.
    pub withdrawn: Option<String>,
}

/// `/account/take-back/` in a browser that has not begun one.
#[derive(Template)]
#[template(path = "account/take-back-begin.html")]
pub struct TakeBackBegin {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// What was typed as `username`.
    pub username: String,
}

/// `/account/take-back/` on the way.
#[derive(Template)]
#[template(path = "account/take-back.html")]
pub struct TakeBack {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// The account, once a proof was given.
    pub username: Option<String>,
    /// When the code that is open now ends; nothing while none was asked for.
    pub code_expires: Option<When>,
    /// How often a code may still be entered.
    pub tries_left: u32,
    /// A settled mailbox was proved.
    pub mailbox: bool,
    /// A settled factor was proved.
    pub factor: bool,
    /// Whether the factor may be proved before the mailbox.
    pub factor_first: bool,
    /// A settled authenticator app could prove it.
    pub totp: bool,
    /// A settled security key or passkey could prove it.
    pub key: bool,
    /// From when the one proof is enough, once that was asked for.
    pub due: Option<When>,
    /// What to decide, once the proofs are there.
    pub decide: Option<Decide>,
    /// Whether a freeze by staff stands beside it.
    pub frozen: bool,
}

/// What was gained in 30 days, to be kept one by one.
pub struct Decide {
    /// The things, newest first.
    pub things: Vec<Thing>,
    /// The addresses that are told.
    pub told: Vec<Told>,
}

/// One thing that was gained.
pub struct Thing {
    /// Its id, sent as `keep`.
    pub id: String,
    /// What it is.
    pub what: String,
    /// Since when.
    pub from: When,
    /// Whether it was marked in a form that was refused.
    pub marked: bool,
}

/// An address that is told.
pub struct Told {
    /// Its id, sent as `without_links`.
    pub id: String,
    /// The address.
    pub email: String,
    /// Whether it was marked in a form that was refused.
    pub marked: bool,
}

/// After a take-back.
#[derive(Template)]
#[template(path = "account/taken-back.html")]
pub struct TakenBack {
    /// What surrounds the page.
    pub frame: Frame,
    /// The account.
    pub username: String,
    /// Whether a freeze by staff still stops it.
    pub frozen: bool,
}
