//! The rules themselves, on plain values: small enough that a golden file holds their whole domain.

use super::actions::ActionName;
use super::credential::Credential;
use super::standing::Standing;
use super::words::Role;
use crate::denied::{Denied, Gate, State};

/// What the verdict is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What is to be done.
    pub action: ActionName,
    /// What was presented.
    pub credential: Credential,
    /// What the acting account is; `Standing::NONE` when no account acts.
    pub standing: Standing,
    /// The roles it holds on the resource.
    pub roles: &'a [Role],
    /// Whether it may know that the resource exists.
    pub visible: bool,
}

/// Decides. The order is part of the contract: kind of credential, state, existence, role, gates.
///
/// # Errors
/// Why not.
pub fn verdict(question: &Question<'_>) -> Result<(), Denied> {
    let action = question.action;
    if !action.ceiling().contains(question.credential) {
        return Err(Denied::WrongCredential);
    }
    let by_account = is_of_account(question.credential);
    if by_account && !action.needs().is_empty() && question.standing.state != State::Active {
        return Err(Denied::Stopped(question.standing.state));
    }
    if !question.visible {
        return Err(Denied::Hidden);
    }
    let holds = |role: &&Role| question.roles.contains(role);
    if !action.needs().is_empty() && !action.needs().iter().any(|role| holds(&role)) {
        return Err(Denied::NoRole);
    }
    let of_project = |role: &Role| matches!(role, Role::Owner | Role::Maintainer);
    if by_account && question.standing.asleep && !action.needs().is_empty() && action.needs().iter().filter(holds).all(of_project) {
        return Err(Denied::Asleep);
    }
    if by_account {
        meet(action.gates(), question.standing).map_err(Denied::Gate)?;
    }
    Ok(())
}

/// Whether an account stands behind this kind of credential.
const fn is_of_account(credential: Credential) -> bool {
    matches!(
        credential,
        Credential::IdleSession | Credential::Session | Credential::FreshSession | Credential::StepUp | Credential::ApiToken
    )
}

/// The first gate that is not met. A missing factor leads through the steps before it (INTERFACES section 6).
fn meet(gates: &[Gate], standing: Standing) -> Result<(), Gate> {
    type Met = fn(&Standing) -> bool;
    const BEFORE_FACTOR: [(Gate, Met); 4] = [
        (Gate::MailboxProof, |s| s.mailbox_fresh),
        (Gate::RecoveryCodes, |s| s.codes),
        (Gate::RecoveryCodesProved, |s| s.codes_proved),
        (Gate::Factor, |s| s.factor),
    ];
    for gate in gates {
        let met = match gate {
            Gate::VerifiedAddress => standing.verified,
            Gate::MailboxProof => standing.mailbox_fresh,
            Gate::RecoveryCodes => standing.codes,
            Gate::RecoveryCodesProved => standing.codes_proved,
            Gate::Key => standing.key,
            Gate::Factor if standing.factor => true,
            Gate::Factor => {
                let missing = BEFORE_FACTOR.iter().find(|(_, met)| !met(&standing));
                return Err(missing.map_or(Gate::Factor, |(gate, _)| *gate));
            }
        };
        if !met {
            return Err(*gate);
        }
    }
    Ok(())
}
