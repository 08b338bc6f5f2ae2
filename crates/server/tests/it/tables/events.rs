//! TABLE 3: every kind has an audience or says why not, is left by something, and has no field that could hold a secret.

use std::collections::BTreeSet;

use index::events::{Audience, Kind};
use index::policy::{ActionName, Leaves};

#[test]
fn every_kind_is_left_by_an_action_or_by_a_refusal() {
    let refusals = BTreeSet::from([
        "authorization:refused",
        "mail:bounce:refused",
        "account:api_token:refused",
        "account:api_token:used",
        "authentication:refused",
    ]);
    let left: BTreeSet<&str> = ActionName::ALL
        .iter()
        .filter_map(|a| match a.leaves() {
            Leaves::Events(kinds) => Some(kinds),
            Leaves::ReadsOnly => None,
        })
        .flatten()
        .copied()
        .collect();
    for kind in Kind::ALL {
        assert!(left.contains(kind.wire()) || refusals.contains(kind.wire()), "nothing leaves {}", kind.wire());
    }
}

/// P10: somebody is told, or the row says why nobody is.
#[test]
fn every_kind_has_an_audience_or_a_reason() {
    for kind in Kind::ALL {
        if let Audience::Nobody(why) = kind.audience() {
            assert!(why.split_whitespace().count() >= 3, "{} tells nobody and does not say why", kind.wire());
        }
    }
}

/// P11: fields are of types that hold no secret, and none is named like one.
#[test]
fn no_field_holds_a_secret() {
    let plain = ["String", "Option<String>", "bool", "i64", "u64", "u32", "usize", "Vec<String>"];
    let telling = ["password", "secret", "code", "link", "cookie", "key", "address", "email", "ip"];
    for kind in Kind::ALL {
        for (name, ty) in kind.fields() {
            let ty: String = ty.split_whitespace().collect();
            assert!(plain.contains(&ty.as_str()), "{}.{name} has the type {ty}", kind.wire());
            assert!(!telling.contains(name), "{}.{name} is named like a secret or a personal field", kind.wire());
        }
    }
}

#[test]
fn every_sentence_names_only_fields_that_exist() {
    for kind in Kind::ALL {
        let says = kind.says();
        assert!(says.ends_with('.'), "{}: {says}", kind.wire());
        for part in says.split('{').skip(1) {
            let field = part.split('}').next().expect("a field ends");
            assert!(kind.fields().iter().any(|(name, _)| *name == field), "{} says {{{field}}}, which is no field", kind.wire());
        }
    }
}

#[test]
fn wire_names_are_unique() {
    let wires: BTreeSet<&str> = Kind::ALL.iter().map(|k| k.wire()).collect();
    assert_eq!(wires.len(), Kind::ALL.len());
}
