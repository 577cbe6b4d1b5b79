/** Rows of statistics as CSV, typed lines and JSON (management manual, 9.1 to 9.3). */
import { describeStat } from './descriptions.ts';
import {
  FIRST_OF_PROTOCOLS,
  type Field,
  KINDS,
  type RowKind,
  STAT_FIELDS,
  type StatRow,
  type Values,
} from './fields.ts';

/** Each line ends with a comma, as in HAProxy. */
export function renderCsv(rows: readonly StatRow[]): string {
  const line = (cells: readonly string[]) => `${cells.join(',')},\n`;
  const head = STAT_FIELDS.flatMap(({ name }) => (name === FIRST_OF_PROTOCOLS ? ['-', name] : [name]));
  const cells = ({ values }: StatRow) =>
    STAT_FIELDS.flatMap(({ name }) =>
      name === FIRST_OF_PROTOCOLS ? ['-', cellOf(values, name)] : [cellOf(values, name)],
    );
  return `# ${line(head)}${rows.map((row) => line(cells(row))).join('')}`;
}

function cellOf(values: Values, name: string): string {
  const text = String(values[name] ?? '');
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** `describes`: each line says what its field means. */
export function renderTyped(rows: readonly StatRow[], describes: boolean): string {
  return rows
    .map(({ kind, iid, sid, values }) =>
      set(STAT_FIELDS, values)
        .map(
          ([field, value]) =>
            `${kind}.${iid}.${sid}.${typed(ofKind(field, kind), value, describes ? describeStat(field.name) : undefined)}`,
        )
        .join(''),
    )
    .join('');
}

/** Of a backend, these are told as gauges. */
const GAUGES_OF_BACKENDS = ['act', 'bck', 'rate', 'rate_max'];

function ofKind(field: Field, kind: RowKind): Field {
  return kind === 'B' && GAUGES_OF_BACKENDS.includes(field.name) ? { ...field, tags: 'MGP' } : field;
}

/** `position.name.process:tags:type:value[:"meaning"]` */
export function typed({ position, name, tags, type }: Field, value: string | number, meaning?: string): string {
  return `${position}.${name}.1:${tags}:${type}:${value}${meaning === undefined ? '' : `:"${meaning}"`}\n`;
}

export function renderJson(rows: readonly StatRow[]): string {
  const row = ({ kind, iid, sid, values }: StatRow) =>
    set(STAT_FIELDS, values).map(([field, value]) => ({
      objType: KINDS[kind].name,
      proxyId: iid,
      id: sid,
      ...jsonField(ofKind(field, kind), value),
    }));
  return `${JSON.stringify(rows.map(row))}\n`;
}

export const ORIGINS: Readonly<Record<string, string>> = {
  M: 'Metric',
  S: 'Status',
  K: 'Key',
  C: 'Config',
  P: 'Product', // biome-ignore format: one line of letters
};
export const NATURES: Readonly<Record<string, string>> = {
  A: 'Age',
  a: 'Avg',
  C: 'Counter',
  D: 'Duration',
  G: 'Gauge',
  L: 'Limit',
  M: 'Max',
  m: 'Min',
  N: 'Name',
  O: 'Output',
  R: 'Rate',
  T: 'Time', // biome-ignore format: two lines of letters
};
export const SCOPES: Readonly<Record<string, string>> = { C: 'Cluster', S: 'Service', P: 'Process' };

export function jsonField({ position, name, tags, type }: Field, value: string | number): object {
  const [origin, nature, scope] = [...tags];
  return {
    field: { pos: position, name },
    processNum: 1,
    tags: { origin: ORIGINS[origin], nature: NATURES[nature], scope: SCOPES[scope] },
    value: { type, value },
  };
}

/** The fields that have a value. */
export function set(fields: readonly Field[], values: Values): [Field, string | number][] {
  return fields.flatMap((field) => {
    const value = values[field.name];
    return value === undefined ? [] : [[field, value] satisfies [Field, string | number]];
  });
}
