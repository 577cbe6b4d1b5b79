/**
 * One client of a stats socket: lines of commands with `;` between them, answered one after the other, each answer with an empty
 * line behind it. After the lines that came at once the connection is closed, unless `prompt` was among the commands: then a prompt
 * stands behind each answer.
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
      const goes_on = await answerLine(line!);
      if (goes_on === 'never' || (goes_on === 'if asked' && !received.includes('\n'))) client.end();
      if (client.writableEnded) return;
    }
    busy = false;
    if (ended) client.end();
  };

  /** Does the client get answers to more lines? */
  const answerLine = async (line: string): Promise<'always' | 'if asked' | 'never'> => {
    const commands = splitCommands(line);
    if (commands.length === 0 && session.interactive) client.write(PROMPT);
    for (const words of commands) {
      if (words[0] === 'quit') return 'never';
      const text = words.length === 0 ? '' : await answer(words, session, client);
      if (text === undefined) return 'always'; // somebody else goes on with this client
      client.write(text + (session.interactive ? PROMPT : '\n'));
      client.setTimeout(session.idle_ms ?? IDLE_MS);
    }
    return session.interactive ? 'always' : 'if asked';
  };
}
