//! The promises of the hot path, held against the shipped library by C hosts: no allocation, no system call, a dropped licence
//! seen within two seconds, no growth. `cargo test --test hot`; `ORS_SHIPPED=/a/folder` measures the
//! libors.so in it instead.
#![cfg(target_os = "linux")]

mod hold;
mod licences;
mod rig;

#[test]
fn a_refresh_and_a_login_allocate_nothing() {
    let counted = hold::allocations();
    assert!(counted.opening > 0.0, "opening allocated nothing, so the library's allocations are not counted at all");
    assert_eq!(counted.calls, 0.0, "allocations in 1 M refreshes and 1 M log-ins");
}

#[test]
fn a_million_refreshes_make_no_system_call() {
    let calls = hold::system_calls_between_the_marks();
    assert!(calls.is_empty(), "{} system calls of the refreshing thread: {:?} ...", calls.len(), &calls[..1]);
}

#[test]
fn strace_counts_the_same_with_a_million_refreshes_as_with_none() {
    let (none, million) = (hold::system_calls_in_all("0"), hold::system_calls_in_all(hold::CALLS));
    assert!(none > 0, "strace counts nothing");
    // Two processes never make exactly the same calls: memory lies elsewhere, a lock is contended once.
    assert!(
        (million - none).abs() < 10,
        "{none} system calls of a process without refreshes, {million} with a million"
    );
}

#[test]
fn a_licence_dropped_into_the_folder_is_seen_within_two_seconds() {
    let seen = hold::dropped_until_seen();
    assert!(seen.iter().all(|milliseconds| *milliseconds <= 2000.0), "milliseconds: {seen:?}");
}

#[test]
fn memory_does_not_grow_while_a_thousand_licences_arrive() {
    let growth = hold::growth();
    assert!(growth.refreshes >= 1e6, "only {} refreshes", growth.refreshes);
    assert_eq!(growth.by_folder, 20.0);
    let (before, after) = (growth.before, growth.after);
    assert!(after - before < 512.0, "resident memory grew from {before} to {after} KiB");
}
