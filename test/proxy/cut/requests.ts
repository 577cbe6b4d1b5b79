/** Requests to cut, what the log may say then, and how the other side hears of it. */

import { response } from '../wire.js';
import { type Cut, cutEverywhere, type Play } from './cutting.js';

export const OK = response('an answer');
export const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\n';
export const BODIES = {
  'with a length': `${HEAD}Content-Length: 6\r\n\r\nabcdef`,
  'in chunks': `${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: v\r\n\r\n`,
} as const;
export const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
export const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: v\r\n\r\n';

export const headOf = (text: string) => text.indexOf('\r\n\r\n') + 4;

/** Of a request that is one step, and an answer that is one. `heard`: how much of the request makes a server be asked. */
export function statesOf(request: string, answer: string, heard: number): Play['states'] {
  return ({ by, how, length }) => {
    if (by === 'server') return length < headOf(answer) ? /^SH$/ : length < answer.length ? /^SD$/ : /^--$/;
    if (length === request.length) return how === 'end' ? /^SH$/ : /^CD$/;
    return length < heard ? /^CR$/ : /^C[DH]$/;
  };
}

/** Until the whole request is there nobody may take it for one; who waits for its answer is told, or cut off. */
export function hearsOf(request: string, heard: number): Play['hears'] {
  return ({ by, length, how }, client, wires) => {
    if (by === 'server') return wires.length === 1 && (client.text !== '' || client.ended !== 'no');
    if (length < heard) return wires.length === 0;
    const is_whole = length === request.length;
    const [wire] = wires;
    if (is_whole && how === 'end') return wires.length === 1;
    return wires.length === 1 && wire!.ended !== 'no' && wire!.text.endsWith(request.slice(-6)) === is_whole;
  };
}

export function play(
  name: string,
  request: string,
  answer: string,
  more: Partial<Play>,
  heard = headOf(request),
): void {
  cutEverywhere({
    name,
    steps: [
      { from: 'client', text: request, heard: request.slice(-4) },
      { from: 'server', text: answer, heard: answer.slice(-4) },
    ],
    states: statesOf(request, answer, heard),
    hears: hearsOf(request, heard),
    ...more,
  });
}

export const ANNOUNCED = 'PROXY TCP4 192.0.2.1 192.0.2.2 1000 2000\r\n';

/** HAProxy's words, where the header that announces a client broke off. */
export function refusalOf({ length }: Cut): RegExp {
  return length === 0
    ? /: Connection closed while waiting for PROXY protocol header$/
    : /: Truncated PROXY protocol header received$/;
}
