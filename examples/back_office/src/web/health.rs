//! Whether it lives, and what it counts.

use super::{App, Peer, bearer};
use crate::domain::Problem;
use crate::domain::installations;
use crate::domain::tokens::Scope;
use crate::signer::{Question, Said};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use std::sync::Arc;

pub fn routes() -> Router<Arc<App>> {
    Router::new().route("/health", get(health)).route("/metrics", get(metrics))
}

/// 200 while agents can be answered. Without the signer they can; no licence is issued meanwhile, which the text says.
async fn health(State(app): State<Arc<App>>) -> Response {
    let looked = app.aside(|app| {
        let database = app.store.read(|db| Ok::<_, Problem>(db.query_one("SELECT 1", (), |row| row.get::<_, i64>(0))?));
        Ok((database.is_ok(), app.signer.ask(&Question::Status).is_ok()))
    });
    let (database, signer) = looked.await.unwrap_or_default();
    let draining = app.line.hub.is_draining();
    let status = match (draining, database) {
        (true, _) => "draining",
        (false, false) => "failed",
        (false, true) => "ok",
    };
    let word = |good| if good { "ok" } else { "unreachable" };
    let code = if status == "ok" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(json!({"status": status, "database": word(database), "signer": word(signer)}))).into_response()
}

/// For whoever is on this machine, and for a token with the scope `metrics`.
async fn metrics(State(app): State<Arc<App>>, request: Request) -> Response {
    let near = request.extensions().get::<Peer>().is_some_and(|peer| peer.0.to_canonical().is_loopback());
    let through_proxy = super::agent::forwarded(request.headers()).is_some();
    if (!near || through_proxy)
        && let Err(no) = bearer::may(&app, request.headers(), Scope::Metrics).await
    {
        return no.into_response();
    }
    let found = app.aside(|app| {
        let (all, unregistered, late) = app.store.read(installations::counts)?;
        let bytes = std::fs::metadata(app.store.path()).map_or(0, |file| file.len());
        let signed = match app.signer.ask(&Question::Status) {
            Ok(Said::Status { signed_last_hour, .. }) => Some(signed_last_hour as u64),
            _ => None,
        };
        Ok((all, unregistered, late, bytes, signed))
    });
    let (all, unregistered, late, bytes, signed) = match found.await {
        Ok(found) => found,
        Err(problem) => return problem.into_response(),
    };
    let present = app.line.presence.count() as u64;
    let text = app.metrics.text(&[
        ("installations", "Installations.", all),
        ("installations_unregistered", "Installations that the signer does not know.", unregistered),
        ("installations_late", "Installations with a newer licence than the one installed.", late),
        ("installations_present", "Installations that are there now.", present),
        ("database_bytes", "Size of the database.", bytes),
        ("signer_up", "Whether the signer answers.", u64::from(signed.is_some())),
        ("signer_signed_last_hour", "Licences that the signer signed within an hour.", signed.unwrap_or_default()),
    ]);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}
