//! The home page: what a user of the product sees first, and the button that confirms an announcement.

use super::session::{Message, Visitor};
use super::{Oops, Shared, about, cold, layout};
use crate::agent::{LicenceStatus, state};
use axum::Form;
use axum::extract::State;
use axum::response::{Html, Redirect};
use maud::html;
use serde::Deserialize;

pub async fn page(State(app): State<Shared>, visitor: Visitor) -> Result<Html<String>, Oops> {
    let may_work = app.agent.licence().is_ok_and(|licence| allows_work(&licence));
    let about = about::read(&app.agent)?;
    let body = html! {
        section aria-labelledby="tools" {
            h2 id="tools" { "Tools" }
            @if !may_work {
                p.lead { "The tools are off, because there is no valid licence. " a href="/licence" { "See the licence page" } "." }
            } @else if about.features.is_empty() {
                p.lead { "This licence contains no tools." }
            }
            ul.tiles {
                @for feature in &about.features {
                    @let off = !may_work || feature.ended;
                    li.tile.off[off] {
                        h3 { (feature.name) }
                        p { @if off { "Not available" } @else { "Ready" } }
                    }
                }
            }
        }
    };
    Ok(layout::page(&app, &visitor, "Home", body))
}

/// A host decides for itself what an expired licence means; this one allows only the licence page. Everything else than
/// "valid" denies, the zeros of a failed call among it.
pub fn allows_work(licence: &LicenceStatus) -> bool {
    licence.state == state::VALID
}

#[derive(Deserialize)]
pub struct Confirmed {
    form_token: String,
    announcement: u64,
}

pub async fn acknowledge(
    State(app): State<Shared>,
    visitor: Visitor,
    Form(form): Form<Confirmed>,
) -> Result<Redirect, Oops> {
    visitor.owns(&form.form_token)?;
    let by = visitor.user.clone();
    let message = match cold(&app, move |app| app.agent.acknowledge(form.announcement, &by)).await? {
        Ok(()) => Message::Done("Thank you. What is new will not be shown again.".to_owned()),
        Err(failure) => Message::Failed(failure.message),
    };
    app.sessions.tell(&visitor, message);
    Ok(Redirect::to("/"))
}
