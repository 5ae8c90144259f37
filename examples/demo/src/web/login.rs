//! The login: one demo account, and what has to be said about the licence before anybody works.

use super::session::{self, Visitor};
use super::{Oops, Shared, banners, home, layout};
use crate::agent::notice;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use maud::html;
use serde::Deserialize;

/// No secret: it is printed, and good for made-up licences on this computer.
pub const DEMO_USER: &str = "operator";
pub const DEMO_PASSWORD: &str = "demo";

/// What keeps people from working, and so belongs on the login screen.
const AT_LOGIN: u32 = notice::LICENCE_EXPIRED | notice::NO_LICENCE | notice::CLOCK_WRONG;

/// A page to go on to. Only our own can be one, so that a link to the login never leads elsewhere.
#[derive(Clone, Copy)]
pub struct Next(&'static str);

impl Next {
    pub fn of(path: &str) -> Option<Next> {
        ["/about", "/licence", "/update", "/gallery"].into_iter().find(|known| *known == path).map(Next)
    }

    pub fn path(self) -> &'static str {
        self.0
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Asked {
    next: String,
}

pub async fn page(State(app): State<Shared>, Query(asked): Query<Asked>, parts: Parts) -> Html<String> {
    form(&app, &session::language(&parts), Next::of(&asked.next), "", None)
}

fn form(app: &Shared, language: &str, next: Option<Next>, user: &str, error: Option<&str>) -> Html<String> {
    let shown = app.agent.notices().unwrap_or_default();
    let mut banners = banners::all(&app.agent, &shown, language);
    banners.retain(|banner| banner.bit & AT_LOGIN != 0);
    let described = error.is_some().then_some("wrong");
    let body = html! {
        @if !banners.is_empty() {
            section.notices aria-labelledby="notices" {
                h2.unseen id="notices" { "Notices" }
                ul { @for banner in &banners { li { (banner.markup(None)) } } }
            }
        }
        form.card method="post" action="/login" {
            @if let Some(next) = next { input type="hidden" name="next" value=(next.path()); }
            div.field {
                label for="user" { "User name" }
                input id="user" name="user" value=(user) autocomplete="username" required maxlength="100"
                    aria-invalid=[described.map(|_| "true")] aria-describedby=[described];
            }
            div.field {
                label for="password" { "Password" }
                input id="password" name="password" type="password" autocomplete="current-password" required maxlength="100"
                    aria-invalid=[described.map(|_| "true")] aria-describedby=[described];
            }
            (layout::field_error("wrong", error))
            button { "Sign in" }
            p.hint { "For this demo: user " code { (DEMO_USER) } ", password " code { (DEMO_PASSWORD) } "." }
        }
    };
    layout::outside("Sign in", body)
}

#[derive(Deserialize)]
pub struct Credentials {
    user: String,
    password: String,
    #[serde(default)]
    next: String,
}

pub async fn sign_in(
    State(app): State<Shared>,
    parts: Parts,
    Form(given): Form<Credentials>,
) -> Result<Response, Oops> {
    let next = Next::of(&given.next);
    if given.user.trim() != DEMO_USER || given.password != DEMO_PASSWORD {
        let user = given.user.trim();
        let page = form(&app, &session::language(&parts), next, user, Some("User name or password is not right."));
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    let cookie = app.sessions.begin(given.user.trim()).ok_or(Oops::Broken)?;
    // Whoever has to renew the licence must get in; there is nothing else to do for them.
    let may_work = app.agent.licence().is_ok_and(|licence| home::allows_work(&licence));
    let to = next.map_or(if may_work { "/" } else { "/licence" }, Next::path);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(to)).into_response())
}

#[derive(Deserialize)]
pub struct Leaving {
    form_token: String,
}

pub async fn sign_out(
    State(app): State<Shared>,
    visitor: Visitor,
    Form(form): Form<Leaving>,
) -> Result<Response, Oops> {
    visitor.owns(&form.form_token)?;
    let cookie = app.sessions.end(&visitor);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/login")).into_response())
}
