//! The ring of `src/agent/ring.rs` as loom runs it, and copies of it with one fault each. `build.rs` makes them all from the
//! shipped file; `tests/ring.rs` says what must hold, and that loom sees each fault.

include!(concat!(env!("OUT_DIR"), "/rings.rs"));
