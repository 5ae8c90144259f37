//! The gallery: every notice of the library, each asked at this moment from an installation that is in that state.

use super::session::Visitor;
use super::{Oops, Shared, about, banners, copying, layout};
use crate::agent::Agent;
use crate::gallery::Shown;
use axum::extract::{Path, State};
use axum::response::{Html, Response};
use maud::{Markup, html};
use std::sync::Arc;

pub async fn page(State(app): State<Shared>, visitor: Visitor) -> Result<Html<String>, Oops> {
    let scenes = ready(&app).await?;
    let body = html! {
        p.lead {
            "Each of these is an installation of its own, with its own folders, that is really in this state. "
            "The sentences come from the library, at this refresh."
        }
        div.gallery { @for shown in scenes.iter() { (card(shown, &visitor)) } }
    };
    Ok(layout::page_of_its_own(&app, &visitor, "Gallery", body))
}

/// The scenes take a few seconds after the start; `set_up` ends by itself, with or without them.
async fn ready(app: &Shared) -> Result<Arc<Vec<Shown>>, Oops> {
    let mut gallery = app.gallery.subscribe();
    let scenes = gallery.wait_for(Option::is_some).await.map_err(|_| Oops::Broken)?;
    scenes.clone().ok_or(Oops::Broken)
}

fn card(shown: &Shown, visitor: &Visitor) -> Markup {
    let scene = shown.scene;
    html! {
        section.scene aria-labelledby=(scene.id) data-scene=(scene.id) {
            h2 id=(scene.id) { (scene.title) }
            p.story { (scene.story) }
            @match &shown.agent {
                Ok(agent) => (live(scene.id, agent, visitor)),
                Err(reason) => p.field-error { "This one could not be set up: " (reason) },
            }
        }
    }
}

fn live(id: &str, agent: &Agent, visitor: &Visitor) -> Markup {
    let (Ok(notices), Ok(licence)) = (agent.notices(), agent.licence()) else {
        return html! { p.field-error { "The library does not answer for this one." } };
    };
    html! {
        @for banner in banners::all(agent, &notices, &visitor.language) { (banner.markup(None)) }
        @if let Ok(about) = about::read(agent) {
            p.small {
                "State: " (about.licence_state)
                @if let Some(customer) = &about.customer { " · Customer: " (customer) }
                @if let Some(number) = about.sequence { " · Licence number: " (number) }
            }
        }
        (copying::section(agent, &licence, &format!("/gallery/{id}/copy")))
    }
}

pub async fn download(
    State(app): State<Shared>,
    _: Visitor,
    Path((scene, number)): Path<(String, u64)>,
) -> Result<Response, Oops> {
    let scenes = ready(&app).await?;
    let shown = scenes.iter().find(|shown| shown.scene.id == scene).ok_or(Oops::NotThere)?;
    copying::attachment(shown.agent.as_ref().map_err(|_| Oops::NotThere)?, number)
}
