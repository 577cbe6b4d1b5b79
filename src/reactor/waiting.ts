/**
 * Sockets that wait for a buffer, first come, first served. Each stands in the queue at most once, which bounds it; what a
 * socket that left early (closed, paused) stood for is looked at and passed over when its turn comes.
 */
export class WaitingSockets {
  count = 0;
  private readonly slots: Int32Array;
  private readonly inside: Uint8Array;
  private first = 0;

  constructor(socket_count: number) {
    this.slots = new Int32Array(socket_count);
    this.inside = new Uint8Array(socket_count);
  }

  /** Does nothing when the slot waits already: it keeps its place. */
  push(slot: number): void {
    if (this.inside[slot] === 1) return;
    this.inside[slot] = 1;
    this.slots[(this.first + this.count++) % this.slots.length] = slot;
  }

  /** The slot that waited longest. `count` must be above 0. */
  shift(): number {
    const slot = this.slots[this.first];
    this.first = (this.first + 1) % this.slots.length;
    this.count--;
    this.inside[slot] = 0;
    return slot;
  }
}
