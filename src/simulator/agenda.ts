/** What is going to happen, in the order of time and, at the same time, of planning: a binary heap. */
type Entry = { readonly at_ns: number; readonly turn: number; readonly act: () => void };

export class Agenda {
  readonly #heap: Entry[] = [];
  #turn = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** Infinity when nothing is planned. */
  get next_ns(): number {
    return this.#heap.length === 0 ? Number.POSITIVE_INFINITY : this.#heap[0].at_ns;
  }

  plan(at_ns: number, act: () => void): void {
    const heap = this.#heap;
    heap.push({ at_ns, turn: this.#turn++, act });
    for (let at = heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!isBefore(heap[at], heap[parent])) return;
      swap(heap, at, parent);
      at = parent;
    }
  }

  /** Takes the next act away. */
  take(): () => void {
    const heap = this.#heap;
    const { act } = heap[0];
    const last = heap.pop()!;
    if (heap.length > 0) {
      heap[0] = last;
      sink(heap);
    }
    return act;
  }
}

function sink(heap: Entry[]): void {
  for (let at = 0; ; ) {
    let least = at;
    for (const child of [2 * at + 1, 2 * at + 2])
      if (child < heap.length && isBefore(heap[child], heap[least])) least = child;
    if (least === at) return;
    swap(heap, at, least);
    at = least;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at_ns < b.at_ns || (a.at_ns === b.at_ns && a.turn < b.turn);
}

function swap(heap: Entry[], a: number, b: number): void {
  const held = heap[a];
  heap[a] = heap[b];
  heap[b] = held;
}
