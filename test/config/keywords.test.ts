/** Our keyword tables beside HAProxy's own lists. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BIND_WORDS } from '#src/config/haproxy/bind-words.js';
import { GLOBAL_KEYWORDS } from '#src/config/haproxy/global.js';
import {
  HAPROXY_BIND_WORDS,
  HAPROXY_GLOBAL,
  HAPROXY_OPTIONS,
  HAPROXY_PROXY,
  HAPROXY_SERVER_WORDS,
} from '#src/config/haproxy/known-keywords.js';
import { OPTIONS } from '#src/config/haproxy/options.js';
import { PROXY_KEYWORDS } from '#src/config/haproxy/proxy.js';
import { SERVER_WORDS } from '#src/config/haproxy/server.js';

const LETTERS: Record<string, string> = { defaults: 'D', frontend: 'F', listen: 'L', backend: 'B' };

test('every keyword that we read is one of HAProxy', () => {
  const unknown = [
    ...GLOBAL_KEYWORDS.filter(({ name }) => !HAPROXY_GLOBAL.has(name)),
    ...PROXY_KEYWORDS.filter(({ name }) => !HAPROXY_PROXY.has(name)),
    ...OPTIONS.filter(({ name }) => !HAPROXY_OPTIONS.has(name)),
    ...BIND_WORDS.filter(({ name, is_flag }) => HAPROXY_BIND_WORDS.get(name) !== (is_flag ? 0 : 1)),
    ...SERVER_WORDS.filter(({ name, takes_value }) => HAPROXY_SERVER_WORDS.get(name) !== Number(takes_value)),
  ];
  assert.deepEqual(unknown, []);
});

test('a keyword or option is taken in no section where HAProxy refuses it', () => {
  const misplaced = [
    ...PROXY_KEYWORDS.map((row) => ({ row, theirs: HAPROXY_PROXY.get(row.name) ?? '' })),
    ...OPTIONS.map((row) => ({ row, theirs: HAPROXY_OPTIONS.get(row.name) ?? '' })),
  ].flatMap(({ row, theirs }) =>
    row.sections.filter((section) => !theirs.includes(LETTERS[section]!)).map((section) => `${row.name} in ${section}`),
  );
  assert.deepEqual(misplaced, []);
});

test('every row of the tables has one sentence of help', () => {
  const rows = [...GLOBAL_KEYWORDS, ...PROXY_KEYWORDS, ...OPTIONS, ...BIND_WORDS, ...SERVER_WORDS];
  assert.deepEqual(
    rows.filter(({ help }) => !/^(`|[A-Z]).*[.)]$/.test(help)).map(({ name }) => name),
    [],
  );
});
