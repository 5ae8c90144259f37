//! The C functions, called as a careless or hostile C program might call them.
#[path = "../processes/alone.rs"]
mod alone;
#[path = "../support/mod.rs"]
mod support;

mod buffers;
mod calls;
mod handles;
mod layouts;
mod log;
mod open;
mod panics;
mod pointers;
mod schemas;
mod structs;
mod texts;
mod waiting;
