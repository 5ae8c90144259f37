//! What breaks, and how it is repaired. Each can be begun and ended again and again.

use super::host::Host;
use super::place::{Place, run, signal};
use std::fs;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub trait Fault {
    fn begin(&self, place: &Place, host: &mut Host);

    /// Waits while it lasts.
    fn last(&self, _place: &Place, _host: &mut Host, time: Duration) {
        std::thread::sleep(time);
    }

    fn end(&self, place: &Place, host: &mut Host);
}

pub struct Full;

impl Fault for Full {
    fn begin(&self, place: &Place, _host: &mut Host) {
        let mut file = fs::File::create(place.fs().join("filler")).unwrap();
        let full = loop {
            match file.write(&[0; 4_096]) {
                Ok(written) => assert!(written > 0),
                Err(error) => break error,
            }
        };
        assert_eq!(full.raw_os_error(), Some(libc::ENOSPC));
    }

    fn end(&self, place: &Place, _host: &mut Host) {
        fs::remove_file(place.fs().join("filler")).unwrap();
    }
}

pub struct NoInodes;

impl Fault for NoInodes {
    fn begin(&self, place: &Place, _host: &mut Host) {
        let folder = place.fs().join("fillers");
        fs::create_dir(&folder).unwrap();
        let full = (0..).map(|number| fs::File::create(folder.join(number.to_string()))).find_map(Result::err);
        assert_eq!(full.unwrap().raw_os_error(), Some(libc::ENOSPC));
    }

    fn end(&self, place: &Place, _host: &mut Host) {
        fs::remove_dir_all(place.fs().join("fillers")).unwrap();
    }
}

/// The same folders, mounted once more above themselves and read-only: a file system that has files open for writing does not
/// become read-only by itself, but what is opened from now on is.
pub struct ReadOnly;

impl Fault for ReadOnly {
    fn begin(&self, place: &Place, _host: &mut Host) {
        run(Command::new("mount").arg("--bind").arg(place.plain()).arg(place.plain()));
        run(Command::new("mount").args(["-o", "remount,bind,ro"]).arg(place.plain()));
        let refused = fs::write(place.plain().join("probe"), "x").unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::EROFS));
    }

    fn end(&self, place: &Place, _host: &mut Host) {
        // Lazily: somebody may be reading in it just now.
        run(Command::new("umount").arg("-l").arg(place.plain()));
    }
}

pub struct NoRights;

impl Fault for NoRights {
    fn begin(&self, place: &Place, _host: &mut Host) {
        place.allow(false);
    }

    fn end(&self, place: &Place, _host: &mut Host) {
        place.allow(true);
    }
}

/// A file system whose server answers nothing, as a share whose server is gone.
pub struct Frozen;

impl Fault for Frozen {
    fn begin(&self, place: &Place, _host: &mut Host) {
        place.freeze(true);
    }

    fn end(&self, place: &Place, _host: &mut Host) {
        place.freeze(false);
    }
}

pub struct Gone;

impl Fault for Gone {
    fn begin(&self, place: &Place, _host: &mut Host) {
        for folder in [place.state(), place.licences()] {
            fs::rename(&folder, folder.with_extension("away")).unwrap();
        }
    }

    fn end(&self, place: &Place, _host: &mut Host) {
        for folder in [place.state(), place.licences()] {
            // The library may have made the last level of its state folder anew, which a person would clear away.
            if folder.exists() {
                fs::remove_dir_all(&folder).unwrap();
            }
            fs::rename(folder.with_extension("away"), &folder).unwrap();
        }
    }
}

pub struct NoFiles;

impl Fault for NoFiles {
    fn begin(&self, _place: &Place, host: &mut Host) {
        host.files(false);
    }

    fn end(&self, _place: &Place, host: &mut Host) {
        host.files(true);
    }
}

pub struct NoThreads;

impl Fault for NoThreads {
    fn begin(&self, _place: &Place, host: &mut Host) {
        host.new_threads(false);
    }

    fn end(&self, _place: &Place, host: &mut Host) {
        host.new_threads(true);
    }
}

/// The wall clock of the host's process, moved once.
pub struct Clock {
    /// To this time, or by this many seconds.
    at: Option<i64>,
    by: i64,
}

impl Clock {
    pub fn at(time: i64) -> Clock {
        Clock { at: Some(time), by: 0 }
    }

    pub fn by(seconds: i64) -> Clock {
        Clock { at: None, by: seconds }
    }
}

impl Fault for Clock {
    fn begin(&self, _place: &Place, host: &mut Host) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed();
        host.clock(self.at.map_or(self.by, |time| time - now));
    }

    fn end(&self, _place: &Place, host: &mut Host) {
        host.clock(0);
    }
}

pub struct MovingClock;

impl Fault for MovingClock {
    fn begin(&self, _place: &Place, _host: &mut Host) {}

    fn last(&self, _place: &Place, host: &mut Host, time: Duration) {
        let began = Instant::now();
        let years = [0, 10, -10, 3, -56];
        for year in years.iter().cycle().take_while(|_| began.elapsed() < time) {
            host.clock(year * super::YEAR);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn end(&self, _place: &Place, host: &mut Host) {
        host.clock(0);
    }
}

/// Stopped for half of the time, a few times.
pub struct Paused;

impl Fault for Paused {
    fn begin(&self, _place: &Place, _host: &mut Host) {}

    fn last(&self, _place: &Place, host: &mut Host, time: Duration) {
        for _ in 0..3 {
            signal(host.child(), libc::SIGSTOP);
            std::thread::sleep(time / 6);
            signal(host.child(), libc::SIGCONT);
            std::thread::sleep(time / 6);
        }
    }

    fn end(&self, _place: &Place, _host: &mut Host) {}
}

/// A process on each core that does nothing but run.
pub struct Busy;

static SPINNING: Mutex<Vec<Child>> = Mutex::new(Vec::new());

impl Fault for Busy {
    fn begin(&self, _place: &Place, _host: &mut Host) {
        let cores = std::thread::available_parallelism().unwrap().get();
        // Not for longer than a run of these tests, whatever becomes of it.
        let spin = || {
            Command::new("sh").args(["-c", "ulimit -t 100; while :; do :; done"]).stdin(Stdio::null()).spawn().unwrap()
        };
        SPINNING.lock().unwrap().extend((0..cores).map(|_| spin()));
    }

    fn end(&self, _place: &Place, _host: &mut Host) {
        for mut child in SPINNING.lock().unwrap().drain(..) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
