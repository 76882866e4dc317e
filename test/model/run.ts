/**
 * Tells the stories and runs random schedules without a test runner: `node test/model/run.ts [COUNT] [SEED]`. Prints the first
 * broken promise with the seed to repeat it, and exits with 1.
 */
import { STORIES, tell } from "./directed.ts";
import { Tally } from "./house.ts";
import { run, scheduleOf } from "./schedule.ts";

const count = Number(process.argv[2] ?? 2000);
const first = Number(process.argv[3] ?? 1);
const tally = new Tally();
const began = performance.now();

/** What is being told or run. */
let current = "";
process.on("unhandledRejection", (error) => {
  console.log(`\n${current}: Broken: nobody waits for what fails: ${error}`);
  process.exit(1);
});

/** A sign of life for who waits. */
const dot = () => process.stdout.write(".");

for (const [name, story] of Object.entries(STORIES)) {
  current = `story ${name}`;
  try {
    await tell(story, false);
    dot();
  } catch (error) {
    console.log(`\n${current}: ${(error as Error).stack}`);
    process.exit(1);
  }
}

for (let seed = first; seed < first + count; seed += 1) {
  const schedule = scheduleOf(seed);
  current = `seed ${seed}`;
  try {
    await run(schedule, tally);
    if (seed % 50 === 0) dot();
  } catch (error) {
    const trace: string[] = [];
    if (process.argv[4] === "trace") await run(schedule, new Tally(), trace).catch(() => undefined);
    console.log(["", ...trace, `${current}: ${(error as Error).stack}`].join("\n"));
    process.exit(1);
  }
}
const seconds = (performance.now() - began) / 1000;
console.log(`\n${count} schedules in ${seconds.toFixed(1)} s, ${Math.round(count / seconds)}/s`);
if (process.argv[4] === "tally") console.log(Object.fromEntries([...tally.counts].sort()));
