//! The exported functions as a table: of the library that is linked in, of a shared library by its path, or with one of them replaced
//! by a liar, to see that the model catches it.

use ors::ffi::*;
use std::ffi::{OsStr, c_char, c_void};

macro_rules! exports {
    ($($name:ident($($argument:ty),*) -> $answer:ty;)*) => {
        /// Every exported function.
        #[derive(Clone, Copy)]
        pub struct Exports {
            $(pub $name: unsafe extern "C" fn($($argument),*) -> $answer),*
        }

        impl Exports {
            /// Their names.
            pub const NAMES: &[&str] = &[$(stringify!($name)),*];

            /// Of the library that this program is built with.
            pub fn linked() -> Exports {
                Exports { $($name),* }
            }

            /// Of a shared library, which stays loaded.
            ///
            /// # Errors
            /// The file cannot be loaded, or lacks one of them.
            pub fn of(library: &OsStr) -> Result<Exports, libloading::Error> {
                // SAFETY: loading the library has no effects, as its tests show; and the functions have the types of their header.
                unsafe {
                    let library = libloading::Library::new(library)?;
                    let exports = Exports { $($name: *library.get(stringify!($name))?),* };
                    std::mem::forget(library);
                    Ok(exports)
                }
            }
        }
    };
}

exports! {
    ors_abi_version() -> u32;
    ors_about(ors_agent, *mut c_char, usize, *mut usize) -> i32;
    ors_acknowledge(ors_agent, u64, *const c_char, usize, *mut ors_error) -> i32;
    ors_check_licence(ors_agent, *mut ors_licence_status) -> i32;
    ors_check_update(*const ors_update_query, *mut ors_update_verdict, *mut ors_error) -> i32;
    ors_close(ors_agent, u32) -> i32;
    ors_diagnostics(ors_agent, *mut c_char, usize, *mut usize) -> i32;
    ors_error_text(i32, *const c_char, usize, *mut c_char, usize, *mut usize) -> i32;
    ors_install_licence(ors_agent, *const u8, usize, *const c_char, usize, *mut ors_install_result, *mut ors_error) -> i32;
    ors_notice_text(ors_agent, *const ors_notice_status, u32, *const c_char, usize, *mut c_char, usize, *mut usize) -> i32;
    ors_notify_status(ors_agent, *mut ors_notice_status) -> i32;
    ors_open(*const ors_options, *mut ors_agent, *mut ors_error) -> i32;
    ors_read_log(ors_agent, *mut u64, u32, *mut u32, *mut c_char, usize, *mut usize) -> i32;
    ors_set_log(ors_agent, u32, ors_log_sink, *mut c_void) -> i32;
    ors_settings_get(ors_agent, *mut c_char, usize, *mut usize) -> i32;
    ors_settings_set(ors_agent, *const c_char, usize, *const c_char, usize, *mut ors_error) -> i32;
    ors_text(ors_agent, u32, u64, *mut c_char, usize, *mut usize) -> i32;
    ors_update_text(*const ors_update_verdict, *const c_char, usize, *mut c_char, usize, *mut usize) -> i32;
    ors_version(*mut c_char, usize, *mut usize) -> i32;
    ors_wait(ors_agent, u64, u32, *mut u64) -> i32;
}

#[cfg(test)]
mod tests {
    use super::Exports;

    #[test]
    fn every_exported_function_is_tortured() {
        let list = include_str!("../../abi/exports.txt").lines().filter(|line| !line.starts_with('#'));
        assert_eq!(Exports::NAMES, list.collect::<Vec<_>>());
    }
}
