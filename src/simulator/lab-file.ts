/** The file of a carpool in the lab, with what a reload changes in it. */
import { SECRETS } from './program.ts';
import type { Configured, Fault, HostSettings } from './scenario.ts';

/** What every file of the lab's nodes is called. */
export const FILE_NAME = 'haproxy.cfg';
/** A daemon without any vhid has to have something to do. */
const NOTHING = ['frontend nothing', '    mode tcp', '    bind 127.0.0.1:9'];

type Reload = Pick<Fault & { kind: 'reload' }, 'secret' | 'also' | 'advskew' | 'absent'>;
/** When all faults end: all agree again. */
export const AGREED: Reload = { secret: 0, also: -1, advskew: -1, absent: -1 };

export class LabFile {
  readonly #number: number;
  readonly #hosts: number;
  readonly #segment: number;
  #filed: readonly Configured[];

  /** Of host `number` among so many; with its vhids on one segment. */
  constructor({ members }: HostSettings, number: number, hosts: number, segment: number) {
    this.#number = number;
    this.#hosts = hosts;
    this.#segment = segment;
    this.#filed = members.map((member) => ({ ...member, secret: 0, also: -1, absent: false }));
  }

  get members(): readonly Configured[] {
    return this.#filed.filter(({ segment, absent }) => segment === this.#segment && !absent);
  }

  get lines(): string[] {
    const lines = this.members.flatMap((member) => carpLines(member, this.#number, this.#hosts));
    return lines.length === 0 ? NOTHING : lines;
  }

  /** As Host.reload of the simulator. Returns whether the text is another one now. */
  reload({ secret, also, advskew, absent }: Reload): boolean {
    return this.#change((member, index) => ({
      ...member,
      secret: secret < 0 ? member.secret : secret,
      also,
      advskew: advskew < 0 ? member.advskew : advskew,
      absent: absent === index,
    }));
  }

  /** As Host.boot: whoever starts it puts back what was taken out. */
  boot(): boolean {
    return this.#change((member) => ({ ...member, absent: false }));
  }

  #change(change: (member: Configured, index: number) => Configured): boolean {
    const before = this.lines.join();
    this.#filed = this.#filed.map(change);
    return this.lines.join() !== before;
  }
}

export function addressOf(number: number): string {
  return `10.10.${number >> 8}.${number & 255}`;
}

function carpLines(member: Configured, number: number, hosts: number): string[] {
  const { vhid, advbase, advskew, preempt, delay_ms, unicast, demote_byte, secret, also } = member;
  const others = Array.from({ length: hosts }, (_, at) => at + 1).filter((other) => other !== number);
  const { four, six } = addressesOf(member, secret);
  const accepted = addressesOf(member, Math.max(also, 0));
  const keywords = [
    'interface eth0',
    `vhid ${vhid}`,
    `pass "${SECRETS[secret].password}"`,
    ...four.map((address) => `address ${address}/16`),
    ...six.map((address) => `address ${address}/64`),
    ...(also < 0
      ? []
      : [`also accept pass "${SECRETS[also].password}" address ${[...accepted.four, ...accepted.six].join(' ')}`]),
    ...(unicast ? others.map((other) => `peer ${addressOf(other)}`) : []),
    ...(demote_byte ? ['openbsd-demote-byte'] : []),
    `advbase ${advbase}`,
    `advskew ${advskew}`,
    ...(preempt ? [delay_ms ? `preempt delay ${delay_ms}ms` : 'preempt'] : []),
  ];
  return [`carp v${vhid}`, ...keywords.map((keyword) => `    ${keyword}`)];
}

/** Those of the simulator (program.ts); and of IPv4 always, for that is what the client probes. */
function addressesOf({ vhid, families = 4 }: Configured, secret: number): { four: string[]; six: string[] } {
  const { addresses } = SECRETS[secret];
  const four = [255, 254].slice(0, addresses).map((net) => `10.10.${net}.${vhid}`);
  const six = [1, 2].slice(0, addresses).map((host) => `fd00::1:${vhid}:${host}`);
  return { four, six: families === 4 ? [] : six };
}
