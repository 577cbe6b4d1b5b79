/** Who sends what has to be dropped: a small table, in which the one that was silent for longest makes room. */
import { formatMac, formatMapped, MAPPED_BYTES, sameBytes } from './address.ts';
import type { BadSource, Drop } from './events.ts';

const ROWS_MAX = 64;
const SOURCE_MAC_AT = 6;
/** However many one sender sends. */
const LOG_EVERY_NS = 1e9;

type Row = {
  interface: string;
  /** Mapped. */
  readonly source: Uint8Array;
  readonly mac: Uint8Array;
  /** -1: not readable. */
  vhid: number;
  why: Drop;
  count: number;
  first_ns: number;
  last_ns: number;
  logged_ns: number;
};

export type BadSources = Row[];

export function createBadSources(): BadSources {
  return [];
}

/** `source` is mapped, all 0 when it could not be read; `frame` gives the MAC. */
export function noteBadSource(
  rows: BadSources,
  name: string,
  source: Uint8Array,
  frame: Uint8Array,
  vhid: number,
  why: Drop,
  now_ns: number,
): Row {
  const row = find(rows, name, source) ?? makeRoom(rows, name, source, now_ns);
  for (let i = 0; i < 6; i++) row.mac[i] = frame[SOURCE_MAC_AT + i];
  row.vhid = vhid;
  row.why = why;
  row.count++;
  row.last_ns = now_ns;
  return row;
}

/** Whether it is time to tell of this sender again; then it counts as told. */
export function isDue(row: Row, now_ns: number): boolean {
  if (now_ns - row.logged_ns < LOG_EVERY_NS) return false;
  row.logged_ns = now_ns;
  return true;
}

function find(rows: BadSources, name: string, source: Uint8Array): Row | undefined {
  for (const row of rows) if (row.interface === name && sameBytes(row.source, source)) return row;
  return undefined;
}

function makeRoom(rows: BadSources, name: string, source: Uint8Array, now_ns: number): Row {
  const row = rows.length < ROWS_MAX ? createRow() : oldest(rows);
  if (!rows.includes(row)) rows.push(row);
  row.interface = name;
  row.source.set(source);
  row.count = 0;
  row.first_ns = now_ns;
  row.logged_ns = Number.NEGATIVE_INFINITY;
  return row;
}

function createRow(): Row {
  const source = new Uint8Array(MAPPED_BYTES);
  const times = { first_ns: 0, last_ns: 0, logged_ns: 0 };
  return { interface: '', source, mac: new Uint8Array(6), vhid: -1, why: 'dropped_length', count: 0, ...times };
}

function oldest(rows: BadSources): Row {
  let found = rows[0];
  for (const row of rows) if (row.last_ns < found.last_ns) found = row;
  return found;
}

/** As status shows them, the latest first. */
export function listBadSources(rows: BadSources): readonly BadSource[] {
  return [...rows]
    .sort((a, b) => b.last_ns - a.last_ns)
    .map(({ source, mac, vhid, logged_ns: _, ...row }) => ({
      ...row,
      source: formatMapped(source),
      mac: formatMac(mac),
      vhid: vhid < 0 ? undefined : vhid,
    }));
}
