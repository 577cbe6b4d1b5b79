/** Scenes on a network of their own, and the pair of nodes with which most of them begin. */
import { test } from 'node:test';
import type { Carp } from '#src/config/model.js';
import { type Carpool, eventually, type TestHost, TestNetwork } from './carp-network.js';
import { PATIENCE_MS } from './patience.js';

export type Pair = { readonly host_a: TestHost; readonly host_b: TestHost; readonly a: Carpool; readonly b: Carpool };

/** A test on a network of its own, which is taken down whatever happens. */
export function scene(
  name: string,
  body: (network: TestNetwork) => Promise<void>,
  { skip = false }: { skip?: string | false } = {},
): void {
  test(name, { skip, timeout: 2 * PATIENCE_MS }, async () => {
    const network = new TestNetwork();
    try {
      await body(network);
    } finally {
      await network.close();
    }
  });
}

/** `a` is MASTER and its guardian runs; `b` is BACKUP and hears it. */
export async function startPair(network: TestNetwork, carp_a: Carp, carp_b: Carp): Promise<Pair> {
  const host_a = network.addHost('a', '10.44.0.1');
  const host_b = network.addHost('b', '10.44.0.2');
  const a = network.startCarpool(host_a, [carp_a]);
  await a.becomes('MASTER', PATIENCE_MS);
  const b = network.startCarpool(host_b, [carp_b]);
  await b.becomes('BACKUP', PATIENCE_MS);
  await b.hears(3000);
  await eventually('the guardian of a runs', PATIENCE_MS, () => a.guardianRuns());
  return { host_a, host_b, a, b };
}
