//! One installation for each notice there is: its own folders, its own agent, really in that state.
//!
//! Each scene is set up the way it happens to a customer (a folder that is unmounted, a second licence that arrives) and
//! is ready when the library itself says so. `web::gallery` shows them.

use crate::agent::{Agent, LicenceStatus, NoticeStatus, Options, notice, state};
use crate::calendar::Calendar;
use crate::stage::{Draft, Failed, Feature, HOSTILE, PRODUCT, Stage};
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Generous: a folder is looked at each second, and a slow computer opens many agents at once here.
const LONGEST: Duration = Duration::from_secs(20);

/// What a scene is about.
pub struct Scene {
    pub id: &'static str,
    pub title: &'static str,
    /// How an installation comes to this.
    pub story: &'static str,
    pub bit: u32,
    set_up: fn(&Place<'_>) -> Result<Agent, Failed>,
}

/// A scene that was set up, or why that failed.
pub struct Shown {
    pub scene: &'static Scene,
    pub agent: Result<Agent, String>,
}

/// The folders of one scene, and who makes licences for it.
struct Place<'a> {
    stage: &'a Stage,
    calendar: &'a Calendar,
    server: PathBuf,
    state: PathBuf,
    stopping: &'a AtomicBool,
}

/// Most urgent first; what needs most room last.
pub static SCENES: [Scene; 9] = [
    Scene {
        id: "licence-expired",
        title: "Licence expired",
        story: "The licence was good until ten days ago.",
        bit: notice::LICENCE_EXPIRED,
        set_up: |place| place.open_with(&Draft { expires_on: Some(place.calendar.in_days(-10)), ..place.long_ago() }),
    },
    Scene {
        id: "no-licence",
        title: "No licence",
        story: "The licence folder is empty: a new installation.",
        bit: notice::NO_LICENCE,
        set_up: |place| place.open(),
    },
    Scene {
        id: "clock-wrong",
        title: "Clock wrong",
        story: "The licence was issued five hours from now, so this computer's clock must be behind.",
        bit: notice::CLOCK_WRONG,
        set_up: |place| {
            let issued_at = place.calendar.instant_in_hours(5);
            place.open_with(&Draft { issued_at, ..Draft::usual(place.calendar) })
        },
    },
    Scene {
        id: "licence-expiring",
        title: "Licence expiring",
        story: "The licence is good for twelve more days.",
        bit: notice::LICENCE_EXPIRING,
        set_up: |place| place.open_with(&Draft { expires_on: Some(place.calendar.in_days(12)), ..place.long_ago() }),
    },
    Scene {
        id: "maintenance-expired",
        title: "Maintenance expired",
        story: "The maintenance contract ended ten days ago; the licence itself is good.",
        bit: notice::MAINTENANCE_EXPIRED,
        set_up: |place| {
            place.open_with(&Draft { maintenance_until: Some(place.calendar.in_days(-10)), ..place.long_ago() })
        },
    },
    Scene {
        id: "maintenance-expiring",
        title: "Maintenance expiring",
        story: "The maintenance contract ends in twenty days.",
        bit: notice::MAINTENANCE_EXPIRING,
        set_up: |place| {
            place.open_with(&Draft { maintenance_until: Some(place.calendar.in_days(20)), ..place.long_ago() })
        },
    },
    Scene {
        id: "new-features",
        title: "New features",
        story: "A licence with one more feature and three more users arrived in the folder.",
        bit: notice::NEW_FEATURES,
        set_up: |place| place.replaced_by("pdf-toolbox", "PDF Toolbox", 8),
    },
    Scene {
        id: "html-names",
        title: "Names that look like HTML",
        story: "The new feature's name is an HTML element with a script. It has to appear as text.",
        bit: notice::NEW_FEATURES,
        set_up: |place| place.replaced_by("html", HOSTILE, 5),
    },
    Scene {
        id: "manual-copy",
        title: "Manual copy",
        story: "The disk with the licence folder is gone, and a newer licence was uploaded: somebody has to copy it.",
        bit: notice::MANUAL_COPY,
        set_up: manual_copy,
    },
];

/// Sets all scenes up, side by side; gives up early when `stopping`.
pub fn set_up(stage: &Stage, calendar: &Calendar, stopping: &AtomicBool) -> Vec<Shown> {
    std::thread::scope(|threads| {
        let running: Vec<_> = SCENES
            .iter()
            .map(|scene| (scene, threads.spawn(move || scene.at_its_place(stage, calendar, stopping))))
            .collect();
        let end = |result: std::thread::Result<Result<Agent, Failed>>| match result {
            Ok(agent) => agent.map_err(|failed| failed.to_string()),
            Err(_) => Err("Setting this scene up panicked.".to_owned()),
        };
        running.into_iter().map(|(scene, thread)| Shown { scene, agent: end(thread.join()) }).collect()
    })
}

impl Scene {
    fn at_its_place(&self, stage: &Stage, calendar: &Calendar, stopping: &AtomicBool) -> Result<Agent, Failed> {
        let folder = stage.gallery_folder().join(self.id);
        let place = Place { stage, calendar, server: folder.join("server"), state: folder.join("state"), stopping };
        fs::create_dir_all(place.licences())?;
        let agent = (self.set_up)(&place)?;
        place.wait(&agent, |status| self.holds(&status.shown))?;
        Ok(agent)
    }

    pub fn holds(&self, shown: &NoticeStatus) -> bool {
        shown.notices & self.bit != 0
    }
}

impl Place<'_> {
    fn licences(&self) -> PathBuf {
        self.server.join("licences")
    }

    /// Issued long before the dates that the scenes are about.
    fn long_ago(&self) -> Draft {
        Draft { issued_at: self.calendar.instant_in_hours(-24 * 300), ..Draft::usual(self.calendar) }
    }

    fn put(&self, draft: &Draft) -> Result<(), Failed> {
        self.stage.write(draft, &self.licences().join(draft.file_name()))
    }

    fn open(&self) -> Result<Agent, Failed> {
        let options = Options {
            state_folder: &self.state,
            licence_folder: &self.licences(),
            product: PRODUCT,
            trusted_keys: self.stage.trusted_keys(),
        };
        Ok(Agent::open(&options)?)
    }

    fn open_with(&self, draft: &Draft) -> Result<Agent, Failed> {
        self.put(draft)?;
        let agent = self.open()?;
        self.wait(&agent, |status| status.state != state::UNKNOWN)?;
        Ok(agent)
    }

    fn wait(&self, agent: &Agent, holds: impl Fn(&LicenceStatus) -> bool) -> Result<(), Failed> {
        agent.wait_until(LONGEST, |status| self.stopping.load(Ordering::Relaxed) || holds(status))?;
        if self.stopping.load(Ordering::Relaxed) { Err("The demo is stopping.".into()) } else { Ok(()) }
    }

    fn replaced_by(&self, feature: &'static str, name: &str, users: u32) -> Result<Agent, Failed> {
        let first = Draft::usual(self.calendar);
        let agent = self.open_with(&first)?;
        let mut newer = Draft { sequence: first.sequence + 1, users, ..first };
        newer.features.push(Feature::new(feature, name));
        self.put(&newer)?;
        Ok(agent)
    }
}

/// A plain file stands where the folder above the licences was: it cannot be read, and cannot be made again either, not
/// even by an administrator's account.
fn manual_copy(place: &Place<'_>) -> Result<Agent, Failed> {
    let first = Draft::usual(place.calendar);
    let agent = place.open_with(&first)?;
    fs::remove_dir_all(&place.server)?;
    fs::write(&place.server, "the disk is not here\n")?;
    let newer = Draft { sequence: first.sequence + 1, users: 8, ..first };
    agent.install(&place.stage.sign(&newer)?, "gallery")?;
    Ok(agent)
}
