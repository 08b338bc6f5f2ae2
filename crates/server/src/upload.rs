//! `POST /legacy/`: the upload of one file, as twine, uv, poetry, hatch, flit and pdm send it.
//!
//! The form's fields are read into memory within a limit; the file goes to disk as it comes, wherever in the form it stands.
//! No rules here: `formats` and `index` decide, and this room says it in the words that clients match on.

mod form;

use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use formats::{ProjectName, UploadForm};
use index::limits::{self, Limit, Whom};
use index::policy::{Denied, Gate, UploadFile};
use index::projects::upload::{self, Distribution, Fits, Incoming, Keeper, Published, Received, check_begin, check_fits, publish};
use index::resources::ProjectOrNew;
use index::{Refused, tokens};

use crate::gate::Ctx;
use crate::refusal::{Refusal, exactly};
use crate::reply::Reply;
use form::{Body, Part};

/// `POST /legacy/`.
pub async fn receive(ctx: Ctx<UploadFile>, request: Request) -> Result<Reply, Refusal> {
    let mut upload = Upload { ctx: &ctx, fields: Vec::new(), content: None };
    let begun = Body::of(request, ctx.env().config.file_max_size.0).await;
    if begun.is_err() {
        tokens::note_in_vain(ctx.env(), ctx.actor(), REFUSED).await?;
    }
    let mut body = begun?;
    let done = match upload.read(&mut body).await {
        Ok(()) => upload.store().await,
        Err(refusal) => Err(refusal),
    };
    if let Some(outcome) = in_vain(&done) {
        tokens::note_in_vain(ctx.env(), ctx.actor(), outcome).await?;
    }
    let Err(refusal) = done else {
        return Ok(Reply::bytes(StatusCode::OK, "text/plain; charset=utf-8", axum::body::Body::empty()));
    };
    let project = upload.field("name").unwrap_or_default().to_owned();
    let answer = upload.in_known_words(refusal, &project).await;
    // A client that is still sending would not read the answer.
    body.drain().await;
    answer
}

const REFUSED: &str = "the upload was refused";

/// What came of an upload that left no event: neither a file nor a refusal by policy (P4).
const fn in_vain(done: &Result<Stored, Refusal>) -> Option<&'static str> {
    match done {
        Ok(Stored::Now) | Err(Refusal::Refused(Refused::Denied(_))) => None,
        Ok(Stored::Before) => Some("the file was there already"),
        Err(_) => Some(REFUSED),
    }
}

/// Whether an upload brought something new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stored {
    /// The file is new.
    Now,
    /// The same file was there.
    Before,
}

/// One upload while it is read.
struct Upload<'c> {
    ctx: &'c Ctx<UploadFile>,
    fields: Vec<(String, String)>,
    content: Option<(String, Received)>,
}

impl Upload<'_> {
    fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn project(&self) -> Option<ProjectName> {
        self.field("name").and_then(|name| ProjectName::parse(name).ok())
    }

    /// Reads all parts; the file is taken in when it comes, after an early no where its project is known by then.
    async fn read(&mut self, body: &mut Body) -> Result<(), Refusal> {
        while let Some(part) = body.next().await? {
            match part {
                Part::Text(name, value) => self.fields.push((name, value)),
                Part::File(filename) => {
                    if self.content.is_some() {
                        return Err(bad("content: Send one file."));
                    }
                    self.check_action(body.action())?;
                    self.ask_early().await?;
                    self.content = Some((filename, self.take_in(body).await?));
                }
            }
        }
        self.check_action(body.action())
    }

    /// `:action` stands in the query or in the form.
    fn check_action(&self, of_query: Option<&str>) -> Result<(), Refusal> {
        match self.field(":action").or(of_query) {
            Some("file_upload") => Ok(()),
            // A form in which the file comes first says later what it is.
            None if self.fields.is_empty() => Ok(()),
            Some("submit" | "submit_pkg_info") => {
                Err(gone("Project pre-registration is no longer required or supported, upload your files instead."))
            }
            Some("doc_upload") => Err(gone("Uploading documentation is no longer supported; host it elsewhere and link it.")),
            Some(_) | None => Err(bad("Unknown or missing :action. Use file_upload.")),
        }
    }

    async fn ask_early(&self) -> Result<(), Refusal> {
        let Some(project) = self.project() else { return Ok(()) };
        let on = ProjectOrNew(project);
        self.ctx.may(on.clone()).await?;
        let env = self.ctx.env().clone();
        self.ctx.view(on, move |read, permit| Box::pin(async move { check_begin(&env, read, permit).await })).await?;
        Ok(())
    }

    async fn take_in(&self, body: &mut Body) -> Result<Received, Refusal> {
        let project = self.project();
        let project = project.as_ref().map(ProjectName::as_str);
        let mut incoming = Incoming::begin(self.ctx.env()).await?;
        while let Some(bytes) = body.chunk().await? {
            incoming.take(&bytes, project).await?;
        }
        Ok(incoming.finish().await?)
    }

    /// Form and file are here: judge both, keep the bytes, write the rows.
    async fn store(&mut self) -> Result<Stored, Refusal> {
        let form = UploadForm::from_fields(self.fields.clone()).map_err(|e| bad(&e.message))?;
        let Some((filename, received)) = self.content.take() else {
            formats::validate(&form.metadata).map_err(|e| bad(&e.message))?;
            return Err(bad("Upload payload does not have a file."));
        };
        let project = ProjectName::parse(&form.metadata.name).map_err(|e| bad(&e.to_string()))?;
        self.ctx.may(ProjectOrNew(project)).await?;
        let (distribution, keeper) = upload::examine(form, &filename, received).await?;
        self.publish(Arc::new(distribution), keeper).await
    }

    async fn publish(&self, file: Arc<Distribution>, keeper: Keeper) -> Result<Stored, Refusal> {
        let env = self.ctx.env();
        let on = ProjectOrNew(file.project.clone());
        let (inner, looked_at) = (env.clone(), Arc::clone(&file));
        let fits =
            self.ctx.view(on.clone(), move |read, permit| Box::pin(async move { check_fits(&inner, read, permit, &looked_at).await }));
        let taken = match fits.await? {
            Fits::AlreadyHere => return Ok(Stored::Before),
            Fits::Into(Some(_), _) => None,
            Fits::Into(None, _) => Some(self.count_new_project().await?),
        };
        keeper.keep(env).await?;
        let inner = env.clone();
        let done: Result<Published, Refused> = self
            .ctx
            .act(on, move |tx, permit| {
                let (env, file) = (inner.clone(), Arc::clone(&file));
                Box::pin(async move { publish(&env, tx, permit, &file).await })
            })
            .await;
        if let (Err(_), Some(taken)) = (&done, taken) {
            limits::give_back(env, taken).await?;
        }
        Ok(match done? {
            Published::File(_) => Stored::Now,
            Published::AlreadyHere => Stored::Before,
        })
    }

    async fn count_new_project(&self) -> Result<limits::Taken, Refusal> {
        let account = self.ctx.account()?;
        let whom = Whom::account(account, self.ctx.actor().origin.network);
        Ok(limits::take(self.ctx.env(), Limit::NewProject, &whom).await?)
    }

    /// The answers that clients and people know from PyPI.
    async fn in_known_words(&self, refusal: Refusal, project: &str) -> Result<Reply, Refusal> {
        let Refusal::Refused(refused) = refusal else { return Err(refusal) };
        let user = || tokens::username(self.ctx.env(), self.ctx.actor());
        let message = match &refused {
            Refused::Denied(Denied::Gate(Gate::VerifiedAddress)) => format!(
                "User '{}', associated with the API token used, does not have a verified primary email address. Verify an \
                 address before you upload. See /help/#verified-email for more information.",
                user().await?
            ),
            Refused::Denied(Denied::Gate(_)) => format!(
                "User '{}', associated with the API token used, does not have two-factor authentication enabled. Enable it \
                 before you upload. See /help/#two-factor for more information.",
                user().await?
            ),
            Refused::Denied(Denied::NoRole | Denied::Hidden) => format!(
                "The user '{}' isn't allowed to upload to project '{project}'. See /help/#project-name for more information.",
                user().await?
            ),
            Refused::Denied(Denied::Shut(shut)) => format!(
                "The user '{}' isn't allowed to upload to project '{project}': it is {}. See /help/#project-name for more information.",
                user().await?,
                shut.word()
            ),
            Refused::Limited(wait) => return Ok(self.too_many(*wait)),
            _ => return Err(refused.into()),
        };
        Err(Refusal::Exactly(StatusCode::FORBIDDEN, message))
    }

    fn too_many(&self, wait: std::time::Duration) -> Reply {
        let accept = self.ctx.headers().get(header::ACCEPT).and_then(|v| v.to_str().ok());
        let seconds = wait.as_secs().max(1);
        let message = format!("Too many new projects created. Try again in {seconds} seconds.");
        Reply::from(exactly(StatusCode::TOO_MANY_REQUESTS, &message, accept)).with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }
}

fn bad(message: &str) -> Refusal {
    Refusal::Exactly(StatusCode::BAD_REQUEST, message.to_owned())
}

fn gone(message: &str) -> Refusal {
    Refusal::Exactly(StatusCode::GONE, message.to_owned())
}
