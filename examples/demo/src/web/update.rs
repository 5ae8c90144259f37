//! The installer's question, asked from a page: may a release of this date be installed here?

use super::session::Visitor;
use super::{Oops, Shared, cold, layout};
use crate::agent::{Failure, Options, Verdict, check_update};
use crate::stage::PRODUCT;
use axum::extract::{Query, State};
use axum::response::Html;
use maud::{Markup, html};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Asked {
    release: Option<String>,
}

pub async fn page(
    State(app): State<Shared>,
    Query(asked): Query<Asked>,
    visitor: Visitor,
) -> Result<Html<String>, Oops> {
    let answer = match asked.release.clone() {
        Some(release) => Some(cold(&app, move |app| ask(app, &release)).await?),
        None => None,
    };
    let release = asked.release.unwrap_or_else(|| app.calendar.today().to_string());
    let error = answer.as_ref().and_then(|answer| answer.as_ref().err());
    let described = error.map(|_| "release-wrong");
    let body = html! {
        p.lead { "An installer asks this before it changes anything. It needs the licence folder and the trusted keys, but no running product." }
        form.card method="get" action="/update" {
            div.field {
                label for="release" { "Release date of the update" }
                input id="release" name="release" type="date" value=(release) required
                    aria-describedby=[described] aria-invalid=[described.map(|_| "true")];
                (layout::field_error("release-wrong", error.map(|failure| failure.message.as_str())))
            }
            button { "May it be installed?" }
        }
        @if let Some(Ok((verdict, sentence))) = &answer { (shown(verdict, sentence)) }
    };
    Ok(layout::page(&app, &visitor, "Updates", body))
}

fn ask(app: &super::App, release: &str) -> Result<(Verdict, String), Failure> {
    let (state_folder, licence_folder) = (app.stage.state_folder(), app.stage.licence_folder());
    let trusted_keys = app.stage.trusted_keys();
    let options =
        Options { state_folder: &state_folder, licence_folder: &licence_folder, product: PRODUCT, trusted_keys };
    check_update(&options, release)
}

fn shown(verdict: &Verdict, sentence: &str) -> Markup {
    let (word, class) = match verdict.verdict {
        1 => ("Allowed", "good"),
        -1 => ("Not entitled", "bad"),
        _ => ("Cannot tell", "calm"),
    };
    html! {
        section.card role="status" aria-labelledby="answer" {
            h2 id="answer" { "The answer" }
            p { span.tag.(class) data-verdict=(verdict.verdict) { (word) } }
            p { (sentence) }
        }
    }
}
