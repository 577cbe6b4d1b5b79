/** Each test drops what it has in a worker thread, because nobody gets it back. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';

const NOBODY = 65534;
const skip = process.getuid?.() === 0 ? false : 'needs root';
const MODULES = JSON.stringify({
  privileges: import.meta.resolve('#src/system/privileges.js'),
});

/** What `body`, the text of an async function, returns in a thread of its own. */
function inThread<T>(body: string): Promise<T> {
  const code = `
    const { parentPort } = require('node:worker_threads');
    const modules = ${MODULES};
    (async () => { ${body} })().then((value) => parentPort.postMessage(value));`;
  const worker = new Worker(code, { eval: true });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve).once('error', reject);
  });
}

const DROP = `
  const { dropPrivileges } = await import(modules.privileges);
  const { readFileSync } = require('node:fs');
  const drop = (keep) => dropPrivileges({ uid: ${NOBODY}, gid: ${NOBODY}, groups: [], keep });
  const own = () => readFileSync('/proc/thread-self/status', 'utf8');
`;

describe('dropPrivileges', { skip }, () => {
  test('changes the calling thread and no other', async () => {
    const [uid, status] = await inThread<[number, string]>(`${DROP}
      const uid_before = /^Uid:\\s+(\\d+)/m.exec(own())[1];
      drop([]);
      return [Number(uid_before), own()];`);
    assert.equal(uid, 0);
    assert.match(status, /^Uid:\s+65534\s+65534\s+65534\s/m);
    assert.match(status, /^Gid:\s+65534\s+65534\s+65534\s/m);
    assert.match(status, /^Groups:\s*$/m);
    assert.match(status, /^CapEff:\s+0+$/m);
    assert.match(readFileSync('/proc/thread-self/status', 'utf8'), /^Uid:\s+0\s/m);
  });

  test('keeps what it is told to keep, and nothing else', async () => {
    const status = await inThread<string>(`${DROP}
      drop(['CAP_NET_RAW', 'CAP_NET_ADMIN']);
      return own();`);
    assert.match(status, /^CapEff:\s+0*3000$/m);
    assert.match(status, /^CapPrm:\s+0*3000$/m);
  });

  test('can not be undone', async () => {
    const message = await inThread<string>(`${DROP}
      drop(['CAP_NET_RAW']);
      try { dropPrivileges({ uid: 0, gid: 0, groups: [], keep: [] }); return 'it could'; } catch (error) { return error.message; }`);
    assert.match(message, /EPERM/);
  });

  test('says what is refused when a right to keep is not there', async () => {
    const message = await inThread<string>(`${DROP}
      drop(['CAP_NET_RAW']);
      const { setCapabilities } = await import(modules.privileges);
      try { setCapabilities(['CAP_NET_ADMIN']); return 'granted'; } catch (error) { return error.message; }`);
    assert.match(message, /set capabilities: EPERM/);
  });
});
