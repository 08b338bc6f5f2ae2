//! `/admin/events/`: the audit trail, searched by staff with a key.

use index::Refused;
use index::audit::{self, Filter, Line};
use index::policy::SeeEvents;
use serde::Deserialize;

use super::{refused_form, when};
use crate::gate::{Ctx, SITE};
use crate::input::{Input, Nothing};
use crate::pages::events::{EventLine, Events, Filter as Typed};
use crate::pages::{FormErrors, When};
use crate::refusal::Refusal;
use crate::reply::Reply;

/// What is looked for, and where the page begins.
#[derive(Clone, Deserialize)]
pub struct Asked {
    #[serde(default)]
    account: String,
    #[serde(default)]
    project: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    credential: String,
    #[serde(default)]
    case: String,
    #[serde(default)]
    network: String,
    #[serde(default)]
    since: String,
    #[serde(default)]
    until: String,
    #[serde(default)]
    before: String,
}

impl Asked {
    fn filter(&self) -> Filter {
        let Self { account, project, kind, credential, case, network, since, until, .. } = self.clone();
        Filter { account, project, kind, credential, case, network, since, until }
    }
    fn typed(&self) -> Typed {
        let Self { account, project, kind, credential, case, network, since, until, .. } = self.clone();
        Typed { account, project, kind, credential, case, network, since, until }
    }
    /// The query of the page before this place.
    fn query(&self, before: i64) -> String {
        let before = before.to_string();
        let fields = [
            ("account", &self.account),
            ("project", &self.project),
            ("kind", &self.kind),
            ("credential", &self.credential),
            ("case", &self.case),
            ("network", &self.network),
            ("since", &self.since),
            ("until", &self.until),
            ("before", &before),
        ];
        let given: Vec<_> = fields.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        serde_urlencoded::to_string(given).unwrap_or_default()
    }
}

/// `GET /admin/events/`: one page of the trail.
///
/// # Errors
/// The database.
pub async fn list(ctx: Ctx<SeeEvents>, input: Input<Nothing, Asked>) -> Result<Reply, Refusal> {
    let asked = input.query;
    let before = asked.before.parse::<i64>().ok();
    let (env, filter) = (ctx.env().clone(), asked.filter());
    let read = ctx.view(SITE, move |read, permit| {
        Box::pin(async move {
            let filter = match audit::read_filter(read, permit, &filter).await {
                Ok(filter) => filter,
                Err(Refused::Invalid(invalid)) => return Ok(Err(invalid)),
                Err(other) => return Err(other),
            };
            Ok(Ok(audit::page(&env, read, permit, (&filter, before)).await?))
        })
    });
    let blank = Events { frame: ctx.frame(), errors: FormErrors::none(), filter: asked.typed(), events: Vec::new(), next_page: None };
    let page = match read.await? {
        Ok(page) => page,
        Err(invalid) => return Ok(refused_form(&Events { errors: FormErrors::one(invalid.field, invalid.message), ..blank })),
    };
    let next_page = page.next.map(|before| asked.query(before));
    let events = page.lines.into_iter().map(|line| event(when(ctx.env(), line.at), line)).collect();
    Ok(Reply::page(&Events { events, next_page, ..blank }))
}

fn event(when: When, line: Line) -> EventLine {
    EventLine {
        seq: line.seq,
        when,
        refused: ["failure", "refused", "attempt"].iter().any(|word| line.kind.ends_with(word)),
        sentence: line.sentence,
        kind: line.kind,
        account: line.account,
        actor: line.actor,
        by_account: line.by_account,
        project: line.project,
        credential: line.credential,
        credential_id: line.credential_id.map(|id| id.to_string()),
        network: line.ip,
        agent: line.agent,
    }
}
