//! TABLE 2: every door: method, path, face, accepted credentials, limit, handler. What is not here does not exist.
//!
//! Adding a row: `docs/how-to/add-a-route.md`.

use axum::http::Method;
use index::limits::Limit;
use index::policy::Credential::{
    self, ApiToken, FreshSession, HalfSession, IdleSession, MailLink, Nobody, Session, Signature, StepUp, StoppedSession, TakeBack,
};

use crate::api::{bounces, json, rss};
use crate::gate::{Door, Route, route};
use crate::refusal::Face::{self, Html, Json, Plain, Script};
use crate::web::{
    account, addresses, admin, collaboration, containing, deleting, events, factors, gates, holds as hold_pages, keys, managing, phished,
    profile, projects, proofs, public, registration, releases, reset, restoring, sessions, settings, signin, staff as desk_pages, tokens,
};
use crate::{files, health, metrics, simple, statics, upload};

/// Everybody, whoever they are: pages that show the viewer's name when there is one.
const EVERYBODY: &[Credential] = &[Nobody, Session, FreshSession, StepUp];
/// Whoever can use a key: to sign in, as the second factor, to prove again.
const KEY_HOLDERS: &[Credential] = &[Nobody, HalfSession, IdleSession, Session, FreshSession, StepUp];
/// Whoever is signed in.
const SIGNED_IN: &[Credential] = &[Session, FreshSession, StepUp];

/// The same, and whoever was away for a while: what leads back, and what leads out.
const AWAKE_OR_IDLE: &[Credential] = &[IdleSession, Session, FreshSession, StepUp];
/// Whoever proved a factor within 15 minutes (R1). Acts that grant want a proof of their own instead (R2), made for that one act, and
/// what tightens wants neither (R19): this is for what changes how an account is signed in to.
const FRESH: &[Credential] = &[FreshSession, StepUp];
/// Everybody, and whoever is half signed in.
const EVERYBODY_OR_HALF: &[Credential] = &[Nobody, HalfSession, Session, FreshSession, StepUp];
/// Whoever is signed in, awake or not, stopped or not: logging out (R19).
const IDLE_OR_STOPPED: &[Credential] = &[IdleSession, Session, FreshSession, StepUp, StoppedSession];
/// Whoever is signed in, stopped or not: what stops others' changes (R19).
const EVEN_STOPPED: &[Credential] = &[Session, FreshSession, StepUp, StoppedSession];

const fn door(face: Face, accepts: &'static [Credential], limit: Option<Limit>) -> Door {
    Door { face, accepts, limit }
}

/// The whole table.
#[must_use]
pub fn table() -> Vec<Route> {
    let own = [
        account(),
        manage(),
        own_addresses(),
        keys(),
        sessions(),
        tokens(),
        containing(),
        holds(),
        project_pages(),
        releasing(),
        deleting(),
        putting_back(),
    ];
    let others = [public(), simple_api(), uploads(), staff(), machines()];
    others.into_iter().chain(own).flatten().collect()
}

/// What answers on `server.admin_listen`, and there alone.
#[must_use]
pub fn admin() -> Vec<Route> {
    vec![route(Method::GET, "/metrics", door(Plain, &[Nobody], None), metrics::scrape)]
}

fn public() -> Vec<Route> {
    vec![
        route(Method::GET, "/", door(Html, EVERYBODY, None), public::home),
        route(Method::GET, "/search/", door(Html, EVERYBODY, Some(Limit::Search)), public::search),
        route(Method::GET, "/project/{name}/", door(Html, EVERYBODY, None), public::project),
        route(Method::GET, "/project/{name}/{version}/", door(Html, EVERYBODY, None), public::release),
        route(Method::GET, "/user/{name}/", door(Html, EVERYBODY, None), public::user),
        route(Method::GET, "/help/", door(Html, EVERYBODY, None), public::help),
        route(Method::GET, "/static/{name}", door(Plain, &[Nobody], None), statics::serve),
        route(Method::GET, "/_health/", door(Plain, &[Nobody], None), health::alive),
        route(Method::GET, "/_ready/", door(Json, &[Nobody], None), health::ready),
    ]
}

fn simple_api() -> Vec<Route> {
    vec![
        route(Method::GET, "/simple/", door(Plain, &[Nobody], None), simple::index),
        route(Method::GET, "/simple/{name}/", door(Plain, &[Nobody], None), simple::project),
        route(Method::GET, "/files/{a}/{b}/{rest}/{filename}", door(Plain, &[Nobody], None), files::download),
        route(Method::GET, "/pypi/{name}/json", door(Json, &[Nobody], None), json::project),
        route(Method::GET, "/pypi/{name}/json/", door(Json, &[Nobody], None), json::project),
        route(Method::GET, "/pypi/{name}/{version}/json", door(Json, &[Nobody], None), json::release),
        route(Method::GET, "/pypi/{name}/{version}/json/", door(Json, &[Nobody], None), json::release),
        route(Method::GET, "/rss/updates.xml", door(Plain, &[Nobody], None), rss::updates),
        route(Method::GET, "/rss/packages.xml", door(Plain, &[Nobody], None), rss::packages),
        route(Method::GET, "/rss/project/{name}/releases.xml", door(Plain, &[Nobody], None), rss::releases),
    ]
}

fn uploads() -> Vec<Route> {
    vec![route(Method::POST, "/legacy/", door(Plain, &[ApiToken], Some(Limit::Upload)), upload::receive)]
}

fn account() -> Vec<Route> {
    [joining(), signing_in(), resetting()].into_iter().flatten().collect()
}

fn joining() -> Vec<Route> {
    let page = door(Html, EVERYBODY, None);
    let link = door(Html, &[MailLink], Some(Limit::Link));
    vec![
        route(Method::GET, "/setup/", page, registration::setup_page),
        route(Method::POST, "/setup/", link, registration::set_up),
        route(Method::GET, "/account/register/", page, registration::register_page),
        route(Method::POST, "/account/register/", door(Html, &[Nobody], Some(Limit::Registration)), registration::register),
        route(Method::GET, "/account/verify-email/", page, registration::verify_email_page),
        route(Method::POST, "/account/verify-email/", link, registration::verify_email),
    ]
}

fn signing_in() -> Vec<Route> {
    let page = door(Html, EVERYBODY, None);
    let half = door(Html, &[HalfSession], Some(Limit::Factor));
    let own = door(Html, SIGNED_IN, None);
    let idle = door(Html, AWAKE_OR_IDLE, None);
    let proof = door(Html, SIGNED_IN, Some(Limit::Factor));
    vec![
        route(Method::GET, "/account/login/", page, signin::login_page),
        route(Method::POST, "/account/login/", door(Html, &[Nobody], Some(Limit::SignIn)), signin::login),
        route(Method::GET, "/account/two-factor/", door(Html, &[HalfSession], None), signin::two_factor_page),
        route(Method::POST, "/account/two-factor/", half, signin::two_factor),
        route(Method::GET, "/account/recovery-code/", door(Html, &[HalfSession], None), signin::recovery_code_page),
        route(Method::POST, "/account/recovery-code/", half, signin::recovery_code),
        route(Method::GET, "/account/confirm-login/", door(Html, EVERYBODY_OR_HALF, None), signin::confirm_page),
        route(Method::POST, "/account/confirm-login/", door(Html, &[HalfSession], Some(Limit::ConfirmLogin)), signin::confirm),
        route(Method::GET, "/account/logout/", page, signin::logout_page),
        route(Method::POST, "/account/logout/", door(Html, IDLE_OR_STOPPED, None), signin::logout),
        route(Method::GET, "/account/reauthenticate/", idle, proofs::page),
        route(Method::POST, "/account/reauthenticate/", door(Html, AWAKE_OR_IDLE, Some(Limit::Factor)), proofs::prove),
        route(Method::GET, "/account/verify-mailbox/", own, gates::verify_mailbox_page),
        route(Method::POST, "/account/verify-mailbox/", proof, gates::verify_mailbox),
    ]
}

fn resetting() -> Vec<Route> {
    let page = door(Html, EVERYBODY, None);
    let link = door(Html, &[MailLink], Some(Limit::Link));
    vec![
        route(Method::GET, "/.well-known/change-password", page, reset::well_known),
        route(Method::GET, "/account/request-password-reset/", page, reset::request_page),
        route(Method::POST, "/account/request-password-reset/", door(Html, &[Nobody], Some(Limit::Mail)), reset::request),
        route(Method::GET, "/account/reset-password/", page, reset::reset_page),
        route(Method::POST, "/account/reset-password/", link, reset::reset),
    ]
}

fn manage() -> Vec<Route> {
    let own = door(Html, SIGNED_IN, None);
    let proof = door(Html, SIGNED_IN, Some(Limit::Factor));
    vec![
        route(Method::GET, "/manage/account/", own, account::overview),
        route(Method::GET, "/manage/unverified-account/", own, gates::unverified_account),
        route(Method::GET, "/manage/account/two-factor/", own, account::two_factor),
        route(Method::GET, "/manage/account/recovery-codes/generate", own, gates::generate_page),
        route(Method::POST, "/manage/account/recovery-codes/generate", own, gates::generate),
        route(Method::GET, "/manage/account/recovery-codes/burn", own, gates::burn_page),
        route(Method::POST, "/manage/account/recovery-codes/burn", proof, gates::burn),
        route(Method::GET, "/manage/account/totp-provision", own, gates::totp_page),
        route(Method::POST, "/manage/account/totp-provision", proof, gates::totp),
        route(Method::GET, "/manage/account/security-history/", own, account::security_history),
    ]
}

fn own_addresses() -> Vec<Route> {
    let own = door(Html, SIGNED_IN, None);
    let mail = door(Html, SIGNED_IN, Some(Limit::Mail));
    vec![
        route(Method::GET, "/manage/account/emails/", own, addresses::list),
        route(Method::POST, "/manage/account/emails/add/", mail, addresses::add),
        route(Method::POST, "/manage/account/emails/remove/", own, addresses::remove),
        route(Method::POST, "/manage/account/emails/primary/", own, addresses::primary),
        route(Method::POST, "/manage/account/emails/reverify/", mail, addresses::reverify),
        route(Method::POST, "/manage/account/profile/", own, profile::change),
    ]
}

/// What other machines call, signed.
fn machines() -> Vec<Route> {
    vec![route(Method::POST, "/_/mail/bounces", door(Json, &[Signature], Some(Limit::Signature)), bounces::take)]
}

fn keys() -> Vec<Route> {
    let own = door(Html, SIGNED_IN, None);
    let ceremony = door(Script, SIGNED_IN, Some(Limit::Challenge));
    let using = door(Script, KEY_HOLDERS, Some(Limit::Challenge));
    vec![
        route(Method::GET, "/manage/account/webauthn-provision", own, keys::provision_page),
        route(Method::POST, "/manage/account/webauthn-provision", own, keys::provision),
        route(Method::GET, "/manage/account/webauthn-provision/options", ceremony, keys::options_to_add),
        route(Method::POST, "/manage/account/webauthn-provision/validate", ceremony, keys::add),
        route(Method::GET, "/account/webauthn-authenticate/options", using, keys::options),
        route(Method::POST, "/account/webauthn-authenticate/validate", using, keys::answer),
        route(Method::GET, "/.well-known/passkey-endpoints", door(Json, &[Nobody], None), keys::well_known),
    ]
}

fn sessions() -> Vec<Route> {
    let own = door(Html, SIGNED_IN, None);
    let fresh = door(Html, FRESH, Some(Limit::SignIn));
    vec![
        route(Method::GET, "/manage/account/sessions/", own, sessions::list),
        route(Method::POST, "/manage/account/sessions/end/", own, sessions::end),
        route(Method::POST, "/manage/account/sessions/end-others/", own, sessions::end_others),
        route(Method::POST, "/manage/account/sessions/forget-device/", own, sessions::forget_device),
        route(Method::GET, "/manage/account/change-password/", door(Html, FRESH, None), sessions::change_password_page),
        route(Method::POST, "/manage/account/change-password/", fresh, sessions::change_password),
    ]
}

fn tokens() -> Vec<Route> {
    vec![
        route(Method::GET, "/manage/account/token/", door(Html, SIGNED_IN, None), tokens::list),
        route(Method::POST, "/manage/account/token/", door(Html, SIGNED_IN, None), tokens::mint),
        route(Method::POST, "/manage/account/token/delete/", door(Html, SIGNED_IN, None), tokens::delete),
        route(Method::POST, "/manage/account/token/confirm/", door(Html, SIGNED_IN, None), tokens::confirm),
        route(Method::GET, "/manage/projects/", door(Html, SIGNED_IN, None), projects::list),
    ]
}

/// "I was phished", and as it stood at a time.
fn putting_back() -> Vec<Route> {
    let fresh = door(Html, FRESH, None);
    let staff = door(Html, &[StepUp], None);
    vec![
        route(Method::GET, "/manage/account/phished/", fresh, phished::page),
        route(Method::POST, "/manage/account/phished/", fresh, phished::say),
        route(Method::POST, "/manage/account/phished/decide/", fresh, phished::decide),
        route(Method::GET, "/admin/accounts/{name}/restore/", staff, restoring::account_page),
        route(Method::POST, "/admin/accounts/{name}/restore/", staff, restoring::account),
        route(Method::GET, "/admin/projects/{name}/restore/", staff, restoring::project_page),
        route(Method::POST, "/admin/projects/{name}/restore/", staff, restoring::project),
    ]
}

/// Behind the links of notices, and the way back.
fn containing() -> Vec<Route> {
    let page = door(Html, EVERYBODY, None);
    let link = door(Html, &[MailLink], Some(Limit::Link));
    let key = door(Script, &[TakeBack], Some(Limit::Challenge));
    let begin = door(Html, &[Nobody], Some(Limit::TakeBack));
    let on_the_way = door(Html, &[Nobody, Session, FreshSession, StepUp, TakeBack], None);
    vec![
        route(Method::GET, "/account/not-me/", page, containing::not_me_page),
        route(Method::POST, "/account/not-me/", link, containing::not_me),
        route(Method::GET, "/account/alarm/", page, containing::alarm_page),
        route(Method::POST, "/account/alarm/", link, containing::alarm),
        route(Method::GET, "/account/take-back/", on_the_way, containing::take_back_page),
        route(Method::POST, "/account/take-back/begin/", begin, containing::begin),
        route(Method::GET, "/account/take-back/options", key, containing::options),
        route(Method::POST, "/account/take-back/validate", key, containing::validate),
        route(Method::POST, "/account/take-back/", door(Html, &[TakeBack], Some(Limit::Factor)), containing::step),
    ]
}

/// Where administrators look and act: a key proved within 15 minutes opens it, and nothing else (P9).
fn staff() -> Vec<Route> {
    let key = door(Html, &[StepUp], None);
    vec![
        route(Method::GET, "/admin/", key, desk_pages::overview),
        route(Method::GET, "/admin/accounts/", key, desk_pages::accounts::list),
        route(Method::GET, "/admin/accounts/{name}/", key, desk_pages::accounts::detail),
        route(Method::POST, "/admin/accounts/{name}/freeze/", key, desk_pages::accounts::freeze),
        route(Method::POST, "/admin/accounts/{name}/thaw/", key, desk_pages::accounts::thaw),
        route(Method::GET, "/admin/projects/", key, desk_pages::projects::list),
        route(Method::GET, "/admin/projects/{name}/", key, desk_pages::projects::detail),
        route(Method::POST, "/admin/projects/{name}/quarantine/", key, desk_pages::projects::quarantine),
        route(Method::POST, "/admin/projects/{name}/release/", key, desk_pages::projects::release),
        route(Method::GET, "/admin/holds/", key, desk_pages::holds::list),
        route(Method::POST, "/admin/holds/{id}/stop/", key, desk_pages::holds::stop),
        route(Method::GET, "/admin/cases/", key, desk_pages::cases::list),
        route(Method::GET, "/admin/cases/{id}/", key, desk_pages::cases::detail),
        route(Method::POST, "/admin/cases/{id}/note/", key, desk_pages::cases::note),
        route(Method::POST, "/admin/cases/{id}/close/", key, desk_pages::cases::close),
        route(Method::POST, "/admin/cases/{id}/undo/", key, desk_pages::cases::undo_restore),
        route(Method::GET, "/admin/events/", key, events::list),
        route(Method::GET, "/admin/health/", key, admin::health),
    ]
}

fn holds() -> Vec<Route> {
    let (own, even_stopped) = (door(Html, SIGNED_IN, None), door(Html, EVEN_STOPPED, None));
    vec![
        route(Method::GET, "/manage/holds/", even_stopped, hold_pages::list),
        route(Method::POST, "/manage/holds/{id}/approve/", own, hold_pages::approve),
        route(Method::POST, "/manage/holds/{id}/veto/", even_stopped, hold_pages::veto),
        route(Method::GET, "/account/veto/", door(Html, EVERYBODY, None), hold_pages::veto_page),
        route(Method::POST, "/account/veto/", door(Html, &[MailLink], Some(Limit::Link)), hold_pages::veto_by_link),
        route(Method::POST, "/manage/account/two-factor/remove-totp/", own, factors::remove),
        route(Method::POST, "/manage/account/webauthn-provision/delete", own, factors::remove),
        route(Method::GET, "/manage/account/recovery-codes/regenerate", own, gates::generate_page),
        route(Method::POST, "/manage/account/recovery-codes/regenerate", own, gates::generate),
    ]
}

/// The pages of a project, for those who hold a role on it.
fn project_pages() -> Vec<Route> {
    let own = door(Html, SIGNED_IN, None);
    vec![
        route(Method::GET, "/manage/project/{name}/", own, managing::overview),
        route(Method::GET, "/manage/project/{name}/history/", own, managing::events),
        route(Method::GET, "/manage/project/{name}/collaboration/", own, collaboration::page),
        route(Method::POST, "/manage/project/{name}/collaboration/", own, collaboration::invite),
        route(Method::POST, "/manage/project/{name}/collaboration/change/", own, collaboration::change),
        route(Method::POST, "/manage/project/{name}/collaboration/delete/", own, collaboration::remove),
        route(Method::POST, "/manage/project/{name}/collaboration/revoke_invite/", own, collaboration::revoke),
        route(Method::GET, "/account/verify-project-role/", own, collaboration::invitation),
        route(Method::POST, "/account/verify-project-role/", own, collaboration::accept),
        route(Method::POST, "/account/verify-project-role/decline/", own, collaboration::decline),
    ]
}

/// What is served of a project, deleted, and put back.
fn releasing() -> Vec<Route> {
    let own = door(Html, SIGNED_IN, None);
    vec![
        route(Method::GET, "/manage/project/{name}/releases/", own, releases::list),
        route(Method::GET, "/manage/project/{name}/release/{version}/", own, releases::release),
        route(Method::POST, "/manage/project/{name}/release/{version}/", own, releases::change),
        route(Method::POST, "/manage/project/{name}/release/{version}/yank/", own, releases::yank),
        route(Method::POST, "/manage/project/{name}/release/{version}/unyank/", own, releases::unyank),
        route(Method::POST, "/manage/project/{name}/release/{version}/withdraw/", own, releases::withdraw),
        route(Method::POST, "/manage/project/{name}/release/{version}/withdraw-file/", own, releases::withdraw_file),
        route(Method::POST, "/manage/project/{name}/release/{version}/delete-file/", own, releases::delete_file),
        route(Method::POST, "/manage/project/{name}/release/{version}/put-back/", own, releases::put_back),
        route(Method::GET, "/manage/project/{name}/settings/", own, settings::show),
        route(Method::POST, "/manage/project/{name}/settings/archive/", own, settings::archive),
        route(Method::POST, "/manage/project/{name}/settings/unarchive/", own, settings::unarchive),
        route(Method::POST, "/manage/project/{name}/settings/put-back/", own, settings::put_back),
        route(Method::POST, "/manage/project/{name}/settings/delete/", own, settings::delete),
    ]
}

/// One's account, deleted and brought back.
fn deleting() -> Vec<Route> {
    let own = door(Html, SIGNED_IN, None);
    let begin = door(Html, &[Nobody], Some(Limit::TakeBack));
    let on_the_way = door(Html, &[Nobody, Session, FreshSession, StepUp, TakeBack], None);
    vec![
        route(Method::GET, "/manage/account/delete/", own, deleting::delete_page),
        route(Method::POST, "/manage/account/delete/", own, deleting::delete),
        route(Method::GET, "/account/undelete/", on_the_way, deleting::undelete_page),
        route(Method::POST, "/account/undelete/begin/", begin, deleting::begin),
        route(Method::POST, "/account/undelete/", door(Html, &[TakeBack], Some(Limit::Factor)), deleting::step),
    ]
}
