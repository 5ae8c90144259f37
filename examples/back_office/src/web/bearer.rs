//! Who a program is, by its token.

use super::{App, Instead, error};
use crate::domain::tokens::{self, Scope};
use crate::domain::{Actor, Problem};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use std::sync::Arc;

/// The program whose token was sent, if it may do this.
///
/// # Errors
/// The answer that says no: 401 without a valid token, 403 for one that may not.
pub async fn may(app: &Arc<App>, headers: &HeaderMap, scope: Scope) -> Result<Actor, Instead> {
    let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token =
        sent.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some(token) = token.map(|(_, token)| token.trim().to_owned()) else {
        return Err(unauthorized("A token is needed: Authorization: Bearer ..."));
    };
    let now = crate::now();
    let found = app.aside(move |app| app.store.read(|db| tokens::named_by(db, &token, now))).await;
    match found {
        Err(problem) => Err(problem.into()),
        Ok(None) => Err(unauthorized("The token is not valid.")),
        Ok(Some((_, scopes))) if !scopes.contains(&scope) => {
            let detail = format!("The token does not have the scope {}.", scope.token());
            Err(Instead(Box::new(error(StatusCode::FORBIDDEN, "forbidden", &detail, None))))
        }
        Ok(Some((actor, _))) => {
            let by = actor.clone();
            let noted = app.aside(move |app| app.store.write::<_, Problem>(|db| tokens::used(db, &by, now)));
            noted.await?;
            Ok(actor)
        }
    }
}

fn unauthorized(detail: &str) -> Instead {
    let mut response = error(StatusCode::UNAUTHORIZED, "unauthorized", detail, None);
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    Instead(Box::new(response))
}
