//! What tests of collaborators begin with: people with settled factors on known devices, and what they do to each other's roles.

use std::time::Duration;

use index::db::entities::{accounts, invitations, roles, suspensions};
use index::ids::{AccountId, FactorId, InvitationId, RoleId};

use crate::given::all;
use crate::holding::{DAY, Seat, old_account, seat_on};
use crate::world::{Answer, World};

pub const PROJECTS: &str = "/manage/projects/";
pub const INVITATION: &str = "/account/verify-project-role/";

/// Somebody with an account that is old, and a factor as old.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    pub account: AccountId,
    pub factor: FactorId,
}

/// People who registered long ago.
pub async fn members<const N: usize>(world: &World, names: [&str; N]) -> [Member; N] {
    let mut found = Vec::new();
    for name in names {
        let (account, factor) = old_account(world, name).await;
        found.push(Member { account, factor });
    }
    found.try_into().expect("as many as names")
}

impl Member {
    /// Signed in on a device that is trusted for long: no grant waits.
    pub async fn seat<'w>(&self, world: &'w World) -> Seat<'w> {
        seat_on(world, self.account, self.factor, Some(60 * DAY)).await
    }

    /// Signed in on a new device.
    pub async fn new_seat<'w>(&self, world: &'w World) -> Seat<'w> {
        seat_on(world, self.account, self.factor, Some(Duration::from_secs(60))).await
    }

    /// Invites somebody.
    pub async fn invite(&self, world: &World, project: &str, username: &str, role: &str) -> Answer {
        invite(&self.seat(world).await, project, username, role).await
    }

    /// Accepts the open invitation to this project.
    pub async fn accept(&self, world: &World, project: &str) -> Answer {
        let _ = project;
        let id = invitation(world, self.account).await.expect("the account is invited");
        answer(&self.seat(world).await, id, "accept").await
    }

    /// Asks for another role of somebody.
    pub async fn change(&self, world: &World, project: &str, role: RoleId, to: &str) -> Answer {
        let page = page(project);
        let fields = [("role_id", role.to_string()), ("role_name", to.to_owned())];
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.seat(world).await.proved(&page, &format!("{page}change/"), &fields).await
    }

    /// Asks that a role be ended.
    pub async fn remove(&self, world: &World, project: &str, role: RoleId) -> Answer {
        remove(&self.seat(world).await, project, role, &[]).await
    }

    /// The open role on a project.
    pub async fn role(&self, world: &World) -> Option<roles::Model> {
        all::<roles::Entity>(world).await.into_iter().find(|row| row.account_id == self.account && row.until_at.is_none())
    }

    /// The id of the open role.
    pub async fn role_id(&self, world: &World) -> RoleId {
        self.role(world).await.expect("the account holds a role").id
    }

    /// What the account is to the project: `Owner`, `Maintainer`, with `!` where the role is suspended, or nothing.
    pub async fn is(&self, world: &World) -> String {
        let Some(role) = self.role(world).await else { return String::new() };
        let suspended = all::<suspensions::Entity>(world).await.iter().any(|row| row.what_id == role.id.0 && row.until_at.is_none());
        format!("{}{}", role.role, if suspended { "!" } else { "" })
    }
}

/// The page of a project's collaborators.
pub fn page(project: &str) -> String {
    format!("/manage/project/{project}/collaboration/")
}

/// Sends the form of an invitation, proved.
pub async fn invite(seat: &Seat<'_>, project: &str, username: &str, role: &str) -> Answer {
    let page = page(project);
    seat.proved(&page, &page, &[("username", username), ("role_name", role)]).await
}

/// The open invitation of an account.
pub async fn invitation(world: &World, account: AccountId) -> Option<InvitationId> {
    all::<invitations::Entity>(world).await.into_iter().find(|row| row.account_id == account && row.until_at.is_none()).map(|row| row.id)
}

/// Answers an invitation: `accept` or `decline`.
pub async fn answer(seat: &Seat<'_>, id: InvitationId, word: &str) -> Answer {
    let id = id.to_string();
    seat.proved("/manage/account/", INVITATION, &[("token", &id), (word, "y")]).await
}

/// Asks that a role be ended, with further fields.
pub async fn remove(seat: &Seat<'_>, project: &str, role: RoleId, more: &[(&str, &str)]) -> Answer {
    let page = page(project);
    let id = role.to_string();
    let mut fields = vec![("role_id", id.as_str())];
    fields.extend_from_slice(more);
    seat.proved("/manage/account/", &format!("{page}delete/"), &fields).await
}

/// The name of an account.
pub async fn username(world: &World, account: AccountId) -> String {
    all::<accounts::Entity>(world).await.into_iter().find(|row| row.id == account).expect("it is there").username
}
