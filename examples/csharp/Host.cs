// Host.cs: a web tier's use of the library, on the console.
//
//   Host --licence-folder DIR --product NAME --keys FILE --state-folder DIR
//        [--pages N] [--wait-ms N] [--language TAG] [--acknowledge NAME] [--install FILE]
//   Host --layout        prints the structs' layout, for the tests
//
// Exit code 0; 1 when a call failed; 3 when called wrongly.

using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Ors;

internal static class Host
{
    // Most urgent first: the order in which a page shows its banners.
    private static readonly KeyValuePair<uint, string>[] Notices =
    {
        new KeyValuePair<uint, string>(0x100, "no-licence"),
        new KeyValuePair<uint, string>(0x004, "licence-expired"),
        new KeyValuePair<uint, string>(0x040, "assistance-requested"),
        new KeyValuePair<uint, string>(0x080, "assistance-active"),
        new KeyValuePair<uint, string>(0x200, "clock-wrong"),
        new KeyValuePair<uint, string>(0x002, "licence-expiring"),
        new KeyValuePair<uint, string>(0x008, "maintenance-expired"),
        new KeyValuePair<uint, string>(0x001, "maintenance-expiring"),
        new KeyValuePair<uint, string>(0x020, "manual-copy"),
        new KeyValuePair<uint, string>(0x400, "service-unreachable"),
        new KeyValuePair<uint, string>(0x010, "new-features"),
    };

    private static readonly string[] States = { "unknown", "valid", "expired", "missing", "refused" };

    private static readonly KeyValuePair<uint, string>[] Texts =
    {
        new KeyValuePair<uint, string>(1, "serial"),
        new KeyValuePair<uint, string>(2, "customer"),
        new KeyValuePair<uint, string>(3, "product"),
        new KeyValuePair<uint, string>(4, "licence reason"),
        new KeyValuePair<uint, string>(16, "copy from"),
        new KeyValuePair<uint, string>(17, "copy to"),
    };

    private static int Main(string[] arguments)
    {
        // The same bytes on every system: UTF-8, LF.
        var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false)) { NewLine = "\n", AutoFlush = true };
        Console.SetOut(output);
        Console.SetError(new StreamWriter(Console.OpenStandardError(), new UTF8Encoding(false)) { NewLine = "\n", AutoFlush = true });
        if (arguments.Length == 1 && arguments[0] == "--layout")
        {
            Layout.Print(output);
            return 0;
        }
        Dictionary<string, string> options = Read(arguments);
        if (options == null)
        {
            Console.Error.WriteLine("usage: Host --licence-folder DIR --product NAME --keys FILE --state-folder DIR " +
                "[--pages N] [--wait-ms N] [--language TAG] [--acknowledge NAME] [--install FILE]");
            return 3;
        }
        try
        {
            Run(options);
            return 0;
        }
        catch (OrsException problem)
        {
            Console.Error.WriteLine(problem.Where + ": " + problem.Message + " (" + problem.Code + ")");
            return 1;
        }
    }

    private static Dictionary<string, string> Read(string[] arguments)
    {
        var known = new HashSet<string> { "--licence-folder", "--product", "--keys", "--state-folder", "--pages", "--wait-ms",
            "--language", "--acknowledge", "--install" };
        var options = new Dictionary<string, string>();
        for (int i = 0; i < arguments.Length; i += 2)
        {
            if (!known.Contains(arguments[i]) || options.ContainsKey(arguments[i]) || i + 1 == arguments.Length)
                return null;
            options[arguments[i]] = arguments[i + 1];
        }
        foreach (string required in new[] { "--licence-folder", "--product", "--keys", "--state-folder" })
        {
            if (!options.ContainsKey(required))
                return null;
        }
        uint ignored;
        foreach (string number in new[] { "--pages", "--wait-ms" })
        {
            if (options.ContainsKey(number) && !uint.TryParse(options[number], out ignored))
                return null;
        }
        return options;
    }

    private static string Get(Dictionary<string, string> options, string name)
    {
        string value;
        return options.TryGetValue(name, out value) ? value : null;
    }

    private static void Run(Dictionary<string, string> options)
    {
        string language = Get(options, "--language"), reader = Get(options, "--acknowledge"), upload = Get(options, "--install");
        uint pages = uint.Parse(Get(options, "--pages") ?? "1"), wait = uint.Parse(Get(options, "--wait-ms") ?? "1000");
        Console.WriteLine("library " + Agent.LibraryVersion);
        using (Agent agent = Agent.Open(new AgentOptions
        {
            StateFolder = options["--state-folder"],
            Product = options["--product"],
            TrustedKeys = File.ReadAllText(options["--keys"], Encoding.UTF8),
            LicenceFolder = options["--licence-folder"]
        }))
        {
            LicenceStatus login = agent.CheckLicence();
            string state = login.state < States.Length ? States[login.state] : "unknown";
            Console.WriteLine("login: licence {0}, sequence {1}, reason {2}", state, login.sequence, login.reason);
            if (upload != null)
            {
                InstallResult result = agent.Install(File.ReadAllBytes(upload), "console host");
                Console.WriteLine("installed: state {0}, sequence {1}", result.state, result.sequence);
            }
            ulong revision = 0;
            for (uint page = 1; page <= pages; page++)
            {
                if (page > 1)
                    Console.WriteLine(agent.Wait(ref revision, wait) ? "something changed" : "nothing changed");
                revision = ShowPage(agent, page, language, reader);
            }
            foreach (KeyValuePair<uint, string> text in Texts)
                Console.WriteLine(text.Value + ": " + agent.Text(text.Key, 0));
            Console.WriteLine("about: " + agent.About());
            ShowLog(agent);
        }
    }

    private static ulong ShowPage(Agent agent, uint number, string language, string reader)
    {
        NoticeStatus status = agent.Notices();
        Console.WriteLine("page {0}: licence to {1}, maintenance to {2}, users {3}, announcement {4}", number,
            status.licence_last_day, status.maintenance_last_day, status.users, status.announcement);
        foreach (KeyValuePair<uint, string> notice in Notices)
        {
            if ((status.notices & notice.Key) == 0)
                continue;
            string sentence = agent.NoticeText(status, notice.Key, language);
            if (sentence != null)
                Console.WriteLine("  " + notice.Value + ": " + sentence);
        }
        if (reader != null && status.announcement != 0)
        {
            agent.Acknowledge(status.announcement, reader);
            Console.WriteLine("  acknowledged {0} by {1}", status.announcement, reader);
        }
        return status.revision;
    }

    private static void ShowLog(Agent agent)
    {
        ulong after = 0;
        uint level;
        for (string line = agent.ReadLog(ref after, out level); line != null; line = agent.ReadLog(ref after, out level))
            Console.WriteLine("log {0}: {1}", level, line);
    }
}
