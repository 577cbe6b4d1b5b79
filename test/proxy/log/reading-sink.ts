/** A sink that gives each line to the test. */
import type { Sink } from '#src/proxy/log/sink.js';
import type { Buffers } from '#src/reactor/buffers.js';

export class ReadingSink implements Sink {
  dropped = 0;
  private readonly buffers: Buffers;
  private readonly take: (line: string) => void;
  private buffer = -1;

  constructor(buffers: Buffers, take: (line: string) => void) {
    this.buffers = buffers;
    this.take = take;
  }

  room(): number {
    this.buffer = this.buffers.takeSmall();
    return this.buffers.offsetOf(this.buffer);
  }

  put(length: number): void {
    const offset = this.buffers.offsetOf(this.buffer);
    this.take(Buffer.from(this.buffers.bytes.subarray(offset, offset + length)).toString('latin1'));
    this.buffers.release(this.buffer);
  }

  flush(): void {}
}
