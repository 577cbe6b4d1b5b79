import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openSyslog } from '#src/control/syslog.js';
import { listenForDatagrams } from '../helpers/datagrams.js';

const directory = mkdtempSync('/tmp/carpool-syslog-');
const path = join(directory, 'log');
after(() => rmSync(directory, { recursive: true }));

test('a line goes to syslog with facility, severity, time and program', () => {
  const daemon = listenForDatagrams(path);
  const syslog = openSyslog(19, 'ucarp', path);
  syslog('Switching to state: MASTER', 'warning');
  assert.match(
    daemon.hear(),
    new RegExp(
      `^<156>[A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d ucarp\\[${process.pid}\\]: Switching to state: MASTER$`,
    ),
  );
  syslog(`two\nlines ${'x'.repeat(2000)}`, 'info');
  const long = daemon.hear();
  assert.match(long, /^<158>.*: two lines x+$/);
  assert.equal(long.length, 1024);
  daemon.close();
});

test('a syslog daemon that is not there costs lines, and one that comes back hears the next', () => {
  const syslog = openSyslog(3, 'ucarp', `${path}-later`);
  syslog('lost', 'error');
  const first = listenForDatagrams(`${path}-later`);
  syslog('one', 'error');
  assert.match(first.hear(), /^<27>.*: one$/);
  first.close();
  rmSync(`${path}-later`);
  syslog('lost', 'error');
  const second = listenForDatagrams(`${path}-later`);
  syslog('two', 'notice');
  assert.match(second.hear(), /^<29>.*: two$/);
  second.close();
});
