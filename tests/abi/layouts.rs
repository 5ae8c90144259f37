//! The Rust structs and numbers are those that `layout.c` holds for C: one golden list, three languages.

use ors::ffi::*;
use std::collections::BTreeMap;
use std::mem::offset_of;

const GOLDEN: &str = include_str!("layout.c");
const CODES: &str = include_str!("../../src/ffi/codes.rs");

/// `NAME(first, second, third)` of every line that begins with `name`, split at commas.
fn rows(name: &str) -> Vec<Vec<String>> {
    let begin = format!("{name}(");
    let lines = GOLDEN.lines().map(str::trim).filter_map(|line| line.strip_prefix(&begin));
    let rows = lines.filter_map(|line| line.rsplit_once(')').map(|(inside, _)| inside));
    rows.map(|inside| inside.split(',').map(|word| word.trim().to_owned()).collect()).collect()
}

fn for_this_width(row: &[String], at: usize) -> usize {
    let column = if size_of::<usize>() == 8 { at } else { at + 1 };
    row[column].parse().unwrap()
}

/// Sizes by struct, offsets by "struct.member".
fn golden() -> BTreeMap<String, usize> {
    let sizes = rows("SIZE").into_iter().map(|row| (row[0].clone(), for_this_width(&row, 1)));
    let places = rows("AT").into_iter().map(|row| (format!("{}.{}", row[0], row[1]), for_this_width(&row, 2)));
    // The struct of remote assistance comes with its functions.
    sizes.chain(places).filter(|(name, _)| !name.starts_with("ors_assistance")).collect()
}

macro_rules! layout {
    ($($type:ident { $($member:ident),* $(,)? })*) => {{
        let mut found = BTreeMap::new();
        $(
            found.insert(stringify!($type).to_owned(), size_of::<$type>());
            $(found.insert(
                concat!(stringify!($type), ".", stringify!($member)).replace("r#", ""),
                offset_of!($type, $member),
            );)*
        )*
        found
    }};
}

#[test]
fn sizes_and_offsets_are_the_frozen_ones() {
    let found = layout! {
        ors_error { struct_size, code, os_code, reserved, r#where, message }
        ors_options {
            struct_size, flags, state_folder, product, trusted_keys, licence_folder, office_url, office_ca_file, commands,
        }
        ors_update_query { struct_size, timeout_ms, licence_folder, product, trusted_keys, release_date, state_folder }
        ors_update_verdict {
            struct_size, verdict, reason, release_day, licence_last_day, maintenance_last_day, sequence,
        }
        ors_notice_status {
            struct_size, notices, revision, licence_last_day, maintenance_last_day, licence_days_left,
            maintenance_days_left, announcement, assistance_request, users, service, reserved,
        }
        ors_licence_status {
            struct_size, notices, revision, licence_last_day, maintenance_last_day, licence_days_left,
            maintenance_days_left, announcement, assistance_request, users, service, reserved, state, reason, sequence,
            copy_sequence, licence_expires_at, maintenance_ends_at,
        }
        ors_install_result { struct_size, state, reason, changes, sequence, announcement }
    };
    assert!(found.len() > 60);
    assert_eq!(found, golden());
}

#[test]
fn alignments_are_those_of_c() {
    assert_eq!((align_of::<ors_error>(), align_of::<ors_agent>()), (4, align_of::<u64>()));
    assert_eq!(align_of::<ors_options>(), align_of::<usize>());
    assert_eq!(size_of::<ors_log_sink>(), size_of::<usize>());
}

/// The value of a C expression as the golden list writes them.
fn value(text: &str) -> i128 {
    let plain = text.trim_end_matches(['u', 'U']);
    match plain {
        "INT64_MAX" => i64::MAX.into(),
        "INT32_MAX" => i32::MAX.into(),
        "UINT32_MAX" => u32::MAX.into(),
        "(size_t)-1" => usize::MAX as i128,
        _ => match plain.strip_prefix("0x") {
            Some(digits) => i128::from_str_radix(digits, 16).unwrap(),
            None => plain.parse().unwrap_or_else(|_| panic!("{text} is a number")),
        },
    }
}

macro_rules! numbers {
    ($($name:ident)*) => { BTreeMap::from([$((stringify!($name).to_owned(), $name as i128)),*]) };
}

#[test]
fn numbers_are_the_frozen_ones() {
    let found: BTreeMap<String, i128> = numbers! {
        ORS_ABI_VERSION ORS_NTS ORS_NEVER ORS_NEVER_DAY ORS_NEVER_LEFT ORS_DEFAULT_WAIT
        ORS_OK ORS_E_NULL ORS_E_ARGUMENT ORS_E_TEXT ORS_E_STRUCT_SIZE ORS_E_BUFFER_TOO_SMALL ORS_E_CLOSED ORS_E_READ_ONLY
        ORS_E_TIMEOUT ORS_E_STALE ORS_E_DISABLED ORS_E_NOT_ALLOWED ORS_E_REFUSED ORS_E_REENTRANT ORS_E_NEWER_STATE
        ORS_E_ANSWERED ORS_E_LIMIT ORS_E_IO ORS_E_PERMISSION ORS_E_INTERNAL
        ORS_OPEN_READ_ONLY ORS_OPEN_OWN_LOGON
        ORS_NOTICE_MAINTENANCE_EXPIRING ORS_NOTICE_LICENCE_EXPIRING ORS_NOTICE_LICENCE_EXPIRED
        ORS_NOTICE_MAINTENANCE_EXPIRED ORS_NOTICE_NEW_FEATURES ORS_NOTICE_MANUAL_COPY ORS_NOTICE_ASSISTANCE_REQUESTED
        ORS_NOTICE_ASSISTANCE_ACTIVE ORS_NOTICE_NO_LICENCE ORS_NOTICE_CLOCK_WRONG ORS_NOTICE_SERVICE_UNREACHABLE
        ORS_CAN_REMOTE_CONTROL ORS_CAN_VPN ORS_CAN_VIEW
        ORS_CHANGED_FEATURES ORS_CHANGED_USERS ORS_CHANGED_MAINTENANCE ORS_CHANGED_EXPIRY ORS_CHANGED_KEYS
        ORS_CHANGED_CLOCK
        ORS_SERVICE_OFF ORS_SERVICE_STARTING ORS_SERVICE_READY ORS_SERVICE_STOPPING
        ORS_LICENCE_UNKNOWN ORS_LICENCE_VALID ORS_LICENCE_EXPIRED ORS_LICENCE_MISSING ORS_LICENCE_REFUSED
        ORS_REASON_NONE ORS_REASON_NO_LICENCE ORS_REASON_UNREADABLE ORS_REASON_MALFORMED ORS_REASON_UNKNOWN_KEY
        ORS_REASON_SIGNATURE ORS_REASON_FORMAT ORS_REASON_PRODUCT ORS_REASON_SERIAL ORS_REASON_SEQUENCE
        ORS_REASON_LICENCE_EXPIRED ORS_REASON_MAINTENANCE_ENDED ORS_REASON_CLOCK ORS_REASON_AMBIGUOUS
        ORS_REASON_KEY_REVOKED ORS_REASON_KEY_RETIRED ORS_REASON_KEY_ROLE ORS_REASON_SEQUENCE_CONFLICT
        ORS_REASON_TOO_LARGE ORS_REASON_NOT_A_FILE ORS_REASON_KEY_LIST_FORK ORS_REASON_AMOUNT
        ORS_INSTALL_REFUSED ORS_INSTALL_ACCEPTED ORS_INSTALL_COPY ORS_INSTALL_PRESENT
        ORS_ASSISTANCE_OFF ORS_ASSISTANCE_AVAILABLE ORS_ASSISTANCE_REQUESTED ORS_ASSISTANCE_ALLOWED
        ORS_ASSISTANCE_STARTING ORS_ASSISTANCE_ACTIVE ORS_ASSISTANCE_ENDING ORS_ASSISTANCE_ENDED
        ORS_ASSISTANCE_DECLINED ORS_ASSISTANCE_EXPIRED
        ORS_TEXT_SERIAL ORS_TEXT_CUSTOMER ORS_TEXT_PRODUCT ORS_TEXT_LICENCE_REASON ORS_TEXT_COPY_SOURCE
        ORS_TEXT_COPY_TARGET ORS_TEXT_COPY_FILE_NAMES ORS_TEXT_COPY_LICENCE ORS_TEXT_ASKED_BY ORS_TEXT_ORGANISATION
        ORS_TEXT_PURPOSE ORS_TEXT_SESSION_CODE ORS_TEXT_SESSION_LINK ORS_TEXT_ASSISTANCE_REASON ORS_TEXT_MATCHING_CODE
        ORS_TEXT_TICKET ORS_TEXT_FINGERPRINT
    };
    let listed = ["NUMBER", "BITS"].into_iter().flat_map(rows);
    let golden: BTreeMap<String, i128> = listed.map(|row| (row[0].clone(), value(&row[1]))).collect();
    assert_eq!(found, golden);
    let declared = CODES.lines().filter_map(|line| line.strip_prefix("pub const ")?.split(':').next());
    for name in declared {
        assert!(found.contains_key(name), "{name} is in no golden list");
    }
    assert_eq!(ors_abi_version(), ORS_ABI_VERSION);
}
