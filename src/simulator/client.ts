/** What a client of a shared address sends. */
import { parseAddress } from '../carp/address.ts';

/** "Who has `address`? Tell `asker`" (4 bytes), as a broadcast frame. */
export function arpRequest(asker: Uint8Array, address: string): Uint8Array {
  const frame = new Uint8Array(42);
  const mac = Uint8Array.of(2, 1, ...asker);
  frame.fill(0xff, 0, 6);
  frame.set(mac, 6);
  frame.set([0x08, 0x06, 0, 1, 0x08, 0x00, 6, 4, 0, 1], 12);
  frame.set(mac, 22);
  frame.set(asker, 28);
  frame.set(parseAddress(address)!, 38);
  return frame;
}
