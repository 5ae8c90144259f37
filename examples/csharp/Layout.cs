// Layout.cs: prints where every field of every struct lies, in the words of tests/abi/layout.c, so that the two can be compared.

using System;
using System.IO;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Ors
{
    internal static class Layout
    {
        public static void Print(TextWriter to)
        {
            Print(to, "ors_error", typeof(NativeError));
            Print(to, "ors_options", typeof(NativeOptions));
            Print(to, "ors_update_query", typeof(NativeUpdateQuery));
            Print(to, "ors_update_verdict", typeof(UpdateVerdict));
            Print(to, "ors_notice_status", typeof(NoticeStatus));
            Print(to, "ors_licence_status", typeof(LicenceStatus));
            Print(to, "ors_install_result", typeof(InstallResult));
        }

        private static void Print(TextWriter to, string name, Type type)
        {
            to.Write(name + " " + Marshal.SizeOf(type) + "\n");
            FieldInfo[] fields = type.GetFields(BindingFlags.Instance | BindingFlags.Public);
            Array.Sort(fields, (a, b) => Offset(type, a).CompareTo(Offset(type, b)));
            foreach (FieldInfo field in fields)
                to.Write(name + "." + field.Name + " " + Offset(type, field) + "\n");
        }

        private static int Offset(Type type, FieldInfo field)
        {
            return Marshal.OffsetOf(type, field.Name).ToInt32();
        }
    }
}
