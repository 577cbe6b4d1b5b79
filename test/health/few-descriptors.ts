/** Checks 100 silent servers with few descriptors left for them; prints what the thread says, a line each. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { httpCheck } from '#src/config/model-defaults.js';
import { startChecksThread } from '#src/threads/checks-handle.js';
import * as shared from '#src/threads/shared-memory.js';
import { checkConfig } from '../helpers/check-config.js';
import { PATIENCE_MS } from '../helpers/patience.js';

const SERVERS = 100;
const LEFT = 50;
const port = Number(process.argv[2]);

const memory = shared.createSharedMemory({ threads: 3, servers: SERVERS, backends: 1, frontends: 0, binds: 0 });
for (let server = 0; server < SERVERS; server++) {
  memory.words[shared.serverAt(memory, server) + shared.SERVER_OPERATIONAL] = shared.SERVER_UP;
}
const servers = Array.from({ length: SERVERS }, () => ({ port, inter_ms: 200, fall: 1 }));
const check = httpCheck('OPTIONS', '/', 'HTTP/1.0');
let begun = false;
const handle = startChecksThread({
  config: checkConfig([{ servers: [] }]),
  memory,
  reactor: 'epoll',
  onMessage: (message) => {
    if (begun) console.log(JSON.stringify(message));
    if (message.kind === 'fatal' || (begun && message.kind === 'checked-once')) void handle.stop(PATIENCE_MS);
    else if (message.kind === 'checked-once') begin();
  },
});

/** Only now: Node has loaded whatever it will, many files at once. */
function begin(): void {
  begun = true;
  const limit = readdirSync('/proc/self/fd').length + LEFT;
  spawnSync('prlimit', ['--pid', String(process.pid), `--nofile=${limit}:${limit}`]);
  handle.configure(checkConfig([{ servers, check }]), memory);
}
