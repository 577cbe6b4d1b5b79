/** The PROXY protocol line (version 1) of a check's own connection: `PROXY TCP4 10.0.0.1 10.0.0.2 40000 80`. */
import { encodeText } from '../proxy/proxy-protocol/header.ts';
import { localAddress, peerAddress } from '../system/peer-address.ts';

/** UNKNOWN where the kernel does not tell, which receivers must take. */
export function proxyLine(fd: number): Uint8Array {
  const source = localAddress(fd);
  const peer = peerAddress(fd);
  const destination = peer && { address: new TextDecoder().decode(peer.address), port: peer.port };
  return encodeText(source && destination && { source, destination });
}
