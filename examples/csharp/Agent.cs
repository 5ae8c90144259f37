// Agent.cs: the library as a C# class. One object per process is usual; every method may be called on any thread at any time, also
// while another thread disposes of the object (the call then throws with Code.Closed).

using System;
using System.Text;
using System.Threading;

namespace Ors
{
    /// <summary>A call that failed: its code, what it was about, and a sentence.</summary>
    public sealed class OrsException : Exception
    {
        public OrsException(int code, string where, string message) : base(message)
        {
            Code = code;
            Where = where;
        }

        /// <summary>A negative ORS_E_ number.</summary>
        public int Code { get; private set; }

        /// <summary>The argument, setting or step; may be empty.</summary>
        public string Where { get; private set; }
    }

    /// <summary>What an agent is opened with. Null = not given.</summary>
    public sealed class AgentOptions
    {
        public string StateFolder;
        public string Product;
        public string TrustedKeys;
        public string LicenceFolder;
        public uint Flags;
    }

    /// <summary>An open agent.</summary>
    public sealed unsafe class Agent : IDisposable
    {
        private static readonly UTF8Encoding Utf8 = new UTF8Encoding(false, true);
        private long handle;

        private Agent(ulong opened)
        {
            handle = unchecked((long)opened);
        }

        // The finaliser must not wait; whoever wants an orderly end disposes.
        ~Agent()
        {
            Close(0);
        }

        /// <summary>The version of the loaded library, such as "0.1.0".</summary>
        public static string LibraryVersion
        {
            get { return ReadText((buf, cap, needed) => Native.ors_version(buf, cap, needed)); }
        }

        /// <summary>Opens an agent. Throws when library and declarations are of different generations.</summary>
        public static Agent Open(AgentOptions options)
        {
            uint abi = Native.ors_abi_version();
            if (abi >> 16 != Native.AbiVersion >> 16)
                throw new OrsException(-1, "ors_abi_version", "The library has another generation of the ABI: " + abi.ToString("x8"));
            fixed (byte* state = Bytes(options.StateFolder), product = Bytes(options.Product),
                   keys = Bytes(options.TrustedKeys), folder = Bytes(options.LicenceFolder))
            {
                var native = new NativeOptions
                {
                    struct_size = (uint)sizeof(NativeOptions),
                    flags = options.Flags,
                    state_folder = state,
                    product = product,
                    trusted_keys = keys,
                    licence_folder = folder
                };
                NativeError error = NewError();
                ulong opened = 0;
                Check(Native.ors_open(&native, &opened, &error), &error);
                return new Agent(opened);
            }
        }

        /// <summary>For every page refresh: never waits, allocates nothing.</summary>
        public NoticeStatus Notices()
        {
            NoticeStatus status = default(NoticeStatus);
            status.struct_size = (uint)sizeof(NoticeStatus);
            Check(Native.ors_notify_status(Handle, &status));
            return status;
        }

        /// <summary>For the login page.</summary>
        public LicenceStatus CheckLicence()
        {
            LicenceStatus status = default(LicenceStatus);
            status.struct_size = (uint)sizeof(LicenceStatus);
            Check(Native.ors_check_licence(Handle, &status));
            return status;
        }

        /// <summary>The sentence for one bit of <paramref name="shown"/>, or null when that is no longer so. Not HTML: encode it.</summary>
        public string NoticeText(NoticeStatus shown, uint notice, string language)
        {
            try
            {
                fixed (byte* tag = Bytes(language))
                {
                    byte* fixedTag = tag;
                    UIntPtr length = Length(language);
                    return ReadText((buf, cap, needed) =>
                    {
                        NoticeStatus copy = shown;
                        return Native.ors_notice_text(Handle, &copy, notice, fixedTag, length, buf, cap, needed);
                    });
                }
            }
            catch (OrsException gone)
            {
                if (gone.Code == Code.Stale)
                    return null;
                throw;
            }
        }

        /// <summary>One text (ORS_TEXT_*) about one thing; subject 0 is the current one.</summary>
        public string Text(uint field, ulong subject)
        {
            return ReadText((buf, cap, needed) => Native.ors_text(Handle, field, subject, buf, cap, needed));
        }

        /// <summary>JSON for the About box.</summary>
        public string About()
        {
            return ReadText((buf, cap, needed) => Native.ors_about(Handle, buf, cap, needed));
        }

        /// <summary>JSON for support.</summary>
        public string Diagnostics()
        {
            return ReadText((buf, cap, needed) => Native.ors_diagnostics(Handle, buf, cap, needed));
        }

        /// <summary>JSON of the settings; secrets only as {"set": true}.</summary>
        public string Settings()
        {
            return ReadText((buf, cap, needed) => Native.ors_settings_get(Handle, buf, cap, needed));
        }

        /// <summary>Changes the settings that <paramref name="json"/> names; all or none.</summary>
        public void ChangeSettings(string json, string by)
        {
            fixed (byte* text = Bytes(json), name = Bytes(by))
            {
                NativeError error = NewError();
                Check(Native.ors_settings_set(Handle, text, Length(json), name, Length(by), &error), &error);
            }
        }

        /// <summary>Goes through all steps of a connection to the back office; see <see cref="ConnectReport"/>.</summary>
        public ulong Connect(string by)
        {
            fixed (byte* name = Bytes(by))
            {
                NativeError error = NewError();
                ulong run;
                Check(Native.ors_connect(Handle, name, Length(by), &run, &error), &error);
                return run;
            }
        }

        /// <summary>JSON of what a run has found out so far.</summary>
        public string ConnectReport(ulong run)
        {
            return ReadText((buf, cap, needed) => Native.ors_connect_report(Handle, run, buf, cap, needed));
        }

        /// <summary>Starts the library's runtime anew; this agent stays good.</summary>
        public void Restart(string by)
        {
            fixed (byte* name = Bytes(by))
            {
                NativeError error = NewError();
                Check(Native.ors_restart(Handle, name, Length(by), &error), &error);
            }
        }

        /// <summary>The user has read this announcement and those before it.</summary>
        public void Acknowledge(ulong announcement, string by)
        {
            fixed (byte* name = Bytes(by))
            {
                NativeError error = NewError();
                Check(Native.ors_acknowledge(Handle, announcement, name, Length(by), &error), &error);
            }
        }

        /// <summary>An uploaded licence file. Throws with ORS_E_REFUSED and the reason in words when it is not taken.</summary>
        public InstallResult Install(byte[] file, string by)
        {
            fixed (byte* data = file, name = Bytes(by))
            {
                NativeError error = NewError();
                InstallResult result = default(InstallResult);
                result.struct_size = (uint)sizeof(InstallResult);
                Check(Native.ors_install_licence(Handle, data, (UIntPtr)(uint)file.Length, name, Length(by), &result, &error), &error);
                return result;
            }
        }

        /// <summary>Sleeps until the revision is another than <paramref name="revision"/> and sets it; false when the time is over.</summary>
        public bool Wait(ref ulong revision, uint timeoutMilliseconds)
        {
            ulong now = revision;
            int code = Native.ors_wait(Handle, revision, timeoutMilliseconds, &now);
            if (code == Code.Timeout)
                return false;
            Check(code);
            revision = now;
            return true;
        }

        /// <summary>The next line of the library's log, or null when there is none yet. <paramref name="after"/> starts at 0.</summary>
        public string ReadLog(ref ulong after, out uint level)
        {
            byte[] buffer = new byte[8192];
            ulong number = after;
            uint weight = 0;
            UIntPtr needed = UIntPtr.Zero;
            int code;
            fixed (byte* buf = buffer)
                code = Native.ors_read_log(Handle, &number, 0, &weight, buf, (UIntPtr)(uint)buffer.Length, &needed);
            level = weight;
            if (code == Code.Timeout)
                return null;
            Check(code);
            after = number;
            return ToText(buffer);
        }

        /// <summary>Closes the agent and waits for its threads, 2 seconds at most.</summary>
        public void Dispose()
        {
            GC.SuppressFinalize(this);
            Close(Native.DefaultWait);
        }

        private ulong Handle
        {
            get { return unchecked((ulong)Interlocked.Read(ref handle)); }
        }

        private void Close(uint timeoutMilliseconds)
        {
            ulong closing = unchecked((ulong)Interlocked.Exchange(ref handle, 0));
            if (closing != 0)
                Native.ors_close(closing, timeoutMilliseconds);
        }

        // ---- text in, text out, errors

        private delegate int Writer(byte* buf, UIntPtr cap, UIntPtr* needed);

        // A text may grow between two calls: ask again until it fits.
        private static string ReadText(Writer write)
        {
            byte[] buffer = new byte[1024];
            for (;;)
            {
                UIntPtr needed = UIntPtr.Zero;
                int code;
                fixed (byte* buf = buffer)
                    code = write(buf, (UIntPtr)(uint)buffer.Length, &needed);
                if (code == Code.Ok)
                    return ToText(buffer);
                if (code != Code.BufferTooSmall)
                    Check(code);
                buffer = new byte[checked((int)needed.ToUInt64() + 1)];
            }
        }

        private static string ToText(byte[] buffer)
        {
            int length = Array.IndexOf(buffer, (byte)0);
            return Utf8.GetString(buffer, 0, length < 0 ? buffer.Length : length);
        }

        // NUL-terminated; null stays null, and `fixed` makes a null pointer of it.
        private static byte[] Bytes(string text)
        {
            return text == null ? null : Utf8.GetBytes(text + "\0");
        }

        private static UIntPtr Length(string text)
        {
            return text == null ? UIntPtr.Zero : (UIntPtr)(uint)Utf8.GetByteCount(text);
        }

        private static NativeError NewError()
        {
            NativeError error = default(NativeError);
            error.struct_size = (uint)sizeof(NativeError);
            return error;
        }

        private static string FixedText(byte* text, int size)
        {
            int length = 0;
            while (length < size && text[length] != 0)
                length++;
            byte[] copy = new byte[length];
            for (int i = 0; i < length; i++)
                copy[i] = text[i];
            return Utf8.GetString(copy, 0, length);
        }

        private static void Check(int code, NativeError* error)
        {
            if (code != Code.Ok)
                throw new OrsException(code, FixedText(error->where, 64), FixedText(error->message, 432));
        }

        private static void Check(int code)
        {
            if (code == Code.Ok)
                return;
            byte[] buffer = new byte[1024];
            UIntPtr needed = UIntPtr.Zero;
            fixed (byte* buf = buffer)
            {
                if (Native.ors_error_text(code, null, UIntPtr.Zero, buf, (UIntPtr)(uint)buffer.Length, &needed) != Code.Ok)
                    buf[0] = 0;
            }
            throw new OrsException(code, "", ToText(buffer));
        }
    }
}
