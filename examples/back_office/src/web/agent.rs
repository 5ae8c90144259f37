//! `/agent/v1/*`: bytes in, bytes out, and polls parked in between.

use super::{App, Peer};
use crate::agents::{Heard, Parked};
use crate::metrics::Held;
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
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// How long a request may take to arrive.
const ARRIVES_WITHIN: Duration = Duration::from_secs(20);

pub fn routes() -> Router<Arc<App>> {
    Verb::ALL.into_iter().fold(Router::new(), |router, verb| {
        router.route(verb.path(), post(move |State(app): State<Arc<App>>, request: Request| hear(app, verb, request)))
    })
}

async fn hear(app: Arc<App>, verb: Verb, request: Request) -> Response {
    // In a box of its own: what it needs is given back before a poll is parked.
    match Box::pin(receive(app.clone(), verb, request)).await {
        Ok(Heard::Park(parked)) => wait(app, parked).await,
        Ok(heard) => respond(heard),
        Err(response) => *response,
    }
}

async fn receive(app: Arc<App>, verb: Verb, request: Request) -> Result<Heard, Box<Response>> {
    let no = |status: StatusCode, why: &'static str| Box::new((status, [(CONNECTION, "close")], why).into_response());
    let from = address(&app, &request);
    let body = match tokio::time::timeout(ARRIVES_WITHIN, to_bytes(request.into_body(), MAX_MESSAGE_BYTES)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            return Err(no(StatusCode::PAYLOAD_TOO_LARGE, "The request is larger than 1 MiB, or was cut off.\n"));
        }
        Err(_) => return Err(no(StatusCode::REQUEST_TIMEOUT, "The request took too long to arrive.\n")),
    };
    let heard = tokio::task::spawn_blocking(move || app.line.hear(verb, from, &body, crate::now()));
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

/// Ends the parking also when the connection goes and this is dropped.
struct Place {
    app: Arc<App>,
    parked: Box<Parked>,
    answered: bool,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.app.line.unpark(&self.parked, !self.answered);
    }
}

async fn wait(app: Arc<App>, parked: Box<Parked>) -> Response {
    let until = tokio::time::Instant::now() + parked.hold;
    let mut place = Place { app, parked, answered: false };
    loop {
        let over = {
            let _gauge = Held::new(&place.app.metrics.parked);
            tokio::time::timeout_at(until, place.parked.bell.rung()).await.is_err()
        };
        let looked = tokio::task::spawn_blocking(move || {
            let from = Instant::now();
            let heard = place.app.line.wake_up(&place.parked, over, crate::now());
            if heard.is_some() && !over {
                place.app.metrics.woken.fetch_add(1, Relaxed);
                let took = u64::try_from(from.elapsed().as_micros()).unwrap_or(u64::MAX);
                place.app.metrics.woken_us.fetch_add(took, Relaxed);
            }
            place.answered = heard.is_some();
            (heard, place)
        });
        match looked.await {
            Ok((Some(heard), _)) => return respond(heard),
            Ok((None, back)) => place = back,
            Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
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
        // A woken poll is answered, whatever happened.
        Heard::Park(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
