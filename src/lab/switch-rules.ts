/** What the switch drops between its ports, by name of host, as rules of nftables. A host may get another port meanwhile. */
import type { Cut, SwitchChange } from './scenario.ts';

export class SwitchRules {
  readonly #ports = new Map<string, string>();
  #cuts: Cut[] = [];
  #loss_percent = 0;

  setPort(host: string, port: string): void {
    this.#ports.set(host, port);
  }

  change(change: SwitchChange): void {
    if (change.kind === 'cut') this.#cuts.push(change);
    if (change.kind === 'heal') this.#cuts = [];
    if (change.kind === 'lose') this.#loss_percent = change.percent;
  }

  get loses(): boolean {
    return this.#loss_percent > 0;
  }

  get drops(): boolean {
    return this.#cuts.length > 0 || this.loses;
  }

  /** One chain: frames between two ports come by once for each port that they leave by. */
  toString(): string {
    const loss = this.loses ? [`numgen random mod 100 <= ${this.#loss_percent - 1} drop`] : [];
    const rules = [...this.#cuts.map((cut) => this.#rule(cut)), ...loss];
    return ['chain forward {', 'type filter hook forward priority 0; policy accept;', ...rules, '}'].join('\n');
  }

  #rule({ from, to, family }: Cut): string {
    const port = (word: string, host: string | undefined): string =>
      host === undefined ? '' : `${word} "${this.#ports.get(host) ?? ''}" `;
    // ARP is how IPv4 finds its way; neighbour discovery is IPv6 itself
    const kind = family === undefined ? '' : `ether type ${family === 4 ? '{ ip, arp }' : 'ip6'} `;
    return `${port('iifname', from)}${port('oifname', to)}${kind}drop`;
  }
}
