//! The rules of holds on plain values: who may stop what, when everybody has agreed, when a hold takes effect, what waits at all.

use crate::clock::Time;
use crate::policy::Proof;

/// R11: nothing unsettled stops what something settled has proposed.
#[must_use]
pub const fn may_stop(by_settled: bool, proposed_by_settled: bool) -> bool {
    by_settled || !proposed_by_settled
}

/// Whose approval lets a hold take effect before its time (R5, R7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Everybody concerned, at least one of them settled and not the proposer.
    Everybody,
    /// One settled co-owner.
    OneSettled,
    /// Nobody's: it waits whatever is said to it.
    Nobodys,
}

/// What one person concerned has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// He proposed it himself.
    pub proposer: bool,
    /// His role and what he proved are settled.
    pub settled: bool,
    /// He approved.
    pub approved: bool,
}

/// R7: whether those concerned let it happen now. What concerns one account alone is never skipped.
#[must_use]
pub fn is_approved(consent: Consent, people: &[Said]) -> bool {
    let senior = people.iter().any(|person| person.approved && person.settled && !person.proposer);
    match consent {
        Consent::Everybody => senior && people.iter().all(|person| person.approved),
        Consent::OneSettled => senior,
        Consent::Nobodys => false,
    }
}

/// What R3 looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asking {
    /// With what the act was proved.
    pub proof: Proof,
    /// Whether the browser has been trusted for long.
    pub device_settled: bool,
    /// Whether a project older than seven days is in reach.
    pub old_project: bool,
}

/// R3: whether a grant waits.
#[must_use]
pub const fn grant_waits(asking: Asking) -> bool {
    asking.proof.is_phishable() && !asking.device_settled && asking.old_project
}

/// What R9 looks at when a hold's time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    /// Its time has run.
    pub due: bool,
    /// The index serves at this moment, so that a veto could arrive.
    pub serving: bool,
    /// Everybody concerned was told.
    pub told: bool,
    /// Somebody concerned is contained, or was within the last day.
    pub contained: bool,
    /// Those concerned let it happen now.
    pub approved: bool,
}

/// R9: whether a hold may take effect.
#[must_use]
pub const fn is_ripe(served: Served) -> bool {
    served.serving && !served.contained && (served.approved || (served.due && served.told))
}

/// A factor, as seniority sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aged {
    /// The kind of proof that it gives.
    pub kind: Proof,
    /// Since when it stands; restoring keeps it.
    pub from_at: Time,
    /// Whether it is settled.
    pub settled: bool,
}

/// R12: whether a factor removes another at once. What is not settled is removed at once by whatever the account holds; what is settled
/// only by an older settled one that is no weaker; everything else waits.
#[must_use]
pub fn removes_at_once(by: Aged, removed: Aged) -> bool {
    !removed.settled || (by.settled && by.from_at < removed.from_at && by.kind >= removed.kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said() -> impl Strategy<Value = Said> {
        (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(proposer, settled, approved)| Said { proposer, settled, approved })
    }

    fn aged() -> impl Strategy<Value = Aged> {
        (0_i64..60, prop_oneof![Just(Proof::Totp), Just(Proof::Key)]).prop_map(|(days, kind)| Aged {
            kind,
            from_at: Time::from_seconds(-days * 86_400),
            settled: days >= 30,
        })
    }

    proptest! {
        /// R7: what concerns the proposer alone is never skipped, whatever was said.
        #[test]
        fn what_concerns_one_account_alone_is_never_skipped(settled: bool, approved: bool) {
            let alone = [Said { proposer: true, settled, approved }];
            prop_assert!(!is_approved(Consent::Everybody, &alone) && !is_approved(Consent::OneSettled, &alone));
        }

        /// R7: nobody's silence is taken for a yes, and no yes of the unsettled is enough.
        #[test]
        fn approval_needs_everybody_and_one_settled_who_did_not_propose(people in proptest::collection::vec(said(), 0..6)) {
            if is_approved(Consent::Everybody, &people) {
                prop_assert!(people.iter().all(|p| p.approved));
                prop_assert!(people.iter().any(|p| p.settled && !p.proposer));
            }
        }

        /// R12: a younger factor never removes a settled one at once, and a settled one always removes what is not settled.
        #[test]
        fn a_younger_factor_removes_a_settled_one_only_through_a_hold(by in aged(), removed in aged()) {
            if removed.settled && by.from_at >= removed.from_at {
                prop_assert!(!removes_at_once(by, removed));
            }
            if by.settled && !removed.settled {
                prop_assert!(removes_at_once(by, removed));
            }
        }

        /// R9: no hold takes effect while nobody could veto it or somebody concerned is contained.
        #[test]
        fn nothing_ripens_unserved(due: bool, serving: bool, told: bool, contained: bool, approved: bool) {
            let ripe = is_ripe(Served { due, serving, told, contained, approved });
            prop_assert!(!ripe || (serving && !contained));
            prop_assert!(!ripe || approved || (due && told));
        }
    }

    /// What can happen to the factors of an account.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Pass(i64),
        Add(Proof),
        Remove { by: usize, which: usize },
        Restore(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (1_i64..20).prop_map(Step::Pass),
            prop_oneof![Just(Proof::Totp), Just(Proof::Key)].prop_map(Step::Add),
            (0_usize..6, 0_usize..6).prop_map(|(by, which)| Step::Remove { by, which }),
            (0_usize..6).prop_map(Step::Restore),
        ]
    }

    proptest! {
        /// Property 2 (R12): through any adding, removing and restoring, nothing settled ever goes at once by a younger factor, and the
        /// owner's old factor always removes at once whatever was added in the last 30 days. Restoring keeps the age.
        #[test]
        fn ages_survive_removing_and_restoring(steps in proptest::collection::vec(step(), 1..40)) {
            const DAY: i64 = 86_400;
            let mut now = 40 * DAY;
            // When each was added, whether it stands; the first is the owner's, from the first day.
            let mut factors = vec![(Proof::Totp, 0_i64, true)];
            for step in steps {
                let aged = |(kind, from, _): (Proof, i64, bool)| Aged { kind, from_at: Time::from_seconds(from), settled: now - from >= 30 * DAY || from <= DAY };
                match step {
                    Step::Pass(days) => now += days * DAY,
                    Step::Add(kind) => factors.push((kind, now, true)),
                    Step::Restore(which) => if let Some(factor) = factors.get_mut(which) { factor.2 = true },
                    Step::Remove { by, which } => {
                        let (Some(by), Some(removed)) = (factors.get(by).copied(), factors.get(which).copied()) else { continue };
                        if !by.2 || !removed.2 {
                            continue;
                        }
                        let at_once = removes_at_once(aged(by), aged(removed));
                        prop_assert!(!at_once || !aged(removed).settled || by.1 < removed.1);
                        if by.1 == 0 && !aged(removed).settled {
                            prop_assert!(at_once);
                        }
                        if at_once && which != 0 {
                            factors[which].2 = false;
                        }
                        prop_assert!(!(at_once && which == 0), "the owner's oldest is never removed at once");
                    }
                }
            }
        }
    }

    /// R3: new accounts with new projects, known devices and passkeys feel nothing.
    #[test]
    fn a_grant_waits_only_when_all_three_are_true() {
        let all = Asking { proof: Proof::Totp, device_settled: false, old_project: true };
        assert!(grant_waits(all));
        assert!(grant_waits(Asking { proof: Proof::RecoveryCode, ..all }));
        assert!(!grant_waits(Asking { proof: Proof::Key, ..all }));
        assert!(!grant_waits(Asking { device_settled: true, ..all }));
        assert!(!grant_waits(Asking { old_project: false, ..all }));
    }

    /// R11: a settled one stops everything, an unsettled one only what is unsettled.
    #[test]
    fn nothing_unsettled_stops_what_is_settled() {
        assert!(may_stop(true, true) && may_stop(true, false) && may_stop(false, false));
        assert!(!may_stop(false, true));
    }
}
