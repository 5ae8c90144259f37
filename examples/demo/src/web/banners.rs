//! The notices that hold, asked anew on every page refresh, most urgent first.

use super::layout::form_token;
use super::session::Visitor;
use crate::agent::{Agent, NoticeStatus, notice};
use maud::{Markup, html};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    Urgent,
    Attention,
    News,
}

/// Known notices in the order in which they are shown, with their names for programs.
const ORDER: [(u32, &str, Urgency); 8] = [
    (notice::LICENCE_EXPIRED, "licence-expired", Urgency::Urgent),
    (notice::NO_LICENCE, "no-licence", Urgency::Urgent),
    (notice::CLOCK_WRONG, "clock-wrong", Urgency::Urgent),
    (notice::LICENCE_EXPIRING, "licence-expiring", Urgency::Attention),
    (notice::MAINTENANCE_EXPIRED, "maintenance-expired", Urgency::Attention),
    (notice::MANUAL_COPY, "manual-copy", Urgency::Attention),
    (notice::MAINTENANCE_EXPIRING, "maintenance-expiring", Urgency::Attention),
    (notice::NEW_FEATURES, "new-features", Urgency::News),
];

pub struct Banner {
    pub bit: u32,
    /// For programs: the JSON and the tests.
    pub token: &'static str,
    pub urgency: Urgency,
    pub text: String,
}

impl Banner {
    /// `button` goes below the text.
    pub fn markup(&self, button: Option<Markup>) -> Markup {
        let (class, word, symbol) = match self.urgency {
            Urgency::Urgent => ("urgent", "Urgent", "M12 3 2 21h20Zm-1 7h2v5h-2Zm0 6.5h2v2h-2Z"),
            Urgency::Attention => {
                ("attention", "Attention", "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20Zm-1 4h2v7h-2Zm0 9h2v2h-2Z")
            }
            Urgency::News => ("news", "New", "m12 2 3 7 7 .6-5.3 4.6L18.4 21 12 17.2 5.6 21l1.7-6.8L2 9.6 9 9Z"),
        };
        html! {
            div.notice.(class) data-notice=(self.token) {
                svg aria-hidden="true" viewBox="0 0 24 24" width="24" height="24" { path fill-rule="evenodd" d=(symbol) {} }
                div {
                    p.urgency { (word) }
                    p.text { (self.text) }
                    @if let Some(button) = button { (button) }
                }
            }
        }
    }
}

/// The banners of `shown`. A notice that is gone by now simply does not appear; a bit that this product does not know yet
/// appears with the library's text, last.
pub fn all(agent: &Agent, shown: &NoticeStatus, language: &str) -> Vec<Banner> {
    let known = ORDER.iter().fold(0, |bits, (bit, ..)| bits | bit);
    let newer = (0..u32::BITS).map(|at| 1 << at).filter(|bit| known & bit == 0);
    let newer = newer.map(|bit| (bit, "other", Urgency::News));
    let holds = ORDER.into_iter().chain(newer).filter(|(bit, ..)| shown.notices & bit != 0);
    holds
        .filter_map(|(bit, token, urgency)| {
            let text = agent.notice_text(shown, bit, language).or_else(|_| agent.notice_text(shown, bit, "en"));
            Some(Banner { bit, token, urgency, text: text.ok()? })
        })
        .collect()
}

/// What stands at the top of the product's pages. Nothing when nothing holds, and nothing when the call fails.
pub fn of(agent: &Agent, visitor: &Visitor) -> Markup {
    let Ok(shown) = agent.notices() else { return html! {} };
    let banners = all(agent, &shown, &visitor.language);
    html! {
        @if !banners.is_empty() {
            section.notices aria-labelledby="notices" {
                h2.unseen id="notices" { "Notices" }
                ul {
                    @for banner in &banners {
                        @let button = (banner.bit == notice::NEW_FEATURES).then(|| confirm(visitor, shown.announcement));
                        li { (banner.markup(button)) }
                    }
                }
            }
        }
    }
}

/// Confirms the very announcement that is on the page, not one that came since.
fn confirm(visitor: &Visitor, announcement: u64) -> Markup {
    html! {
        form method="post" action="/acknowledge" {
            (form_token(visitor))
            input type="hidden" name="announcement" value=(announcement);
            button { "Got it" span.unseen { ": do not show what is new again" } }
            a href="/about" { "All that the licence contains" }
        }
    }
}
