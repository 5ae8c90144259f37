/* The frozen part of the ABI as C sees it: sizes and offsets of every struct, for 64 and 32 bit, and the number of every constant.
 * A wrong one does not compile. Run, it prints the layout of this machine, which the C# structs have to repeat line for line.
 * These numbers are a promise to programs that are built already: a failing line is mended in the library, not here. */
#include "ors.h"

#include <stdio.h>

#if UINTPTR_MAX > UINT32_MAX
#define FOR_THIS_WIDTH(on_64, on_32) (on_64)
#else
#define FOR_THIS_WIDTH(on_64, on_32) (on_32)
#endif

/* SIZE(struct, on 64 bit, on 32 bit)   AT(struct, field, offset on 64 bit, on 32 bit) */
#define LAYOUT(SIZE, AT) \
    SIZE(ors_error, 512, 512)                             \
    AT(ors_error, struct_size, 0, 0)                      \
    AT(ors_error, code, 4, 4)                             \
    AT(ors_error, os_code, 8, 8)                          \
    AT(ors_error, reserved, 12, 12)                       \
    AT(ors_error, where, 16, 16)                          \
    AT(ors_error, message, 80, 80)                        \
    SIZE(ors_options, 64, 36)                             \
    AT(ors_options, struct_size, 0, 0)                    \
    AT(ors_options, flags, 4, 4)                          \
    AT(ors_options, state_folder, 8, 8)                   \
    AT(ors_options, product, 16, 12)                      \
    AT(ors_options, trusted_keys, 24, 16)                 \
    AT(ors_options, licence_folder, 32, 20)               \
    AT(ors_options, office_url, 40, 24)                   \
    AT(ors_options, office_ca_file, 48, 28)               \
    AT(ors_options, commands, 56, 32)                     \
    SIZE(ors_update_query, 48, 28)                        \
    AT(ors_update_query, struct_size, 0, 0)               \
    AT(ors_update_query, timeout_ms, 4, 4)                \
    AT(ors_update_query, licence_folder, 8, 8)            \
    AT(ors_update_query, product, 16, 12)                 \
    AT(ors_update_query, trusted_keys, 24, 16)            \
    AT(ors_update_query, release_date, 32, 20)            \
    AT(ors_update_query, state_folder, 40, 24)            \
    SIZE(ors_update_verdict, 32, 32)                      \
    AT(ors_update_verdict, struct_size, 0, 0)             \
    AT(ors_update_verdict, verdict, 4, 4)                 \
    AT(ors_update_verdict, reason, 8, 8)                  \
    AT(ors_update_verdict, release_day, 12, 12)           \
    AT(ors_update_verdict, licence_last_day, 16, 16)      \
    AT(ors_update_verdict, maintenance_last_day, 20, 20)  \
    AT(ors_update_verdict, sequence, 24, 24)              \
    SIZE(ors_notice_status, 64, 64)                       \
    AT(ors_notice_status, struct_size, 0, 0)              \
    AT(ors_notice_status, notices, 4, 4)                  \
    AT(ors_notice_status, revision, 8, 8)                 \
    AT(ors_notice_status, licence_last_day, 16, 16)       \
    AT(ors_notice_status, maintenance_last_day, 20, 20)   \
    AT(ors_notice_status, licence_days_left, 24, 24)      \
    AT(ors_notice_status, maintenance_days_left, 28, 28)  \
    AT(ors_notice_status, announcement, 32, 32)           \
    AT(ors_notice_status, assistance_request, 40, 40)     \
    AT(ors_notice_status, users, 48, 48)                  \
    AT(ors_notice_status, service, 52, 52)                \
    AT(ors_notice_status, reserved, 56, 56)               \
    SIZE(ors_licence_status, 104, 104)                    \
    AT(ors_licence_status, struct_size, 0, 0)             \
    AT(ors_licence_status, notices, 4, 4)                 \
    AT(ors_licence_status, revision, 8, 8)                \
    AT(ors_licence_status, licence_last_day, 16, 16)      \
    AT(ors_licence_status, maintenance_last_day, 20, 20)  \
    AT(ors_licence_status, licence_days_left, 24, 24)     \
    AT(ors_licence_status, maintenance_days_left, 28, 28) \
    AT(ors_licence_status, announcement, 32, 32)          \
    AT(ors_licence_status, assistance_request, 40, 40)    \
    AT(ors_licence_status, users, 48, 48)                 \
    AT(ors_licence_status, service, 52, 52)               \
    AT(ors_licence_status, reserved, 56, 56)              \
    AT(ors_licence_status, state, 64, 64)                 \
    AT(ors_licence_status, reason, 68, 68)                \
    AT(ors_licence_status, sequence, 72, 72)              \
    AT(ors_licence_status, copy_sequence, 80, 80)         \
    AT(ors_licence_status, licence_expires_at, 88, 88)    \
    AT(ors_licence_status, maintenance_ends_at, 96, 96)   \
    SIZE(ors_install_result, 32, 32)                      \
    AT(ors_install_result, struct_size, 0, 0)             \
    AT(ors_install_result, state, 4, 4)                   \
    AT(ors_install_result, reason, 8, 8)                  \
    AT(ors_install_result, changes, 12, 12)               \
    AT(ors_install_result, sequence, 16, 16)              \
    AT(ors_install_result, announcement, 24, 24)

#if defined(WITH_ASSISTANCE) /* the struct comes with its functions; its numbers are there already */
#define LAYOUT_OF_ASSISTANCE(SIZE, AT) \
    SIZE(ors_assistance, 56, 56)              \
    AT(ors_assistance, struct_size, 0, 0)     \
    AT(ors_assistance, state, 4, 4)           \
    AT(ors_assistance, request, 8, 8)         \
    AT(ors_assistance, revision, 16, 16)      \
    AT(ors_assistance, asked, 24, 24)         \
    AT(ors_assistance, may_grant, 28, 28)     \
    AT(ors_assistance, granted, 32, 32)       \
    AT(ors_assistance, ready, 36, 36)         \
    AT(ors_assistance, minutes_asked, 40, 40) \
    AT(ors_assistance, seconds_left, 44, 44)  \
    AT(ors_assistance, ends_at, 48, 48)
#else
#define LAYOUT_OF_ASSISTANCE(SIZE, AT)
#endif

#define ASSERT_SIZE(type, on_64, on_32) _Static_assert(sizeof(type) == FOR_THIS_WIDTH(on_64, on_32), "size of " #type);
#define ASSERT_AT(type, field, on_64, on_32) \
    _Static_assert(offsetof(type, field) == FOR_THIS_WIDTH(on_64, on_32), "place of " #type "." #field);
LAYOUT(ASSERT_SIZE, ASSERT_AT)
LAYOUT_OF_ASSISTANCE(ASSERT_SIZE, ASSERT_AT)
_Static_assert(sizeof(ors_agent) == 8, "size of ors_agent");

/* The first 64 bytes of a licence status are a notice status: a host may pass one for the other. */
#define SAME(field) _Static_assert(offsetof(ors_notice_status, field) == offsetof(ors_licence_status, field), "place of " #field)
SAME(notices);
SAME(revision);
SAME(announcement);
SAME(reserved);

/* The value, and whether it is signed: bits that are signed by mistake turn into a warning, or worse, under `~`. */
#define NUMBER(name, value) _Static_assert((name) == (value) && (name) * 0 - 1 < 0, #name)
#define BITS(name, value) _Static_assert((name) == (value) && (name) * 0 - 1 > 0, #name)
BITS(ORS_ABI_VERSION, 0x00010000u);
BITS(ORS_NTS, (size_t)-1);
NUMBER(ORS_NEVER, INT64_MAX);
NUMBER(ORS_NEVER_DAY, 99991231);
NUMBER(ORS_NEVER_LEFT, INT32_MAX);
BITS(ORS_DEFAULT_WAIT, UINT32_MAX);
NUMBER(ORS_OK, 0);
NUMBER(ORS_E_NULL, -1);
NUMBER(ORS_E_ARGUMENT, -2);
NUMBER(ORS_E_TEXT, -3);
NUMBER(ORS_E_STRUCT_SIZE, -4);
NUMBER(ORS_E_BUFFER_TOO_SMALL, -5);
NUMBER(ORS_E_CLOSED, -6);
NUMBER(ORS_E_READ_ONLY, -7);
NUMBER(ORS_E_TIMEOUT, -8);
NUMBER(ORS_E_STALE, -9);
NUMBER(ORS_E_DISABLED, -10);
NUMBER(ORS_E_NOT_ALLOWED, -11);
NUMBER(ORS_E_REFUSED, -12);
NUMBER(ORS_E_REENTRANT, -13);
NUMBER(ORS_E_NEWER_STATE, -15);
NUMBER(ORS_E_ANSWERED, -16);
NUMBER(ORS_E_LIMIT, -17);
NUMBER(ORS_E_IO, -100);
NUMBER(ORS_E_PERMISSION, -101);
NUMBER(ORS_E_INTERNAL, -900);
BITS(ORS_OPEN_READ_ONLY, 0x1u);
BITS(ORS_OPEN_OWN_LOGON, 0x2u);
BITS(ORS_NOTICE_MAINTENANCE_EXPIRING, 0x001u);
BITS(ORS_NOTICE_LICENCE_EXPIRING, 0x002u);
BITS(ORS_NOTICE_LICENCE_EXPIRED, 0x004u);
BITS(ORS_NOTICE_MAINTENANCE_EXPIRED, 0x008u);
BITS(ORS_NOTICE_NEW_FEATURES, 0x010u);
BITS(ORS_NOTICE_MANUAL_COPY, 0x020u);
BITS(ORS_NOTICE_ASSISTANCE_REQUESTED, 0x040u);
BITS(ORS_NOTICE_ASSISTANCE_ACTIVE, 0x080u);
BITS(ORS_NOTICE_NO_LICENCE, 0x100u);
BITS(ORS_NOTICE_CLOCK_WRONG, 0x200u);
BITS(ORS_NOTICE_SERVICE_UNREACHABLE, 0x400u);
BITS(ORS_CHANGED_FEATURES, 0x1u);
BITS(ORS_CHANGED_USERS, 0x2u);
BITS(ORS_CHANGED_MAINTENANCE, 0x4u);
BITS(ORS_CHANGED_EXPIRY, 0x8u);
BITS(ORS_CHANGED_KEYS, 0x10u);
BITS(ORS_CHANGED_CLOCK, 0x20u);
BITS(ORS_SERVICE_OFF, 0u);
BITS(ORS_SERVICE_STARTING, 1u);
BITS(ORS_SERVICE_READY, 2u);
BITS(ORS_SERVICE_STOPPING, 3u);
BITS(ORS_LICENCE_UNKNOWN, 0u);
BITS(ORS_LICENCE_VALID, 1u);
BITS(ORS_LICENCE_EXPIRED, 2u);
BITS(ORS_LICENCE_MISSING, 3u);
BITS(ORS_LICENCE_REFUSED, 4u);
NUMBER(ORS_REASON_NONE, 0);
NUMBER(ORS_REASON_NO_LICENCE, 1);
NUMBER(ORS_REASON_UNREADABLE, 2);
NUMBER(ORS_REASON_MALFORMED, 3);
NUMBER(ORS_REASON_UNKNOWN_KEY, 4);
NUMBER(ORS_REASON_SIGNATURE, 5);
NUMBER(ORS_REASON_FORMAT, 6);
NUMBER(ORS_REASON_PRODUCT, 7);
NUMBER(ORS_REASON_SERIAL, 8);
NUMBER(ORS_REASON_SEQUENCE, 9);
NUMBER(ORS_REASON_LICENCE_EXPIRED, 10);
NUMBER(ORS_REASON_MAINTENANCE_ENDED, 11);
NUMBER(ORS_REASON_CLOCK, 12);
NUMBER(ORS_REASON_AMBIGUOUS, 13);
NUMBER(ORS_REASON_KEY_REVOKED, 14);
NUMBER(ORS_REASON_KEY_RETIRED, 15);
NUMBER(ORS_REASON_KEY_ROLE, 16);
NUMBER(ORS_REASON_SEQUENCE_CONFLICT, 17);
NUMBER(ORS_REASON_TOO_LARGE, 18);
NUMBER(ORS_REASON_NOT_A_FILE, 19);
NUMBER(ORS_REASON_KEY_LIST_FORK, 20);
NUMBER(ORS_REASON_AMOUNT, 21);
BITS(ORS_INSTALL_REFUSED, 0u);
BITS(ORS_INSTALL_ACCEPTED, 1u);
BITS(ORS_INSTALL_COPY, 2u);
BITS(ORS_INSTALL_PRESENT, 3u);
BITS(ORS_TEXT_SERIAL, 1u);
BITS(ORS_TEXT_CUSTOMER, 2u);
BITS(ORS_TEXT_PRODUCT, 3u);
BITS(ORS_TEXT_LICENCE_REASON, 4u);
BITS(ORS_TEXT_COPY_SOURCE, 16u);
BITS(ORS_TEXT_COPY_TARGET, 17u);
BITS(ORS_TEXT_COPY_FILE_NAMES, 18u);
BITS(ORS_TEXT_COPY_LICENCE, 19u);
BITS(ORS_TEXT_ASKED_BY, 32u);
BITS(ORS_TEXT_ORGANISATION, 33u);
BITS(ORS_TEXT_PURPOSE, 34u);
BITS(ORS_TEXT_SESSION_CODE, 35u);
BITS(ORS_TEXT_SESSION_LINK, 36u);
BITS(ORS_TEXT_ASSISTANCE_REASON, 37u);
BITS(ORS_TEXT_MATCHING_CODE, 38u);
BITS(ORS_TEXT_TICKET, 39u);
BITS(ORS_TEXT_FINGERPRINT, 48u);
BITS(ORS_CAN_REMOTE_CONTROL, 0x1u);
BITS(ORS_CAN_VPN, 0x2u);
BITS(ORS_CAN_VIEW, 0x4u);
BITS(ORS_ASSISTANCE_OFF, 0u);
BITS(ORS_ASSISTANCE_AVAILABLE, 1u);
BITS(ORS_ASSISTANCE_REQUESTED, 2u);
BITS(ORS_ASSISTANCE_ALLOWED, 3u);
BITS(ORS_ASSISTANCE_STARTING, 4u);
BITS(ORS_ASSISTANCE_ACTIVE, 5u);
BITS(ORS_ASSISTANCE_ENDING, 6u);
BITS(ORS_ASSISTANCE_ENDED, 7u);
BITS(ORS_ASSISTANCE_DECLINED, 8u);
BITS(ORS_ASSISTANCE_EXPIRED, 9u);

int main(void)
{
#define PRINT_SIZE(type, on_64, on_32) printf(#type " %lu\n", (unsigned long)sizeof(type));
#define PRINT_AT(type, field, on_64, on_32) printf(#type "." #field " %lu\n", (unsigned long)offsetof(type, field));
    LAYOUT(PRINT_SIZE, PRINT_AT)
    LAYOUT_OF_ASSISTANCE(PRINT_SIZE, PRINT_AT)
    return 0;
}
