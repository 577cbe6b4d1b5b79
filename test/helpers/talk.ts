/**
 * A check's conversation without a network: what it sends is remembered, what the server says is given piece by piece.
 *
 *   const talk = new Talk({ kind: 'redis' });
 *   talk.says('+PONG\r\n');  talk.sent;  talk.verdict?.code
 */
import type { CheckMethod } from '#src/config/model.js';
import { compileCheck } from '#src/health/compile.js';
import { CONNECT, Conversation, DONE, FLUSH, type Need, RECEIVE, SEND } from '#src/health/conversation.js';
import type { ServerFacts } from '#src/health/facts.js';
import type { Program } from '#src/health/steps.js';
import type { Verdict } from '#src/health/verdict.js';

export type Method = Exclude<CheckMethod, { kind: 'external' }>;

export class Talk {
  /** One character a byte. */
  readonly sent: string[] = [];
  readonly connected_to: { address: string; port: number }[] = [];
  readonly conversation: Conversation;
  private need: Need = DONE;

  constructor(method: Method | Program, facts: Partial<ServerFacts> = {}) {
    const program = 'steps' in method ? method : compileCheck(method);
    this.conversation = new Conversation(program, { ...FACTS, ...facts });
    this.begin();
  }

  /** One check after the other, as on a server. */
  begin(): this {
    return this.goOn(this.conversation.begin());
  }

  says(text: string): this {
    const bytes = Buffer.from(`before${text}behind`, 'latin1');
    if (this.need !== RECEIVE) return this;
    return this.goOn(this.conversation.onBytes(bytes, 6, bytes.length - 12));
  }

  closes(): this {
    return this.goOn(this.conversation.onEnd());
  }

  /** Undefined while the check waits for more. */
  get verdict(): Verdict | undefined {
    return this.need === DONE ? this.conversation.verdict : undefined;
  }

  /** `L7OK everything is fine`, or what it waits for. */
  get outcome(): string {
    return this.verdict ? `${this.verdict.code} ${this.verdict.reason}` : 'waits';
  }

  private goOn(next: Need): this {
    let need = next;
    for (let steps = 0; need !== DONE && need !== RECEIVE && steps < 1000; steps++) {
      if (need === CONNECT) {
        const { target_address: address, target_port: port } = this.conversation;
        this.connected_to.push({ address, port });
        need = this.conversation.onConnected();
      } else {
        if (need === SEND) this.sent.push(Buffer.from(this.conversation.bytes).toString('latin1'));
        need = this.conversation.onSent();
        if (need === FLUSH) need = this.conversation.onSent();
      }
    }
    this.need = need;
    return this;
  }
}

const FACTS: ServerFacts = {
  backend: 'web',
  server: 'a',
  address: '192.0.2.1',
  port: 80,
  host_name: 'node1',
  now_s: () => 1_700_000_000,
  environment: () => undefined,
  state: () => 'UP; name=web/a',
  isUp: () => true,
  process_variables: new Map(),
};
