//! The About box: what the licence contains, from the library's JSON, and what changed lately.

use super::session::Visitor;
use super::{Oops, Shared, layout};
use crate::agent::{Agent, library_version};
use crate::calendar::text_in_words;
use axum::extract::State;
use axum::response::Html;
use maud::{Markup, html};
use serde::Deserialize;

/// What this product shows of `ors_about`; members that it does not know are ignored.
#[derive(Deserialize)]
pub struct About {
    pub serial: Option<String>,
    pub customer: Option<String>,
    pub sequence: Option<u64>,
    pub expires_on: Option<String>,
    pub maintenance_until: Option<String>,
    pub users: Option<u32>,
    pub features: Vec<Feature>,
    pub licence_state: String,
    pub announcements: Vec<Announcement>,
}

#[derive(Deserialize)]
pub struct Feature {
    pub name: String,
    pub expires_on: Option<String>,
    pub ended: bool,
}

#[derive(Deserialize)]
pub struct Announcement {
    pub id: u64,
    pub raised_at: String,
    pub acknowledged: bool,
    added: Vec<String>,
    removed: Vec<String>,
    changed: Vec<String>,
    ended: Vec<String>,
    users: Option<FromTo<u32>>,
    maintenance_until: Option<FromTo<Option<String>>>,
    expires_on: Option<FromTo<Option<String>>>,
}

#[derive(Deserialize)]
struct FromTo<T> {
    from: T,
    to: T,
}

pub fn read(agent: &Agent) -> Result<About, Oops> {
    serde_json::from_str(&agent.about()?).map_err(|_| Oops::Broken)
}

pub async fn page(State(app): State<Shared>, visitor: Visitor) -> Result<Html<String>, Oops> {
    let about = read(&app.agent)?;
    let body = html! {
        section aria-labelledby="contains" {
            h2 id="contains" { "The licence" }
            @if about.serial.is_some() { (contents(&about)) } @else { p.lead { "There is no licence in use." } }
        }
        @if !about.announcements.is_empty() {
            section aria-labelledby="changes" {
                h2 id="changes" { "What changed" }
                ol.changes reversed {
                    @for announcement in about.announcements.iter().rev() { li { (changes(announcement)) } }
                }
            }
        }
        p.small { "ORS library " (library_version()) }
    };
    Ok(layout::page(&app, &visitor, "About", body))
}

fn contents(about: &About) -> Markup {
    let day = |day: &Option<String>, none: &str| day.as_deref().map_or_else(|| none.to_owned(), text_in_words);
    html! {
        dl.facts {
            (fact("Customer", about.customer.as_deref().unwrap_or_default()))
            (fact("Serial number", about.serial.as_deref().unwrap_or_default()))
            (fact("State", &about.licence_state))
            (fact("Licence good through", &day(&about.expires_on, "no end")))
            (fact("Maintenance until", &day(&about.maintenance_until, "no contract")))
            (fact("Users", &about.users.unwrap_or(0).to_string()))
            (fact("Licence number", &about.sequence.unwrap_or(0).to_string()))
            div {
                dt { "Features" }
                dd {
                    ul.plain {
                        @for feature in &about.features {
                            li {
                                (feature.name)
                                @if feature.ended { " (ended)" }
                                @else if let Some(day) = &feature.expires_on { " (until " (text_in_words(day)) ")" }
                            }
                        }
                    }
                }
            }
        }
    }
}

pub fn fact(name: &str, value: &str) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

fn changes(announcement: &Announcement) -> Markup {
    let day = |day: &Option<String>| day.as_deref().map_or_else(|| "none".to_owned(), text_in_words);
    let lists = [
        ("Added", &announcement.added),
        ("Removed", &announcement.removed),
        ("Changed", &announcement.changed),
        ("Ended", &announcement.ended),
    ];
    let moment = announcement.raised_at.split('T').next().unwrap_or_default();
    html! {
        h3 {
            (text_in_words(moment)) " "
            span.tag { @if announcement.acknowledged { "confirmed" } @else { "new" } }
        }
        ul.plain data-announcement=(announcement.id) {
            @for (word, names) in lists {
                @if !names.is_empty() { li { (word) ": " (names.join(", ")) } }
            }
            @if let Some(users) = &announcement.users { li { "Users: " (users.to) " instead of " (users.from) } }
            @if let Some(change) = &announcement.maintenance_until {
                li { "Maintenance until: " (day(&change.to)) " instead of " (day(&change.from)) }
            }
            @if let Some(change) = &announcement.expires_on {
                li { "Licence good through: " (day(&change.to)) " instead of " (day(&change.from)) }
            }
        }
    }
}
