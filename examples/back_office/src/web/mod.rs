//! What is served: the line to the agents, the API, health and metrics. Thin: it takes requests apart, asks the rooms below,
//! and puts answers together.
//!
//! Whatever reads or writes the database runs beside the threads that serve: see [`App::aside`].

mod agent;
mod api;
mod bearer;
mod health;
pub mod listen;
mod park;

use crate::agents::Line;
use crate::domain::{Kind, Outcome, Problem};
use crate::issue::Desk;
use crate::login::Logins;
use crate::metrics::Metrics;
use crate::signer::Client;
use crate::store::Store;
use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::Notify;

/// What all requests share.
pub struct App {
    pub line: Line,
    pub store: Arc<Store>,
    pub metrics: Arc<Metrics>,
    pub signer: Client,
    pub logins: Logins,
    /// Proxies that are believed about whom they speak for.
    pub forwarded_by: Vec<IpAddr>,
    /// Browsers come over TLS, here or at a proxy: cookies are for that only.
    pub secure: bool,
    /// Rung after a commit that agents should hear of.
    pub poke: Notify,
}

impl App {
    /// Where licences are issued.
    pub fn desk(&self) -> Desk<'_> {
        Desk { store: &self.store, signer: &self.signer }
    }

    /// Does something that may wait for the disk, on a thread that nobody else waits for.
    ///
    /// # Errors
    /// What `work` says.
    pub async fn aside<T: Send + 'static>(
        self: &Arc<App>,
        work: impl FnOnce(&App) -> Outcome<T> + Send + 'static,
    ) -> Outcome<T> {
        let app = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&app)).await;
        done.unwrap_or_else(|_| {
            Err(Problem { kind: Kind::Store, detail: "It failed within.".to_owned(), member: None })
        })
    }
}

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// Everything that is served.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .merge(agent::routes())
        .merge(api::routes())
        .merge(health::routes())
        .fallback(|| async { (StatusCode::NOT_FOUND, "There is nothing here.\n") })
        .with_state(app)
}

/// The answer that is given instead of the one that was asked for.
#[derive(Debug)]
pub struct Instead(pub Box<Response>);

impl IntoResponse for Instead {
    fn into_response(self) -> Response {
        *self.0
    }
}

impl From<Problem> for Instead {
    fn from(problem: Problem) -> Instead {
        Instead(Box::new(problem.into_response()))
    }
}

impl IntoResponse for Problem {
    /// As the API says it; pages say it in their own way.
    fn into_response(self) -> Response {
        let status = match self.kind {
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Kind::Limit => StatusCode::TOO_MANY_REQUESTS,
            Kind::Signer | Kind::Store => StatusCode::SERVICE_UNAVAILABLE,
        };
        if self.kind == Kind::Store {
            tracing::error!("{}", self.detail);
        }
        error(status, self.kind.token(), &self.detail, self.member.as_deref())
    }
}

fn error(status: StatusCode, kind: &str, detail: &str, member: Option<&str>) -> Response {
    (status, Json(json!({"error": {"kind": kind, "detail": detail, "member": member}}))).into_response()
}
