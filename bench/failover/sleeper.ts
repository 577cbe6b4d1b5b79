/**
 * A process that does nothing but sleep until each next millisecond, in real-time scheduling: what makes it late is the
 * machine. It prints a JSON line [slept until ns, late ms] for each time that it woke 2 ms late or more. SIGTERM ends it.
 */
import { now_ns } from '#src/system/clock.js';
import { PollSet } from '#src/system/poll-set.js';
import { useRealTimeScheduling } from '#src/system/scheduling.js';

const STEP_NS = 1e6;
const TOLD_NS = 2e6;

function main(): void {
  if (!useRealTimeScheduling()) process.stdout.write('"without real-time scheduling"\n');
  process.stdout.write('"ready"\n');
  const nothing = new PollSet(1);
  let due_ns = now_ns();
  for (;;) {
    due_ns += STEP_NS;
    nothing.wait(now_ns(), due_ns);
    const woke_ns = now_ns();
    const late_ns = woke_ns - due_ns;
    if (late_ns < TOLD_NS) continue;
    process.stdout.write(`[${due_ns},${late_ns / 1e6}]\n`);
    due_ns = now_ns();
  }
}

main();
