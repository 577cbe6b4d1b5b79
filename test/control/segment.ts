/** Several hosts (`createHost`) on one switch, each with `eth0`, for what takes more than one machine. */
import { closeSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { INTERFACE, Network } from '#src/lab/network.js';
import { createNetworkNamespace, insideNetworkNamespace } from '#src/system/namespaces.js';
import { type Host, hostIn } from './host.js';

/** Hosts with these addresses of 10.10.0.0/16. */
export function createSegment(t: TestContext, ...addresses: readonly string[]): Host[] {
  const namespace = createNetworkNamespace();
  t.after(() => closeSync(namespace));
  const subnet = { address: '10.10.0.0', prefix_length: 16 };
  const network = insideNetworkNamespace(namespace, () => new Network(subnet));
  return addresses.map((address) => hostIn(t, network.connect(address, address).namespace_fd, INTERFACE));
}
