/** A server with `redir PREFIX`: clients of GET and HEAD are sent there instead of being served through here (manual 5.2). */
import { SMALL_BYTES } from '../../reactor/buffers.ts';
import type { Server } from '../server.ts';
import { COLON, SPACE } from './characters.ts';
import * as m from './message.ts';

/** The whole reply, or null: the request is served as any other. `line`: the request line. */
export function redirectionTo({ config }: Server, method: number, line: Uint8Array): Uint8Array | null {
  if (config.redirect === undefined || (method !== m.METHOD_GET && method !== m.METHOD_HEAD)) return null;
  const start = line.indexOf(SPACE) + 1;
  const path = withoutOrigin(line.subarray(start, line.indexOf(SPACE, start)));
  const location = Buffer.concat([encoder.encode(config.redirect), path]);
  const reply = Buffer.concat([BEFORE, location, AFTER]);
  return reply.length <= SMALL_BYTES ? reply : null;
}

/** What is behind `http://host`. */
function withoutOrigin(target: Uint8Array): Uint8Array {
  if (target[0] === SLASH) return target;
  const colon = target.indexOf(COLON);
  const path = target.indexOf(SLASH, colon + 3);
  return path < 0 ? encoder.encode('/') : target.subarray(path);
}

const encoder = new TextEncoder();
const BEFORE = encoder.encode('HTTP/1.1 302 Found\r\nCache-Control: no-cache\r\nContent-Length: 0\r\nLocation: ');
const AFTER = encoder.encode('\r\nConnection: close\r\n\r\n');
const SLASH = 47;
