/**
 * Those of one thread that wait for one server, or for any server of a backend: by priority, then in the order they came. The
 * thread's row in shared memory tells the others who is first here.
 */
import * as shared from '../threads/shared-memory.ts';
import type { Assignment } from './assignment.ts';

export class WaitingLine {
  first: Assignment | null = null;
  length = 0;
  private last: Assignment | null = null;
  private readonly memory: shared.SharedMemory;
  private readonly row: number;
  private readonly totals: number;

  /** `row` is the thread's; `totals` is where the words QUEUED, QUEUED_MAX and DEQUEUED of all threads begin. */
  constructor(memory: shared.SharedMemory, row: number, totals: number) {
    this.memory = memory;
    this.row = row;
    this.totals = totals;
  }

  /** Of all threads. */
  get queued(): number {
    return Atomics.load(this.memory.words, this.totals);
  }

  /** How many have left it so far, over all threads. */
  get dequeued(): number {
    return Atomics.load(this.memory.words, this.totals + DEQUEUED);
  }

  add(assignment: Assignment): void {
    let before = this.last;
    while (before && goesBefore(assignment, before)) before = before.ahead;
    assignment.ahead = before;
    assignment.behind = before ? before.behind : this.first;
    if (assignment.behind) assignment.behind.ahead = assignment;
    else this.last = assignment;
    if (before) before.behind = assignment;
    else this.first = assignment;
    this.length++;
    this.publish();
    shared.raise(this.memory, this.totals + MAX, Atomics.add(this.memory.words, this.totals, 1) + 1);
  }

  remove(assignment: Assignment): void {
    const { ahead, behind } = assignment;
    if (ahead) ahead.behind = behind;
    else this.first = behind;
    if (behind) behind.ahead = ahead;
    else this.last = ahead;
    assignment.ahead = null;
    assignment.behind = null;
    this.length--;
    this.publish();
    Atomics.sub(this.memory.words, this.totals, 1);
    Atomics.add(this.memory.words, this.totals + DEQUEUED, 1);
  }

  private publish(): void {
    const { words } = this.memory;
    if (this.first) {
      Atomics.store(words, this.row + shared.QUEUE_PRIORITY, this.first.priority);
      Atomics.store(words, this.row + shared.QUEUE_SINCE_MS, this.first.queued_ms & 0x7fffffff);
    }
    Atomics.store(words, this.row + shared.QUEUE_LENGTH, this.length);
  }
}

function goesBefore({ priority, queued_ms }: Assignment, other: Assignment): boolean {
  return priority < other.priority || (priority === other.priority && queued_ms < other.queued_ms);
}

const MAX = 1;
const DEQUEUED = 2;
