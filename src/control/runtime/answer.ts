/** What a stats socket answers: a command of the runtime API, else one of the control socket as far as the session's level allows. */
import type { Socket } from 'node:net';
import { answerClient } from '../answer-client.ts';
import { callerOf } from '../caller.ts';
import { type CommandContext, ERROR, parseCommandLine, type Reply } from '../commands.ts';
import { HAND_OVER } from '../hand-over-words.ts';
import { DENIED, type Followed, type Level, mayUse, type Session } from './command.ts';
import { runRuntimeCommand, unknownCommand } from './table.ts';

/** Commands of the control socket that only look. The others are for administrators. */
const LOOKING: Readonly<Record<string, Level>> = {
  status: 'user',
  explain: 'user',
  netstat: 'user',
  version: 'user',
  workers: 'user',
  events: 'operator',
};

/** A client that follows and does not read misses lines. */
const MOST_WAITING_BYTES = 1024 * 1024;

/** Undefined: the client follows events from now on, or has got everything. */
export async function answerRuntime(
  words: readonly string[],
  session: Session,
  client: Socket,
  context: CommandContext,
): Promise<string | undefined> {
  if (words[0] === HAND_OVER) {
    if (!session.exposes_listeners) return `${ERROR}This socket has no \`expose-fd listeners\`.\n`;
    await answerClient(words.join(' '), client, context);
    return undefined;
  }
  const answer = runRuntimeCommand(words, context.runtime, session);
  const said_now = await answer;
  if (typeof said_now === 'object') {
    follow(client, said_now);
    return undefined;
  }
  if (said_now !== undefined) return said_now;
  const parsed = parseCommandLine(words);
  if ('mistake' in parsed) return words[0]! in LOOKING ? `${parsed.mistake}\n` : unknownCommand(words);
  if (!mayUse(LOOKING[words[0]!] ?? 'admin', session)) return DENIED;
  let said: string | undefined = '';
  const reply: Reply = {
    send(text) {
      said = text;
    },
    refuse(sentence) {
      said = `${ERROR}${sentence}\n`;
    },
    passDescriptors: () => undefined, // HAND_OVER alone needs it
    stream(follow) {
      said = undefined;
      client.setTimeout(0);
      client.once(
        'close',
        follow((line) => void client.write(`${line}\n`)),
      );
    },
  };
  await parsed.run(context, reply, callerOf(client));
  return said;
}

/** Until it goes, or types something. */
function follow(client: Socket, { begin, follow: begins }: Followed): void {
  client.setTimeout(0);
  client.write(begin);
  const stop = begins((text) => {
    if (client.writableLength < MOST_WAITING_BYTES) client.write(text);
  });
  client.once('close', stop);
  client.once('data', () => client.end());
}
