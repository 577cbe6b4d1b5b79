/** Tunnels that break off after each of their bytes: `mode tcp`, WebSocket and CONNECT. */

import type { Wire } from '../wire.js';
import { type Cut, cutEverywhere, type Step } from './cutting.js';
import { ANNOUNCED, refusalOf } from './requests.js';

const TALK: readonly Step[] = [
  { from: 'client', text: 'a question' },
  { from: 'server', text: 'its answer' },
  { from: 'client', text: 'another question' },
  { from: 'server', text: 'another answer' },
];

/** Who says FIN may be answered to the end; RST ends both. */
function stateOfTunnel({ by, how }: Cut): RegExp {
  if (how === 'end') return /^--$/;
  return by === 'client' ? /^CD$/ : /^SD$/;
}

const hearsInTunnel = ({ by }: Cut, client: Wire, wires: readonly Wire[]) =>
  ((by === 'client' ? wires.at(-1) : client)?.ended ?? 'no') !== 'no';

cutEverywhere({
  name: 'a TCP session',
  steps: TALK,
  options: { mode: 'tcp' },
  states: stateOfTunnel,
  hears: hearsInTunnel,
});

cutEverywhere({
  name: 'a TCP session that another proxy announces',
  steps: [{ from: 'client', text: `${ANNOUNCED}a question`, heard: 'a question' }, ...TALK.slice(1)],
  options: { mode: 'tcp', bind: 'accept-proxy' },
  states: (cut) => (cut.step === 0 && cut.length < ANNOUNCED.length ? refusalOf(cut) : stateOfTunnel(cut)),
  hears: (cut, client, wires) =>
    cut.step > 0 || cut.length >= ANNOUNCED.length ? hearsInTunnel(cut, client, wires) : wires.length === 0,
});

const OPENINGS: Readonly<Record<string, readonly [request: string, grant: string]>> = {
  'a WebSocket': [
    'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
  ],
  'a CONNECT': ['CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n'],
};

for (const [name, [request, grant]] of Object.entries(OPENINGS))
  cutEverywhere({
    name,
    steps: [{ from: 'client', text: request, heard: '\r\n\r\n' }, { from: 'server', text: grant }, ...TALK],
    states: (cut) => {
      if (cut.step > 1 || (cut.step === 1 && cut.length === grant.length)) return stateOfTunnel(cut);
      if (cut.by === 'server') return /^SH$/;
      if (cut.length < request.length) return cut.length === 0 ? /^(CR|--)$/ : /^CR$/;
      return cut.how === 'end' ? /^SH$/ : /^C[DH]$/;
    },
    hears: (cut, client, wires) => {
      if (cut.step > 1 || (cut.step === 1 && cut.length === grant.length)) return hearsInTunnel(cut, client, wires);
      if (cut.by === 'client' && cut.length < request.length) return wires.length === 0;
      // a reset is heard late of who will not ask again: were the server to end first, it would be the cause
      if (cut.by === 'client') return wires.length === 1 && (cut.how === 'end' || wires[0]!.ended !== 'no');
      return client.text.startsWith('HTTP/1.1 502 ');
    },
  });
