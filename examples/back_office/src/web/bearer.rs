//! Who a program is, by its token.

use super::{App, Instead, error};
use crate::domain::Actor;
use crate::domain::tokens::{self, Scope};
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
    let found = app.aside(move |app| {
        let named = app.store.read(|db| tokens::named_by(db, &token, now))?;
        if named.as_ref().is_some_and(|named| named.stale) {
            app.store.write(|db| tokens::used(db, &token, now))?;
        }
        Ok(named)
    });
    match found.await? {
        None => Err(unauthorized("The token is not valid.")),
        Some(named) if !named.scopes.contains(&scope) => {
            let detail = format!("The token does not have the scope {}.", scope.token());
            Err(Instead(Box::new(error(StatusCode::FORBIDDEN, "forbidden", &detail, None))))
        }
        Some(named) => Ok(named.actor),
    }
}

fn unauthorized(detail: &str) -> Instead {
    let mut response = error(StatusCode::UNAUTHORIZED, "unauthorized", detail, None);
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    Instead(Box::new(response))
}
