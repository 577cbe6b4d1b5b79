/**
 * A frontend's log: one line a request or TCP session, in its format (compile-format.ts), behind the header that each target
 * wants (syslog-header.ts), at a level that tells good from bad, to each of its targets.
 */
import type * as model from '../../config/model.ts';
import { SMALL_BYTES } from '../../reactor/buffers.ts';
import type { Frontend } from '../frontend.ts';
import type { Exchange } from '../http/exchange.ts';
import type { ProxyThread } from '../proxy-thread.ts';
import type { TcpSession } from '../tcp/tcp-session.ts';
import { type CompiledFormat, compileFormat } from './compile-format.ts';
import { LineWriter } from './line-writer.ts';
import { LogRecord, NO_BYTES } from './log-record.ts';
import type { Sink } from './sink.ts';
import { SyslogHeader } from './syslog-header.ts';

export type Target = { readonly sink: Sink; readonly config: model.LogTarget };

const ERROR = 3;
const INFO = 6;
const NEWLINE = 10;
const DEFAULT_TAG = 'carpool';
/** The longest unique id. */
const ID_BYTES = 256;

type Way = Target & { readonly header: SyslogHeader; readonly sample: Sample | null };

export class RequestLog {
  /** Lines are written when the response begins (`option logasap`). */
  readonly asap: boolean;
  /** The format names our end of the connection to the server. */
  readonly names_source: boolean;
  readonly captures_headers: boolean;
  private readonly thread: ProxyThread;
  private readonly config: model.Frontend;
  private readonly ways: readonly Way[];
  private readonly format: CompiledFormat;
  private readonly id_format: CompiledFormat | null;
  private readonly record: LogRecord;
  private readonly writer: LineWriter;

  constructor(thread: ProxyThread, frontend: Frontend, targets: readonly Target[], global: model.Global) {
    const { config } = frontend;
    const tag = config.log_tag ?? global.log_tag ?? DEFAULT_TAG;
    this.thread = thread;
    this.config = config;
    this.ways = targets.map((target) => ({
      ...target,
      header: new SyslogHeader({ target: target.config, tag, hostname: global.log_send_hostname }),
      sample: target.config.sample ? new Sample(target.config.sample) : null,
    }));
    this.format = compileFormat(config.log_format, frontend);
    this.id_format = config.unique_id_format ? compileFormat(config.unique_id_format, frontend) : null;
    this.asap = config.log_asap;
    this.names_source = this.format.mentions('bi', 'bp');
    this.captures_headers = config.captures.request.length + config.captures.response.length > 0;
    this.record = new LogRecord(frontend);
    this.writer = new LineWriter(thread.reactor.buffers.bytes);
  }

  /** `early`: its response has only begun. */
  request(exchange: Exchange, early: boolean): void {
    this.record.takeRequest(exchange, Date.now(), this.thread.reactor.now_ms);
    this.send(early);
  }

  session(session: TcpSession, early: boolean): void {
    this.record.takeSession(session, Date.now(), this.thread.reactor.now_ms);
    this.send(early);
  }

  /** What `%ID` will show of this request; no bytes without a `unique-id-format`. */
  uniqueId(exchange: Exchange): Uint8Array {
    const { id_format, record, writer } = this;
    const { buffers, now_ms } = this.thread.reactor;
    const buffer = id_format ? buffers.takeSmall() : -1;
    if (!id_format || buffer < 0) return NO_BYTES;
    const offset = buffers.offsetOf(buffer);
    writer.begin(offset, ID_BYTES);
    record.takeRequest(exchange, Date.now(), now_ms);
    id_format.write(writer, record);
    const id = buffers.bytes.slice(offset, writer.end);
    buffers.release(buffer);
    return id;
  }

  private send(early: boolean): void {
    const { record, config } = this;
    const { normal } = record;
    if (normal && !config.log_normal) return;
    record.early = early;
    const level = !normal && config.log_separate_errors ? ERROR : INFO;
    for (let index = 0; index < this.ways.length; index++) this.sendTo(this.ways[index], level);
  }

  private sendTo({ sink, config, header, sample }: Way, level: number): void {
    if (level > config.max_level || (sample && !sample.takesNext())) return;
    const { buffers } = this.thread.reactor;
    const buffer = buffers.takeSmall();
    if (buffer < 0) {
      sink.dropped++;
      return;
    }
    const { writer, record } = this;
    const offset = buffers.offsetOf(buffer);
    writer.begin(offset, Math.min(config.max_bytes, SMALL_BYTES) - 1);
    header.write(writer, Math.max(level, config.min_level), record.wall_ms);
    this.format.write(writer, record);
    const end = writer.end;
    buffers.bytes[end] = NEWLINE;
    const is_datagram = config.to.kind === 'udp' || config.to.kind === 'unix';
    sink.send(buffer, offset, end - offset + (is_datagram ? 0 : 1));
  }
}

/** `sample 1,3-5:8`: which of the lines, one after the other, are sent. */
class Sample {
  private readonly config: model.LogSample;
  private number = 0;

  constructor(config: model.LogSample) {
    this.config = config;
  }

  takesNext(): boolean {
    const { ranges, size } = this.config;
    this.number = (this.number % size) + 1;
    for (let index = 0; index < ranges.length; index++) {
      const range = ranges[index];
      if (this.number >= range[0] && this.number <= range[1]) return true;
    }
    return false;
  }
}
