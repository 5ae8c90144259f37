//! One program for all targets: `ORS_FUZZ_TARGET` names the one to run, the arguments are libFuzzer's.
#![no_main]

use std::sync::LazyLock;
use targets::Target;

static TARGET: LazyLock<&'static Target> = LazyLock::new(|| {
    let name = std::env::var("ORS_FUZZ_TARGET").expect("ORS_FUZZ_TARGET names a target");
    Target::named(&name).expect("ORS_FUZZ_TARGET is one of the targets")
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| (TARGET.run)(data));
