//! `/admin/events/`: the audit trail, searched.

use askama::Template;

use super::{FormErrors, Frame, When};

/// `/admin/events/`.
#[derive(Template)]
#[template(path = "admin/events.html")]
pub struct Events {
    /// What surrounds the page.
    pub frame: Frame,
    /// What of the filter cannot be understood.
    pub errors: FormErrors,
    /// What is looked for, as it was typed.
    pub filter: Filter,
    /// The rows, newest first.
    pub events: Vec<EventLine>,
    /// The query of the next page.
    pub next_page: Option<String>,
}

/// What is looked for, as it was typed.
#[derive(Clone, Default)]
pub struct Filter {
    /// A user name or id.
    pub account: String,
    /// A project.
    pub project: String,
    /// A kind of event.
    pub kind: String,
    /// A kind or an id of a credential.
    pub credential: String,
    /// The number of a case.
    pub case: String,
    /// An address or a network.
    pub network: String,
    /// From this moment on.
    pub since: String,
    /// Before this moment.
    pub until: String,
}

impl Filter {
    /// Whether everything is shown.
    pub fn is_empty(&self) -> bool {
        let fields = [&self.account, &self.project, &self.kind, &self.credential, &self.case, &self.network, &self.since, &self.until];
        fields.iter().all(|field| field.is_empty())
    }
}

/// A row.
pub struct EventLine {
    /// Its place.
    pub seq: i64,
    /// When.
    pub when: When,
    /// What happened, in plain words.
    pub sentence: String,
    /// The kind.
    pub kind: String,
    /// The account that it is about.
    pub account: Option<String>,
    /// Who did it.
    pub actor: String,
    /// Whether that is an account.
    pub by_account: bool,
    /// The project.
    pub project: Option<String>,
    /// With what kind of credential.
    pub credential: String,
    /// Which one.
    pub credential_id: Option<String>,
    /// From where.
    pub network: Option<String>,
    /// With which client.
    pub agent: Option<String>,
    /// Whether it was a refusal.
    pub refused: bool,
}
