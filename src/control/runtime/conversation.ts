/**
 * One client of a stats socket: lines of commands with `;` between them, answered one after the other, each answer with an empty
 * line behind it. After one line the connection is closed, unless `prompt` was among the commands.
 */
import type { Socket } from 'node:net';
import type { Session } from './command.ts';
import { splitCommands } from './split-commands.ts';

const MOST_LINE_BYTES = 16_384;
/** HAProxy's `stats timeout`. */
const IDLE_MS = 10_000;
const PROMPT = '\n> ';

/** The answer to a command's words. */
export type Answer = (words: readonly string[], session: Session, client: Socket) => Promise<string | undefined>;

export function converse(client: Socket, session: Session, answer: Answer): void {
  let received = '';
  let busy = false;
  let ended = false;
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
      const [line] = received.split('\n', 1);
      received = received.slice(line!.length + 1);
      if (!(await answerLine(line!)) && !client.destroyed) client.end();
      if (client.writableEnded) return;
    }
    busy = false;
    if (ended) client.end();
  };

  /** False: nothing more is expected from this client. */
  const answerLine = async (line: string): Promise<boolean> => {
    for (const words of splitCommands(line)) {
      if (words[0] === 'quit') return false;
      const text = words.length === 0 ? '' : await answer(words, session, client);
      if (text === undefined) return true; // somebody else goes on with this client
      client.write(session.interactive ? text : `${text}\n`);
      client.setTimeout(session.idle_ms ?? IDLE_MS);
    }
    if (session.interactive) client.write(PROMPT);
    return session.interactive;
  };
}
