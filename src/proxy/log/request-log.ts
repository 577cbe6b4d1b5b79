/**
 * A frontend's log: one line a request or TCP session, in its format (compile-format.ts), behind the header that each target
 * wants (syslog-header.ts), at a level that tells good from bad, to each of its targets.
 */

import { parseLogFormat } from '../../config/log-format.ts';
import type * as model from '../../config/model.ts';
import { SMALL_BYTES } from '../../reactor/buffers.ts';
import { Assignment } from '../assignment.ts';
import type { Frontend } from '../frontend.ts';
import type { Exchange } from '../http/exchange.ts';
import type { ProxyThread } from '../proxy-thread.ts';
import { FAILURES } from '../sample/failures.ts';
import type { TcpSession } from '../tcp/tcp-session.ts';
import { CompiledFormat, compileFormat } from './compile-format.ts';
import { LineWriter } from './line-writer.ts';
import { type Failed, LogRecord } from './log-record.ts';
import type { Sink } from './sink.ts';
import { SyslogHeader } from './syslog-header.ts';

export type Target = { readonly sink: Sink; readonly config: model.LogTarget };

const ERROR = 3;
const INFO = 6;
const NEWLINE = 10;
const SPACE = 32;
const DASH = 45;
const DEFAULT_TAG = 'carpool';
/** How a connection is named that failed before its first request (manual 8.2.5); its `bind` and the reason follow. */
const FAILED = '%ci:%cp [%t] %f/';

type Way = Target & { readonly header: SyslogHeader; readonly sample: Sample | null };

const encoder = new TextEncoder();

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
  /** Of what never became a request; null: the one above, or `FAILED` for connections. */
  private readonly error_format: CompiledFormat | null;
  private readonly failed_format = new CompiledFormat(parseLogFormat(FAILED).parts);
  /** Of the structured data of RFC 5424. */
  private readonly structured_format: CompiledFormat | null;
  private readonly record: LogRecord;
  private readonly writer: LineWriter;
  /** For connections that had no server. */
  private nobody: Assignment | null = null;

  constructor(thread: ProxyThread, frontend: Frontend, targets: readonly Target[], global: model.Global) {
    const { config } = frontend;
    const tag = config.log_tag ?? global.log_tag ?? DEFAULT_TAG;
    this.thread = thread;
    this.config = config;
    this.ways = targets.map((target) => ({
      ...target,
      header: new SyslogHeader({
        target: target.config,
        tag,
        hostname: global.log_send_hostname,
        structured: config.log_format_sd !== undefined,
      }),
      sample: target.config.sample ? new Sample(target.config.sample) : null,
    }));
    this.format = compileFormat(config.log_format, frontend);
    this.error_format = config.error_log_format ? compileFormat(config.error_log_format, frontend) : null;
    this.structured_format = config.log_format_sd ? compileFormat(config.log_format_sd, frontend) : null;
    this.asap = config.log_asap;
    this.names_source = this.format.mentions('bi', 'bp');
    this.captures_headers = frontend.captures.any;
    this.record = new LogRecord(frontend);
    this.writer = new LineWriter(thread.reactor.buffers.bytes);
  }

  /** `early`: its response has only begun. */
  request(exchange: Exchange, early: boolean): void {
    this.record.takeRequest(exchange, Date.now(), this.thread.reactor.now_ms);
    if (this.error_format && this.record.head_ms < 0 && this.record.line_length === 0)
      this.sendAll(this.error_format, this.error_level);
    else this.send(early);
  }

  /** A connection that failed before its first request. `bind`: which one it came to. */
  failure(failed: Failed, bind: string): void {
    this.nobody ??= new Assignment({ thread: this.thread, useServer() {}, noServer() {}, wakeIn() {} });
    this.record.takeFailure(failed, this.nobody, Date.now(), this.thread.reactor.now_ms);
    const text = this.error_format ? '' : `${bind}: ${FAILURES[failed.failure]}`;
    this.sendAll(this.error_format ?? this.failed_format, this.error_level, text);
  }

  session(session: TcpSession, early: boolean): void {
    this.record.takeSession(session, Date.now(), this.thread.reactor.now_ms);
    this.send(early);
  }

  private send(early: boolean): void {
    const { record, config } = this;
    const { normal } = record;
    if (normal && !config.log_normal) return;
    record.early = early;
    this.sendAll(this.format, normal ? INFO : this.error_level);
  }

  private get error_level(): number {
    return this.config.log_separate_errors ? ERROR : INFO;
  }

  private sendAll(format: CompiledFormat, level: number, more = ''): void {
    for (let index = 0; index < this.ways.length; index++) this.sendTo(this.ways[index], format, level, more);
  }

  private sendTo({ sink, config, header, sample }: Way, format: CompiledFormat, level: number, more: string): void {
    if (level > config.max_level || (sample && !sample.takesNext())) return;
    const length = Math.min(config.max_bytes + 1, SMALL_BYTES); // the newline does not count
    const offset = sink.room(length);
    if (offset < 0) return;
    const { writer, record } = this;
    writer.begin(offset, length - 1);
    header.write(writer, Math.max(level, config.min_level), record.wall_ms);
    if (header.structured) this.writeStructuredData();
    format.write(writer, record);
    if (more !== '') writer.text(encoder.encode(more));
    const { end } = writer;
    const is_datagram = config.to.kind === 'udp' || config.to.kind === 'unix';
    if (!is_datagram) this.thread.reactor.buffers.bytes[end] = NEWLINE;
    sink.put(end - offset + (is_datagram ? 0 : 1));
  }

  private writeStructuredData(): void {
    const { writer } = this;
    const start = writer.end;
    this.structured_format?.write(writer, this.record);
    if (writer.end === start) writer.byte(DASH);
    writer.byte(SPACE);
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
