//! Roles that an account gave since: they end with what else was added, or a restore of the account that was stolen would leave whom the
//! thief let in (R15, R16). What has settled meanwhile stands by itself (R11), and is named.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::time::Duration;

use super::deeds::Deed;
use super::project::{self, OWNER};
use super::{Does, Plan};
use crate::accounts::Account;
use crate::accounts::settled::is_role_settled;
use crate::clock::Time;
use crate::db::Reading;
use crate::db::entities::roles;
use crate::env::Env;
use crate::projects::collaboration::given;
use crate::refused::Refused;

/// An act at exactly the time is part of the state.
const AFTER: Duration = Duration::from_micros(1);

/// The roles that an account gave since, and those that were given by the power of these, as far as the plan does not name them yet.
pub(super) async fn roles_of<R: Reading>(env: &Env, read: &R, account: &Account, at: Time, plan: &mut Plan) -> Result<(), Refused> {
    for one in given::roles(read, account.id, at.plus(AFTER)).await? {
        if plan.items.iter().any(|item| item.difference.id == Some(one.id.0)) {
            continue;
        }
        let Some(row) = roles::Entity::find_by_id(one.id).one(read.connection()).await? else { continue };
        let Some(on) = project::by_id(read, row.project_id).await? else { continue };
        let (key, what) = (("role", Some(row.id.0)), project::says(read, &on, &row).await?);
        if is_role_settled(env, read.now(), row.from_at, row.founding) {
            plan.stays(key, what, "the account gave it, and it is settled by now: put the project back, if it is to end");
        } else if row.role == OWNER && !has_other_owner(read, &row, plan).await? {
            plan.stays(key, what, "nobody else would own the project");
        } else {
            plan.does(key, what, Does::Ends, Deed::EndRole(row));
        }
    }
    Ok(())
}

/// Whether somebody owns the project beside this role, after what the plan does.
async fn has_other_owner<R: Reading>(read: &R, role: &roles::Model, plan: &Plan) -> Result<bool, Refused> {
    let open = roles::Entity::find()
        .filter(roles::Column::ProjectId.eq(role.project_id))
        .filter(roles::Column::Role.eq(OWNER))
        .filter(roles::Column::UntilAt.is_null())
        .filter(roles::Column::Id.ne(role.id));
    let stays = open.all(read.connection()).await?.iter().any(|row| !plan.ends_role(&row.id.to_string()));
    let returns = |deed: &Deed| matches!(deed, Deed::ReturnRole(row) if row.project_id == role.project_id && row.role == OWNER);
    Ok(stays || plan.items.iter().filter_map(|item| item.deed.as_ref()).any(returns))
}
