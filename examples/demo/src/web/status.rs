//! `/api/status`: for a script or a monitor, without a login, and so without names and serial numbers of the customer.

use super::{Oops, Shared, banners, licence, session};
use axum::Json;
use axum::extract::State;
use axum::http::request::Parts;
use serde_json::{Value, json};

pub async fn json(State(app): State<Shared>, parts: Parts) -> Result<Json<Value>, Oops> {
    // One call for both, so that the numbers fit the sentences.
    let status = app.agent.licence()?;
    let shown = status.shown;
    let notices: Vec<Value> = banners::all(&app.agent, &shown, &session::language(&parts))
        .into_iter()
        .map(|banner| json!({ "notice": banner.token, "bit": banner.bit, "text": banner.text }))
        .collect();
    Ok(Json(json!({
        "state": licence::state_in_words(status.state).to_lowercase(),
        "state_code": status.state,
        "reason_code": status.reason,
        "sequence": status.sequence,
        "users": shown.users,
        "licence_last_day": day(shown.licence_last_day),
        "licence_days_left": shown.licence_days_left,
        "maintenance_last_day": day(shown.maintenance_last_day),
        "maintenance_days_left": shown.maintenance_days_left,
        "announcement": shown.announcement,
        "revision": format!("{:016x}", shown.revision),
        "notices": notices,
    })))
}

/// 20271123 as "2027-11-23"; `null` for none and for never.
fn day(day: i32) -> Value {
    match day {
        0 | crate::agent::NEVER_DAY => Value::Null,
        day => json!(format!("{:04}-{:02}-{:02}", day / 10_000, day / 100 % 100, day % 100)),
    }
}
