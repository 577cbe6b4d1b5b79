/** `option http-restrict-req-hdr-names`: names of fields with other bytes than letters, digits and hyphens, which some servers mix up. */
import type { HttpConnections } from '../../config/model.ts';
import type { Message } from './message.ts';
import * as m from './message.ts';

const plain = new Uint8Array(256);
for (const character of '-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz') {
  plain[character.charCodeAt(0)] = 1;
}

/** Takes such fields out of the request, or (true) says that it is to be refused for one. */
export function restrictNames(policy: HttpConnections['restrict_names'], bytes: Uint8Array, request: Message): boolean {
  if (policy === 'preserve') return false;
  let kept = 0;
  for (let index = 0; index < request.field_count; index++) {
    if (isPlain(bytes, request.name_start[index], request.name_end[index])) keep(request, index, kept++);
    else if (policy === 'reject') return true;
  }
  if (kept < request.field_count) request.flags |= m.LACKS_FIELDS;
  request.field_count = kept;
  return false;
}

function isPlain(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (plain[bytes[at]] === 0) return false;
  return true;
}

function keep(request: Message, index: number, place: number): void {
  request.name_start[place] = request.name_start[index];
  request.name_end[place] = request.name_end[index];
  request.value_start[place] = request.value_start[index];
  request.value_end[place] = request.value_end[index];
  request.meaning[place] = request.meaning[index];
}
