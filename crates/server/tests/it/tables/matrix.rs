//! The permission matrix: the whole domain of the verdict, folded to what a person can read.

use std::fmt::Write;

use index::policy::{ActionName, Credential, Denied, Question, Role, Standing, State, verdict};

use super::golden;

const ROLES: [Option<Role>; 8] = [
    None,
    Some(Role::Oneself),
    Some(Role::Maintainer),
    Some(Role::Owner),
    Some(Role::Founder),
    Some(Role::Administrator),
    Some(Role::Operator),
    Some(Role::Worker),
];

/// An account on its way from nothing to secured, and stopped.
fn standings() -> Vec<(&'static str, Standing)> {
    let new = Standing { state: State::Active, ..Standing::NONE };
    let verified = Standing { verified: true, ..new };
    let proved = Standing { mailbox_fresh: true, ..verified };
    let coded = Standing { codes: true, ..proved };
    let saved = Standing { codes_proved: true, ..coded };
    let secured = Standing { factor: true, mailbox_fresh: false, ..saved };
    vec![
        ("new", new),
        ("verified", verified),
        ("mailbox", proved),
        ("coded", coded),
        ("saved", saved),
        ("secured", secured),
        ("keyed", Standing { key: true, ..secured }),
        ("frozen", Standing { state: State::Frozen, ..secured }),
        ("contained", Standing { state: State::Contained, ..secured }),
        ("deleted", Standing { state: State::Deleted, ..secured }),
        ("absent", Standing::NONE),
    ]
}

fn short(outcome: &Result<(), Denied>) -> String {
    match outcome {
        Ok(()) => "yes".to_owned(),
        Err(Denied::Gate(gate)) => format!("gate:{gate:?}"),
        Err(Denied::Stopped(state)) => format!("stopped:{}", state.word()),
        Err(denied) => format!("{denied:?}").to_lowercase(),
    }
}

#[test]
fn the_permissions_are_those_of_the_golden_file() {
    let mut out = String::new();
    for action in ActionName::ALL {
        writeln!(out, "{}", action.wire()).expect("text grows");
        let mut lines: Vec<(String, Vec<String>)> = Vec::new();
        for credential in Credential::ALL.iter().filter(|kind| action.ceiling().contains(**kind)) {
            for (answers, roles) in by_answers(*action, *credential) {
                let roles = if roles.len() == ROLES.len() { "any role".to_owned() } else { roles.join(",") };
                let line = format!("{roles}: {answers}");
                match lines.iter_mut().find(|(known, _)| *known == line) {
                    Some((_, kinds)) => kinds.push(credential.name().to_owned()),
                    None => lines.push((line, vec![credential.name().to_owned()])),
                }
            }
        }
        for (line, kinds) in lines {
            writeln!(out, "  {} with {line}", kinds.join(",")).expect("text grows");
        }
    }
    golden::check("matrix.txt", &out);
}

/// The answers over all standings, with the roles that get exactly these.
fn by_answers(action: ActionName, credential: Credential) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for role in ROLES {
        let roles: Vec<Role> = role.into_iter().collect();
        let answer = |(name, standing): (&str, Standing)| {
            let question = Question { action, credential, standing, roles: &roles, visible: true };
            format!("{name}={}", short(&verdict(&question)))
        };
        let answers = fold(&standings().into_iter().map(answer).collect::<Vec<_>>());
        let role = role.map_or_else(|| "no role".to_owned(), |role| format!("{role:?}"));
        match found.iter_mut().find(|(known, _)| *known == answers) {
            Some((_, roles)) => roles.push(role),
            None => found.push((answers, vec![role])),
        }
    }
    found
}

/// `a=x b=x c=y` as `a,b=x c=y`: the same answer once.
fn fold(answers: &[String]) -> String {
    let mut folded: Vec<(String, Vec<&str>)> = Vec::new();
    for answer in answers {
        let (name, outcome) = answer.split_once('=').expect("name and outcome");
        match folded.iter_mut().find(|(known, _)| known == outcome) {
            Some((_, names)) => names.push(name),
            None => folded.push((outcome.to_owned(), vec![name])),
        }
    }
    if let [(outcome, _)] = folded.as_slice() {
        return format!("always={outcome}");
    }
    folded.iter().map(|(outcome, names)| format!("{}={outcome}", names.join(","))).collect::<Vec<_>>().join("  ")
}

/// P1: a kind that is not in the ceiling is refused whatever else is true.
#[test]
fn no_standing_and_no_role_widens_a_ceiling() {
    for action in ActionName::ALL {
        for credential in Credential::ALL.iter().filter(|kind| !action.ceiling().contains(**kind)) {
            for (_, standing) in standings() {
                for role in ROLES {
                    let roles: Vec<Role> = role.into_iter().collect();
                    let question = Question { action: *action, credential: *credential, standing, roles: &roles, visible: true };
                    assert_eq!(verdict(&question), Err(Denied::WrongCredential), "{} by {}", action.wire(), credential.name());
                }
            }
        }
    }
}

/// P3 and R13: no account that is stopped, or misses a gate, may do what has gates.
#[test]
fn no_role_replaces_a_gate_or_wakes_a_stopped_account() {
    for action in ActionName::ALL.iter().filter(|a| !a.gates().is_empty()) {
        for credential in [Credential::Session, Credential::FreshSession, Credential::StepUp, Credential::ApiToken] {
            for (name, standing) in standings().into_iter().filter(|(name, _)| !["secured", "keyed", "saved"].contains(name)) {
                let roles = [Role::Oneself, Role::Owner, Role::Maintainer, Role::Founder];
                let question = Question { action: *action, credential, standing, roles: &roles, visible: true };
                let wants_factor = action.gates().contains(&index::policy::Gate::Factor);
                let stopped = standing.state != State::Active;
                if wants_factor || stopped || name == "new" {
                    assert!(verdict(&question).is_err(), "{} by {} of a {name} account", action.wire(), credential.name());
                }
            }
        }
    }
}

/// What the caller may not see is not found, whichever role it claims.
#[test]
fn what_is_hidden_is_not_found() {
    let (_, secured) = standings().into_iter().find(|(name, _)| *name == "secured").expect("it is listed");
    for action in ActionName::ALL.iter().filter(|a| a.ceiling().contains(Credential::Session)) {
        let question = Question { action: *action, credential: Credential::Session, standing: secured, roles: &[], visible: false };
        assert_eq!(verdict(&question), Err(Denied::Hidden), "{}", action.wire());
    }
}
