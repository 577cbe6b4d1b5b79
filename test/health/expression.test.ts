/** What the configuration takes of fetches and converters is what checks can evaluate, no more and no less. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONVERTERS, FETCHES } from '#src/config/haproxy/checks/format.js';
import { CONVERT, FETCH } from '#src/health/expression.js';

test('every fetch and converter that is read can be evaluated', () => {
  assert.deepEqual(Object.keys(FETCHES).sort(), Object.keys(FETCH).sort());
  assert.deepEqual(Object.keys(CONVERTERS).sort(), Object.keys(CONVERT).sort());
});
