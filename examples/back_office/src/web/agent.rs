//! `/agent/v1/*`: bytes in, bytes out, and polls parked in between.

use super::park::{Place, Slot};
use super::{App, Peer};
use crate::agents::Heard;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use ors::office::protocol::{MAX_MESSAGE_BYTES, MEDIA_TYPE, Verb};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// How long a request may take to arrive.
const ARRIVES_WITHIN: Duration = Duration::from_secs(20);

pub fn routes() -> Router<Arc<App>> {
    Verb::ALL.into_iter().fold(Router::new(), |router, verb| {
        router.route(verb.path(), post(move |State(app): State<Arc<App>>, request: Request| hear(app, verb, request)))
    })
}

async fn hear(app: Arc<App>, verb: Verb, request: Request) -> Response {
    let slot = request.extensions().get::<Slot>().cloned();
    match receive(app, verb, request).await {
        Ok(Received::Poll(place)) => match slot {
            // Whoever holds the connection takes it from here, and this future with all it holds is dropped.
            Some(slot) => {
                slot.fill(place);
                std::future::pending().await
            }
            None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        },
        Ok(Received::Heard(heard)) => respond(heard),
        Err(response) => *response,
    }
}

/// What came of a request.
enum Received {
    Heard(Heard),
    /// It is to be parked. Dropped, it has been given up: then the connection went meanwhile.
    Poll(Place),
}

async fn receive(app: Arc<App>, verb: Verb, request: Request) -> Result<Received, Box<Response>> {
    let no = |status: StatusCode, why: &'static str| Box::new((status, [(CONNECTION, "close")], why).into_response());
    let from = address(&app, &request);
    let body = match tokio::time::timeout(ARRIVES_WITHIN, to_bytes(request.into_body(), MAX_MESSAGE_BYTES)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            return Err(no(StatusCode::PAYLOAD_TOO_LARGE, "The request is larger than 1 MiB, or was cut off.\n"));
        }
        Err(_) => return Err(no(StatusCode::REQUEST_TIMEOUT, "The request took too long to arrive.\n")),
    };
    let heard = tokio::task::spawn_blocking(move || match app.line.hear(verb, from, &body, crate::now()) {
        Heard::Park(parked) => Received::Poll(Place::new(app, parked)),
        heard => Received::Heard(heard),
    });
    heard.await.map_err(|_| no(StatusCode::INTERNAL_SERVER_ERROR, "It failed within.\n"))
}

/// Who asks: the other end of the connection, or whom a proxy that is believed names last.
fn address(app: &App, request: &Request) -> IpAddr {
    let peer = request.extensions().get::<Peer>().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0);
    if !app.forwarded_by.contains(&peer.to_canonical()) {
        return peer;
    }
    forwarded(request.headers()).unwrap_or(peer)
}

/// The last address in `X-Forwarded-For`: that which the proxy itself has seen.
pub(super) fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}

fn respond(heard: Heard) -> Response {
    match heard {
        Heard::Said { status, body, after } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            let headers = [(CONTENT_TYPE, MEDIA_TYPE), (CACHE_CONTROL, "no-store")];
            let mut response = (status, headers, Body::from(body)).into_response();
            if let Some(after) = after {
                response.headers_mut().insert(RETRY_AFTER, after.max(1).into());
            }
            response
        }
        Heard::Unproven(why) => (StatusCode::BAD_REQUEST, format!("{why}\n")).into_response(),
        Heard::Failed(problem) => {
            tracing::error!("an agent was not answered: {problem}");
            (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "30")], "The back office cannot answer now.\n")
                .into_response()
        }
        // It was parked.
        Heard::Park(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
