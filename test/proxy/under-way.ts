/** How most conversations in tests begin: one client, one server, and a request that the server has read the head of. */
import { type Kind, ProxyRig, type RigOptions } from './harness.js';
import { RawServer, type Wire } from './wire.js';

export type UnderWay = {
  readonly server: RawServer;
  readonly rig: ProxyRig;
  readonly client: Wire;
  /** The server's end of its first connection. */
  readonly wire: Wire;
};

export async function underWay(kind: Kind, request: string, options: RigOptions = {}): Promise<UnderWay> {
  const server = await RawServer.start();
  const rig = new ProxyRig(kind, [server], options);
  const client = await rig.client();
  client.write(request);
  const wire = await server.wire(0);
  await wire.takesHead();
  return { server, rig, client, wire };
}
