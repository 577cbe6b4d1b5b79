/** Long bodies that break off where what carries them changes: small buffers, large ones, pipes. What was said before FIN arrives. */
import { type Cut, cutEverywhere } from './cutting.js';
import { GET, OK } from './requests.js';

const LENGTHS = [1, 16_384, 65_535, 65_536, 65_537, 100_000, 131_072, 262_144, 299_999];
const BODY = 'x'.repeat(300_000);
const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n';

cutEverywhere({
  name: 'a long answer',
  steps: [
    { from: 'client', text: GET },
    { from: 'server', text: `${HEAD}${BODY}` },
  ],
  lengths: LENGTHS.map((length) => HEAD.length + length),
  by: 'server',
  states: () => /^SD$/,
  hears: ({ how, length }, client) => client.ended !== 'no' && (how === 'reset' || client.received.length === length),
});

const ENDLESS_HEAD = 'HTTP/1.1 200 OK\r\n\r\n';
cutEverywhere({
  name: 'a long answer that ends with its connection',
  steps: [
    { from: 'client', text: GET },
    { from: 'server', text: `${ENDLESS_HEAD}${BODY}` },
  ],
  lengths: LENGTHS.map((length) => ENDLESS_HEAD.length + length),
  by: 'server',
  states: ({ how }) => (how === 'end' ? /^--$/ : /^SD$/),
  hears: ({ how }, client) => client.ended === how,
});

cutEverywhere({
  name: 'a long answer to a client that goes in the middle of it',
  steps: [
    { from: 'client', text: GET },
    { from: 'server', text: `${HEAD}${BODY}` },
  ],
  lengths: LENGTHS.map((length) => HEAD.length + length),
  by: 'client',
  meanwhile: true,
  states: ({ how }: Cut) => (how === 'end' ? /^--$/ : /^CD$/),
});

const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n';
cutEverywhere({
  name: 'a long request',
  steps: [
    { from: 'client', text: `${POST}${BODY}`, heard: BODY.slice(-12) },
    { from: 'server', text: OK },
  ],
  lengths: LENGTHS.map((length) => POST.length + length),
  by: 'client',
  states: () => /^CD$/,
  hears: (_cut, _client, wires) => (wires[0]?.ended ?? 'no') !== 'no',
});

for (const by of ['client', 'server'] as const)
  cutEverywhere({
    name: 'a long TCP stream',
    steps: [{ from: by, text: BODY }],
    options: { mode: 'tcp' },
    lengths: LENGTHS,
    by,
    states: ({ how }) => (how === 'end' ? /^--$/ : by === 'client' ? /^CD$/ : /^SD$/),
    hears: ({ how, length }, client, wires) => {
      const listener = by === 'client' ? wires[0] : client;
      return listener?.ended === how && (how === 'reset' || listener.received.length === length);
    },
  });
