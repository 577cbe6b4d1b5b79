/** A log format, compiled once into a row of functions that write one after the other. */
import { parseLogFormat } from '../../config/log-format.ts';
import type { LogFlags, LogFormat, LogPart } from '../../config/model.ts';
import type { Frontend } from '../frontend.ts';
import { bytesOfValue, compileSample } from '../sample/value.ts';
import type { Captures, SamplePart } from './captures.ts';
import { httpLine } from './http-line.ts';
import type { LineWriter } from './line-writer.ts';
import { FIELDS, type Field, type FieldWriter } from './log-fields.ts';
import type { LogRecord } from './log-record.ts';
import { CONNECT_FORMAT, STANDARD_FORMATS } from './standard-formats.ts';

const QUOTE = 34;
const DASH = 45;

export class CompiledFormat {
  private readonly writers: readonly FieldWriter[];
  /** Names of the fields in it. */
  private readonly names: ReadonlySet<string>;

  /** `captures`: where samples are kept; without, they are taken when the format is written. `whole`: writes all of it. */
  constructor(parts: readonly LogPart[], captures?: Captures, whole?: FieldWriter) {
    this.writers = whole ? [whole] : parts.map((part) => compilePart(part, captures));
    this.names = new Set(parts.flatMap((part) => (part.kind === 'field' ? [part.name] : [])));
  }

  write(writer: LineWriter, record: LogRecord): void {
    const { writers } = this;
    for (let index = 0; index < writers.length; index++) writers[index](writer, record);
  }

  mentions(...names: readonly string[]): boolean {
    return names.some((name) => this.names.has(name));
  }
}

/** For lines of the log, which are written when requests are gone. */
export function compileFormat(format: LogFormat, { config, captures }: Frontend): CompiledFormat {
  if (format.kind === 'text') return new CompiledFormat(format.parts, captures);
  const mode = config.mode === 'http' ? 'HTTP)' : 'TCP)';
  const text = format.kind === 'none' ? `${CONNECT_FORMAT}${mode}` : STANDARD_FORMATS[format.kind];
  const is_plain = format.kind === 'httplog' && !captures.any && !config.log_asap;
  return new CompiledFormat(parseLogFormat(text).parts, undefined, is_plain ? httpLine() : undefined);
}

function compilePart(part: LogPart, captures: Captures | undefined): FieldWriter {
  if (part.kind === 'space') return (writer) => writer.separate();
  if (part.kind === 'text') {
    const bytes = new TextEncoder().encode(part.text);
    return (writer) => writer.text(bytes);
  }
  if (part.kind === 'sample') return withFlags(compileSamplePart(part, captures), part.flags, captures !== undefined);
  const field = FIELDS[part.name] as Field;
  const { quoted, hexadecimal } = part.flags;
  const digits = hexadecimal ? field.hexadecimal : undefined; // in no quotes, as HAProxy
  const write = digits ?? (quoted ? (field.quoted ?? field.write) : field.write);
  const { absent } = field;
  const flagged = digits || field.numeric ? write : withFlags(write, part.flags, !field.may_be_empty);
  if (!absent) return flagged;
  return (writer, record) => {
    if (!absent(record)) flagged(writer, record);
  };
}

function compileSamplePart(part: SamplePart, captures: Captures | undefined): FieldWriter {
  const { moment } = part;
  const place = captures?.samplePlace(part) ?? -1;
  if (place >= 0 && (moment === 'request' || moment === 'response')) {
    return (writer, { captured }) => {
      const bytes = captured?.samples[moment][place];
      if (bytes) writer.printable(bytes);
    };
  }
  const read = compileSample(part.sample);
  return (writer, record) => {
    const value = read(record.subject);
    if (value !== undefined) writer.printable(bytesOfValue(value));
  };
}

/** `dash`: for what is not there. */
function withFlags(write: FieldWriter, { quoted, escaped }: LogFlags, dash = true): FieldWriter {
  const inner: FieldWriter = escaped
    ? (writer, record) => {
        const start = writer.end;
        write(writer, record);
        writer.escapeFrom(start);
      }
    : write;
  return (writer, record) => {
    if (quoted) writer.byte(QUOTE);
    const start = writer.end;
    inner(writer, record);
    if (dash && writer.end === start && !quoted) writer.byte(DASH);
    if (quoted) writer.byte(QUOTE);
  };
}
