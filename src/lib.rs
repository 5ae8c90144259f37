//! ORS.
pub mod clock;
pub mod licence;
pub mod store;
