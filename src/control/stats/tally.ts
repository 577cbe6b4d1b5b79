/**
 * What the rows of all data threads come to, and what only time tells: rates, maxima since they were cleared, times spent DOWN.
 * One for each generation; looked after once a second.
 */
import * as c from '../../threads/counters.ts';
import * as shared from '../../threads/shared-memory.ts';
import { Rate } from './rates.ts';

/** The sum over the threads of one frontend's, backend's or server's counters. */
export type Sums = {
  /** `counter`: one of those of counters.ts that add up. */
  count(counter: number): number;
  /** Mean of the last times, and the longest. */
  mean_ms(time: number): number;
  longest_ms(time: number): number;
  /** Monotonic; 0: never. */
  readonly last_session_ms: number;
};

export type Table = 'frontends' | 'backends' | 'servers' | 'binds';

/** Which of its numbers a rate is of. */
const RATED: Readonly<Record<Table, readonly number[]>> = {
  frontends: [c.CONNECTIONS, c.SESSIONS, c.REQUESTS, c.BYTES_OUT],
  backends: [c.SESSIONS],
  servers: [c.SESSIONS],
  binds: [],
};
const OF_PROCESS = [c.CONNECTIONS, c.SESSIONS, c.BYTES_OUT];

/** How long something has been DOWN, how often it went there, and when its state changed. */
type Outage = { up: boolean; down_ms: number; changed_ms: number; went_down: number };

export class Tally {
  private readonly memory: shared.SharedMemory;
  private readonly cells: Float64Array;
  /** Subtracted from what the threads count: `clear counters all`. */
  private readonly cleared: Float64Array;
  /** By number, and within that in the order of RATED. */
  private readonly rates: Readonly<Record<Table, readonly Rate[]>>;
  private readonly process_rates: readonly Rate[];
  /** By number, once something is known. */
  private readonly outages: Readonly<Record<'backends' | 'servers', (Outage | undefined)[]>>;
  private looked_ms: number;

  constructor(memory: shared.SharedMemory, now_ms: number) {
    this.memory = memory;
    const { words, counters } = memory;
    this.cells = new Float64Array(words.buffer, counters * 4, (memory.length - counters) / 2);
    this.cleared = new Float64Array(this.row_count * shared.COUNTERS_IN_A_ROW);
    this.looked_ms = now_ms;
    const ratesOf = (table: Table) => newRates(memory.counts[table] * RATED[table].length, now_ms);
    this.rates = {
      frontends: ratesOf('frontends'),
      backends: ratesOf('backends'),
      servers: ratesOf('servers'),
      binds: [],
    };
    this.process_rates = newRates(OF_PROCESS.length, now_ms);
    const { backends, servers } = memory.counts;
    this.outages = { backends: new Array(backends).fill(undefined), servers: new Array(servers).fill(undefined) };
  }

  private get row_count(): number {
    const { frontends, backends, servers, binds } = this.memory.counts;
    return frontends + backends + servers + binds;
  }

  private rowOf(table: Table, number: number): number {
    const { frontends, backends, servers } = this.memory.counts;
    const first = {
      frontends: 0,
      backends: frontends,
      servers: frontends + backends,
      binds: frontends + backends + servers,
    };
    return first[table] + number;
  }

  private raw(row: number, counter: number): number {
    const { cells, row_count } = this;
    const step = row_count * shared.COUNTERS_IN_A_ROW;
    let sum = 0;
    for (let at = row * shared.COUNTERS_IN_A_ROW + counter; at < cells.length; at += step) sum += cells[at];
    return sum;
  }

  private largest(row: number, counter: number): number {
    const { cells, row_count } = this;
    const step = row_count * shared.COUNTERS_IN_A_ROW;
    let most = 0;
    for (let at = row * shared.COUNTERS_IN_A_ROW + counter; at < cells.length; at += step)
      most = Math.max(most, cells[at]);
    return most;
  }

  sums(table: Table, number: number): Sums {
    const row = this.rowOf(table, number);
    const base = row * shared.COUNTERS_IN_A_ROW;
    return {
      count: (counter) => this.raw(row, counter) - this.cleared[base + counter],
      mean_ms: (time) => this.mean_ms(row, time),
      longest_ms: (time) => this.largest(row, time - c.QUEUE_TIME + c.TIMES_MAX),
      last_session_ms: this.largest(row, c.LAST_SESSION_MS),
    };
  }

  /** Each thread's mean weighs as much as the sessions that it served. */
  private mean_ms(row: number, time: number): number {
    const { cells, row_count } = this;
    const step = row_count * shared.COUNTERS_IN_A_ROW;
    let [sum, weight] = [0, 0];
    for (let at = row * shared.COUNTERS_IN_A_ROW; at < cells.length; at += step) {
      const sessions = Math.min(cells[at + c.SESSIONS], c.SAMPLES);
      sum += c.meanTime_ms(cells[at + time]) * sessions;
      weight += sessions;
    }
    return weight === 0 ? 0 : Math.round(sum / weight);
  }

  // ── time ──────────────────────────────────────────────────────────────────────────────────────

  /** About once a second. `isUp`: of a backend or server, now. */
  tick(now_ms: number, isUp: (table: 'backends' | 'servers', number: number) => boolean): void {
    for (const table of ['frontends', 'backends', 'servers'] as const) this.tickRates(table, now_ms);
    for (const table of ['backends', 'servers'] as const) {
      for (let number = 0; number < this.memory.counts[table]; number++) {
        this.noteUp(table, number, isUp(table, number), now_ms);
      }
    }
    for (const [position, rate] of this.process_rates.entries()) rate.tick(this.total(OF_PROCESS[position]), now_ms);
    this.looked_ms = now_ms;
  }

  private tickRates(table: Table, now_ms: number): void {
    const rates = this.rates[table];
    const rated = RATED[table];
    const first = this.rowOf(table, 0);
    for (let index = 0, row = first; index < rates.length; index += rated.length, row++) {
      for (let position = 0; position < rated.length; position++)
        rates[index + position].tick(this.raw(row, rated[position]), now_ms);
    }
  }

  /** Of all frontends together. */
  total(counter: number): number {
    let sum = 0;
    for (let number = 0; number < this.memory.counts.frontends; number++) sum += this.raw(number, counter);
    return sum;
  }

  processRate(counter: number, now_ms: number): { readonly rate: number; readonly max: number } {
    const rate = this.process_rates[OF_PROCESS.indexOf(counter)];
    return { rate: rate.read(this.total(counter), now_ms), max: rate.max };
  }

  /** A second's count so far, and the most there was in one. */
  ratesOf(
    table: Table,
    number: number,
    counter: number,
    now_ms: number,
  ): { readonly rate: number; readonly max: number } {
    const rate = this.rates[table][number * RATED[table].length + RATED[table].indexOf(counter)];
    const now = rate.read(this.raw(this.rowOf(table, number), counter), now_ms);
    return { rate: now, max: rate.max };
  }

  private noteUp(table: 'backends' | 'servers', number: number, up: boolean, now_ms: number): void {
    const outage = this.outageOf(table, number, up, now_ms);
    if (!outage.up) outage.down_ms += now_ms - this.looked_ms;
    if (outage.up === up) return;
    if (!up) outage.went_down++;
    outage.up = up;
    outage.changed_ms = now_ms;
  }

  /** What is known of it; `up`: what it is when nothing is known. */
  outageOf(table: 'backends' | 'servers', number: number, up: boolean, now_ms: number): Outage {
    return (this.outages[table][number] ??= { up, down_ms: 0, changed_ms: now_ms, went_down: 0 });
  }

  // ── clear counters ────────────────────────────────────────────────────────────────────────────

  /** The maxima; with `all` every counter. */
  clear(all: boolean): void {
    for (const rates of [...Object.values(this.rates), this.process_rates]) for (const rate of rates) rate.max = 0;
    this.clearMaxima();
    if (!all) return;
    for (let row = 0; row < this.row_count; row++) {
      for (let counter = 0; counter < c.LAST_SESSION_MS; counter++) {
        this.cleared[row * shared.COUNTERS_IN_A_ROW + counter] = this.raw(row, counter);
      }
    }
    for (const outage of [...this.outages.backends, ...this.outages.servers]) {
      if (outage === undefined) continue;
      outage.went_down = 0;
      outage.down_ms = 0;
    }
  }

  /** A thread that raises one of them at the same moment may win: it was a maximum after all. */
  private clearMaxima(): void {
    const { memory } = this;
    const { words, counts } = memory;
    const lower = (at: number, now: number) => Atomics.store(words, at, Atomics.load(words, now));
    for (let number = 0; number < counts.frontends; number++) {
      const at = shared.frontendAt(memory, number);
      lower(at + shared.FRONTEND_CONNECTIONS_MAX, at + shared.FRONTEND_CONNECTIONS);
    }
    for (let number = 0; number < counts.backends; number++) {
      const at = shared.backendAt(memory, number);
      lower(at + shared.BACKEND_CONNECTIONS_MAX, at + shared.BACKEND_CONNECTIONS);
      lower(at + shared.BACKEND_QUEUED_MAX, at + shared.BACKEND_QUEUED);
    }
    for (let number = 0; number < counts.servers; number++) {
      const at = shared.serverAt(memory, number);
      lower(at + shared.SERVER_CONNECTIONS_MAX, at + shared.SERVER_CONNECTIONS);
      lower(at + shared.SERVER_QUEUED_MAX, at + shared.SERVER_QUEUED);
    }
    for (let number = 0; number < counts.binds; number++) {
      const at = shared.bindAt(memory, number);
      lower(at + shared.LIMIT_CLIENTS_MAX, at + shared.LIMIT_CLIENTS);
    }
    const step = shared.COUNTERS_IN_A_ROW;
    for (let at = 0; at < this.cells.length; at += step) this.cells.fill(0, at + c.TIMES_MAX, at + c.TIMES_MAX + 4);
  }
}

function newRates(count: number, now_ms: number): readonly Rate[] {
  return Array.from({ length: count }, () => new Rate(0, now_ms));
}
