//! The two threads that talk to the network: `ors-net` for short requests, `ors-poll` for the parked poll.
//!
//! They carry bytes and know nothing: what to say is decided and signed on the `ors-agent` thread, and what came back is judged
//! there. Nobody waits for them. Ending a line shuts its socket down from outside, so that it is over within a tenth of a second
//! whatever it was waiting for; what it brings after that is of a session that is over, and nobody listens.

use super::sync::{Condvar, Mutex};
use crate::injected;
use crate::net::{Dns, Http, Limits, Progress, Reply, Stop, Trouble, Trust, Watch};
use crate::office::Line;
use crate::office::protocol::MEDIA_TYPE;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use zeroize::Zeroizing;

/// One request to carry.
pub struct Letter {
    pub url: String,
    /// Wiped when it goes: a verification code may be in it.
    pub body: Zeroizing<Vec<u8>>,
    pub limits: Limits,
    /// On a new connection, and each step of it is told.
    pub watched: bool,
}

/// What a line tells.
pub struct News {
    /// The session that the line belongs to.
    pub session: u64,
    pub line: Line,
    pub what: What,
}

pub enum What {
    Step(Progress),
    Reply(Result<Reply, Trouble>),
    /// The thread contained a panic; it goes on.
    Panicked,
    /// The thread is over.
    Ended,
}

/// How a session's lines get out.
#[derive(Clone)]
pub struct Way {
    pub dns: Arc<Dns>,
    pub trust: Arc<Trust>,
}

/// The worker's end of a line.
#[derive(Default)]
pub struct Desk {
    inner: Mutex<Inner>,
    bell: Condvar,
}

#[derive(Default)]
struct Inner {
    letter: Option<Letter>,
    ended: bool,
    /// Ends the client that the thread uses now.
    stop: Option<Stop>,
}

impl Desk {
    /// Hands a letter over. The one before has been answered.
    pub fn give(&self, letter: Letter) {
        self.inner.lock().letter = Some(letter);
        self.bell.notify_one();
    }

    /// Ends the thread, whatever it is doing.
    pub fn end(&self) {
        let mut inner = self.inner.lock();
        inner.ended = true;
        inner.letter = None;
        let stop = inner.stop.take();
        drop(inner);
        self.bell.notify_one();
        if let Some(stop) = stop {
            stop.stop();
        }
    }

    fn next(&self) -> Option<Letter> {
        let inner = self.inner.lock();
        let mut inner = self.bell.wait_while(inner, |inner| !inner.ended && inner.letter.is_none());
        inner.letter.take()
    }

    /// From now on `end` ends this client. `false`: it is too late for a new one.
    fn use_client(&self, client: &Http) -> bool {
        let mut inner = self.inner.lock();
        if !inner.ended {
            inner.stop = Some(client.stop());
        }
        !inner.ended
    }
}

/// Starts the thread of a line. `tell` brings its news to the worker.
pub fn start(line: Line, session: u64, way: Way, tell: impl Fn(News) + Send + Sync + 'static) -> io::Result<Arc<Desk>> {
    let desk = Arc::new(Desk::default());
    let inside = desk.clone();
    let tell: Arc<dyn Fn(What) + Send + Sync> = Arc::new(move |what| tell(News { session, line, what }));
    let run = move || {
        let mut client = None;
        while let Some(letter) = inside.next() {
            let work = AssertUnwindSafe(|| carry(&inside, &way, &mut client, &letter, &tell));
            match catch_unwind(work) {
                Ok(Some(reply)) => tell(What::Reply(reply)),
                Ok(None) => break,
                Err(_) => {
                    client = None;
                    tell(What::Panicked);
                }
            }
        }
        tell(What::Ended);
    };
    let name = match line {
        Line::Short => "ors-net",
        Line::Poll => "ors-poll",
    };
    std::thread::Builder::new().name(name.to_owned()).stack_size(super::STACK).spawn(run)?;
    Ok(desk)
}

/// Carries one letter; `None`: the line has ended.
fn carry(
    desk: &Desk,
    way: &Way,
    client: &mut Option<Http>,
    letter: &Letter,
    tell: &Arc<dyn Fn(What) + Send + Sync>,
) -> Option<Result<Reply, Trouble>> {
    injected::point();
    if letter.watched {
        *client = None;
    }
    let client = client.get_or_insert_with(|| Http::new(way.dns.clone(), way.trust.clone()));
    if !desk.use_client(client) {
        return None;
    }
    let watch = letter.watched.then(|| {
        let tell = tell.clone();
        Arc::new(move |progress| tell(What::Step(progress))) as Arc<Watch>
    });
    Some(client.post(&letter.url, MEDIA_TYPE, &letter.body, letter.limits, watch))
}
