//! The frame around every page: head, skip link, navigation, message of the last action.

use super::session::{Message, Visitor};
use super::{App, banners};
use crate::stage::PRODUCT_NAME;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse};
use maud::{DOCTYPE, Markup, html};

/// Pages of the navigation: path, name.
const PAGES: [(&str, &str); 5] =
    [("/", "Home"), ("/licence", "Licence"), ("/update", "Updates"), ("/about", "About"), ("/gallery", "Gallery")];

/// A page for somebody who is signed in, with the notices that hold now.
pub fn page(app: &App, visitor: &Visitor, title: &str, body: Markup) -> Html<String> {
    let notices = banners::of(&app.agent, visitor);
    framed(title, Some((app, visitor)), html! { (notices) (body) })
}

/// The same without the notices of this installation.
pub fn page_of_its_own(app: &App, visitor: &Visitor, title: &str, body: Markup) -> Html<String> {
    framed(title, Some((app, visitor)), body)
}

/// A page before the login.
pub fn outside(title: &str, body: Markup) -> Html<String> {
    framed(title, None, body)
}

pub fn plain(status: StatusCode, sentence: &str) -> impl IntoResponse + use<> {
    let body = html! { p { (sentence) } p { a href="/" { "To the home page" } } };
    (status, outside(status.canonical_reason().unwrap_or("Not possible"), body))
}

pub async fn not_found() -> impl IntoResponse {
    plain(StatusCode::NOT_FOUND, "There is nothing at this address.")
}

/// The hidden field that ties a form to the session.
pub fn form_token(visitor: &Visitor) -> Markup {
    html! { input type="hidden" name="form_token" value=(visitor.form_token); }
}

/// What is wrong with the field above; the field points to it with `aria-describedby`.
pub fn field_error(id: &str, error: Option<&str>) -> Markup {
    html! { @if let Some(error) = error { p.field-error id=(id) role="alert" { (error) } } }
}

fn framed(title: &str, inside: Option<(&App, &Visitor)>, body: Markup) -> Html<String> {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · " (PRODUCT_NAME) }
                link rel="stylesheet" href="/assets/style.css";
                link rel="icon" href="/assets/icon.svg" type="image/svg+xml";
            }
            body.outside[inside.is_none()] {
                a.skip href="#main" { "Skip to the content" }
                header.top {
                    div.bar {
                        p.brand { img src="/assets/icon.svg" alt="" width="28" height="28"; (PRODUCT_NAME) }
                        @if let Some((_, visitor)) = inside { (navigation(visitor)) }
                    }
                }
                main #main tabindex="-1" {
                    h1 { (title) }
                    @if let Some((app, visitor)) = inside { (message(app, visitor)) }
                    (body)
                }
                footer { p { "A demo: the licences are made up, and nothing leaves this computer." } }
            }
        }
    };
    Html(markup.into_string())
}

fn navigation(visitor: &Visitor) -> Markup {
    html! {
        nav aria-label="Pages" {
            ul {
                @for (path, name) in PAGES {
                    @let here = visitor.path == path || path != "/" && visitor.path.starts_with(path);
                    @let current = here.then_some("page");
                    li { a href=(path) aria-current=[current] { (name) } }
                }
            }
        }
        form.sign-out method="post" action="/logout" {
            (form_token(visitor))
            span.user { "Signed in as " b { (visitor.user) } }
            button.quiet { "Sign out" }
        }
    }
}

fn message(app: &App, visitor: &Visitor) -> Markup {
    html! {
        @match app.sessions.told(visitor) {
            Some(Message::Done(text)) => p.message.done role="status" { (text) },
            Some(Message::Failed(text)) => p.message.failed role="alert" { (text) },
            None => {},
        }
    }
}
