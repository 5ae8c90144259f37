// Native.cs: the C surface of ors.h, name by name. Everything here is blittable: numbers, fixed-size structs, pointers. The runtime
// then copies nothing and marshals nothing, so a call costs what it costs in C plus the transition.
// Nobody but Agent.cs calls this. Layout.cs proves that the structs are those of the header.

using System;
using System.Runtime.InteropServices;

namespace Ors
{
    /// <summary>ors_error, 512 bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeError
    {
        public uint struct_size;
        public int code;
        public int os_code;
        public uint reserved;
        public fixed byte where[64];
        public fixed byte message[432];
    }

    /// <summary>ors_options, 64 bytes (36 in a 32-bit process).</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeOptions
    {
        public uint struct_size;
        public uint flags;
        public byte* state_folder;
        public byte* product;
        public byte* trusted_keys;
        public byte* licence_folder;
        public byte* office_url;
        public byte* office_ca_file;
        public byte* commands;
    }

    /// <summary>ors_notice_status, 64 bytes: what holds now. See ors.h for every field.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct NoticeStatus
    {
        public uint struct_size;
        public uint notices;
        public ulong revision;
        public int licence_last_day;
        public int maintenance_last_day;
        public int licence_days_left;
        public int maintenance_days_left;
        public ulong announcement;
        public ulong assistance_request;
        public uint users;
        public uint service;
        public ulong reserved;
    }

    /// <summary>ors_licence_status, 104 bytes: the notices, and the licence behind them, of one instant.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct LicenceStatus
    {
        public uint struct_size;
        public uint notices;
        public ulong revision;
        public int licence_last_day;
        public int maintenance_last_day;
        public int licence_days_left;
        public int maintenance_days_left;
        public ulong announcement;
        public ulong assistance_request;
        public uint users;
        public uint service;
        public ulong reserved;
        public uint state;
        public int reason;
        public ulong sequence;
        public ulong copy_sequence;
        public long licence_expires_at;
        public long maintenance_ends_at;
    }

    /// <summary>ors_update_query, 48 bytes (28 in a 32-bit process).</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeUpdateQuery
    {
        public uint struct_size;
        public uint timeout_ms;
        public byte* licence_folder;
        public byte* product;
        public byte* trusted_keys;
        public byte* release_date;
        public byte* state_folder;
    }

    /// <summary>ors_update_verdict, 32 bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct UpdateVerdict
    {
        public uint struct_size;
        public int verdict;
        public int reason;
        public int release_day;
        public int licence_last_day;
        public int maintenance_last_day;
        public ulong sequence;
    }

    /// <summary>ors_install_result, 32 bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct InstallResult
    {
        public uint struct_size;
        public uint state;
        public int reason;
        public uint changes;
        public ulong sequence;
        public ulong announcement;
    }

    /// <summary>The codes that this host tells apart.</summary>
    public static class Code
    {
        public const int Ok = 0;
        public const int BufferTooSmall = -5;
        public const int Closed = -6;
        public const int Timeout = -8;
        public const int Stale = -9;
    }

    internal static unsafe class Native
    {
        /// <summary>ors.dll on Windows, libors.so elsewhere: the runtime adds what is missing.</summary>
        private const string Library = "ors";

        /// <summary>ORS_ABI_VERSION of the header that these declarations follow.</summary>
        public const uint AbiVersion = 0x00010000;

        /// <summary>ORS_DEFAULT_WAIT.</summary>
        public const uint DefaultWait = uint.MaxValue;

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        public static extern uint ors_abi_version();

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        public static extern int ors_version(byte* buf, UIntPtr cap, UIntPtr* needed);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        public static extern int ors_error_text(int code, byte* language, UIntPtr language_len, byte* buf, UIntPtr cap, UIntPtr* needed);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        public static extern int ors_open(NativeOptions* options, ulong* agent, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        public static extern int ors_close(ulong agent, uint timeout_ms);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        public static extern int ors_wait(ulong agent, ulong seen, uint timeout_ms, ulong* revision);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        public static extern int ors_notify_status(ulong agent, NoticeStatus* status);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        public static extern int ors_check_licence(ulong agent, LicenceStatus* status);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        public static extern int ors_notice_text(ulong agent, NoticeStatus* shown, uint notice,
            byte* language, UIntPtr language_len, byte* buf, UIntPtr cap, UIntPtr* needed);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        public static extern int ors_about(ulong agent, byte* buf, UIntPtr cap, UIntPtr* needed);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        public static extern int ors_text(ulong agent, uint field, ulong subject, byte* buf, UIntPtr cap, UIntPtr* needed);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        public static extern int ors_acknowledge(ulong agent, ulong announcement, byte* by, UIntPtr by_len, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        public static extern int ors_check_update(NativeUpdateQuery* query, UpdateVerdict* verdict, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        public static extern int ors_update_text(UpdateVerdict* verdict, byte* language, UIntPtr language_len,
            byte* buf, UIntPtr cap, UIntPtr* needed);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        public static extern int ors_install_licence(ulong agent, byte* data, UIntPtr len,
            byte* by, UIntPtr by_len, InstallResult* result, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        public static extern int ors_settings_get(ulong agent, byte* buf, UIntPtr cap, UIntPtr* needed);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        public static extern int ors_settings_set(ulong agent, byte* json, UIntPtr len, byte* by, UIntPtr by_len, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        public static extern int ors_connect(ulong agent, byte* by, UIntPtr by_len, ulong* run, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        public static extern int ors_connect_report(ulong agent, ulong run, byte* buf, UIntPtr cap, UIntPtr* needed);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        public static extern int ors_restart(ulong agent, byte* by, UIntPtr by_len, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        public static extern int ors_diagnostics(ulong agent, byte* buf, UIntPtr cap, UIntPtr* needed);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        public static extern int ors_read_log(ulong agent, ulong* after, uint timeout_ms, uint* level,
            byte* buf, UIntPtr cap, UIntPtr* needed);
    }
}
