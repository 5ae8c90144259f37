//! The functions, by family, each with what it is given and how it is judged.

mod licences;
mod life;
mod logs;
mod refresh;
mod service;
mod texts;

use crate::dice::Dice;
use crate::thread::Thread;

type Call = fn(&mut Thread<'_>);

/// How often each is called, in a thousand calls.
const CALLS: &[(u64, &str, Call)] = &[
    (270, "ors_notify_status", refresh::notify_status),
    (200, "ors_check_licence", refresh::check_licence),
    (80, "ors_notice_text", refresh::notice_text),
    (80, "ors_text", refresh::text),
    (40, "ors_about", refresh::about),
    (20, "ors_acknowledge", refresh::acknowledge),
    (40, "ors_settings_get", service::settings_get),
    (20, "ors_settings_set", service::settings_set),
    (10, "ors_diagnostics", service::diagnostics),
    (40, "ors_error_text", texts::error_text),
    (20, "ors_version", texts::version),
    (10, "ors_abi_version", texts::abi_version),
    (40, "ors_update_text", texts::update_text),
    (25, "ors_wait", life::wait),
    (20, "ors_open", life::open),
    (20, "ors_close", life::close),
    (30, "ors_read_log", logs::read_log),
    (10, "ors_set_log", logs::set_log),
    (10, "ors_check_update", licences::check_update),
    (15, "ors_install_licence", licences::install_licence),
];

/// One of them, with its number.
pub fn choose(dice: &mut Dice) -> (usize, Call) {
    let mut left = dice.below(CALLS.iter().map(|(weight, ..)| weight).sum());
    for (at, (weight, _, call)) in CALLS.iter().enumerate() {
        match left.checked_sub(*weight) {
            Some(less) => left = less,
            None => return (at, *call),
        }
    }
    unreachable!("the dice are below the sum of all weights")
}

/// The name of a function by its number.
pub fn name_of(at: usize) -> &'static str {
    CALLS[at].1
}

#[cfg(test)]
mod tests {
    use super::CALLS;
    use crate::exports::Exports;

    #[test]
    fn every_function_is_called() {
        let mut names: Vec<&str> = CALLS.iter().map(|(_, name, _)| *name).collect();
        names.sort_unstable();
        assert_eq!(names, Exports::NAMES);
    }
}
