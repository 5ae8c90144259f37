//! What the talk with a back office costs its host: memory over many polls, the size of the agent, processor time when nothing happens.
#![cfg(target_os = "linux")]

#[path = "../../processes/alone.rs"]
mod alone;
#[path = "../hot/rig.rs"]
mod rig;
#[path = "../../support/mod.rs"]
mod support;

mod licences {
    //! What [`super::rig`] needs to make its places.
    use crate::support;

    pub const FILE_NAME: &str = "prismaprepare-1234567890.ors.json";

    pub struct Vendor(support::Vendor);

    impl Vendor {
        pub fn new() -> Vendor {
            Vendor(support::Vendor::new())
        }

        pub fn licence(&self, sequence: u64) -> Vec<u8> {
            self.0.file(sequence)
        }

        pub fn trusted_keys(&self) -> String {
            self.0.trusted()
        }
    }
}

use std::io::{BufRead as _, BufReader, Write as _};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;
use support::host::{Host, Options};
use support::office::{CODE, ORGANISATION, Office};
use support::table::{count, row};
use support::{Site, text, tls};

/// Resident memory of this process in KiB, exact.
fn resident() -> u64 {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Rss:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

const CHILD: &str = "the_host_whose_memory_is_measured";

/// In a process of its own, driven by standard input: there is nothing in it but a host. Its clocks run a thousand times as fast, since
/// the agent polls no faster than every two seconds.
#[test]
#[ignore = "the host of another test"]
fn the_host_whose_memory_is_measured() {
    let mut lines = std::io::stdin().lines().map(Result::unwrap);
    let mut argument = || lines.next().unwrap();
    let (state, licences, keys, url) = (argument(), argument(), argument(), argument());
    let host = Host::open(&Options {
        state_folder: Some(state),
        licence_folder: Some(licences),
        product: support::PRODUCT.to_owned(),
        trusted_keys: keys.replace(';', "\n"),
        office_url: Some(url),
        ..Options::default()
    })
    .unwrap();
    host.until_sequence(7);
    host.set(&serde_json::json!({ "enabled": true, "organisation_id": ORGANISATION, "verification_code": CODE })).unwrap();
    static OVER: AtomicBool = AtomicBool::new(false);
    std::thread::spawn(|| {
        let mut seconds = 0;
        while !OVER.load(SeqCst) {
            std::thread::sleep(Duration::from_millis(2));
            seconds += 2;
            ors::clock::test::set_boot_offset(seconds);
        }
    });
    println!("ready");
    loop {
        match argument().as_str() {
            "resident" => println!("resident {}", resident()),
            "refresh" => {
                (0..1_000_000).for_each(|_| drop(host.notices()));
                println!("refreshed");
            }
            _ => break,
        }
    }
    OVER.store(true, SeqCst);
    assert_eq!(host.close(), 0);
}

#[test]
fn ten_thousand_polls_and_a_million_refreshes_leave_half_a_mebibyte_at_most() {
    let polls = usize::try_from(count(2_000, 10_000)).unwrap();
    let (site, office) = (Site::with(7), Office::open());
    // Every poll is answered at once: something has always happened.
    office.state().restless = true;
    let mut child = alone::start(CHILD, &[]);
    let mut input = child.stdin.take().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut lines = output.lines().map(Result::unwrap);
    let mut say = |line: &str| writeln!(input, "{line}").unwrap();
    let mut until = |word: &str| lines.find(|line| line.contains(word)).unwrap_or_else(|| panic!("no {word}"));
    for line in [text(&site.state()), text(&site.licences()), site.vendor.trusted().replace('\n', ";"), office.url.clone()] {
        say(&line);
    }
    until("ready");
    let polled = |most: usize| {
        office.until_within(Duration::from_secs(600), "polls", move |state| state.polls >= most);
    };
    // What is made once, and the log of a thousand lines, is there.
    polled(1_000);
    say("resident");
    let number = |line: String| line.split(' ').next_back().unwrap().parse::<u64>().unwrap();
    let before = number(until("resident "));
    polled(1_000 + polls);
    say("refresh");
    until("refreshed");
    say("resident");
    let after = number(until("resident "));
    say("end");
    assert!(child.wait().unwrap().success());
    println!("{polls} polls and 1 M refreshes: resident memory from {before} to {after} KiB");
    row("polls, growth below 512 KiB", polls as u64, u64::from(after.saturating_sub(before) >= 512));
}

#[test]
fn an_idle_agent_takes_less_than_ten_mebibytes_and_a_thousandth_of_a_processor() {
    let site = rig::Place::new();
    let server = tls::Server::new("localhost");
    let office = Office::with(Some(server.config.clone()), "localhost");
    let host = rig::compile("tests/hosts/growth/idle.c", "idle");
    let ca_file = site.state().with_file_name("ca.pem");
    std::fs::write(&ca_file, &server.ca_pem).unwrap();
    let seconds = count(20, 300);
    let mut command = site.host(host, &rig::shipped());
    command.arg(&office.url).arg(&ca_file).args([ORGANISATION, CODE, &seconds.to_string()]);
    let told = rig::output(&mut command);
    let numbers: Vec<f64> = told.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let [before, after, processor] = numbers[..] else { panic!("{told}") };
    println!("agent over TLS: {} KiB; idle for {seconds} s: {processor:.3} % of a processor", after - before);
    row("an agent, size below 10 MiB", 1, u64::from(after - before >= 10_240.0));
    row("seconds idle, below 0.1 % of a processor", seconds, u64::from(processor >= 0.1));
}
