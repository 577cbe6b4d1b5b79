/** `send-proxy` of servers: the first bytes on a connection say whose it is. */
import type * as model from '../../config/model.ts';
import type { Socket } from '../../reactor/socket.ts';
import { destinationOf, sourceOf } from '../ends.ts';
import { sendBytes } from '../send-bytes.ts';
import { encodeBinary, encodeText } from './header.ts';

/** False: there is no buffer for it. */
export function sendProxyHeader(
  socket: Socket,
  client: Socket,
  how: model.SendProxy,
  unique_id: Uint8Array | undefined,
): boolean {
  const source = sourceOf(client);
  const destination = destinationOf(client);
  const ends = source && destination && { source, destination };
  const id = how.unique_id && unique_id && unique_id.length > 0 ? unique_id : undefined;
  const authority = how.authority ? client.ends?.authority : undefined;
  const { crc32c, ssl } = how;
  const header = how.version === 1 ? encodeText(ends) : encodeBinary(ends, { crc32c, unique_id: id, authority, ssl });
  return sendBytes(socket, header);
}
