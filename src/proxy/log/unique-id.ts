/** `unique-id-format`: made of a request when it comes, for the log (`%ID`) and for the server (`unique-id-header`). */
import type { LogFormat } from '../../config/model.ts';
import type { Frontend } from '../frontend.ts';
import type { Exchange } from '../http/exchange.ts';
import { CompiledFormat } from './compile-format.ts';
import { LineWriter } from './line-writer.ts';
import { LogRecord } from './log-record.ts';

/** The longest. */
const MOST_BYTES = 256;

export class UniqueId {
  /** The name of the field that tells it to servers. */
  readonly header: Uint8Array | null;
  private readonly format: CompiledFormat;
  private readonly record: LogRecord;
  private readonly writer: LineWriter;
  private readonly bytes = new Uint8Array(MOST_BYTES);

  constructor(frontend: Frontend, format: Extract<LogFormat, { readonly kind: 'text' }>) {
    const { unique_id_header } = frontend.config;
    this.header = unique_id_header === undefined ? null : new TextEncoder().encode(unique_id_header);
    this.format = new CompiledFormat(format.parts);
    this.record = new LogRecord(frontend);
    this.writer = new LineWriter(frontend.thread.reactor.buffers.bytes, this.bytes);
  }

  /** The thread's request message is filled. */
  make(exchange: Exchange): Uint8Array {
    const { record, writer } = this;
    const { request, reactor } = exchange.thread;
    record.takeRequest(exchange, Date.now(), reactor.now_ms);
    record.line_offset = request.start; // its bytes are not kept yet
    record.request = request;
    writer.begin(0, MOST_BYTES);
    this.format.write(writer, record);
    return this.bytes.slice(0, writer.end);
  }
}
