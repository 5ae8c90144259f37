// Runs steps one after the other; each builds on those before it, so the first that fails ends its story.

export class Story {
  constructor() {
    this.passed = 0;
    this.failed = 0;
  }

  async tell(title, steps, afterFailure) {
    console.log(title);
    for (const [name, step] of steps) {
      const start = performance.now();
      try {
        const note = await step();
        this.passed += 1;
        console.log(`  ok    ${name}${note ? ` (${note})` : ""} ${Math.round(performance.now() - start)} ms`);
      } catch (error) {
        this.failed += 1;
        console.log(`  FAIL  ${name}\n${String(error?.stack ?? error).replace(/^/gm, "        ")}`);
        await afterFailure(name).catch(() => {});
        return;
      }
    }
  }
}
