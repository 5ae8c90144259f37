//! Windows has no fork. Here the library is pinned instead: a thread of ours must never outlive its code.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use windows_sys::Win32::Foundation::HMODULE;
use windows_sys::Win32::System::LibraryLoader::{
    GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_PIN, GetModuleHandleExW,
};

static PINNED: AtomicBool = AtomicBool::new(false);

pub fn prepare() {
    if !PINNED.swap(true, SeqCst) {
        let mut module: HMODULE = std::ptr::null_mut();
        let inside = prepare as fn() as *const u16;
        // SAFETY: with FROM_ADDRESS the second argument is an address inside this module and is not read as text.
        unsafe {
            GetModuleHandleExW(
                GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                inside,
                &mut module,
            )
        };
    }
}
