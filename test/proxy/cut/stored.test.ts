/**
 * Requests that break off after each of their bytes where they are not simply passed on: stored first, kept for another try, asked for
 * with 100, announced by another proxy, on a connection that served before, behind somebody in a queue.
 */
import { cutEverywhere, type Play } from './cutting.js';
import { ANNOUNCED, BODIES, GET, HEAD, headOf, hearsOf, OK, play, refusalOf, statesOf } from './requests.js';

for (const [framed, request] of Object.entries(BODIES))
  play(
    `a body ${framed} that is stored before a server is asked`,
    request,
    OK,
    { options: { frontend: ' option http-buffer-request\n' } },
    request.length,
  );

const INTRODUCED = `${ANNOUNCED}${GET}`;
play('a request that another proxy announces', INTRODUCED, OK, {
  options: { bind: 'accept-proxy' },
  states: (cut) =>
    cut.by === 'client' && cut.length < ANNOUNCED.length
      ? refusalOf(cut)
      : statesOf(INTRODUCED, OK, INTRODUCED.length)(cut),
  hears: hearsOf(INTRODUCED, INTRODUCED.length),
});

const EXPECTING = `${HEAD}Content-Length: 6\r\nExpect: 100-continue\r\n\r\n`;
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
cutEverywhere({
  name: 'a body that waits for 100',
  steps: [
    { from: 'client', text: EXPECTING },
    { from: 'server', text: CONTINUE },
    { from: 'client', text: 'abcdef', heard: 'abcdef' },
    { from: 'server', text: OK },
  ],
  states: ({ by, how, step, length }) => {
    if (by === 'server') return step === 1 || length < headOf(OK) ? /^SH$/ : length < OK.length ? /^SD$/ : /^--$/;
    if (step === 0) return length < EXPECTING.length ? /^CR$/ : /^C[DH]$/;
    return how === 'end' && length === 6 ? /^SH$/ : /^C[DH]$/;
  },
  hears: ({ by, how, step, length }, client, wires) => {
    if (by === 'server') return step === 1 ? client.text.includes(' 502 ') : client.text !== '';
    if (step === 0 && length < EXPECTING.length) return wires.length === 0;
    return (step === 2 && length === 6 && how === 'end') || (wires[0]?.ended ?? 'no') !== 'no';
  },
});

const SEVERAL_TRIES = { backend: ' retry-on all-retryable-errors\n retries 2\n' };
for (const [framed, request] of Object.entries(BODIES))
  play(`a body ${framed} that is kept for another try`, request, OK, {
    options: SEVERAL_TRIES,
    hears: (cut, client, wires) => {
      if (cut.by === 'client') return hearsOf(request, headOf(request))!(cut, client, wires);
      if (cut.length >= headOf(OK)) return client.text !== '';
      return client.text === '' && wires.length === 2 && wires[1]!.text === wires[0]!.text;
    },
  });

const KEPT: Play['before'] = {
  steps: [
    { from: 'client', text: GET },
    { from: 'server', text: OK },
  ],
  stays: false,
};
play('a request on a connection that served before', GET, OK, {
  options: { backend: ' http-reuse always\n' },
  before: KEPT,
  hears: (cut, client, wires) => {
    const is_again = cut.by === 'server' && cut.length === 0; // unseen by the client, on a new connection
    if (wires.length !== (is_again ? 2 : 1)) return false;
    return is_again || cut.by === 'client' || client.text !== '' || client.ended !== 'no';
  },
});

play('a request that waits in a queue', GET, OK, {
  options: { server: 'maxconn 1' },
  before: { steps: [{ from: 'client', text: GET }], stays: true },
  by: 'client',
  states: ({ length, how }) => (length < GET.length ? /^CR$/ : how === 'end' ? /^SH$/ : /^CQ$/),
  hears: (_cut, _client, wires) => wires.length === 1,
});
