/**
 * Requests and their answers that break off after each of their bytes. Whatever is cut: no server sees a request twice or one that its
 * client did not end, and the client is told or cut off.
 */
import { cutEverywhere } from './cutting.js';
import { BODIES, CHUNKED, GET, HEAD, OK, play, statesOf } from './requests.js';

/** A second try would find the other side of a second connection. */
const WILLING = { backend: ' option redispatch\n retries 3\n' };
for (const [framed, request] of Object.entries(BODIES)) play(`a body ${framed}`, request, OK, { options: WILLING });

const HINTED = `HTTP/1.1 103 Early Hints\r\n\r\n${OK}`;
play('an answer after a hint', GET, HINTED, {
  options: WILLING,
  by: 'server',
  states: ({ length }) =>
    length < HINTED.length - 'an answer'.length ? /^SH$/ : length < HINTED.length ? /^SD$/ : /^--$/,
  hears: (_cut, client, wires) => wires.length === 1 && / (200|502) /.test(client.text),
});

for (const [framed, answer] of Object.entries({ 'with a length': OK, 'in chunks': CHUNKED }))
  cutEverywhere({
    name: `an answer ${framed}, heard by half`,
    steps: [
      { from: 'client', text: GET },
      { from: 'server', text: answer },
    ],
    by: 'client',
    meanwhile: true,
    // who only said FIN still gets all of it
    states: ({ how, step, length }) => {
      if (step === 0) return statesOf(GET, answer, GET.length)({ by: 'client', how, step, length });
      return how === 'end' || length === answer.length ? /^--$/ : /^CD$/;
    },
    hears: ({ how, step, length }, client, wires) => {
      if (step === 0 && length < GET.length) return wires.length === 0;
      if (step === 0) return wires.length === 1 && (how === 'end' || wires[0]!.ended !== 'no');
      return how === 'end'
        ? client.text.endsWith(answer.slice(-6))
        : length === answer.length || wires[0]!.ended !== 'no';
    },
  });

play('a body in chunks for a server that answers in chunks', BODIES['in chunks'], CHUNKED, {});

const OLD_POST = `${HEAD.replace('1.1', '1.0')}Content-Length: 6\r\n\r\nabcdef`;
play('an answer whose chunks are taken off', OLD_POST, CHUNKED, {});
