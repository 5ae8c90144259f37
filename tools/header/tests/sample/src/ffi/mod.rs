//! A small C surface in the style of the real one, for the tests of the header tool. It is read, never compiled.

mod values;
mod status;
mod life;
#[cfg(test)]
mod tests;
