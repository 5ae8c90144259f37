//! The product's web tier: routes, what every answer has in common, and the state that handlers share.
//!
//! One file per page. Pages are rendered with `maud`, which encodes every text that is put in; none is marked as HTML,
//! and no page has a script. The library's calls that may take a moment run on blocking threads, the others right here.

mod about;
mod banners;
mod copying;
mod gallery;
mod guard;
mod home;
mod layout;
mod licence;
mod login;
mod session;
mod status;
mod update;

use crate::agent::{Agent, Failure};
use crate::calendar::Calendar;
use crate::gallery::Shown;
use crate::stage::Stage;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use session::Sessions;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;

pub use login::{DEMO_PASSWORD, DEMO_USER};

/// More than the library takes, so that it is the library that says "too large".
const LARGEST_UPLOAD: usize = 4 << 20;

pub struct App {
    agent: Agent,
    stage: Arc<Stage>,
    calendar: Calendar,
    sessions: Sessions,
    gallery: watch::Sender<Option<Arc<Vec<Shown>>>>,
    stopping: AtomicBool,
}

type Shared = Arc<App>;

impl App {
    pub fn new(agent: Agent, stage: Arc<Stage>, calendar: Calendar) -> App {
        let (gallery, _) = watch::channel(None);
        App { agent, stage, calendar, sessions: Sessions::default(), gallery, stopping: AtomicBool::new(false) }
    }

    /// Takes a few seconds; pages that need it wait.
    pub fn set_up_gallery(&self) {
        let scenes = crate::gallery::set_up(&self.stage, &self.calendar, &self.stopping);
        self.gallery.send_replace(Some(Arc::new(scenes)));
    }

    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }
}

pub fn router(app: Shared) -> Router {
    Router::new()
        .route("/", get(home::page))
        .route("/acknowledge", post(home::acknowledge))
        .route("/about", get(about::page))
        .route("/licence", get(licence::page))
        .route("/licence/path", post(licence::change_path))
        .route("/licence/upload", post(licence::upload))
        .route("/licence/copy/{sequence}", get(copying::download))
        .route("/update", get(update::page))
        .route("/gallery", get(gallery::page))
        .route("/gallery/{scene}/copy/{sequence}", get(gallery::download))
        .route("/login", get(login::page).post(login::sign_in))
        .route("/logout", post(login::sign_out))
        .route("/api/status", get(status::json))
        .route("/assets/style.css", get(|| asset("text/css; charset=utf-8", include_str!("../../assets/style.css"))))
        .route("/assets/icon.svg", get(|| asset("image/svg+xml", include_str!("../../assets/icon.svg"))))
        .fallback(layout::not_found)
        .layer(DefaultBodyLimit::max(LARGEST_UPLOAD))
        .layer(middleware::from_fn(guard::every_answer))
        .with_state(app)
}

async fn asset(kind: &'static str, content: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], content).into_response()
}

/// A call of the library that may take up to two seconds, off the async threads.
async fn cold<T: Send + 'static>(
    app: &Shared,
    call: impl FnOnce(&App) -> Result<T, Failure> + Send + 'static,
) -> Result<Result<T, Failure>, Oops> {
    let app = app.clone();
    tokio::task::spawn_blocking(move || call(&app)).await.map_err(|_| Oops::Broken)
}

/// What ends a request without a page of its own.
enum Oops {
    /// The form did not come from a page of this session.
    NotOurForm,
    NotThere,
    /// The library said no where a page cannot say it better.
    Library(Failure),
    Broken,
}

impl From<Failure> for Oops {
    fn from(failure: Failure) -> Oops {
        Oops::Library(failure)
    }
}

impl IntoResponse for Oops {
    fn into_response(self) -> Response {
        let (status, sentence) = match self {
            Oops::NotOurForm => {
                (StatusCode::FORBIDDEN, "This form is too old. Go back, refresh the page and try again.".into())
            }
            Oops::NotThere => (StatusCode::NOT_FOUND, "There is nothing at this address.".into()),
            Oops::Library(failure) => (StatusCode::SERVICE_UNAVAILABLE, failure.message),
            Oops::Broken => {
                (StatusCode::INTERNAL_SERVER_ERROR, "Something broke; the terminal may say more.".to_owned())
            }
        };
        layout::plain(status, &sentence).into_response()
    }
}
