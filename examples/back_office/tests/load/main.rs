//! The load generator: one server process, thousands of agents over TLS, each with its own key and signature.
//!
//! Prints, and holds: memory of a parked agent, the time until all of them are woken, CPU while they hold. What an agent
//! gets is verified after the clock has been read, since both ends share the machine's processors.
//!
//! Arguments: `--agents N` (5,000), `--rounds N` (5 times everybody is woken), `--hold SECONDS` (20 of quiet).

mod agents;
#[allow(dead_code, reason = "the other tests use more of it")]
#[path = "../office/rig/mod.rs"]
mod rig;
mod stage;

use agents::Swarm;
use ors::office::protocol::EventKind;
use stage::Stage;
use std::time::{Duration, Instant};

const MOST_BYTES_OF_AN_AGENT: u64 = 30 << 10;
const MOST_TO_WAKE_ALL: Duration = Duration::from_millis(500);
const MOST_TO_LIST: Duration = Duration::from_millis(300);

fn argument(name: &str, usual: usize) -> usize {
    let mut arguments = std::env::args().skip_while(|it| it != name);
    arguments.nth(1).map_or(usual, |it| it.parse().expect("a number"))
}

fn main() {
    let (count, rounds) = (argument("--agents", 5_000), argument("--rounds", 5));
    let hold = Duration::from_secs(argument("--hold", 20) as u64);
    raise_descriptors();
    let stage = Stage::set(count);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let _inside = runtime.enter();

    let empty = stage.memory();
    let began = Instant::now();
    let mut swarm = runtime.block_on(Swarm::gather(&stage, count));
    println!("{count} agents parked after {:.1} s", began.elapsed().as_secs_f64());
    // Once around, so that every one has been woken and parked again before memory is looked at.
    let event = stage.publish_keys();
    runtime.block_on(swarm.woken_by(&event));
    runtime.block_on(swarm.parked(&stage));
    let full = stage.memory();
    let each = full.saturating_sub(empty) / count as u64;
    println!("memory: {} KiB empty, {} KiB full, {:.1} KiB an agent", empty >> 10, full >> 10, each as f64 / 1024.0);

    let mut worst = Duration::ZERO;
    for round in 1..=rounds {
        let event = stage.publish_keys();
        let mut times = runtime.block_on(swarm.woken_by(&event));
        assert_eq!(times.len(), count, "everybody is woken");
        times.sort();
        let at = |part: usize| times[(times.len() - 1) * part / 100];
        println!("woken, round {round}: p50 {:?}, p95 {:?}, worst {:?}", at(50), at(95), at(100));
        worst = worst.max(at(100));
        assert!(swarm.heard().iter().all(|events| events.iter().any(|event| event.kind == EventKind::Keys)));
        runtime.block_on(swarm.parked(&stage));
    }

    let (cpu, began) = (stage.cpu(), Instant::now());
    std::thread::sleep(hold);
    let used = (stage.cpu() - cpu).as_secs_f64() / began.elapsed().as_secs_f64();
    println!("holding for 45 s: {:.1} % of a processor", used * 100.0);

    let lists: Vec<Duration> = (0..20).map(|_| stage.list()).collect();
    let slowest = lists.iter().max().unwrap();
    println!("a page of the list of 20,000 installations, searched: worst of {} {slowest:?}", lists.len());

    let mut harmed = Vec::new();
    for (what, good) in [
        ("memory of an agent", each <= MOST_BYTES_OF_AN_AGENT),
        ("time until all are woken", worst <= MOST_TO_WAKE_ALL),
        ("time of the list", *slowest <= MOST_TO_LIST),
    ] {
        if !good {
            harmed.push(what);
        }
    }
    // The server ends with this process; what is open goes with it.
    drop((swarm, stage));
    assert!(harmed.is_empty(), "not held: {harmed:?}");
}

fn raise_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
}
