// Starts the demo as its user does, reads what it prints, and stops it with Ctrl-C.

import { execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

const START = 60_000;
const STOP = 10_000;

export class Demo {
  /** Starts `command`; resolves when the whole tour is printed. */
  static async start(command, ...args) {
    // A process group of its own, so that Ctrl-C can be sent as a terminal does: to all of it.
    const child = spawn(command[0], [...command.slice(1), ...args], { detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const demo = new Demo(child);
    try {
      await demo.until(/Ctrl-C stops/, START);
    } catch (error) {
      await demo.stop().catch(() => {});
      throw error;
    }
    return demo;
  }

  constructor(child) {
    this.child = child;
    this.since = performance.now();
    this.output = "";
    this.waiting = new Set();
    const more = (text) => {
      this.output += text;
      for (const look of [...this.waiting]) look();
    };
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", more);
    this.ended = new Promise((resolve) => {
      child.on("error", (error) => { more(String(error)); resolve({ code: null, signal: null }); });
      child.on("close", (code, signal) => resolve({ code, signal }));
    });
  }

  until(pattern, bound) {
    return new Promise((resolve, reject) => {
      const end = (settle, value) => { clearTimeout(timer); this.waiting.delete(look); settle(value); };
      const look = () => { if (pattern.test(this.output)) end(resolve); };
      const timer = setTimeout(() => end(reject, new Error(`no ${pattern} in ${bound} ms:\n${this.output}`)), bound);
      this.ended.then(() => end(reject, new Error(`the demo ended:\n${this.output}`)));
      this.waiting.add(look);
      look();
    });
  }

  /** What stands behind a label of the tour, such as "Address". */
  told(label) {
    const line = this.output.split("\n").find((line) => line.trim().startsWith(label));
    if (!line) throw new Error(`the tour does not tell "${label}":\n${this.output}`);
    return line.trim().slice(label.length).trim();
  }

  /** A command of the tour, by a word that is in it. */
  command(word) {
    const line = this.output.split("\n").find((line) => /^ +(cp|cargo|curl) /.test(line) && line.includes(word));
    if (!line) throw new Error(`the tour has no command with "${word}":\n${this.output}`);
    return line.trim();
  }

  /** Does what the tour says, in a shell, as somebody who copies the line. */
  follow(word) {
    return execFileSync("/bin/sh", ["-c", this.command(word)], { encoding: "utf8" });
  }

  get site() { return this.told("Address").replace(/\/$/, ""); }
  get licenceFolder() { return this.told("Licence folder"); }
  get folder() { return this.licenceFolder.replace(/\/licences$/, ""); }

  /** Processor time since the start, in per cent of one core. */
  load() {
    // Fields 14 and 15 of proc(5)'s stat, in hundredths of a second; the name before them may contain spaces.
    const fields = readFileSync(`/proc/${this.child.pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ");
    const used = (Number(fields[11]) + Number(fields[12])) * 10;
    return (100 * used) / (performance.now() - this.since);
  }

  /** Ctrl-C; resolves with how it ended and what is left behind. */
  async stop(signal = "SIGINT") {
    if (this.child.pid === undefined) return { code: null, left: false };
    try { process.kill(-this.child.pid, signal); } catch (error) { if (error.code !== "ESRCH") throw error; }
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => {
        try { process.kill(-this.child.pid, "SIGKILL"); } catch { /* it ended after all */ }
        reject(new Error(`the demo did not stop in ${STOP} ms`));
      }, STOP);
    });
    try {
      const { code } = await Promise.race([this.ended, late]);
      const folder = /Licence folder +(.*)\/licences/.exec(this.output)?.[1];
      return { code, left: folder !== undefined && existsSync(folder) };
    } finally {
      clearTimeout(timer);
    }
  }
}
