/** One client of the control socket: its line, looked up in the command table, and the reply written to it. */
import type { Socket } from 'node:net';
import { sendDescriptor } from '../system/pass-descriptor.ts';
import { callerOf } from './caller.ts';
import { splitWords } from './command-words.ts';
import { type CommandContext, ERROR, parseCommandLine, type Reply, SILENCE } from './commands.ts';
import { HAND_OVER_END } from './hand-over-words.ts';

/** A follower that lets this much wait unread is dropped. */
const MAX_UNREAD_BYTES = 1 << 20;

export async function answerClient(line: string, client: Socket, context: CommandContext): Promise<void> {
  const words = splitWords(line);
  const parsed = 'mistake' in words ? words : parseCommandLine(words);
  if ('mistake' in parsed) {
    client.end(`${ERROR}${parsed.mistake}\n`);
    return;
  }
  try {
    await parsed.run(context, replyTo(client), callerOf(client));
  } catch (error) {
    client.end(`${ERROR}The daemon could not answer: ${error instanceof Error ? error.message : String(error)}.\n`);
  }
}

function replyTo(client: Socket): Reply {
  return {
    // an end without a word would look like a daemon that died
    send: (text) => client.end(text === '' ? SILENCE : text),
    refuse: (sentence) => client.end(`${ERROR}${sentence}\n`),
    passDescriptors(list) {
      const socket = (client as { _handle?: { fd?: number } })._handle?.fd ?? -1;
      const all = list.every(({ text, fd }) => sendDescriptor(socket, text, fd));
      client.end(all ? HAND_OVER_END : '');
    },
    stream(follow) {
      client.setTimeout(0);
      const unfollow = follow((line) => {
        if (client.writableLength > MAX_UNREAD_BYTES) client.destroy();
        else if (client.writable) client.write(`${line}\n`);
      });
      client.once('close', unfollow);
    },
  };
}
