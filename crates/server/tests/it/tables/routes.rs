//! TABLE 2: no row is wider than its action, no row stands twice, every row is in the golden list.

use std::collections::BTreeSet;
use std::fmt::Write;

use index::policy::{Credential, Leaves};
use server::refusal::Face;
use server::routes;

use super::golden;

/// P1: a route accepts at most what its action's ceiling allows.
#[test]
fn no_route_is_wider_than_its_action() {
    for row in routes::table() {
        assert!(
            row.accepts.within(row.action.ceiling()),
            "{} {} accepts {:?}, {} allows {:?}",
            row.method,
            row.path,
            row.accepts,
            row.action.wire(),
            row.action.ceiling()
        );
    }
}

#[test]
fn no_route_stands_twice() {
    let mut seen = BTreeSet::new();
    for row in routes::table() {
        assert!(seen.insert((row.method.to_string(), row.path)), "{} {} stands twice", row.method, row.path);
    }
}

/// PYPI-15, NIST-S8.
/// P2 and fact 5 of the product page: what a token opens is the upload, and a session never opens it.
#[test]
fn an_api_token_opens_the_upload_route_and_nothing_else() {
    for row in routes::table() {
        let is_upload = row.action.wire() == "project:upload";
        assert_eq!(row.accepts.contains(Credential::ApiToken), is_upload, "{} {}", row.method, row.path);
        if is_upload {
            assert_eq!(row.accepts.iter().count(), 1, "{} {} accepts more than a token", row.method, row.path);
        }
    }
}

/// A page changes nothing when it is opened: mail scanners open links.
#[test]
fn only_unsafe_methods_change_something() {
    for row in routes::table().iter().filter(|row| row.method.is_safe() && row.face == Face::Html) {
        let reads = row.action.leaves() == Leaves::ReadsOnly;
        let shows_a_form = routes::table().iter().any(|other| !other.method.is_safe() && other.action == row.action);
        assert!(
            reads || shows_a_form,
            "GET {} has the action {}, which changes something and is no form's page",
            row.path,
            row.action.wire()
        );
    }
}

/// TABLE 6: what a stranger can do and what changes something has a limit.
#[test]
fn every_door_through_which_a_stranger_changes_something_has_a_limit() {
    let weak = [Credential::Nobody, Credential::MailLink, Credential::HalfSession, Credential::ApiToken];
    for row in routes::table().iter().filter(|row| !row.method.is_safe() && weak.iter().any(|k| row.accepts.contains(*k))) {
        if matches!(row.action.leaves(), Leaves::Events(_)) {
            assert!(row.limit.is_some(), "{} {} has no limit", row.method, row.path);
        }
    }
}

/// What is added, removed or widened shows in review.
#[test]
fn the_routes_are_those_of_the_golden_file() {
    let mut lines: Vec<String> = Vec::new();
    for row in routes::table() {
        let kinds: Vec<&str> = row.accepts.iter().map(Credential::name).collect();
        let mut line = String::new();
        write!(line, "{:<5} {:<52} {:<5} {:<26} {}", row.method.as_str(), row.path, row.face.name(), row.action.wire(), kinds.join(" "))
            .expect("text grows");
        lines.push(line);
    }
    lines.sort();
    golden::check("routes.txt", &(lines.join("\n") + "\n"));
}
