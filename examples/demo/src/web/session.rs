//! Who is signed in: a cookie that means something only here, and a token that ties a form to it.

use super::{Oops, Shared};
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Browsers send a cookie to every port of a host, so the name is our own.
const COOKIE: &str = "ors_demo_session";

/// Enough for a demo, and a bound for whoever signs in with a script.
const MOST: usize = 1_000;

#[derive(Default)]
pub struct Sessions {
    all: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    by_id: HashMap<String, Session>,
    count: u64,
}

struct Session {
    number: u64,
    user: String,
    form_token: String,
    message: Option<Message>,
}

/// Told once, on the next page.
#[derive(Clone)]
pub enum Message {
    Done(String),
    Failed(String),
}

/// Somebody who is signed in. As an argument of a handler it sends everybody else to the login.
pub struct Visitor {
    session: String,
    pub user: String,
    pub form_token: String,
    /// The browser's Accept-Language, for the library's texts.
    pub language: String,
    pub path: String,
}

impl Sessions {
    /// Returns the cookie to set, or `None` when the system has no random numbers.
    pub fn begin(&self, user: &str) -> Option<String> {
        let (id, form_token) = (token()?, token()?);
        let mut known = self.known();
        known.count += 1;
        let number = known.count;
        if known.by_id.len() >= MOST {
            let oldest = known.by_id.iter().min_by_key(|(_, session)| session.number).map(|(id, _)| id.clone());
            oldest.and_then(|id| known.by_id.remove(&id));
        }
        let cookie = format!("{COOKIE}={id}; Path=/; HttpOnly; SameSite=Lax");
        known.by_id.insert(id, Session { number, user: user.to_owned(), form_token, message: None });
        Some(cookie)
    }

    /// Returns the cookie that takes the old one away.
    pub fn end(&self, visitor: &Visitor) -> String {
        self.known().by_id.remove(&visitor.session);
        format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")
    }

    pub fn tell(&self, visitor: &Visitor, message: Message) {
        if let Some(session) = self.known().by_id.get_mut(&visitor.session) {
            session.message = Some(message);
        }
    }

    pub fn told(&self, visitor: &Visitor) -> Option<Message> {
        self.known().by_id.get_mut(&visitor.session)?.message.take()
    }

    fn visitor(&self, parts: &Parts) -> Option<Visitor> {
        let cookies = parts.headers.get(header::COOKIE)?.to_str().ok()?;
        let id = cookies.split(';').find_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='))?;
        let known = self.known();
        let session = known.by_id.get(id)?;
        Some(Visitor {
            session: id.to_owned(),
            user: session.user.clone(),
            form_token: session.form_token.clone(),
            language: language(parts),
            path: parts.uri.path().to_owned(),
        })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Visitor {
    /// The form has to carry the token of this very session.
    pub fn owns(&self, form_token: &str) -> Result<(), Oops> {
        if self.form_token == form_token { Ok(()) } else { Err(Oops::NotOurForm) }
    }
}

impl FromRequestParts<Shared> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Visitor, Response> {
        app.sessions.visitor(parts).ok_or_else(|| {
            let login = match super::login::Next::of(parts.uri.path()) {
                Some(next) => format!("/login?next={}", next.path()),
                None => "/login".to_owned(),
            };
            Redirect::to(&login).into_response()
        })
    }
}

impl OptionalFromRequestParts<Shared> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Option<Visitor>, Infallible> {
        Ok(app.sessions.visitor(parts))
    }
}

pub fn language(parts: &Parts) -> String {
    let wanted = parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    wanted.unwrap_or("en").to_owned()
}

fn token() -> Option<String> {
    let mut random = [0u8; 24];
    getrandom::fill(&mut random).ok()?;
    Some(random.iter().map(|byte| format!("{byte:02x}")).collect())
}
