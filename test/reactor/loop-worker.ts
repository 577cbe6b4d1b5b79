/** A thread as the daemon runs them: blocks in its reactor until it is woken and told to stop. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { chooseReactor } from '#src/reactor/choose.js';

let woken = 0;
let stopping = false;
const { reactor } = chooseReactor(
  {
    small_count: 16,
    large_count: 1,
    reserve: 0,
    pipe_count: 0,
    socket_count: 4,
    wake_fd: workerData.wake_fd,
    onWake: () => {
      woken++;
      for (let got = receiveMessageOnPort(parentPort!); got; got = receiveMessageOnPort(parentPort!)) {
        stopping ||= got.message === 'stop';
      }
    },
  },
  workerData.kind,
);
parentPort!.postMessage('ready');
let passes = 0;
for (; !stopping; passes++) reactor.pass(Number.POSITIVE_INFINITY);
reactor.destroy();
parentPort!.postMessage({ woken, passes });
