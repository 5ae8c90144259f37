//! The manual copy: which files somebody with rights carries from where to where, and a download of the licence.

use super::session::Visitor;
use super::{Oops, Shared};
use crate::agent::{Agent, Failure, LicenceStatus, field};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

/// Nothing when nothing waits. `download` is the address of [`download`] without the number.
pub fn section(agent: &Agent, status: &LicenceStatus, download: &str) -> Markup {
    let number = status.copy_sequence;
    let Some(waiting) = (number != 0).then(|| Waiting::read(agent, number).ok()).flatten() else { return html! {} };
    let heading = format!("copy-{number}");
    html! {
        section.card.copy aria-labelledby=(heading) {
            h2 id=(heading) { "Copy by hand" }
            p {
                "Licence number " (number) " is genuine, but cannot be written into the licence folder. "
                "Somebody with the right to do so copies these files, in this order:"
            }
            ol { @for file in &waiting.files { li { code { (file) } } } }
            dl.facts {
                div { dt { "From" } dd { code { (waiting.source) } } }
                div { dt { "To" } dd { code { (waiting.target) } } }
            }
            p {
                a.button href={ (download) "/" (number) } download { "Download the licence" }
                " to carry it there yourself."
            }
        }
    }
}

struct Waiting {
    files: Vec<String>,
    source: String,
    target: String,
}

impl Waiting {
    /// All three of one licence, or a failure when another has taken its place in between.
    fn read(agent: &Agent, number: u64) -> Result<Waiting, Failure> {
        let files = agent.text(field::COPY_FILE_NAMES, number)?;
        Ok(Waiting {
            files: files.lines().map(str::to_owned).collect(),
            source: agent.text(field::COPY_SOURCE, number)?,
            target: agent.text(field::COPY_TARGET, number)?,
        })
    }
}

pub async fn download(State(app): State<Shared>, _: Visitor, Path(number): Path<u64>) -> Result<Response, Oops> {
    attachment(&app.agent, number)
}

pub fn attachment(agent: &Agent, number: u64) -> Result<Response, Oops> {
    // Subject 0 would be whatever waits now; a link names one licence.
    let number = if number == 0 { return Err(Oops::NotThere) } else { number };
    let licence = agent.text(field::COPY_LICENCE, number).map_err(|_| Oops::NotThere)?;
    let names = agent.text(field::COPY_FILE_NAMES, number).map_err(|_| Oops::NotThere)?;
    let plain = |name: &&str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    let name = names.lines().last().filter(plain).unwrap_or("licence.ors.json");
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [(header::CONTENT_TYPE, "application/json".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, licence).into_response())
}
