//! Where polls are parked: one for each key, woken by what happened.

use crate::domain::events::For;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// What a parked poll listens to.
#[derive(Default)]
pub struct Bell {
    rung: Notify,
    /// It is to be answered whatever happened: a newer one came, or the server stops.
    last: AtomicBool,
}

impl Bell {
    /// Waits until there may be something to look at.
    pub async fn rung(&self) {
        self.rung.notified().await;
    }

    pub fn is_last(&self) -> bool {
        self.last.load(SeqCst)
    }

    fn ring_last(&self) {
        self.last.store(true, SeqCst);
        self.rung.notify_one();
    }
}

struct Place {
    key: i64,
    organisation: Option<i64>,
    bell: Arc<Bell>,
}

/// The parked polls, by installation.
#[derive(Default)]
pub struct Hub {
    places: Mutex<HashMap<i64, Vec<Place>>>,
    draining: AtomicBool,
}

impl Hub {
    fn places(&self) -> MutexGuard<'_, HashMap<i64, Vec<Place>>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Parks a poll. An older one of the same key is woken: an agent has one. Look for events after this, not before: then
    /// none is missed.
    pub fn park(&self, key: i64, installation: i64, organisation: Option<i64>) -> Arc<Bell> {
        let bell = Arc::new(Bell::default());
        let mut places = self.places();
        let here = places.entry(installation).or_default();
        here.retain(|place| {
            let other = place.key != key;
            if !other {
                place.bell.ring_last();
            }
            other
        });
        here.push(Place { key, organisation, bell: bell.clone() });
        if self.draining.load(SeqCst) {
            bell.ring_last();
        }
        bell
    }

    /// Gives the place back.
    pub fn leave(&self, installation: i64, bell: &Arc<Bell>) {
        let mut places = self.places();
        if let Some(here) = places.get_mut(&installation) {
            here.retain(|place| !Arc::ptr_eq(&place.bell, bell));
            if here.is_empty() {
                places.remove(&installation);
            }
        }
    }

    /// Wakes those whom something concerns.
    pub fn wake(&self, whom: For) {
        let places = self.places();
        let ring = |place: &Place| place.bell.rung.notify_one();
        match whom {
            For::Installation(id) => places.get(&id).into_iter().flatten().for_each(ring),
            For::Organisation(id) => {
                places.values().flatten().filter(|place| place.organisation == Some(id)).for_each(ring);
            }
            For::All => places.values().flatten().for_each(ring),
        }
    }

    /// Wakes everybody, and from now on whoever comes.
    pub fn drain(&self) {
        self.draining.store(true, SeqCst);
        self.places().values().flatten().for_each(|place| place.bell.ring_last());
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(SeqCst)
    }
}
