//! What mails say below their facts: what it means, and what to do. A kind without words of its own gets good ones from its row.
//!
//! Plain ASCII where we choose the words, so that a kept mail can be read as it lies there.

use super::facts::{lasting, one_line};
use super::offer::Offer;
use super::{Button, NoLetter, Story};
use crate::accounts::link::Purpose;
use crate::containment::PAUSE;
use crate::db::entities::projects;
use crate::events::{Audience, Kind};
use crate::places;
use crate::projects::collaboration::INVITATION;
use crate::signin::mailbox;

/// The words of one mail beside its facts.
#[derive(Clone)]
pub(super) struct Wording {
    pub heading: String,
    /// Where the reader does what the mail is for.
    pub button: Option<Button>,
    pub code: Option<String>,
    pub paragraphs: Vec<String>,
}

impl Wording {
    fn new(heading: impl Into<String>, paragraphs: Vec<String>) -> Self {
        Self { heading: heading.into(), button: None, code: None, paragraphs }
    }
    fn with(self, button: Button) -> Self {
        Self { button: Some(button), ..self }
    }
}

/// How the one link is offered by which the reader stops what the mail tells.
pub(super) struct Offered {
    pub label: &'static str,
    pub link: String,
    pub says: String,
}

impl Story<'_> {
    fn link(&self, path: &str) -> String {
        self.env.config.link(path)
    }

    fn index(&self) -> &str {
        &self.env.config.name
    }

    fn secret(&self) -> Result<&str, NoLetter> {
        let secret = self.enclosure.own.as_ref().map(credentials::secret::Secret::expose);
        secret.ok_or_else(|| NoLetter::Gone(format!("the mail about event {} has lost its secret", self.event.id)))
    }

    fn token_button(&self, label: &'static str, path: &str) -> Result<Button, NoLetter> {
        Ok(Button { label, link: self.link(&format!("{path}?token={}", self.secret()?)) })
    }

    /// Whether the reader is told as an administrator: it is about somebody else's account, or about none.
    fn is_for_staff(&self) -> bool {
        self.as_staff && self.kind.tells_administrators(&self.event.actor) && self.event.account_id != Some(self.reader.id)
    }

    fn not_me(&self, lives: &str) -> String {
        let press = "open this link and press its button.";
        let once = format!("It needs no sign-in and works once, for {lives}.");
        if self.kind == Kind::AccountContained {
            return format!(
                "If you did not press it, and do not know who did: {press} That ends every session once more and opens a case of its own. {once}"
            );
        }
        format!(
            "If this was not you, or should not have happened: {press} That stops the account at once: every session and remembered browser ends, and its API tokens do nothing. Nothing is deleted; you take the account back with your mailbox and your second factor. {once}"
        )
    }

    /// The link that the reader was offered, and what it does.
    pub(super) fn offered(&self) -> Option<Offered> {
        let (offer, token) = self.enclosure.offer.as_ref()?;
        let lives = lasting(offer.purpose().lifetime());
        Some(match offer {
            Offer::NotMe => Offered {
                label: "This was not me",
                link: self.link(&format!("/account/not-me/?token={}", token.expose())),
                says: self.not_me(&lives),
            },
            Offer::Alarm => {
                let project = self.project.as_ref().map_or("the project", |p| p.name.as_str());
                Offered {
                    label: "Raise the alarm",
                    link: self.link(&format!("/account/alarm/?token={}", token.expose())),
                    says: format!(
                        "If nobody should have done this: open this link and press its button. That stops what was used for it on {project} for {},{} tells all owners, and calls the people who run {}. It needs no sign-in and works once, for {lives}.",
                        lasting(PAUSE),
                        if self.kind == Kind::FileUploaded {
                            " takes what was uploaded from serving until an owner puts it back,"
                        } else {
                            ""
                        },
                        self.index()
                    ),
                }
            }
        })
    }
}

/// The words for this story.
pub(super) fn of(story: &Story<'_>) -> Result<Wording, NoLetter> {
    if story.is_for_staff() && !matches!(story.kind, Kind::EpochBegun | Kind::EpochOpened) {
        return Ok(act_of_the_operator(story));
    }
    match story.kind {
        Kind::AccountCreated if story.event.actor.starts_with("operator:") => Ok(made_for_you()),
        Kind::AccountCreated | Kind::VerificationSent => verify(story),
        Kind::KnownAddressRegistered | Kind::KnownAddressAdded => Ok(known_address(story)),
        Kind::PasswordResetRequested => reset(story),
        Kind::MailboxCodeSent => code(story),
        Kind::ConfirmationSent => confirm(story),
        Kind::TakeBackCodeSent => take_back_code(story),
        Kind::HoldProposed => Ok(proposed(story)),
        Kind::RoleInvited if story.event.account_id == Some(story.reader.id) => Ok(invited(story)),
        _ => Ok(notice(story)),
    }
}

/// What the operator did, told to the administrators (R32).
fn act_of_the_operator(story: &Story<'_>) -> Wording {
    let paragraphs = vec![
        "You get this because you administer the index: everything that is done at its shell is told to all administrators.".to_owned(),
        format!(
            "If nobody of you knows of it: somebody else is on the machine of {}. Act as the manual says under Incidents.",
            story.index()
        ),
    ];
    Wording::new("The operator acted at the shell", paragraphs)
}

fn verify(story: &Story<'_>) -> Result<Wording, NoLetter> {
    let paragraphs = vec![
        format!(
            "The link works once, for {}. It opens a page with one button. Open it in the browser in which you are signed in: there it also counts as a fresh proof of your mailbox.",
            lasting(Purpose::VerifyEmail.lifetime())
        ),
        format!("If this was not you: do nothing. Without this link nobody can do anything on {} in your name.", story.index()),
    ];
    let button = story.token_button("Verify this address", "/account/verify-email/")?;
    Ok(Wording::new("Verify your address", paragraphs).with(button))
}

fn made_for_you() -> Wording {
    let paragraphs = vec![
        format!(
            "The operator who made it gives you a link with which you choose your password. The link works once, for {}; ask for a new one when it is too old.",
            lasting(Purpose::SetUp.lifetime())
        ),
        "If you do not expect this: do nothing. Without that link the account can do nothing.".to_owned(),
    ];
    Wording::new("An account was made for you", paragraphs)
}

fn known_address(story: &Story<'_>) -> Wording {
    let paragraphs = vec![
        format!("Whoever tried cannot use your address, and was not told that you have an account: it is {}.", story.reader.username),
        "If this was you: sign in with that name. If you have forgotten the password, ask for a link to choose a new one.".to_owned(),
        "If this was not you: do nothing. Your account is as it was.".to_owned(),
    ];
    let button = Button { label: "Choose a new password", link: story.link("/account/request-password-reset/") };
    Wording::new("Somebody tried to use your address", paragraphs).with(button)
}

fn reset(story: &Story<'_>) -> Result<Wording, NoLetter> {
    let paragraphs = vec![
        format!(
            "The link works once, for {}. Your second factor stays as it is and is still asked for.",
            lasting(Purpose::ResetPassword.lifetime())
        ),
        "If this was not you: do nothing. Your password stays as it is. Give the link to nobody.".to_owned(),
    ];
    let button = story.token_button("Choose a new password", "/account/reset-password/")?;
    Ok(Wording::new("Choose a new password", paragraphs).with(button))
}

fn nobody_asks(story: &Story<'_>) -> String {
    format!(
        "Nobody who works on {} asks for it. Whoever asks you for it, by telephone, by mail or on another page, wants your account.",
        story.index()
    )
}

/// The browser in our own words only: what it calls itself is a stranger's text (R31).
fn confirm(story: &Story<'_>) -> Result<Wording, NoLetter> {
    let agent = story.private.as_ref().and_then(|p| p.agent.as_deref());
    let browser = agent.and_then(places::browser).unwrap_or_else(|| "a browser that does not say what it is".to_owned());
    let network = story.private.as_ref().and_then(|p| p.network.clone());
    let place = network.and_then(|network| story.env.places.of(&network));
    let place = place.map(|place| format!(", in {place}")).unwrap_or_default();
    let paragraphs = vec![
        format!(
            "The sign-in came from {browser}{place}. It waits for you to open the link in that same browser and to press the button there."
        ),
        format!(
            "The link works once, for {}, and only where the sign-in began: opened elsewhere it signs nobody in.",
            lasting(Purpose::ConfirmLogin.lifetime())
        ),
        format!(
            "If this was not you: somebody has your password, and what else the first line names. Nobody is signed in. Change the password now, at {}",
            story.link("/account/request-password-reset/")
        ),
    ];
    let button = story.token_button("Look at this sign-in", "/account/confirm-login/")?;
    Ok(Wording::new("Is this you signing in?", paragraphs).with(button))
}

fn code(story: &Story<'_>) -> Result<Wording, NoLetter> {
    let paragraphs = vec![
        format!(
            "Type it only where you began: on {}, in the browser in which you are signed in as {}. It proves that you read this mailbox. It is good for {}.",
            story.env.config.token_location(),
            story.reader.username,
            lasting(mailbox::LIFETIME)
        ),
        nobody_asks(story),
    ];
    let code = Some(story.secret()?.to_owned());
    Ok(Wording { code, ..Wording::new("The code for your mailbox", paragraphs) })
}

fn take_back_code(story: &Story<'_>) -> Result<Wording, NoLetter> {
    let paragraphs = vec![
        format!(
            "Somebody takes the stopped account {} back. If it is you: type the code only where you began, on {}. It is good for {}.",
            story.reader.username,
            story.env.config.token_location(),
            lasting(mailbox::LIFETIME)
        ),
        nobody_asks(story),
        "If this was not you: do nothing. Without the code and your second factor the account stays stopped.".to_owned(),
    ];
    let code = Some(story.secret()?.to_owned());
    Ok(Wording { code, ..Wording::new("The code to take your account back", paragraphs) })
}

/// A change waits: what it is and until when stands in the facts; the link stops it without a sign-in.
fn proposed(story: &Story<'_>) -> Wording {
    let paragraphs = vec![
        "If you know of it: do nothing, it happens by itself.".to_owned(),
        "If you do not: stop it. The link needs no sign-in and opens a page with one button. A case is opened, and the same account cannot propose it again until people have looked at it.".to_owned(),
        format!("All changes that wait for you: {}", story.link("/manage/holds/")),
    ];
    let wording = Wording::new("A change waits for you to look at it", paragraphs);
    let veto = story.token_button("Stop this change", "/account/veto/");
    // A hold that is over has no link to stop it any more, and who suspended somebody by it takes it back signed in (R11): its notice is
    // still a notice.
    let without = || Wording {
        paragraphs: wording.paragraphs.iter().filter(|text| !text.contains("The link needs")).cloned().collect(),
        ..wording.clone()
    };
    veto.map_or_else(|_| without(), |veto| wording.clone().with(veto))
}

/// A role is offered to the reader: its page says what it is, and needs a sign-in.
fn invited(story: &Story<'_>) -> Wording {
    let project = story.project.as_ref().map_or("a project", |p| p.name.as_str());
    let paragraphs = vec![
        format!(
            "Nothing happens until you accept. The page needs your sign-in, and accepting your second factor. The invitation is good for {}.",
            lasting(INVITATION)
        ),
        "If you do not expect it: decline it, or do nothing.".to_owned(),
        format!("All invitations to you: {}", story.link("/manage/projects/")),
    ];
    let invitation = story.detail["invitation"].as_str().unwrap_or_default();
    let link = story.link(&format!("/account/verify-project-role/?token={invitation}"));
    Wording::new(format!("{project}: you are invited"), paragraphs).with(Button { label: "Look at the invitation", link })
}

/// What happened, and what to do if it should not have.
fn notice(story: &Story<'_>) -> Wording {
    let of_project = story.project.as_ref().filter(|_| story.kind.audience() != Audience::Account);
    let paragraphs = of_project.map_or_else(|| about_account(story), |project| about_project(story, project));
    Wording::new(heading(story), paragraphs)
}

fn heading(story: &Story<'_>) -> String {
    // The sentence of a row is what happened, in general words: no text that somebody chose stands in a subject.
    let sentence = story.kind.sentence().split([',', ';', ':', '(', '.']).next().unwrap_or_default();
    let own = heading_of_account(story.kind).or_else(|| heading_of_project(story.kind)).unwrap_or(sentence);
    let own = one_line(own.trim());
    match &story.project {
        Some(project) if story.kind.audience() != Audience::Account => format!("{}: {}", project.name, lower(&own)),
        _ => own,
    }
}

const fn heading_of_account(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::AccountSetUp => "Your account is set up",
        Kind::PasswordReset => "A new password was chosen",
        Kind::PasswordDisabled => "Your password was disabled",
        Kind::PasswordChanged => "Your password was changed",
        Kind::ResetLinkMade => "A link to choose a new password was made",
        Kind::BreachDoubted => "The list of stolen passwords is doubted",
        Kind::EpochBegun => "The index was restored from a backup",
        Kind::EpochOpened => "The restored index was opened",
        Kind::SignedInNewDevice => "A sign-in from a new browser",
        Kind::SignedInAfterFailures => "A sign-in after many failures",
        Kind::WrongFactor => "Somebody has your password",
        Kind::SessionEnded => "A session was ended",
        Kind::OtherSessionsEnded => "Your other sessions were ended",
        Kind::AccountFrozen => "Your account was frozen",
        Kind::AccountThawed => "Your account was thawed",
        Kind::HoldStopped => "A change was stopped by those who run the index",
        Kind::CaseClosed => "A case was closed",
        Kind::RecoveryCodesGenerated => "Recovery codes were made",
        Kind::FactorAdded => "A second factor was added",
        Kind::AddressAdded => "An address was added",
        Kind::AddressRemoved => "An address was removed",
        Kind::PrimaryAddressChanged => "Your primary address changed",
        Kind::AddressUnverified => "An address must be verified again",
        Kind::FactorRemoved => "A second factor was removed",
        Kind::CodeReplayed => "A code was used a second time",
        Kind::RecoveryCodeUsed => "A recovery code was used",
        Kind::RecoveryCodesLow => "Few recovery codes are left",
        Kind::HoldApproved => "A change was approved",
        Kind::HoldVetoed => "A change was stopped",
        Kind::HoldDone => "A change was let through",
        Kind::HoldDied => "A change will not happen",
        Kind::TokenAdded => "An API token was created",
        Kind::TokenRemoved => "An API token was deleted",
        Kind::TokenEndsSoon => "An API token ends soon",
        Kind::KeyCounterRegressed => "A security key may have been copied",
        Kind::AccountContained => "Your account was stopped",
        Kind::ContainedAgain => "All your sessions were ended",
        Kind::AccountTakenBack => "Your account was taken back",
        Kind::TakeBackWaits => "Somebody is taking your account back",
        Kind::AccountDeleted => "Your account was deleted",
        Kind::AccountUndeleted => "Your account is back",
        Kind::AccountPhished => "You said that you were phished",
        Kind::PhishedDecided => "You decided about what you had doubted",
        Kind::AccountRestored => "Your account was put back as it stood",
        Kind::RoleEndedByRestore => "A role of yours was ended",
        Kind::RoleReturnedByRestore => "You hold a role again",
        Kind::AccountRestoreUndone => "Putting your account back was undone",
        Kind::CredentialPaused => "An alarm was raised about what you did",
        _ => return None,
    })
}

/// What stands behind the name of the project.
const fn heading_of_project(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::ProjectQuarantined => "it was put into quarantine",
        Kind::ProjectReleased => "its quarantine was ended",
        Kind::FileUploaded => "a file was uploaded",
        Kind::RoleInvited => "somebody was invited",
        Kind::RoleAdded => "an invitation was accepted",
        Kind::InvitationDeclined => "an invitation was declined",
        Kind::InvitationRevoked => "an invitation was taken back",
        Kind::RoleChanged => "a role was changed",
        Kind::RoleSuspended => "a role was suspended",
        Kind::RoleResumed => "a suspended role works again",
        Kind::RoleRemoved => "a role was ended",
        Kind::AlarmRaised => "an alarm was raised",
        Kind::ProjectDeleted => "the project was deleted",
        Kind::PutBack => "something that was taken away is back",
        Kind::FileDeleted => "a file was deleted",
        Kind::ReleaseDeleted => "a release was deleted",
        Kind::FileWithdrawn => "a file was taken from serving",
        Kind::ReleaseWithdrawn => "a release was taken from serving",
        Kind::ReleaseUnyanked => "a yank was taken back",
        Kind::ProjectArchived => "the project was archived",
        Kind::ProjectErased => "what was deleted was erased",
        Kind::ProjectRestored => "the project was put back as it stood",
        Kind::ProjectRestoreUndone => "putting the project back was undone",
        Kind::CollaboratorUndeleted => "a collaborator's deleted account is back",
        Kind::CollaboratorDeleted => "a collaborator deleted their account",
        _ => return None,
    })
}

/// The sentence as it goes on after a colon.
fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// What follows for the account, then where to look; the offer says what to do if it was somebody else.
fn about_account(story: &Story<'_>) -> Vec<String> {
    let index = story.index();
    let take_back = story.link("/account/take-back/");
    let mut says = match story.kind {
        Kind::AccountFrozen => vec![
            "Nobody can act with this account: its sessions and API tokens do nothing until it is thawed. Nothing of it was deleted."
                .to_owned(),
            format!("If you do not know why: ask the people who run {index}."),
        ],
        Kind::AccountThawed => vec![
            "The account works again, with the sessions and API tokens that it had.".to_owned(),
            format!("If you do not know why it was frozen: ask the people who run {index}."),
        ],
        Kind::PasswordReset => vec![
            "All sessions of the account were ended. If this was not you, somebody else reads your mailbox: secure the mailbox first.".to_owned(),
        ],
        Kind::PasswordDisabled | Kind::ResetLinkMade | Kind::BreachDoubted => about_password(story),
        Kind::SignedInNewDevice | Kind::SignedInAfterFailures | Kind::SessionEnded | Kind::OtherSessionsEnded => vec![
            "If this was you, there is nothing to do.".to_owned(),
            format!("All your sessions: {}", story.link("/manage/account/sessions/")),
        ],
        Kind::WrongFactor => vec![
            "Nobody was signed in. If you mistyped the code yourself, there is nothing to do.".to_owned(),
            format!("If this was not you, somebody knows your password. Choose a new one: {}", story.link("/account/request-password-reset/")),
        ],
        Kind::AddressUnverified => vec![format!(
            "Notices still reach it for 30 days. If it is your primary address, you verify it, or make another one the primary one, before you publish or manage anything: {}",
            story.link("/manage/account/emails/")
        )],
        Kind::AccountDeleted => vec![
            "You are signed out everywhere, and the account is hidden. Everything of it is kept until that time.".to_owned(),
            format!(
                "Bring it back, with a code to your mailbox and your second factor or a recovery code: {}",
                story.link("/account/undelete/")
            ),
        ],
        Kind::AccountPhished | Kind::AccountRestored | Kind::AccountRestoreUndone => about_way_back(story),
        Kind::EpochBegun | Kind::EpochOpened => about_epoch(story),
        Kind::AccountContained => vec![
            "Somebody pressed \"This was not me\" in a notice about this account. It needs no sign-in, so that it is there when you need it most.".to_owned(),
            format!("Take the account back here, with a code to your mailbox and your second factor: {take_back}"),
        ],
        Kind::AccountTakenBack => vec![
            "A new password was chosen, every session and remembered browser has ended, and older links of notices do nothing any more. Sign in with the new password.".to_owned(),
        ],
        Kind::TakeBackWaits => vec![
            format!("Only one of the two proofs was given, so that nothing happens before that time. With a code to your mailbox and your second factor you take the account back at once, and this ends: {take_back}"),
        ],
        Kind::CredentialPaused => vec![
            format!("An owner of the project did not expect what you did. What you used for it does nothing on this project for {}; everything else of your account works. Talk to the other owners; the people who run {index} look at it.", lasting(PAUSE)),
        ],
        Kind::KeyCounterRegressed => vec![
            "The key was refused. Either it is faulty or somebody has a copy of it: use another factor, remove this key and add a new one. The people who run the index look at it too.".to_owned(),
        ],
        Kind::CodeReplayed => vec![
            "Nobody was let in with it. If you sent the code twice yourself, there is nothing to do. Else somebody saw it: type codes only at the address that this mail names below.".to_owned(),
        ],
        Kind::TokenEndsSoon => vec![
            format!("Uploads with it are refused from then on. Make a new one, put it where the old one is used, and delete the old one: {}", story.link("/manage/account/token/")),
            "If nothing uses it any more, there is nothing to do.".to_owned(),
        ],
        Kind::RecoveryCodesLow => vec![format!("Make new ones before you need them: {}", story.link("/manage/account/recovery-codes/generate"))],
        Kind::CaseClosed | Kind::HoldStopped | Kind::HoldApproved | Kind::HoldVetoed | Kind::HoldDone | Kind::HoldDied => about_decision(story),
        _ => about_rest(story),
    };
    // What administrators are told is not about their own account.
    if story.kind.audience() != Audience::Administrators {
        says.push(format!("Everything that your account did: {}", story.link("/manage/account/security-history/")));
    }
    says
}

/// About what staff decided, and what became of changes that wait.
fn about_decision(story: &Story<'_>) -> Vec<String> {
    let holds = format!("All changes that wait for you: {}", story.link("/manage/holds/"));
    match story.kind {
        Kind::CaseClosed => vec![
            "You get this because you administer the index: the decision of every case is told to all administrators.".to_owned(),
            format!("All cases: {}", story.link("/admin/cases/?state=all")),
        ],
        Kind::HoldStopped => vec![
            format!(
                "Whoever proposed it cannot propose it again until the people who run {} have decided. Write to them if it should happen.",
                story.index()
            ),
            holds,
        ],
        _ => vec![holds],
    }
}

/// About a role that a restore ended or gave back, and about what needs no words of its own.
fn about_rest(story: &Story<'_>) -> Vec<String> {
    if !matches!(story.kind, Kind::RoleEndedByRestore | Kind::RoleReturnedByRestore) {
        return vec!["If this was you, there is nothing to do.".to_owned()];
    }
    let field = |name: &str| one_line(story.detail[name].as_str().unwrap_or_default());
    let (role, project) = (field("role"), field("project"));
    let ask = format!("If you do not know why: ask the people who run {}.", story.index());
    if story.kind == Kind::RoleReturnedByRestore {
        return vec![format!("You are {role} of {project} again, with the age that the role had. {ask}")];
    }
    vec![format!("You are no longer {role} of {project}: nothing of the account itself changed. {ask}")]
}

/// About what was paused, and what was put back.
fn about_way_back(story: &Story<'_>) -> Vec<String> {
    if story.kind == Kind::AccountPhished {
        return vec![format!(
            "What it gained since then is listed here, each to be kept or dropped; until you decide, what is paused stays paused: {}",
            story.link("/manage/account/phished/")
        )];
    }
    vec![
        format!(
            "API tokens that came back stay paused until you confirm each of them, and factors come back by your own take-back only. Look at both before you publish: {}",
            story.link("/manage/account/token/")
        ),
        format!("If you do not know why it was done: ask the people who run {}.", story.index()),
    ]
}

/// About a backup that serves (R18).
fn about_epoch(story: &Story<'_>) -> Vec<String> {
    let says = if story.kind == Kind::EpochBegun {
        "Everybody signs in anew; what changed after the backup was made is not there. Compare it with what you know, then open it at the shell: strongroom restore --open."
    } else {
        "Everybody can publish and manage again. API tokens stay paused until their owners confirm them."
    };
    vec![
        "You get this because you administer the index: everything that is done at its shell is told to all administrators.".to_owned(),
        says.to_owned(),
        format!(
            "If nobody of you knows of it: somebody else is on the machine of {}. Act as the manual says under Incidents.",
            story.index()
        ),
    ]
}

/// About passwords that a list of stolen ones has, and about links that the operator makes.
fn about_password(story: &Story<'_>) -> Vec<String> {
    let index = story.index();
    match story.kind {
        Kind::PasswordDisabled => vec![
            "It was stolen somewhere, from you or from somebody who chose the same one, and whoever tries stolen passwords tries it. It opens nothing any more; all sessions of the account were ended. Its second factor and its API tokens stay as they are.".to_owned(),
            format!("Choose a new one: {}", story.link("/account/request-password-reset/")),
            format!("Administrators get no link by mail: whoever runs {index} makes theirs at the shell."),
        ],
        Kind::ResetLinkMade => vec![format!(
            "The link works once, for {}, and was handed to whoever asked for it. The second factor stays needed.",
            lasting(Purpose::ResetPassword.lifetime())
        )],
        Kind::BreachDoubted => vec![
            "A range service that was taken over, or a list that was imported wrongly, would disable everybody's password. While more than one in twenty is in the list none is disabled; chosen passwords are still compared with it.".to_owned(),
            "Look at where the list comes from: the settings `passwords.breach_file` and `passwords.breach_range_url`. If it is right, somebody tries many stolen passwords that fit.".to_owned(),
        ],
        _ => Vec::new(),
    }
}

fn about_project(story: &Story<'_>, project: &projects::Model) -> Vec<String> {
    let mut says = Vec::new();
    if story.kind == Kind::AlarmRaised && story.detail["paused"] == false {
        says.push(format!(
            "Nothing was stopped by it: whoever raised it holds no role on the project that gives anything now. A case is open, and the people who run {} look.",
            story.index()
        ));
    } else if story.kind == Kind::AlarmRaised {
        says.push(format!(
            "What was used for it does nothing on this project for {}. Look at what was published before; the people who run {} look too.",
            lasting(PAUSE),
            story.index()
        ));
    }
    if let Some(roles) = story.detail["roles"].as_str().filter(|roles| !roles.is_empty()) {
        says.push("What became of the roles on it:".to_owned());
        says.extend(roles.split("; ").map(one_line));
    }
    if story.kind.wire().starts_with("project:role:") {
        says.push(format!(
            "Everybody who holds a role on it: {}",
            story.link(&format!("/manage/project/{}/collaboration/", project.normalized))
        ));
    }
    if story.kind == Kind::ProjectQuarantined {
        says.push(format!(
            "Nobody finds, installs or uploads it until the quarantine is ended. Nothing of it was deleted. If you do not know why: ask the people who run {}.",
            story.index()
        ));
    }
    if story.kind == Kind::ProjectReleased {
        says.push("It is shown and takes uploads again, as it was before, unless something else hides it.".to_owned());
    }
    says.push(format!("The project: {}", story.link(&format!("/project/{}/", project.normalized))));
    says
}
