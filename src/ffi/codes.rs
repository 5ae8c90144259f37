//! The numbers of the ABI. They are frozen: a test compares every one with a golden list.

/// # values
///
/// Version of this ABI: major << 16 | minor.
pub const ORS_ABI_VERSION: u32 = 0x0001_0000;
/// As a length: the text is NUL-terminated.
pub const ORS_NTS: usize = usize::MAX;
/// An instant that does not come.
pub const ORS_NEVER: i64 = i64::MAX;
/// The same for a last day.
pub const ORS_NEVER_DAY: i32 = 99991231;
/// The same for days left.
pub const ORS_NEVER_LEFT: i32 = i32::MAX;
/// 2,000 ms. Nothing in this library waits for ever.
pub const ORS_DEFAULT_WAIT: u32 = u32::MAX;
/// # codes: 0 or negative. Numbers are never reused; -14 is reserved
///
/// Done.
pub const ORS_OK: i32 = 0;
/// A required pointer is NULL.
pub const ORS_E_NULL: i32 = -1;
/// A value, flag, field or JSON member is not one that is known.
pub const ORS_E_ARGUMENT: i32 = -2;
/// Not UTF-8, a NUL inside, or too long.
pub const ORS_E_TEXT: i32 = -3;
/// struct_size is below the size in version 1, or above 4,096.
pub const ORS_E_STRUCT_SIZE: i32 = -4;
/// *needed says how large it has to be.
pub const ORS_E_BUFFER_TOO_SMALL: i32 = -5;
/// A closed, stale or made-up handle.
pub const ORS_E_CLOSED: i32 = -6;
/// The agent was opened read only.
pub const ORS_E_READ_ONLY: i32 = -7;
/// Not in time. Repeating is safe.
pub const ORS_E_TIMEOUT: i32 = -8;
/// What you name (announcement, request, run, revision) is not the current one.
pub const ORS_E_STALE: i32 = -9;
/// The service, or remote assistance, is switched off.
pub const ORS_E_DISABLED: i32 = -10;
/// Wider or longer than settings or request permit.
pub const ORS_E_NOT_ALLOWED: i32 = -11;
/// The licence was not taken: see ors_install_result.reason.
pub const ORS_E_REFUSED: i32 = -12;
/// Called from inside the log sink.
pub const ORS_E_REENTRANT: i32 = -13;
/// The state folder was written by a newer version.
pub const ORS_E_NEWER_STATE: i32 = -15;
/// Another process has answered this request already.
pub const ORS_E_ANSWERED: i32 = -16;
/// No free handle (4,096), or another fixed limit.
pub const ORS_E_LIMIT: i32 = -17;
/// A file could not be read or written: ors_error.os_code says more.
pub const ORS_E_IO: i32 = -100;
/// The operating system did not allow it.
pub const ORS_E_PERMISSION: i32 = -101;
/// A defect of ours, contained.
pub const ORS_E_INTERNAL: i32 = -900;
/// # bits
///
/// No lasting thread, no network, no write; the licence as at opening, dates go on.
pub const ORS_OPEN_READ_ONLY: u32 = 0x1;
/// This process's own account may be used towards a share or proxy.
pub const ORS_OPEN_OWN_LOGON: u32 = 0x2;
/// Maintenance ends within a month.
pub const ORS_NOTICE_MAINTENANCE_EXPIRING: u32 = 0x001;
/// The licence expires within a month.
pub const ORS_NOTICE_LICENCE_EXPIRING: u32 = 0x002;
/// The licence has expired.
pub const ORS_NOTICE_LICENCE_EXPIRED: u32 = 0x004;
/// Maintenance has ended.
pub const ORS_NOTICE_MAINTENANCE_EXPIRED: u32 = 0x008;
/// Features or users changed since the last acknowledgement.
pub const ORS_NOTICE_NEW_FEATURES: u32 = 0x010;
/// A licence has to be copied by hand.
pub const ORS_NOTICE_MANUAL_COPY: u32 = 0x020;
/// A help-desk employee asks for access.
pub const ORS_NOTICE_ASSISTANCE_REQUESTED: u32 = 0x040;
/// Remote assistance runs.
pub const ORS_NOTICE_ASSISTANCE_ACTIVE: u32 = 0x080;
/// No genuine licence is known.
pub const ORS_NOTICE_NO_LICENCE: u32 = 0x100;
/// The clock of this computer is off by more than an hour.
pub const ORS_NOTICE_CLOCK_WRONG: u32 = 0x200;
/// No verified answer of the back office for a day.
pub const ORS_NOTICE_SERVICE_UNREACHABLE: u32 = 0x400;
/// RDP.
pub const ORS_CAN_REMOTE_CONTROL: u32 = 0x1;
/// VPN.
pub const ORS_CAN_VPN: u32 = 0x2;
/// View only.
pub const ORS_CAN_VIEW: u32 = 0x4;
/// Features added, removed, changed or ended.
pub const ORS_CHANGED_FEATURES: u32 = 0x1;
/// The number of users.
pub const ORS_CHANGED_USERS: u32 = 0x2;
/// The end of maintenance.
pub const ORS_CHANGED_MAINTENANCE: u32 = 0x4;
/// The end of the licence.
pub const ORS_CHANGED_EXPIRY: u32 = 0x8;
/// A key list was taken.
pub const ORS_CHANGED_KEYS: u32 = 0x10;
/// A signed time was taken.
pub const ORS_CHANGED_CLOCK: u32 = 0x20;
/// # service: what the runtime does now
///
/// The service is disabled.
pub const ORS_SERVICE_OFF: u32 = 0;
/// Enabled, not ready yet.
pub const ORS_SERVICE_STARTING: u32 = 1;
/// The other settings may be used.
pub const ORS_SERVICE_READY: u32 = 2;
/// Being disabled.
pub const ORS_SERVICE_STOPPING: u32 = 3;
/// # state of a licence
///
/// Not read yet, or the clock is behind by more than a day.
pub const ORS_LICENCE_UNKNOWN: u32 = 0;
/// Genuine and not expired.
pub const ORS_LICENCE_VALID: u32 = 1;
/// Genuine and expired.
pub const ORS_LICENCE_EXPIRED: u32 = 2;
/// There is none.
pub const ORS_LICENCE_MISSING: u32 = 3;
/// There are files, and all were refused.
pub const ORS_LICENCE_REFUSED: u32 = 4;
/// # why a licence was refused; why an update may not be installed
///
/// No reason.
pub const ORS_REASON_NONE: i32 = 0;
/// There is none.
pub const ORS_REASON_NO_LICENCE: i32 = 1;
/// Folder or file cannot be read.
pub const ORS_REASON_UNREADABLE: i32 = 2;
/// Not a licence, or damaged.
pub const ORS_REASON_MALFORMED: i32 = 3;
/// Signed with a key that is not trusted.
pub const ORS_REASON_UNKNOWN_KEY: i32 = 4;
/// The signature does not fit.
pub const ORS_REASON_SIGNATURE: i32 = 5;
/// A newer format than this library knows.
pub const ORS_REASON_FORMAT: i32 = 6;
/// For another product.
pub const ORS_REASON_PRODUCT: i32 = 7;
/// For another serial number.
pub const ORS_REASON_SERIAL: i32 = 8;
/// Not newer than the installed one.
pub const ORS_REASON_SEQUENCE: i32 = 9;
/// The licence has expired.
pub const ORS_REASON_LICENCE_EXPIRED: i32 = 10;
/// Maintenance ended before the release.
pub const ORS_REASON_MAINTENANCE_ENDED: i32 = 11;
/// The clock is in doubt.
pub const ORS_REASON_CLOCK: i32 = 12;
/// More than one serial number in one folder.
pub const ORS_REASON_AMBIGUOUS: i32 = 13;
/// Signed with a revoked key.
pub const ORS_REASON_KEY_REVOKED: i32 = 14;
/// Signed with a retired key.
pub const ORS_REASON_KEY_RETIRED: i32 = 15;
/// Signed with a key that may not sign this.
pub const ORS_REASON_KEY_ROLE: i32 = 16;
/// This sequence is known with other content.
pub const ORS_REASON_SEQUENCE_CONFLICT: i32 = 17;
/// Larger than a licence may be.
pub const ORS_REASON_TOO_LARGE: i32 = 18;
/// A link, folder, pipe or device.
pub const ORS_REASON_NOT_A_FILE: i32 = 19;
/// Two different key lists of one version.
pub const ORS_REASON_KEY_LIST_FORK: i32 = 20;
/// Too many signatures, files or features.
pub const ORS_REASON_AMOUNT: i32 = 21;
/// # result of ors_install_licence
///
/// Not taken.
pub const ORS_INSTALL_REFUSED: u32 = 0;
/// Verified, kept in the state folder, on its way to the licence folder.
pub const ORS_INSTALL_ACCEPTED: u32 = 1;
/// Verified; has to be copied by hand.
pub const ORS_INSTALL_COPY: u32 = 2;
/// This very licence is in use already.
pub const ORS_INSTALL_PRESENT: u32 = 3;
/// # remote assistance
///
/// Not allowed in the settings.
pub const ORS_ASSISTANCE_OFF: u32 = 0;
/// Nobody asks.
pub const ORS_ASSISTANCE_AVAILABLE: u32 = 1;
/// Waits for the customer.
pub const ORS_ASSISTANCE_REQUESTED: u32 = 2;
/// The customer said yes.
pub const ORS_ASSISTANCE_ALLOWED: u32 = 3;
/// The provider starts.
pub const ORS_ASSISTANCE_STARTING: u32 = 4;
/// It runs.
pub const ORS_ASSISTANCE_ACTIVE: u32 = 5;
/// Stopped here; the provider has not reported the end yet: say so.
pub const ORS_ASSISTANCE_ENDING: u32 = 6;
/// Over.
pub const ORS_ASSISTANCE_ENDED: u32 = 7;
/// The customer said no.
pub const ORS_ASSISTANCE_DECLINED: u32 = 8;
/// Nobody answered in time.
pub const ORS_ASSISTANCE_EXPIRED: u32 = 9;
/// # fields of ors_text
///
/// subject: 0, or ors_licence_status.sequence.
pub const ORS_TEXT_SERIAL: u32 = 1;
/// As above.
pub const ORS_TEXT_CUSTOMER: u32 = 2;
/// As above.
pub const ORS_TEXT_PRODUCT: u32 = 3;
/// Why it was refused, in words.
pub const ORS_TEXT_LICENCE_REASON: u32 = 4;
/// The folder that holds them. subject: 0, or ors_licence_status.copy_sequence.
pub const ORS_TEXT_COPY_SOURCE: u32 = 16;
/// The folder they go to.
pub const ORS_TEXT_COPY_TARGET: u32 = 17;
/// One a line, the envelope last.
pub const ORS_TEXT_COPY_FILE_NAMES: u32 = 18;
/// The envelope's bytes (JSON text, at most 1 MiB), for a download.
pub const ORS_TEXT_COPY_LICENCE: u32 = 19;
/// subject: the assistance request; texts of one request never change.
pub const ORS_TEXT_ASKED_BY: u32 = 32;
/// As above.
pub const ORS_TEXT_ORGANISATION: u32 = 33;
/// As above.
pub const ORS_TEXT_PURPOSE: u32 = 34;
/// As above.
pub const ORS_TEXT_SESSION_CODE: u32 = 35;
/// As above.
pub const ORS_TEXT_SESSION_LINK: u32 = 36;
/// Why dark, why ended, what to do while ENDING.
pub const ORS_TEXT_ASSISTANCE_REASON: u32 = 37;
/// Four digits that the caller must be able to tell.
pub const ORS_TEXT_MATCHING_CODE: u32 = 38;
/// As above.
pub const ORS_TEXT_TICKET: u32 = 39;
/// Of this installation's key, to compare by phone.
pub const ORS_TEXT_FINGERPRINT: u32 = 48;
