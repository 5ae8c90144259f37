//! What holds for every request and answer, whatever the page.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

const POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, HeaderValue); 6] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    // Not "no-referrer": the browser would then hide the origin of our own forms from `same_origin`.
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

pub async fn every_answer(request: Request, next: Next) -> Response {
    let mut answer = if !for_this_computer(request.headers()) {
        // Another name that resolves to 127.0.0.1 would let a foreign site read these pages (DNS rebinding).
        (StatusCode::MISDIRECTED_REQUEST, "Use the address that the demo printed.\n").into_response()
    } else if request.method() == Method::POST && !same_origin(request.headers()) {
        (StatusCode::FORBIDDEN, "This form belongs to another site.\n").into_response()
    } else {
        next.run(request).await
    };
    answer.headers_mut().extend(HEADERS);
    answer
}

fn for_this_computer(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _port)| name);
    matches!(name, "127.0.0.1" | "localhost")
}

/// Browsers name the origin of every form that they post; a program that names none has no cookies to abuse.
fn same_origin(headers: &HeaderMap) -> bool {
    let (Some(origin), Some(host)) = (headers.get(header::ORIGIN), headers.get(header::HOST)) else { return true };
    origin.as_bytes().strip_prefix(b"http://") == Some(host.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn only_names_of_this_computer_are_served() {
        for (host, served) in [
            ("127.0.0.1:8420", true),
            ("localhost:1", true),
            ("localhost", true),
            ("evil.example:8420", false),
            ("127.0.0.1.evil.example", false),
            ("", false),
        ] {
            assert_eq!(for_this_computer(&headers(&[("host", host)])), served, "{host:?}");
        }
        assert!(!for_this_computer(&headers(&[])));
    }

    #[test]
    fn a_form_of_another_site_is_not_taken() {
        for (origin, taken) in [
            ("http://127.0.0.1:8420", true),
            ("http://127.0.0.1:8421", false),
            ("https://127.0.0.1:8420", false),
            ("http://evil.example", false),
            ("null", false),
        ] {
            assert_eq!(same_origin(&headers(&[("host", "127.0.0.1:8420"), ("origin", origin)])), taken, "{origin:?}");
        }
    }
}
