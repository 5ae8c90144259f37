//! `/api/v1/*`: what an ERP needs, with a token. The contract is `docs/openapi.json`.

use super::{App, Instead, bearer, error};
use crate::domain::installations::{self, Filter, Installation, New};
use crate::domain::licences::{self, Kept};
use crate::domain::tokens::Scope;
use crate::domain::{Actor, Outcome, Problem, organisations};
use crate::issue::import::{self, MAX_BYTES};
use crate::issue::{Issued, Order};
use axum::body::to_bytes;
use axum::extract::{Path, Query, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use ors::licence::{Instant, Licence, MAX_SEQUENCE, Product, Serial, hex};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// The contract, as it is served.
pub const OPENAPI: &str = include_str!("../../docs/openapi.json");

const MAX_JSON: usize = 1 << 20;
const ARRIVES_WITHIN: Duration = Duration::from_secs(30);

pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/openapi.json", get(|| async { ([(CONTENT_TYPE, "application/json")], OPENAPI) }))
        .route("/api/v1/organisations", get(list_organisations))
        .route("/api/v1/installations", get(list_installations).post(add_installation))
        .route("/api/v1/installations/{product}/{serial}", get(show_installation))
        .route("/api/v1/installations/{product}/{serial}/licences", get(list_licences))
        .route("/api/v1/installations/{product}/{serial}/licences/{sequence}", get(show_licence))
        .route("/api/v1/installations/{product}/{serial}/licences/{sequence}/file", get(licence_file))
        .route("/api/v1/licences", post(issue))
        .route("/api/v1/licences/preview", post(preview))
        .route("/api/v1/licences/adopt", post(adopt))
        .route("/api/v1/import", post(import_csv))
}

type Answer = Result<Response, Instead>;

fn said<T: IntoResponse>(outcome: Outcome<T>) -> Answer {
    Ok(outcome?.into_response())
}

/// The body, whole and in time.
async fn bytes(request: Request, most: usize) -> Result<axum::body::Bytes, Instead> {
    let no = |status, detail: &str| Instead(Box::new(error(status, "invalid", detail, None)));
    match tokio::time::timeout(ARRIVES_WITHIN, to_bytes(request.into_body(), most)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(no(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large, or was cut off.")),
        Err(_) => Err(no(StatusCode::REQUEST_TIMEOUT, "The body took too long to arrive.")),
    }
}

async fn body<T: DeserializeOwned>(request: Request) -> Result<T, Instead> {
    let bytes = bytes(request, MAX_JSON).await?;
    serde_json::from_slice(&bytes).map_err(|problem| {
        let detail = format!("The body is not as it must be: {problem}");
        Instead(Box::new(error(StatusCode::BAD_REQUEST, "invalid", &detail, None)))
    })
}

fn query<T: DeserializeOwned>(request: &Request) -> Result<T, Instead> {
    Query::try_from_uri(request.uri()).map(|Query(query)| query).map_err(|problem| {
        let detail = format!("The query is not as it must be: {problem}");
        Instead(Box::new(error(StatusCode::BAD_REQUEST, "invalid", &detail, None)))
    })
}

async fn list_organisations(State(app): State<Arc<App>>, headers: HeaderMap) -> Answer {
    bearer::may(&app, &headers, Scope::Read).await?;
    said(app.aside(|app| app.store.read(organisations::list)).await.map(|all| {
        let all: Vec<Value> = all.iter().map(|it| json!({"id": it.ident, "name": it.name})).collect();
        Json(json!({"organisations": all}))
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    text: Option<String>,
    organisation: Option<String>,
    late_days: Option<u32>,
    #[serde(default)]
    unregistered: bool,
    after: Option<String>,
    limit: Option<u32>,
}

async fn list_installations(State(app): State<Arc<App>>, request: Request) -> Answer {
    bearer::may(&app, request.headers(), Scope::Read).await?;
    let asked: ListQuery = query(&request)?;
    let limit = asked.limit.unwrap_or(100);
    if !(1..=1000).contains(&limit) {
        return said::<()>(Err(Problem::invalid("limit", "is not from 1 to 1000")));
    }
    let filter = Filter {
        text: asked.text,
        organisation: asked.organisation,
        late_days: asked.late_days,
        unregistered: asked.unregistered,
    };
    let after = match asked.after.as_deref().map(page) {
        Some(None) => return said::<()>(Err(Problem::invalid("after", "is no \"next\" of a page before"))),
        page => page.flatten(),
    };
    let now = crate::now();
    said(
        app.aside(move |app| {
            let after = after.as_ref().map(|(customer, id)| (customer.as_str(), *id));
            let rows = app.store.read(|db| installations::list(db, &filter, after, limit, now))?;
            let full = rows.len() == limit as usize;
            let next = rows.last().filter(|_| full).map(|row| format!("{}~{}", row.id, row.customer));
            let rows: Vec<Value> = rows.iter().map(|row| installation_json(app, row, now)).collect();
            Ok(Json(json!({"installations": rows, "next": next})))
        })
        .await,
    )
}

/// Where a page begins: id and customer of the last row before.
fn page(next: &str) -> Option<(String, i64)> {
    let (id, customer) = next.split_once('~')?;
    Some((customer.to_owned(), id.parse().ok()?))
}

fn installation_json(app: &App, it: &Installation, now: Instant) -> Value {
    json!({
        "product": it.product, "serial": it.serial, "customer": it.customer,
        "organisation": it.organisation.as_ref().map(|(ident, _)| ident),
        "registered": it.registered, "newest": it.newest, "installed": it.installed, "waiting": it.waiting,
        "issued_at": it.issued, "days_late": it.days_late(now),
        "product_version": it.product_version, "agent_version": it.agent_version,
        "last_seen": it.last_seen, "present": app.line.presence.present(it.id),
    })
}

fn licence_json(licence: &Licence) -> Value {
    serde_json::from_slice(&licence.to_json()).unwrap_or(Value::Null)
}

fn kept_json(kept: &Kept) -> Outcome<Value> {
    Ok(json!({
        "sequence": kept.sequence, "digest": hex(&kept.digest), "recorded_at": kept.recorded, "origin": kept.origin,
        "actor": kept.actor, "licence": licence_json(&kept.licence()?),
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewInstallation {
    product: String,
    serial: String,
    customer: String,
    organisation: String,
}

async fn add_installation(State(app): State<Arc<App>>, request: Request) -> Answer {
    let by = bearer::may(&app, request.headers(), Scope::Issue).await?;
    let new: NewInstallation = body(request).await?;
    let now = crate::now();
    let added = app.aside(move |app| {
        let wrong = |member: &str, error: ors::licence::NameError| Problem::invalid(member, error.0);
        let product = Product::parse(&new.product).map_err(|error| wrong("product", error))?;
        let serial = Serial::parse(&new.serial).map_err(|error| wrong("serial", error))?;
        let row = app.store.write(|db| {
            let organisation = Some(organisations::by_ident(db, &new.organisation)?.id);
            let new = New { product: &product, serial: &serial, customer: &new.customer, organisation, draft: None };
            installations::add(db, &new, &by, now)?;
            installations::get(db, product.as_str(), serial.as_str())
        })?;
        Ok((StatusCode::CREATED, Json(installation_json(app, &row, now))))
    });
    said(added.await)
}

async fn show_installation(
    State(app): State<Arc<App>>,
    Path((product, serial)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    bearer::may(&app, &headers, Scope::Read).await?;
    let now = crate::now();
    said(
        app.aside(move |app| {
            let row = app.store.read(|db| installations::get(db, &product, &serial))?;
            Ok(Json(installation_json(app, &row, now)))
        })
        .await,
    )
}

async fn list_licences(
    State(app): State<Arc<App>>,
    Path((product, serial)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    bearer::may(&app, &headers, Scope::Read).await?;
    said(
        app.aside(move |app| {
            let all = app.store.read(|db| {
                let row = installations::get(db, &product, &serial)?;
                licences::list(db, row.id, 1000)
            })?;
            let all: Vec<Value> = all.iter().map(kept_json).collect::<Outcome<_>>()?;
            Ok(Json(json!({"licences": all})))
        })
        .await,
    )
}

async fn kept(
    app: &Arc<App>,
    headers: &HeaderMap,
    (product, serial, sequence): (String, String, String),
) -> Result<Outcome<Kept>, Instead> {
    bearer::may(app, headers, Scope::Read).await?;
    Ok(app
        .aside(move |app| {
            app.store.read(|db| {
                let row = installations::get(db, &product, &serial)?;
                let kept = sequence.parse().ok().filter(|number| *number <= MAX_SEQUENCE);
                let kept = kept.map_or(Ok(None), |number| licences::get(db, row.id, number))?;
                kept.ok_or_else(|| Problem::not_found(format!("There is no licence with the sequence {sequence}.")))
            })
        })
        .await)
}

async fn show_licence(
    State(app): State<Arc<App>>,
    Path(names): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Answer {
    said(kept(&app, &headers, names).await?.and_then(|kept| Ok(Json(kept_json(&kept)?))))
}

async fn licence_file(
    State(app): State<Arc<App>>,
    Path(names): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Answer {
    let kept = kept(&app, &headers, names).await?;
    said(kept.map(|kept| ([(CONTENT_TYPE, "application/vnd.ors.envelope+json")], kept.file)))
}

async fn issue(State(app): State<Arc<App>>, request: Request) -> Answer {
    let by = bearer::may(&app, request.headers(), Scope::Issue).await?;
    let order: Order = body(request).await?;
    said(issue_and_tell(&app, order, by).await.and_then(|issued| {
        let status = if issued.repeated { StatusCode::OK } else { StatusCode::CREATED };
        Ok((status, Json(kept_json(&issued.kept)?)))
    }))
}

/// Issues a licence and wakes its agent. Pages do the same.
///
/// # Errors
/// As [`crate::issue::Desk::issue`].
pub async fn issue_and_tell(app: &Arc<App>, order: Order, by: Actor) -> Outcome<Issued> {
    let issued = app.aside(move |app| app.desk().issue(&order, &by, crate::now())).await;
    // Also after a failure: licences may have been put back.
    app.poke.notify_one();
    if issued.as_ref().is_ok_and(|issued| !issued.repeated) {
        app.metrics.issued.fetch_add(1, Relaxed);
    }
    issued
}

async fn preview(State(app): State<Arc<App>>, request: Request) -> Answer {
    bearer::may(&app, request.headers(), Scope::Read).await?;
    let language = request.headers().get("accept-language").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let order: Order = body(request).await?;
    said(
        app.aside(move |app| {
            let preview = app.desk().preview(&order, language.as_deref(), crate::now())?;
            Ok(Json(json!({
                "before": preview.before.as_ref().map(licence_json), "after": licence_json(&preview.after),
                "changes": {
                    "added": preview.changes.added, "removed": preview.changes.removed, "changed": preview.changes.changed,
                    "ended": preview.changes.ended, "users": preview.changes.users,
                    "maintenance_until": preview.changes.maintenance, "expires_on": preview.changes.expiry,
                },
                "customer_reads": preview.customer_reads, "remarks": preview.remarks,
            })))
        })
        .await,
    )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Adopt {
    file: String,
}

async fn adopt(State(app): State<Arc<App>>, request: Request) -> Answer {
    let by = bearer::may(&app, request.headers(), Scope::Issue).await?;
    let adopt: Adopt = body(request).await?;
    let adopted =
        app.aside(move |app| app.desk().adopt(adopt.file.as_bytes(), &app.line.ring(), &by, crate::now())).await;
    app.poke.notify_one();
    said(adopted.map(|licence| Json(json!({"licence": licence_json(&licence)}))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImportQuery {
    #[serde(default)]
    dry_run: bool,
}

async fn import_csv(State(app): State<Arc<App>>, request: Request) -> Answer {
    let by = bearer::may(&app, request.headers(), Scope::Import).await?;
    let asked: ImportQuery = query(&request)?;
    let file = bytes(request, MAX_BYTES).await?;
    said(
        app.aside(move |app| {
            let report = app.store.write(|db| import::import(db, &file, asked.dry_run, &by, crate::now()))?;
            let wrong: Vec<Value> = report
                .wrong
                .iter()
                .map(|it| json!({"line": it.line, "column": it.column, "detail": it.detail}))
                .collect();
            let status = if report.wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
            Ok((status, Json(json!({"rows": report.rows, "taken": report.taken, "wrong": wrong}))))
        })
        .await,
    )
}
