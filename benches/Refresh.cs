// What a page refresh costs from C#: Refresh STATE-FOLDER LICENCE-FOLDER KEYS-FILE ROUNDS
//
// P/Invoke of a no-op and of ors_notify_status, both blittable, timed in turn. The loader finds libors.so and libnoop.so by
// LD_LIBRARY_PATH. Prints "name nanoseconds" with the median over all rounds. Written for the C# 5 that mcs compiles.
using System;
using System.Diagnostics;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;

static unsafe class Refresh
{
    [StructLayout(LayoutKind.Sequential)]
    struct Options
    {
        public uint StructSize, Flags;
        public IntPtr StateFolder, Product, TrustedKeys, LicenceFolder, OfficeUrl, OfficeCaFile, Commands;
    }

    [StructLayout(LayoutKind.Sequential, Size = 64)]
    struct NoticeStatus
    {
        public uint StructSize, Notices;
    }

    [DllImport("libnoop.so", EntryPoint = "noop", CallingConvention = CallingConvention.Cdecl)]
    static extern int Noop(ulong agent, NoticeStatus* status);

    [DllImport("libors.so", EntryPoint = "ors_notify_status", CallingConvention = CallingConvention.Cdecl)]
    static extern int NotifyStatus(ulong agent, NoticeStatus* status);

    [DllImport("libors.so", EntryPoint = "ors_open", CallingConvention = CallingConvention.Cdecl)]
    static extern int Open(Options* options, ulong* agent, IntPtr error);

    [DllImport("libors.so", EntryPoint = "ors_close", CallingConvention = CallingConvention.Cdecl)]
    static extern int Close(ulong agent, uint timeout);

    const int Calls = 20000;

    static double TimedNoop(ulong agent)
    {
        NoticeStatus status = new NoticeStatus { StructSize = 64 };
        int codes = 0;
        long began = Stopwatch.GetTimestamp();
        for (int i = 0; i < Calls; i++) codes |= Noop(agent, &status);
        return Nanoseconds(began, codes);
    }

    static double TimedNotifyStatus(ulong agent)
    {
        NoticeStatus status = new NoticeStatus { StructSize = 64 };
        int codes = 0;
        long began = Stopwatch.GetTimestamp();
        for (int i = 0; i < Calls; i++) codes |= NotifyStatus(agent, &status);
        return Nanoseconds(began, codes);
    }

    static double Nanoseconds(long began, int codes)
    {
        long ended = Stopwatch.GetTimestamp();
        if (codes != 0) throw new Exception("a call failed: " + codes);
        return (ended - began) * 1e9 / Stopwatch.Frequency / Calls;
    }

    static IntPtr Text(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text + "\0");
        IntPtr native = Marshal.AllocHGlobal(bytes.Length);
        Marshal.Copy(bytes, 0, native, bytes.Length);
        return native;
    }

    static double Median(double[] values)
    {
        Array.Sort(values);
        return values[values.Length / 2];
    }

    static int Main(string[] arguments)
    {
        Options options = new Options
        {
            StructSize = (uint)sizeof(Options),
            StateFolder = Text(arguments[0]),
            LicenceFolder = Text(arguments[1]),
            TrustedKeys = Text(File.ReadAllText(arguments[2])),
            Product = Text("prismaprepare"),
        };
        int rounds = int.Parse(arguments[3]);
        ulong agent;
        int code = Open(&options, &agent, IntPtr.Zero);
        if (code != 0)
        {
            Console.Error.WriteLine("ors_open: " + code);
            return 1;
        }
        double[] noop = new double[rounds], notify = new double[rounds];
        // The first half warms up the runtime's compiler and is overwritten by the second.
        for (int round = 0; round < 2 * rounds; round++)
        {
            noop[round % rounds] = TimedNoop(agent);
            notify[round % rounds] = TimedNotifyStatus(agent);
        }
        Console.WriteLine(FormattableNanoseconds("noop", Median(noop)));
        Console.WriteLine(FormattableNanoseconds("notify", Median(notify)));
        return Close(agent, 2000) == 0 ? 0 : 1;
    }

    static string FormattableNanoseconds(string name, double value)
    {
        return name + " " + value.ToString("F4", System.Globalization.CultureInfo.InvariantCulture);
    }
}
