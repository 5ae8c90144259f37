//! What the terminal says: where the product is and what to try, in commands to copy.

use crate::agent::library_version;
use crate::calendar::{Calendar, text_in_words};
use crate::stage::{PRODUCT, PRODUCT_NAME, Stage};
use crate::web::{DEMO_PASSWORD, DEMO_USER};
use std::net::SocketAddr;
use std::path::Path;

pub fn print(address: SocketAddr, stage: &Stage, other_day: Option<&Calendar>, keep_folder: bool) {
    let site = format!("http://{address}");
    println!("{PRODUCT_NAME}, a demo product with ORS {} inside", library_version());
    if let Some(calendar) = other_day {
        println!("shown as on {}", text_in_words(&calendar.today().to_string()));
    }
    println!();
    println!("  Address          {site}/");
    println!("  Sign in          {DEMO_USER} / {DEMO_PASSWORD}");
    println!("  Licence folder   {}", stage.licence_folder().display());
    println!("  State folder     {}", stage.state_folder().display());
    println!("  Trusted keys     {}", stage.folder().join("trusted-keys.txt").display());
    println!();
    println!("A tour:");
    let offers = &stage.offers;
    let drop_in = |file: &Path| copy(file, &stage.licence_folder());
    if let Some(calendar) = other_day {
        let ended = calendar.today() > stage.expires_on;
        let last_day = text_in_words(&stage.expires_on.to_string());
        let login = if ended { format!("it ended on {last_day}") } else { format!("it is good through {last_day}") };
        step(1, &format!("See what the login screen says about the licence: {login}."), &[&site]);
        step(2, "Copy this renewed licence into the folder and refresh:", &[&drop_in(&offers.renewed)]);
        step(3, "Every notice there is, each from an installation in that state:", &[&format!("{site}/gallery")]);
    } else {
        step(1, "Sign in. The home page says that maintenance ends soon.", &[]);
        step(
            2,
            "Copy this newer licence into the folder and refresh; then confirm what is new:",
            &[&drop_in(&offers.newer)],
        );
        step(
            3,
            "Copy this forged licence and see it refused, with the reason, on the Licence page:",
            &[&drop_in(&offers.forged)],
        );
        step(
            4,
            "Copy this one, whose customer and feature names are HTML; they appear as text:",
            &[&drop_in(&offers.html_names)],
        );
        step(5, "Every notice there is, each from an installation in that state:", &[&format!("{site}/gallery")]);
        step(6, "Ask the installer's question, \"may this release be installed here?\":", &[&format!("{site}/update")]);
        step(7, "What a script sees:", &[&format!("curl {site}/api/status")]);
        let later = format!("cargo run -p demo -- --at {}", stage.day_after_expiry);
        step(8, "Stop, and start on a day after the licence has ended; see the login screen:", &[&later]);
    }
    println!();
    let end = if keep_folder { "leaves the folder" } else { "leaves nothing behind" };
    println!("Product name for other tools: {PRODUCT}. Ctrl-C stops and {end}.");
}

fn step(number: u32, what: &str, commands: &[&str]) {
    println!("  {number}. {what}");
    for command in commands {
        println!("     {command}");
    }
}

fn copy(file: &Path, folder: &Path) -> String {
    let program = if cfg!(windows) { "copy" } else { "cp" };
    format!("{program} {} {}", quoted(file), quoted(folder))
}

/// As the platform's shell takes it in one piece.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    if cfg!(windows) {
        return format!("\"{path}\"");
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if path.chars().all(plain) { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}
