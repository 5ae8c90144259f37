//! The Licence page: where licences are read, an upload, what to copy by hand, and every file seen with its reason.

use super::about::fact;
use super::session::{Message, Visitor};
use super::{Oops, Shared, cold, copying, layout};
use crate::agent::{Agent, InstallResult, LicenceStatus, installed, state};
use axum::Form;
use axum::extract::{Multipart, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;

/// What this page shows of `ors_diagnostics`.
#[derive(Deserialize)]
pub struct Diagnostics {
    licence_folder: Option<String>,
    licence_folder_state: String,
    licence_folder_error: Option<String>,
    licences: Vec<Seen>,
}

#[derive(Deserialize)]
struct Seen {
    file: String,
    state: String,
    text: Option<String>,
    serial: Option<String>,
    sequence: Option<u64>,
}

#[derive(Deserialize)]
struct Settings {
    licence_path: Option<String>,
    revision: u64,
}

/// What was typed and why it was not taken.
#[derive(Default)]
struct Wrong {
    path: Option<(String, String)>,
    upload: Option<String>,
}

pub async fn page(State(app): State<Shared>, visitor: Visitor) -> Result<Html<String>, Oops> {
    render(&app, &visitor, Wrong::default())
}

fn render(app: &Shared, visitor: &Visitor, wrong: Wrong) -> Result<Html<String>, Oops> {
    let status = app.agent.licence()?;
    let seen = diagnostics(&app.agent)?;
    let settings: Settings = serde_json::from_str(&app.agent.settings()?).map_err(|_| Oops::Broken)?;
    let body = html! {
        (in_use(&status, &seen))
        (copying::section(&app.agent, &status, "/licence/copy"))
        (files(&seen))
        div.columns {
            (upload_form(visitor, wrong.upload.as_deref()))
            (path_form(visitor, &settings, &seen, wrong.path))
        }
    };
    Ok(layout::page(app, visitor, "Licence", body))
}

pub fn diagnostics(agent: &Agent) -> Result<Diagnostics, Oops> {
    serde_json::from_str(&agent.diagnostics()?).map_err(|_| Oops::Broken)
}

pub fn state_in_words(state: u32) -> &'static str {
    match state {
        state::VALID => "Valid",
        state::EXPIRED => "Expired",
        state::MISSING => "Missing",
        state::REFUSED => "Refused",
        _ => "Not known",
    }
}

fn in_use(status: &LicenceStatus, seen: &Diagnostics) -> Markup {
    let number = if status.sequence == 0 { "none".to_owned() } else { status.sequence.to_string() };
    html! {
        section aria-labelledby="in-use" {
            h2 id="in-use" { "In use" }
            dl.facts {
                (fact("State", state_in_words(status.state)))
                (fact("Licence number", &number))
                (fact("Licence folder", seen.licence_folder.as_deref().unwrap_or("not set")))
                @if seen.licence_folder_state != "read" {
                    (fact("Folder", seen.licence_folder_error.as_deref().unwrap_or(&seen.licence_folder_state)))
                }
            }
        }
    }
}

fn files(seen: &Diagnostics) -> Markup {
    html! {
        section aria-labelledby="files" {
            h2 id="files" { "Files seen" }
            @if seen.licences.is_empty() {
                p { "There is no licence file in the folder." }
            } @else {
                div.scroll role="region" aria-label="Table of the files" tabindex="0" {
                    table {
                        thead { tr {
                            th scope="col" { "File" } th scope="col" { "State" } th scope="col" { "Number" }
                            th scope="col" { "Serial number" } th scope="col" { "Why" }
                        } }
                        tbody { @for file in by_state(&seen.licences) { (file.row()) } }
                    }
                }
            }
        }
    }
}

/// What counts first, then what somebody should look at.
fn by_state(files: &[Seen]) -> Vec<&Seen> {
    let mut files: Vec<&Seen> = files.iter().collect();
    files.sort_by_key(|file| {
        ["in_use", "waiting", "refused", "superseded"].iter().position(|state| file.state == *state)
    });
    files
}

impl Seen {
    fn row(&self) -> Markup {
        let (word, class) = match self.state.as_str() {
            "in_use" => ("In use", "good"),
            "superseded" => ("Superseded", "calm"),
            "refused" => ("Refused", "bad"),
            "waiting" => ("Waiting", "calm"),
            other => (other, "calm"),
        };
        html! {
            tr data-state=(self.state) {
                th scope="row" { (self.file) }
                td { span.tag.(class) { (word) } }
                td { @if let Some(sequence) = self.sequence { (sequence) } @else { "–" } }
                td { (self.serial.as_deref().unwrap_or("–")) }
                td { (self.text.as_deref().unwrap_or_default()) }
            }
        }
    }
}

fn upload_form(visitor: &Visitor, error: Option<&str>) -> Markup {
    let described = if error.is_some() { "upload-wrong upload-hint" } else { "upload-hint" };
    html! {
        section.card aria-labelledby="upload-title" {
            h2 id="upload-title" { "Upload a licence" }
            form method="post" action="/licence/upload" enctype="multipart/form-data" {
                (layout::form_token(visitor))
                div.field {
                    label for="upload" { "Licence file" }
                    input id="upload" name="licence" type="file" required aria-describedby=(described)
                        aria-invalid=[error.map(|_| "true")];
                    (layout::field_error("upload-wrong", error))
                    p.hint id="upload-hint" { "The file that your supplier sent, its name ends in " code { ".ors.json" } "." }
                }
                button { "Upload" }
            }
        }
    }
}

fn path_form(visitor: &Visitor, settings: &Settings, seen: &Diagnostics, wrong: Option<(String, String)>) -> Markup {
    let (typed, error) = wrong.unzip();
    let current = settings.licence_path.clone().or_else(|| seen.licence_folder.clone());
    let value = typed.or(current).unwrap_or_default();
    let described = if error.is_some() { "path-wrong path-hint" } else { "path-hint" };
    html! {
        section.card aria-labelledby="path-title" {
            h2 id="path-title" { "Where licences are" }
            form method="post" action="/licence/path" {
                (layout::form_token(visitor))
                input type="hidden" name="revision" value=(settings.revision);
                div.field {
                    label for="path" { "Folder or file" }
                    input id="path" name="path" value=(value) spellcheck="false" autocomplete="off"
                        aria-describedby=(described) aria-invalid=[error.as_ref().map(|_| "true")];
                    (layout::field_error("path-wrong", error.as_deref()))
                    p.hint id="path-hint" { "The whole path. Empty: as the product was set up." }
                }
                button { "Save" }
            }
        }
    }
}

#[derive(Deserialize)]
pub struct PathForm {
    form_token: String,
    path: String,
    revision: u64,
}

pub async fn change_path(
    State(app): State<Shared>,
    visitor: Visitor,
    Form(form): Form<PathForm>,
) -> Result<Response, Oops> {
    visitor.owns(&form.form_token)?;
    let path = form.path.trim().to_owned();
    let wanted = if path.is_empty() { serde_json::Value::Null } else { json!(path) };
    let settings = json!({ "licence_path": wanted, "revision": form.revision }).to_string();
    let by = visitor.user.clone();
    match cold(&app, move |app| app.agent.change_settings(&settings, &by)).await? {
        Ok(()) => done(&app, &visitor, "The path is saved."),
        Err(failure) if failure.about != "licence_path" => {
            app.sessions.tell(&visitor, Message::Failed(failure.message));
            Ok(Redirect::to("/licence").into_response())
        }
        Err(failure) => {
            let wrong = Wrong { path: Some((path, failure.message)), ..Wrong::default() };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, render(&app, &visitor, wrong)?).into_response())
        }
    }
}

pub async fn upload(State(app): State<Shared>, visitor: Visitor, mut form: Multipart) -> Result<Response, Oops> {
    let mut file = None;
    let mut ours = false;
    let mut too_large = false;
    while let Ok(Some(part)) = form.next_field().await {
        match part.name() {
            Some("form_token") => ours = part.text().await.is_ok_and(|token| token == visitor.form_token),
            Some("licence") if ours => match part.bytes().await {
                Ok(bytes) => file = Some(bytes),
                Err(_) => too_large = true,
            },
            _ => {}
        }
    }
    if !ours {
        return Err(Oops::NotOurForm);
    }
    let refused = match file {
        _ if too_large => "This file is far too large for a licence.".to_owned(),
        None => "Choose a file first.".to_owned(),
        Some(file) => {
            let by = visitor.user.clone();
            match cold(&app, move |app| app.agent.install(&file, &by)).await? {
                Ok(result) => return done(&app, &visitor, &outcome(&result)),
                Err(failure) if failure.refused() => format!("The licence was not taken. {failure}"),
                Err(failure) if failure.timed_out() => format!("{failure} Repeating the upload is safe."),
                Err(failure) => failure.message,
            }
        }
    };
    let wrong = Wrong { upload: Some(refused), ..Wrong::default() };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, render(&app, &visitor, wrong)?).into_response())
}

fn outcome(result: &InstallResult) -> String {
    let number = result.sequence;
    match result.state {
        installed::ACCEPTED => format!("Licence number {number} is genuine and on its way to the licence folder."),
        installed::COPY => format!("Licence number {number} is genuine. It has to be copied by hand, see below."),
        installed::PRESENT => format!("Licence number {number} is in use already."),
        _ => "The file was taken.".to_owned(),
    }
}

fn done(app: &Shared, visitor: &Visitor, sentence: &str) -> Result<Response, Oops> {
    app.sessions.tell(visitor, Message::Done(sentence.to_owned()));
    Ok(Redirect::to("/licence").into_response())
}
