//! What surrounds every page: header, banners, footer.

use std::fmt;

use askama::filters::HtmlSafe;

use crate::assets::asset_url;

/// What every page holds besides its own matter.
#[derive(Clone)]
pub struct Frame {
    /// Name of this index, shown in the header.
    pub index_name: String,
    /// Who is signed in.
    pub viewer: Option<Viewer>,
    /// Goes into the hidden field `csrf_token` of every form.
    pub csrf_token: String,
    /// States that people must not miss, most pressing first.
    pub banners: Vec<Banner>,
    /// What the last form did, shown once.
    pub flash: Option<Flash>,
    /// How far the clock of this index is shifted (`+3 days 1 hour`), if it is.
    pub clock_shifted: Option<String>,
    /// What stands in the search box.
    pub search: String,
    /// The id of this request, as in the log.
    pub request_id: String,
}

/// The account that looks at a page.
#[derive(Clone)]
pub struct Viewer {
    /// Its user name.
    pub username: String,
    /// Whether it holds a staff role.
    pub is_staff: bool,
}

/// The four states that colour, icon and word tell apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something is stopped or lost.
    Danger,
    /// Something will happen, or wants attention.
    Warning,
    /// Something to know.
    Info,
    /// Something was done.
    Success,
}

/// A state shown above the matter of a page.
#[derive(Clone)]
pub struct Banner {
    /// Its colour and icon.
    pub kind: Kind,
    /// The bold word in front; `kind.word()` where nothing fits better.
    pub word: String,
    /// What happened or is missing, in whole sentences.
    pub text: String,
    /// The one button that leads on.
    pub action: Option<Action>,
}

/// A link that looks like a button.
#[derive(Clone)]
pub struct Action {
    /// What pressing it does.
    pub label: String,
    /// Where it leads, a path of this index.
    pub href: String,
}

/// What a form that was just sent did.
#[derive(Clone)]
pub struct Flash {
    /// Its colour, icon and word.
    pub kind: Kind,
    /// One sentence.
    pub text: String,
}

/// A small picture drawn in the page; says nothing to a screen reader, since a word stands beside it.
pub struct Icon(&'static str);

impl Action {
    /// A link to `href` that says `label`.
    pub fn new(label: impl Into<String>, href: impl Into<String>) -> Self {
        Self { label: label.into(), href: href.into() }
    }
}

impl Banner {
    /// A banner that opens with the usual word of its kind.
    pub fn new(kind: Kind, text: impl Into<String>, action: Option<Action>) -> Self {
        Self { kind, word: kind.word().into(), text: text.into(), action }
    }

    /// The red gate banner: `missing` says what the account lacks for the page it is on, `action` leads to what
    /// fixes it. The promise to come back is part of the banner.
    pub fn gate(missing: &str, action: Action) -> Self {
        Self {
            kind: Kind::Danger,
            word: "Secure your account first".into(),
            text: format!("{missing} You come back to this page when it is done."),
            action: Some(action),
        }
    }
}

impl Kind {
    /// The class of its colours in the style sheet.
    pub fn class(self) -> &'static str {
        match self {
            Self::Danger => "danger",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Success => "success",
        }
    }

    /// The word that says the same as the colour.
    pub fn word(self) -> &'static str {
        match self {
            Self::Danger => "Stopped",
            Self::Warning => "Warning",
            Self::Info => "Note",
            Self::Success => "Done",
        }
    }

    /// The icon that says the same as the colour.
    pub fn icon(self) -> Icon {
        Icon(match self {
            Self::Danger => r#"<path d="M5 1h6l4 4v6l-4 4H5l-4-4V5zM8 4v5M8 11v1.5"/>"#,
            Self::Warning => r#"<path d="M8 1.5 15 14.5H1zM8 6v4.5M8 12v1"/>"#,
            Self::Info => r#"<circle cx="8" cy="8" r="7"/><path d="M8 7v5M8 4v1.2"/>"#,
            Self::Success => r#"<circle cx="8" cy="8" r="7"/><path d="m4.5 8.5 2.5 2.5 4.5-5.5"/>"#,
        })
    }
}

impl Frame {
    /// The address of the style sheet.
    pub fn style_url(&self) -> &'static str {
        asset_url("style.css")
    }

    /// The address of the module behind copy, download and print buttons.
    pub fn copy_url(&self) -> &'static str {
        asset_url("copy.js")
    }

    /// The address of the module of security keys and passkeys.
    pub fn keys_url(&self) -> &'static str {
        asset_url("keys.js")
    }

    /// The address of the icon in the browser's tab.
    pub fn icon_url(&self) -> &'static str {
        asset_url("icon.svg")
    }

    /// The version of this program.
    pub fn program_version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }
}

impl fmt::Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, r#"<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">{}</svg>"#, self.0)
    }
}

impl HtmlSafe for Icon {}
