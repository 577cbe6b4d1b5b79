/** `monitor-uri` and `monitor fail`: whether this site is well, for those who ask before they send people here. */
import type * as model from '../../config/model.ts';
import type { Exchange } from '../http/exchange.ts';
import { compileRuleCondition, type Holds } from '../sample/condition.ts';
import type { RequestHead } from '../sample/subject.ts';

export class Monitor {
  private readonly uri: Uint8Array;
  private readonly fails: readonly Holds[];

  constructor({ uri, fails }: model.Monitor) {
    this.uri = new TextEncoder().encode(uri);
    this.fails = fails.map(compileRuleCondition);
  }

  /** It asks for exactly this URI. */
  private isAsked(bytes: Uint8Array, { target_start, target_end }: RequestHead): boolean {
    const { uri } = this;
    if (target_end - target_start !== uri.length) return false;
    for (let at = 0; at < uri.length; at++) if (bytes[target_start + at] !== uri[at]) return false;
    return true;
  }

  /** The status of the answer; 0: the request is another one. Its head is the thread's request message. */
  answer({ thread: { facts }, frontend, backend, client }: Exchange, request: RequestHead): 0 | 200 | 503 {
    if (!this.isAsked(facts.bytes, request)) return 0;
    const subject = facts.about(frontend, backend, client.socket, request);
    return this.fails.some((holds) => holds(subject)) ? 503 : 200;
  }
}
