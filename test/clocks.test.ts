/** The wall clock is for dates that people and cookies read. What waits, times out or expires goes by the monotonic one. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../src/', import.meta.url));

/** Who may ask what time it is, and for what. */
const DATES: Readonly<Record<string, string>> = {
  'control/clock.ts': 'dates of events',
  'control/global-log.ts': 'dates of log lines',
  'control/syslog.ts': 'dates of log lines',
  'control/runtime/activity.ts': 'what show activity prints',
  'control/runtime/errors.ts': 'what show errors prints',
  'control/runtime/sessions-commands.ts': 'dates of sessions',
  'control/stats/info.ts': 'the date of the start',
  'proxy/backend.ts': 'dates in cookies, which browsers keep',
  'proxy/http/bad-messages.ts': 'dates of what show errors prints',
  'proxy/log/request-log.ts': 'dates of log lines',
  'proxy/log/unique-id.ts': 'part of a unique id',
  'proxy/sample/fetches.ts': 'the date sample of logs',
  'threads/checks-runner.ts': 'the date sample of checks',
};

const WALL_CLOCK = /\bDate\.now\(\)|\bnew Date\(\)|CLOCK_REALTIME|performance\.timeOrigin/;

test('only dates come from the wall clock', () => {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const asking = files.filter((file) => WALL_CLOCK.test(readFileSync(join(root, file), 'utf8')));
  assert.deepEqual(asking.sort(), Object.keys(DATES).sort());
});
