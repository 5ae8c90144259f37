//! The demo: a small product, served on this computer only, with the library inside.
//!
//! It stands for the web application of a vendor. `agent` is the class that such a host writes over the C functions
//! (`abi`); `web` holds the pages; `stage` plays the vendor and makes keys and licences; `gallery` sets up one
//! installation for each notice; `tour` tells what to try. Begin reading at `web`.

mod abi;
mod agent;
mod args;
mod calendar;
mod gallery;
mod stage;
mod tour;
mod web;

use agent::{Agent, Options};
use args::{Args, Port};
use calendar::Calendar;
use stage::{Failed, Stage};
use std::future::IntoFuture;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Open connections (a browser keeps some) get this long to end.
const GOODBYE: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let outcome = match Args::read() {
        Ok(Some(args)) => run(&args),
        Ok(None) => {
            print!("{}", args::USAGE);
            Ok(())
        }
        Err(error) => {
            eprintln!("{error}\n\n{}", args::USAGE);
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The demo stops: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Failed> {
    let listener = listen(args.port)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // Before there is anything to leave behind.
    let stop = runtime.block_on(async { Stop::new() })?;

    let mut folder = tempfile::Builder::new().prefix("ors-demo-").tempdir()?;
    folder.disable_cleanup(args.keep_folder);
    let real = Calendar::real();
    let shown = args.at.map_or(real, |day| real.at(day));
    agent::move_clock(shown.offset_seconds());
    let stage = Arc::new(Stage::set(folder.path(), &real, &shown)?);

    let agent = Agent::open(&Options {
        state_folder: &stage.state_folder(),
        licence_folder: &stage.licence_folder(),
        product: stage::PRODUCT,
        trusted_keys: stage.trusted_keys(),
    })?;
    let app = Arc::new(web::App::new(agent, stage.clone(), shown));
    let tour = || tour::print(address, &stage, args.at.map(|_| &shown), args.keep_folder);
    let served = runtime.block_on(serve(listener, app.clone(), stop, tour));

    // The order matters: requests first, then the agents, then the folder that they write to.
    runtime.shutdown_timeout(GOODBYE);
    drop(app);
    if args.keep_folder {
        println!("\nStopped. Kept: {}", folder.path().display());
    } else {
        folder.close()?;
        println!("\nStopped; nothing is left behind.");
    }
    served
}

fn listen(port: Port) -> io::Result<TcpListener> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let listener = match port {
        Port::Usual(port) => bind(port).or_else(|_| bind(0)),
        Port::Wanted(port) => {
            bind(port).map_err(|error| io::Error::new(error.kind(), format!("port {port} of 127.0.0.1: {error}")))
        }
    }?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

async fn serve(listener: TcpListener, app: Arc<web::App>, mut stop: Stop, tour: impl FnOnce()) -> Result<(), Failed> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let (told, wait) = tokio::sync::oneshot::channel::<()>();
    let server = axum::serve(listener, web::router(app.clone())).with_graceful_shutdown(async {
        let _ = wait.await;
    });
    let mut server = tokio::spawn(server.into_future());
    let gallery = {
        let app = app.clone();
        tokio::task::spawn_blocking(move || app.set_up_gallery())
    };
    tour();
    tokio::select! {
        () = stop.asked() => {}
        ended = &mut server => return Ok(ended??),
    }
    app.stop();
    let _ = told.send(());
    gallery.await?;
    match tokio::time::timeout(GOODBYE, server).await {
        Ok(ended) => Ok(ended??),
        Err(_still_connected) => Ok(()),
    }
}

/// Ctrl-C, a polite kill, or the closed terminal.
struct Stop {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 3],
    #[cfg(windows)]
    signals: (tokio::signal::windows::CtrlC, tokio::signal::windows::CtrlBreak, tokio::signal::windows::CtrlClose),
}

#[cfg(unix)]
impl Stop {
    fn new() -> io::Result<Stop> {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [interrupt, terminate, hangup] = kinds.map(signal);
        Ok(Stop { signals: [interrupt?, terminate?, hangup?] })
    }

    async fn asked(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

#[cfg(windows)]
impl Stop {
    fn new() -> io::Result<Stop> {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close};
        Ok(Stop { signals: (ctrl_c()?, ctrl_break()?, ctrl_close()?) })
    }

    async fn asked(&mut self) {
        let (c, brk, close) = &mut self.signals;
        tokio::select! {
            _ = c.recv() => {}
            _ = brk.recv() => {}
            _ = close.recv() => {}
        }
    }
}
