/**
 * One client of a stats socket: lines of commands with `;` between them, answered one after the other, each answer with an empty
 * line behind it. After the lines that came at once the connection is closed, unless `prompt` was among the commands: then a prompt
 * stands behind each answer. A line that ends with `<<` is answered when an empty line has ended the text that follows it.
 */
import type { Socket } from 'node:net';
import type { Session } from './command.ts';
import { splitCommands } from './split-commands.ts';

const MOST_LINE_BYTES = 16_384;
/** HAProxy's `stats timeout`. */
const IDLE_MS = 10_000;
/** The text behind a command's `<<`, which no command here wants. */
const PAYLOAD = /(?:^|\s)<<\s*$/;

/** The answer to a command's words. */
export type Answer = (words: readonly string[], session: Session, client: Socket) => Promise<string | undefined>;

export function converse(client: Socket, session: Session, answer: Answer): void {
  let received = '';
  let busy = false;
  let ended = false;
  /** Lines of a payload that were answered with `+ `, the command's own among them. */
  let asked_for_more = 0;
  client.setEncoding('utf8');
  client.setTimeout(session.idle_ms ?? IDLE_MS, () => client.destroy());
  client.on('error', () => client.destroy());
  client.on('data', (text: string) => {
    received += text;
    if (received.length > MOST_LINE_BYTES) client.destroy();
    else void goOn();
  });
  client.on('end', () => {
    ended = true;
    void goOn();
  });

  const goOn = async () => {
    if (busy) return;
    busy = true;
    while (!client.destroyed && (received.includes('\n') || (ended && received !== ''))) {
      const line = takeCommand();
      if (line === undefined) break;
      const goes_on = await answerLine(line);
      if (goes_on === 'never' || (goes_on === 'if asked' && !received.includes('\n'))) client.end();
      if (client.writableEnded) return;
    }
    busy = false;
    if (ended) client.end();
  };

  /** The next line, without what follows its `<<`; undefined: more of that must come. */
  const takeCommand = (): string | undefined => {
    const [line] = received.split('\n', 1) as [string];
    const rest = received.slice(line.length + 1);
    if (!PAYLOAD.test(line)) {
      received = rest;
      return line;
    }
    const lines = rest.split('\n');
    const end = lines.findIndex((each, index) => index < lines.length - 1 && each.trim() === '');
    if (session.interactive) {
      const read = end < 0 ? lines.length - 1 : end;
      client.write('+ '.repeat(1 + read - asked_for_more));
      asked_for_more = end < 0 ? 1 + read : 0;
    }
    if (end < 0) return undefined;
    received = lines.slice(end + 1).join('\n');
    return line.replace(PAYLOAD, '');
  };

  /** Does the client get answers to more lines? */
  const answerLine = async (line: string): Promise<'always' | 'if asked' | 'never'> => {
    const commands = splitCommands(line);
    if (commands.length === 0 && session.interactive) client.write(promptOf(session, ''));
    for (const words of commands) {
      if (words[0] === 'quit') return 'never';
      const text = words.length === 0 ? '' : await answer(words, session, client);
      if (text === undefined) return 'always'; // somebody else goes on with this client
      client.write(text + (session.interactive ? promptOf(session, text) : '\n'));
      client.setTimeout(session.idle_ms ?? IDLE_MS);
    }
    return session.interactive ? 'always' : 'if asked';
  };
}

/** A master's and its worker's stand at the beginning of a line where there is nothing to say. */
function promptOf({ target }: Session, text: string): string {
  if (target === undefined) return '\n> ';
  return `${text === '' ? '' : '\n'}${target === 'master' ? 'master' : process.pid}> `;
}
