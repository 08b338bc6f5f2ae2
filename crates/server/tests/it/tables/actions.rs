//! TABLE 1: every action has a door, leaves a trace, and moves power only as the rules of power allow.

use std::collections::{BTreeMap, BTreeSet};

use index::events::{Audience, Kind};
use index::policy::{ActionName, Credential, Direction, Gate, Leaves, OwnProof, Role};
use server::cli::COMMANDS;
use server::routes;

/// P1: what cannot be reached is not declared; what is declared can be reached.
#[test]
fn every_action_has_a_door_a_command_or_a_job() {
    let doors: BTreeSet<&str> = routes::table().iter().chain(&routes::admin()).map(|r| r.action.wire()).collect();
    let commands: BTreeSet<&str> = COMMANDS.iter().map(|(_, action)| action.wire()).collect();
    let jobs: BTreeSet<&str> = index::work::ACTS.iter().map(|(_, action)| action.wire()).collect();
    for action in ActionName::ALL {
        let wire = action.wire();
        assert!(doors.contains(wire) || commands.contains(wire) || jobs.contains(wire), "{wire} has no door, no command and no job");
    }
}

#[test]
fn every_command_that_acts_is_a_command_and_may_be_used_from_the_shell() {
    let cli = server::cli::definition();
    for (command, action) in COMMANDS {
        let mut at = &cli;
        for word in command.split(' ') {
            at = at.find_subcommand(word).unwrap_or_else(|| panic!("`strongroom {command}` does not exist"));
        }
        assert!(action.ceiling().contains(Credential::Operator), "{} may not be used from the shell", action.wire());
    }
}

/// P4: every change leaves an event of a kind that exists.
#[test]
fn every_action_names_the_events_it_leaves_or_only_reads() {
    for action in ActionName::ALL {
        if let Leaves::Events(kinds) = action.leaves() {
            assert!(!kinds.is_empty(), "{} leaves nothing", action.wire());
            for kind in kinds {
                assert!(Kind::from_wire(kind).is_some(), "{} leaves {kind}, which is no row of the events table", action.wire());
            }
        }
    }
}

/// P5, R2: granting power needs a proof of its own.
#[test]
fn every_granting_action_has_a_proof_of_its_own() {
    for action in ActionName::ALL.iter().filter(|a| a.direction() == Direction::Grants) {
        assert_ne!(action.proof(), OwnProof::No, "{} grants without a proof of its own", action.wire());
    }
}

/// P5, R7: what loosens waits as a hold, needs a proof of its own, and tells an audience that may veto.
#[test]
fn every_action_that_loosens_has_a_hold_and_an_audience_that_may_veto() {
    let mut found = 0;
    for action in ActionName::ALL.iter().filter(|a| a.direction() == Direction::Loosens) {
        let Leaves::Events(kinds) = action.leaves() else { panic!("{} loosens and leaves nothing", action.wire()) };
        for kind in ["hold:proposed", "hold:done"] {
            assert!(kinds.contains(&kind), "{} loosens without a hold: it never leaves {kind}", action.wire());
        }
        assert_ne!(action.proof(), OwnProof::No, "{} loosens without a proof of its own", action.wire());
        found += 1;
    }
    assert!(found > 0, "nothing loosens");
    for kind in Kind::ALL.iter().filter(|kind| kind.wire().starts_with("hold:")) {
        assert_eq!(kind.audience(), Audience::Concerned, "{} is not told to those who may veto", kind.wire());
    }
}

/// R7: every action that loosens has an effect that the job does once its hold was served.
#[test]
fn every_action_that_loosens_has_an_arm_in_the_job_of_holds() {
    let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../index/src");
    let job = std::fs::read_to_string(sources.join("work").join("holds.rs")).expect("sources are text");
    for action in ActionName::ALL.iter().filter(|a| a.direction() == Direction::Loosens) {
        assert!(job.contains(&format!("Some(ActionName::{action:?}) =>")), "{} has no effect in work/holds.rs", action.wire());
    }
}

/// P9: what administrators do wants a key that they hold, proved a moment ago.
#[test]
fn what_administrators_do_wants_a_key() {
    for action in ActionName::ALL.iter().filter(|a| a.needs().contains(&Role::Administrator)) {
        assert!(action.gates().contains(&Gate::Key), "{} has no gate for the key", action.wire());
        let ceiling: Vec<Credential> = action.ceiling().iter().collect();
        assert_eq!(ceiling, [Credential::StepUp], "{} is opened by less than a key", action.wire());
    }
}

/// R19: tightening always works, in one request. Whoever administers the index got in by the key that the gate asks for.
#[test]
fn no_gate_and_no_proof_stands_before_an_action_that_tightens() {
    for action in ActionName::ALL.iter().filter(|a| a.direction() == Direction::Tightens) {
        let of_staff = action.needs().contains(&Role::Administrator);
        let allowed: &[Gate] = if of_staff { &[Gate::Key] } else { &[] };
        assert_eq!(action.gates(), allowed, "{} has a gate", action.wire());
        assert_eq!(action.proof(), OwnProof::No, "{} wants a proof", action.wire());
    }
}

#[test]
fn names_are_unique_and_written_as_resource_and_verb() {
    let mut seen = BTreeMap::new();
    for action in ActionName::ALL {
        let wire = action.wire();
        assert!(seen.insert(wire, action).is_none(), "{wire} stands twice");
        let (resource, verb) = wire.split_once(':').unwrap_or_else(|| panic!("{wire} is not `resource:verb`"));
        assert!(!resource.is_empty() && !verb.is_empty() && !verb.contains(':'), "{wire} is not `resource:verb`");
        assert!(action.sentence().ends_with('.'), "{wire} has no sentence");
    }
}
