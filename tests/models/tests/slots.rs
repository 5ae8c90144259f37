//! The table of handles in every interleaving of opens, closes and calls. It has one slot here, so that every open meets the close before
//! it. Then the spoiled copies: loom must see each fault.

use loom::sync::Arc;
use loom::thread;
use models::explore;
use models::stand_in::agent::{Agent, Board};

/// The shipped table or a spoiled copy: all have the same face.
trait Handles: Send + Sync + 'static {
    fn new() -> Self;
    /// A handle, when a slot is free.
    fn open(&self, agent: Agent) -> Option<u64>;
    /// The number of the agent that this close got.
    fn close(&self, handle: u64) -> Option<u64>;
    /// What a refresh reads: the word of the board, if the handle lives still.
    fn word(&self, handle: u64) -> Option<u64>;
    /// The number of the agent that a call gets.
    fn agent(&self, handle: u64) -> Option<u64>;
}

macro_rules! handles {
    ($($module:ident),* $(,)?) => { $(
        impl Handles for models::slots::$module::Table {
            fn new() -> Self {
                Self::new()
            }
            fn open(&self, agent: Agent) -> Option<u64> {
                self.insert(agent).ok()
            }
            fn close(&self, handle: u64) -> Option<u64> {
                self.remove(handle).map(|agent| agent.number)
            }
            fn word(&self, handle: u64) -> Option<u64> {
                let live = self.find(handle)?;
                let board = live.board();
                assert!(board.is_some(), "slots: a live handle has no board");
                let word = board?.word();
                live.still().then_some(word)
            }
            fn agent(&self, handle: u64) -> Option<u64> {
                self.find(handle)?.agent().ok().map(|agent| agent.number)
            }
        }
    )* };
}

/// The first handle of a table: generation 1, slot 1.
const FIRST: u64 = 1 << 32 | 1;

fn agent(number: u64) -> Agent {
    Agent { board: Board::with(number), number }
}

/// While one agent is closed and its board and slot are used again, another thread calls with the old handle.
fn a_call_during_close_and_open<T: Handles>() {
    explore(Some(3), || {
        let table = Arc::new(T::new());
        let board = Board::with(1);
        let handle = table.open(Agent { board, number: 1 }).unwrap();
        assert!(handle == FIRST, "slots: the first handle is {handle:#x}");
        let closing = {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                assert!(table.close(FIRST) == Some(1), "slots: a close did not get its agent");
                // Given to another agent, which publishes and gets the slot.
                board.publish(2);
                let next = table.open(Agent { board, number: 2 });
                assert!(next.is_some_and(|next| next != FIRST), "slots: {next:?} after {FIRST:#x}");
            })
        };
        let word = table.word(FIRST);
        assert!([None, Some(1)].contains(&word), "slots: the word of another handle, {word:?}");
        let number = table.agent(FIRST);
        assert!([None, Some(1)].contains(&number), "slots: the agent of another handle, {number:?}");
        closing.join().unwrap();
        assert!(table.word(FIRST).is_none() && table.agent(FIRST).is_none(), "slots: a closed handle lives");
    });
}

/// Two threads close one handle, while another opens.
fn two_closes<T: Handles>() {
    explore(Some(3), || {
        let table = Arc::new(T::new());
        table.open(agent(1)).unwrap();
        let other = {
            let table = Arc::clone(&table);
            thread::spawn(move || table.close(FIRST))
        };
        let opening = {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                let Some(handle) = table.open(agent(2)) else { return };
                assert!(table.close(handle) == Some(2), "slots: a close of one handle ended another");
            })
        };
        let closes = [table.close(FIRST), other.join().unwrap()];
        opening.join().unwrap();
        let won = closes.iter().flatten().count();
        assert!(won == 1, "slots: {won} closes got the agent");
        assert!(table.open(agent(3)).is_some(), "slots: the slot is lost");
    });
}

/// One thread closes and two open: whatever they get is theirs.
fn opens_during_a_close<T: Handles>() {
    explore(Some(2), || {
        let table = Arc::new(T::new());
        table.open(agent(1)).unwrap();
        let opening = |number| {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                let Some(handle) = table.open(agent(number)) else { return false };
                let got = (table.word(handle), table.agent(handle), table.close(handle));
                assert!(got == (Some(number), Some(number), Some(number)), "slots: {got:?} of agent {number}");
                true
            })
        };
        let others = [opening(2), opening(3)];
        assert!(table.close(FIRST) == Some(1), "slots: a close did not get its agent");
        others.into_iter().for_each(|other| {
            other.join().unwrap();
        });
        assert!(table.open(agent(4)).is_some(), "slots: the slot is lost");
    });
}

/// A thread that guesses the handle which another is just being given.
fn a_guess<T: Handles>() {
    explore(Some(3), || {
        let table = Arc::new(T::new());
        let opening = {
            let table = Arc::clone(&table);
            thread::spawn(move || table.open(agent(1)))
        };
        let word = table.word(FIRST);
        assert!([None, Some(1)].contains(&word), "slots: a handle before it is there, {word:?}");
        let guessed = table.find_agent(FIRST);
        assert!([None, Some(1)].contains(&guessed), "slots: a handle before it is there, agent {guessed:?}");
        assert!(opening.join().unwrap() == Some(FIRST), "slots: no handle");
    });
}

trait FindAgent {
    fn find_agent(&self, handle: u64) -> Option<u64>;
}

impl<T: Handles> FindAgent for T {
    /// A live handle has an agent.
    fn find_agent(&self, handle: u64) -> Option<u64> {
        let lives = self.word(handle).is_some();
        let agent = self.agent(handle);
        assert!(!lives || agent.is_some(), "slots: a live handle has no agent");
        agent
    }
}

handles!(shipped);
type Shipped = models::slots::shipped::Table;

#[test]
fn a_call_never_gets_what_belongs_to_the_next_handle() {
    a_call_during_close_and_open::<Shipped>();
}

#[test]
fn exactly_one_of_two_closes_gets_the_agent() {
    two_closes::<Shipped>();
}

#[test]
fn an_open_during_a_close_gets_a_slot_of_its_own_or_none() {
    opens_during_a_close::<Shipped>();
}

#[test]
fn a_handle_that_is_guessed_is_there_whole_or_not_at_all() {
    a_guess::<Shipped>();
}

macro_rules! finds_the_fault {
    ($($module:ident by $model:ident),* $(,)?) => {
        handles!($($module),*);
        mod finds_the_fault_in {
            $(
                #[test]
                fn $module() {
                    let test = concat!("finds_the_fault_in::", stringify!($module));
                    models::finds_the_fault(test, "slots: ", super::$model::<models::slots::$module::Table>);
                }
            )*
        }
    };
}

finds_the_fault! {
    still_without_fence by a_call_during_close_and_open,
    agent_of_whoever_has_the_slot by a_call_during_close_and_open,
    every_close_wins by two_closes,
    free_before_it_is_emptied by opens_during_a_close,
    two_opens_in_one_slot by opens_during_a_close,
    live_before_it_is_filled by a_guess,
    live_without_release by a_guess,
    generations_again by a_call_during_close_and_open,
}
