//! How long hot calls take meanwhile.

use crate::support::host::Host;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// Asks as pages do while `work` runs, a thousand times a second, and fails when the answers wait for whatever happens in it.
///
/// A hot call that waited for a held file would take as long as the file is held. Two dozen hosts run beside this one, so single
/// answers may be late because their thread was: one in a hundred is not looked at. How quick they are on a quiet machine is
/// measured elsewhere.
pub fn while_asked<T>(host: &Host, what: &str, work: impl FnOnce() -> T) -> T {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asker = scope.spawn(|| {
            let mut took = Vec::new();
            while !stop.load(SeqCst) {
                let began = Instant::now();
                host.notices();
                host.licence();
                host.settings();
                took.push(began.elapsed());
                std::thread::sleep(Duration::from_millis(1));
            }
            took.sort();
            took
        });
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        stop.store(true, SeqCst);
        let took = asker.join().unwrap();
        let done = done.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let most = took.get(took.len().saturating_sub(1) * 99 / 100).copied().unwrap_or_default();
        assert!(took.len() < 100 || most < Duration::from_millis(50), "{what}: hot calls took {most:?}");
        done
    })
}
