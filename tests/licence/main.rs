//! What a licence in a folder does to a product, through the C functions.
#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod folders;
mod keys;
mod renewal;
mod settings;
mod tools;
mod update;
