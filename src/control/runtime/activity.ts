/** `show activity`: numbers of each data thread, their sum in front. */

import { ageOfMs31, now_ms31 } from '../../system/clock.ts';
import * as c from '../../threads/counters.ts';
import * as shared from '../../threads/shared-memory.ts';
import type { View } from '../stats/view.ts';

/** `beats`: when each thread last passed its loop, monotonic, low 31 bits of milliseconds. */
export function renderActivity({ memory }: View, beats: readonly number[]): string {
  const numbers = Array.from(
    { length: memory.counts.threads - shared.THREAD_DATA },
    (_, number) => shared.THREAD_DATA + number,
  );
  const read = (word: number) =>
    numbers.map((thread) => Atomics.load(memory.words, shared.threadAt(memory, thread) + word) >>> 0);
  const counted = (counter: number) =>
    numbers.map((thread) => {
      let sum = 0;
      for (let row = 0; row < memory.counts.frontends; row++) sum += c.frontendRow(memory, thread, row)[counter];
      return sum;
    });
  const now = now_ms31();
  const line = (name: string, values: readonly number[]) =>
    `${name}: ${values.reduce((sum, value) => sum + value, 0)} [ ${values.join(' ')} ]\n`;
  return [
    `thread_id: 1 (1..${numbers.length})\n`,
    `date_now: ${(Date.now() / 1000).toFixed(6)}\n`,
    line('connections', read(shared.THREAD_CONNECTIONS)),
    line('requests', read(shared.THREAD_REQUESTS)),
    line('accepted', counted(c.CONNECTIONS)),
    line('bytes_in', counted(c.BYTES_IN)),
    line('bytes_out', counted(c.BYTES_OUT)),
    line(
      'last_loop_ms',
      beats.map((beat) => ageOfMs31(beat, now)),
    ),
  ].join('');
}
