/** `option forwardfor` tells the server who the client is, `option originalto` whom it wanted. */
import type * as model from '../../config/model.ts';
import { parseAddress } from '../../system/ip-address.ts';
import { holds, type Network, networkOf } from '../sample/network.ts';
import { equalsIgnoringCase, lowerCaseBytes } from './characters.ts';
import { isNominated } from './fields.ts';
import type { Message } from './message.ts';

export class ForwardFor {
  readonly name: Uint8Array;
  private readonly lower: Uint8Array;
  private readonly if_none: boolean;
  private readonly except: readonly Network[];

  constructor(config: model.ForwardFor) {
    this.name = new TextEncoder().encode(config.header);
    this.lower = lowerCaseBytes(config.header);
    this.if_none = config.if_none;
    this.except = config.except.map(networkOf);
  }

  /** `told`: the address as text. */
  appliesTo(bytes: Uint8Array, request: Message, told: Uint8Array): boolean {
    if (this.except.length > 0 && this.excepts(told)) return false;
    if (!this.if_none) return true;
    for (let index = 0; index < request.field_count; index++) {
      const name_start = request.name_start[index];
      const name_end = request.name_end[index];
      if (!equalsIgnoringCase(bytes, name_start, name_end, this.lower)) continue;
      return request.option_count > 0 && isNominated(bytes, request, name_start, name_end);
    }
    return true;
  }

  private excepts(told: Uint8Array): boolean {
    const address = parseAddress(String.fromCharCode(...told));
    return address !== undefined && this.except.some((network) => holds(network, address));
  }
}
