/**
 * A thread that notes when addresses come and go on the hosts, to the tenth of a millisecond. workerData: descriptors of
 * the hosts' namespaces. It posts `[host, time ns, address, present]`, and never ends by itself.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { AddressWatch } from '#src/lab/address-watch.js';
import { now_ns } from '#src/system/clock.js';
import { waitReadable } from '#src/system/icmp.js';
import { useRealTimeScheduling } from '#src/system/scheduling.js';

export type AddressNews = readonly [host: number, at_ns: number, address: string, present: boolean];

/** Where a thread that is told to end looks up. */
const LONGEST_WAIT_NS = 100e6;

function main(namespace_fds: readonly number[]): void {
  let at_ns = 0;
  const watches = namespace_fds.map(
    (fd, host) =>
      new AddressWatch(fd, (address, present) => {
        parentPort!.postMessage([host, at_ns, address, present] satisfies AddressNews);
      }),
  );
  const fds = watches.map((watch) => watch.fd);
  useRealTimeScheduling();
  parentPort!.postMessage('ready');
  for (;;) {
    const readable = waitReadable(fds, LONGEST_WAIT_NS);
    at_ns = now_ns();
    for (const [index, watch] of watches.entries()) if (readable[index]) watch.read();
  }
}

main(workerData as readonly number[]);
