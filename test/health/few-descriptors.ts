/** Checks 100 silent servers with the few descriptors this process was given; prints what the thread says, a line each. */
import { httpCheck } from '#src/config/model-defaults.js';
import { startChecksThread } from '#src/threads/checks-handle.js';
import { createSharedMemory } from '#src/threads/shared-memory.js';
import { checkConfig } from '../helpers/check-config.js';

const SERVERS = 100;
const port = Number(process.argv[2]);

const servers = Array.from({ length: SERVERS }, () => ({ port, inter_ms: 200 }));
const check = httpCheck('OPTIONS', '/', 'HTTP/1.0');
const handle = startChecksThread({
  config: checkConfig([{ servers, check }]),
  memory: createSharedMemory({ threads: 3, servers: SERVERS, backends: 1, frontends: 0, binds: 0 }),
  reactor: 'epoll',
  onMessage: (message) => {
    console.log(JSON.stringify(message));
    if (message.kind === 'checked-once' || message.kind === 'fatal') void handle.stop(1000);
  },
});
