//! The numbers that the hot path has to hold, side by side in one run: `cargo bench`. About two minutes.
//!
//! Programs in C and C# load the shipped library as a product would and do the measuring; this one builds what they need, runs
//! them, and prints what they found as ratios, which travel between machines better than nanoseconds do. Ends with failure
//! when a number is not held. `ORS_SHIPPED=/a/folder` measures the libors.so in it instead of the one that tools/ship makes.

#[path = "../tests/hosts/hot/hold.rs"]
mod hold;
#[path = "../tests/hosts/hot/licences.rs"]
mod licences;
#[path = "../tests/hosts/hot/rig.rs"]
mod rig;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use rig::{Place, compile, output, root, shipped, target};

/// `ors_notify_status` over the no-op: what has to hold, and what we aim at.
const MOST_TIMES_NOOP: f64 = 6.5;
const AIM_TIMES_NOOP: f64 = 5.5;
/// A call while a second thread calls as well, over a call alone; and that over what two threads cost the floor, which shares
/// nothing that is written, so that what a busy machine does to any two threads is not laid to the ring.
const MOST_TIMES_ALONE: f64 = 1.15;
/// From C#: nanoseconds over a no-op P/Invoke.
const MOST_OVER_PINVOKE: f64 = 20.0;
/// Load, open read only, verify, answer, in microseconds.
const MOST_FIRST_ANSWER: f64 = 1000.0;
/// From the licence folder to a refresh, in milliseconds.
const MOST_UNTIL_SEEN: f64 = 2000.0;
/// Resident memory over a million refreshes and a thousand licences, in KiB.
const MOST_GROWTH: f64 = 512.0;

const ROUNDS: &str = "1001";
const FIRST_ANSWERS: usize = 51;

fn main() -> ExitCode {
    if !cfg!(target_os = "linux") {
        eprintln!("the bench measures libors.so and needs Linux");
        return ExitCode::FAILURE;
    }
    let library = shipped();
    let noop = compile("benches/noop.c", "libnoop.so");
    println!("measured: {}\n", library.display());
    let held =
        [refresh_from_c(&library, &noop), refresh_from_csharp(&library, &noop), first_answer(&library), side_effects()];
    if held.iter().all(|row| *row) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn verdict(held: bool) -> &'static str {
    if held { "held" } else { "NOT HELD" }
}

/// The number on the line that begins with `name`.
fn number(printed: &str, name: &str) -> f64 {
    let found = printed.lines().find_map(|line| line.strip_prefix(name)).and_then(|rest| rest.trim().parse().ok());
    found.unwrap_or_else(|| panic!("no number for {name:?} in {printed:?}"))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn refresh_from_c(library: &Path, noop: &Path) -> bool {
    let place = Place::new();
    let floor = compile("benches/floor.c", "libfloor.so");
    let program = compile("benches/refresh.c", "refresh");
    let printed = output(place.host(program, library).arg(noop).arg(floor).arg(ROUNDS));

    println!("A page refresh from C, through the shared library (medians of {ROUNDS} interleaved rounds)");
    println!("{:22}{:>12}{:>10}{:>16}{:>14}", "", "one thread", "x no-op", "two threads", "x one thread");
    for (name, text) in [("noop", "no-op"), ("floor", "floor"), ("notify", "ors_notify_status")] {
        let (one, two) = (number(&printed, &format!("1 {name} ")), number(&printed, &format!("2 {name} ")));
        let times = one / number(&printed, "1 noop ");
        println!("{text:22}{one:9.2} ns{times:10.2}{two:13.2} ns{:14.2}", two / one);
    }
    let on_two = |name: &str| number(&printed, &format!("2 {name} ")) / number(&printed, &format!("1 {name} "));
    let times = number(&printed, "1 notify ") / number(&printed, "1 noop ");
    let together = on_two("notify") / on_two("floor").max(1.0);
    let held = [times <= MOST_TIMES_NOOP, together <= MOST_TIMES_ALONE];
    let aim = if times <= AIM_TIMES_NOOP { "reached" } else { "missed" };
    println!(
        "  {times:.2} times the no-op: at most {MOST_TIMES_NOOP} {}, aim {AIM_TIMES_NOOP} {aim}",
        verdict(held[0])
    );
    println!(
        "  {together:.2} times as long on two threads, beside the floor: at most {MOST_TIMES_ALONE} {}\n",
        verdict(held[1])
    );
    held == [true, true]
}

fn refresh_from_csharp(library: &Path, noop: &Path) -> bool {
    let place = Place::new();
    let program = noop.with_file_name("Refresh.exe");
    output(
        Command::new("mcs")
            .args(["-unsafe", "-optimize+", "-nologo"])
            .arg(format!("-out:{}", program.display()))
            .arg("benches/Refresh.cs")
            .current_dir(root()),
    );
    // No stepwise compilation: the loops are measured, not their warming up.
    let settings = r#"{"runtimeOptions":{"tfm":"net8.0","framework":{"name":"Microsoft.NETCore.App","version":"8.0.0"},
        "configProperties":{"System.Runtime.TieredCompilation":false,"System.Globalization.Invariant":true}}}"#;
    std::fs::write(program.with_extension("runtimeconfig.json"), settings).expect("the runtime's settings");
    let folders = [library, noop].map(|file| file.parent().unwrap_or(Path::new("/")).display().to_string()).join(":");
    let printed = output(
        Command::new(dotnet())
            .args(["exec".as_ref(), program.as_os_str()])
            .args([place.state(), place.licences(), place.keys()])
            .arg(ROUNDS)
            .env("LD_LIBRARY_PATH", folders),
    );
    let (noop, notify) = (number(&printed, "noop "), number(&printed, "notify "));
    let held = notify - noop <= MOST_OVER_PINVOKE;
    println!("A page refresh from C#, .NET 8, P/Invoke (medians of {ROUNDS} interleaved rounds)");
    println!("{:22}{noop:9.2} ns\n{:22}{notify:9.2} ns", "no-op", "ors_notify_status");
    println!("  {:.2} ns over the no-op: at most {MOST_OVER_PINVOKE} {}\n", notify - noop, verdict(held));
    held
}

/// The .NET 8 runtime that the tests use, fetched once.
fn dotnet() -> PathBuf {
    let script = r#". tests/support/env.sh; dotnet_runtime linux; echo "$DOTNET""#;
    let said = output(Command::new("bash").args(["-c", script]).current_dir(root()).env("CARGO_TARGET_DIR", target()));
    PathBuf::from(said.lines().last().expect("the path of dotnet"))
}

fn first_answer(library: &Path) -> bool {
    let place = Place::new();
    // A real agent has been at work here before: there is a state folder with a verified copy.
    output(place.host(compile("tests/hosts/hot/system_calls.c", "first_agent"), library).args(["0", "1"]));
    let program = compile("benches/first_answer.c", "first_answer");
    let mut steps = [const { Vec::new() }; 4];
    for _ in 0..FIRST_ANSWERS {
        let printed = output(&mut place.host(&program, library));
        let parts = hold::numbers::<3>(&printed);
        steps[3].push(parts.iter().sum());
        steps.iter_mut().zip(parts).for_each(|(step, part)| step.push(part));
    }
    let [load, open, answer, all] = steps.map(median);
    let held = all <= MOST_FIRST_ANSWER;
    println!("The first answer in a fresh process (medians of {FIRST_ANSWERS} processes)");
    for (text, value) in [("load", load), ("open read only, verify", open), ("answer", answer), ("together", all)] {
        println!("{text:22}{value:9.0} us");
    }
    println!("  {all:.0} us: at most {MOST_FIRST_ANSWER} {}\n", verdict(held));
    held
}

/// What a refresh must not do, and how soon it shows what came into the folder.
fn side_effects() -> bool {
    let allocations = hold::allocations();
    let marked = hold::system_calls_between_the_marks().len();
    let (none, million) = (hold::system_calls_in_all("0"), hold::system_calls_in_all(hold::CALLS));
    let slowest = hold::dropped_until_seen().into_iter().fold(0.0, f64::max);
    let growth = hold::growth();
    let grown = growth.after - growth.before;
    let rows = [
        (
            allocations.opening > 0.0 && allocations.calls == 0.0,
            format!("{} allocations in 1 M refreshes", allocations.calls),
        ),
        (
            marked == 0,
            format!("{marked} system calls in 1 M refreshes (strace -c: {million} in all, {none} without refreshes)"),
        ),
        (
            slowest <= MOST_UNTIL_SEEN,
            format!("{slowest:.0} ms from the folder to a refresh, slowest of ten: at most {MOST_UNTIL_SEEN}"),
        ),
        (
            grown < MOST_GROWTH,
            format!(
                "{grown} KiB more over {:.1} M refreshes and 1,000 licences: below {MOST_GROWTH}",
                growth.refreshes / 1e6
            ),
        ),
    ];
    println!("Beside the time");
    for (held, text) in &rows {
        println!("  {text} {}", verdict(*held));
    }
    rows.iter().all(|(held, _)| *held)
}
