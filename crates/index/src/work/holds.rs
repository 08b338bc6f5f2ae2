//! Doing what has waited: each action that can be held, and its effect. A new one gets its arm here.

use formats::ProjectName;

use super::Failed;
use crate::db::entities::holds as rows;
use crate::deletion::{account, asking};
use crate::env::Env;
use crate::epochs;
use crate::holds::{self, Applied, wake};
use crate::ids::{AddressId, FactorId, FileId, ReleaseId, RoleId};
use crate::policy::{
    ActionName, Actor, ChangePrimaryAddress, DeleteAccount, DeleteFile, DeleteProject, DeleteRelease, DemoteOwner, Direction,
    RemoveAddress, RemoveFactor, RemoveOwner, WakeRoles,
};
use crate::projects::collaboration;
use crate::queue::Claimed;
use crate::refused::Refused;
use crate::resources::ManagedProject;
use crate::signin::{addresses, removal};

/// Ends what can never take effect, then does what is ripe. One that fails keeps no other waiting.
pub(super) async fn apply(env: &Env, job: &Claimed) -> Result<(), Failed> {
    let worker = Actor::worker(job.kind.wire(), job.id.to_string());
    let read = env.db.read(env.now()).await.map_err(Refused::from)?;
    // A restored index that is not open yet does nothing that waited (R18).
    if epochs::is_read_only(&read).await? {
        return Ok(());
    }
    let (orphans, due, asleep) = (holds::orphans(&read).await?, holds::due(env, &read).await?, wake::decided(&read).await?);
    drop(read);
    for hold in asleep {
        wake::again(env, &worker, hold).await?;
    }
    for (hold, because) in orphans {
        holds::die(env, &worker, hold, because).await?;
    }
    let mut failed = None;
    for hold in due {
        match effect(env, &worker, &hold).await {
            Ok(applied) => tracing::info!(hold = %hold.id, action = hold.action, ?applied, "a hold was looked at"),
            Err(refused) => {
                tracing::error!(hold = %hold.id, action = hold.action, error = %refused, "a hold could not take effect");
                failed = Some(refused);
            }
        }
    }
    failed.map_or(Ok(()), |refused| Err(refused.into()))
}

/// The effect of a hold.
async fn effect(env: &Env, worker: &Actor, hold: &rows::Model) -> Result<Applied, Refused> {
    let own = env.clone();
    match ActionName::from_wire(&hold.action) {
        Some(ActionName::WakeRoles) => {
            let wake = holds::apply::<WakeRoles, _>(env, worker, hold, hold.account_id, move |tx, loosened| {
                let env = own.clone();
                Box::pin(async move { wake::wake(&env, tx, &loosened).await })
            });
            wake.await
        }
        Some(ActionName::RemoveFactor) => {
            let Some(factor) = FactorId::parse(&hold.subject) else { return unreadable(hold) };
            let end_sessions = removal::ends_sessions(&hold.payload);
            let remove = holds::apply::<RemoveFactor, _>(env, worker, hold, factor, move |tx, loosened| {
                let env = own.clone();
                Box::pin(async move { removal::take_away(&env, tx, &loosened, end_sessions).await })
            });
            remove.await
        }
        Some(ActionName::RemoveAddress) => {
            let Some(address) = AddressId::parse(&hold.subject) else { return unreadable(hold) };
            let remove = holds::apply::<RemoveAddress, _>(env, worker, hold, address, move |tx, loosened| {
                let env = own.clone();
                Box::pin(async move { addresses::take_away(&env, tx, &loosened).await })
            });
            remove.await
        }
        Some(ActionName::ChangePrimaryAddress) => {
            let Some(address) = AddressId::parse(&hold.subject) else { return unreadable(hold) };
            let lead = holds::apply::<ChangePrimaryAddress, _>(env, worker, hold, address, move |tx, loosened| {
                let env = own.clone();
                Box::pin(async move { addresses::lead(&env, tx, &loosened).await })
            });
            lead.await
        }
        Some(ActionName::DemoteOwner) => {
            let Some(role) = RoleId::parse(&hold.subject) else { return unreadable(hold) };
            let demote = holds::apply::<DemoteOwner, _>(env, worker, hold, role, move |tx, loosened| {
                let env = own.clone();
                Box::pin(async move { collaboration::demote(&env, tx, &loosened).await })
            });
            demote.await
        }
        Some(ActionName::RemoveOwner) => {
            let Some(role) = RoleId::parse(&hold.subject) else { return unreadable(hold) };
            let remove = holds::apply::<RemoveOwner, _>(env, worker, hold, role, move |tx, loosened| {
                let env = own.clone();
                Box::pin(async move { collaboration::take_away(&env, tx, &loosened).await })
            });
            remove.await
        }
        Some(action @ (ActionName::DeleteProject | ActionName::DeleteRelease | ActionName::DeleteFile | ActionName::DeleteAccount)) => {
            delete(env, worker, hold, action).await
        }
        // A grant that waited (R3): what it gives is made with the person there, so that the hold only opens its door.
        Some(action) if action.direction() == Direction::Grants => holds::open_door(env, worker, hold.id).await,
        _ => unreadable(hold),
    }
}

/// The effect of a hold that deletes.
async fn delete(env: &Env, worker: &Actor, hold: &rows::Model, action: ActionName) -> Result<Applied, Refused> {
    let own = env.clone();
    match Some(action) {
        Some(ActionName::DeleteProject) => {
            let Ok(name) = ProjectName::parse(&hold.subject) else { return unreadable(hold) };
            let delete = holds::apply::<DeleteProject, _>(env, worker, hold, ManagedProject(name), move |tx, loosened| {
                let env = own.clone();
                Box::pin(async move { asking::take_project(&env, tx, &loosened).await })
            });
            delete.await
        }
        Some(ActionName::DeleteRelease) => {
            let Some(release) = ReleaseId::parse(&hold.subject) else { return unreadable(hold) };
            let delete = holds::apply::<DeleteRelease, _>(env, worker, hold, release, move |tx, loosened| {
                let env = own.clone();
                Box::pin(async move { asking::take_release(&env, tx, &loosened).await })
            });
            delete.await
        }
        Some(ActionName::DeleteFile) => {
            let Some(file) = FileId::parse(&hold.subject) else { return unreadable(hold) };
            let delete = holds::apply::<DeleteFile, _>(env, worker, hold, file, move |tx, loosened| {
                let env = own.clone();
                Box::pin(async move { asking::take_file(&env, tx, &loosened).await })
            });
            delete.await
        }
        Some(ActionName::DeleteAccount) => {
            let delete = holds::apply::<DeleteAccount, _>(env, worker, hold, hold.account_id, move |tx, loosened| {
                let env = own.clone();
                Box::pin(async move { account::take(&env, tx, &loosened).await })
            });
            delete.await
        }
        _ => unreadable(hold),
    }
}

fn unreadable(hold: &rows::Model) -> Result<Applied, Refused> {
    Err(anyhow::anyhow!("hold {} is of the action {} on {}, which this version does not know", hold.id, hold.action, hold.subject).into())
}
