/**
 * All names of a configuration and the servers that have them: what is to be asked now, and what an answer means for whom.
 * No clock, no socket, no randomness of its own.
 *
 *   time, answers ──▶ resolution of the name ──▶ records ──▶ servers: another address, or none
 *                                         └── SRV ──▶ targets: addresses from the same answer, else names of their own
 */
import type { Endpoint, Hold, Resolution as Wishes } from '../config/model.ts';
import { chooseAddresses } from './choose-address.ts';
import type { Answer, DnsRecord, QuestionType, Service } from './message.ts';
import { canonicalName } from './name.ts';
import {
  awaits,
  type Effect,
  type Failure,
  newResolution,
  onAnswer,
  onTime,
  type Resolution,
  type ResolutionSettings,
} from './resolution.ts';
import { placeServices, serverWeight } from './services.ts';

/** A `resolvers` section with the names of its nameservers, those of the host among them. */
export type Section = {
  readonly name: string;
  readonly nameservers: readonly string[];
  readonly resolve_retries: number;
  readonly resolve_ms: number;
  readonly retry_ms: number;
  readonly hold: Hold;
};

/** A server whose address is looked up. */
export type Subject = {
  readonly backend: string;
  readonly server: string;
  /** The name on its line. */
  readonly host: string;
  readonly wishes: Wishes;
  /** Where it is at the beginning; the address may be ''. */
  readonly endpoint: Endpoint;
  /** What it stood for in the configuration before, where its name is a service's. */
  readonly service: Service | undefined;
};

export type Order =
  | { readonly kind: 'ask'; readonly name: Name; readonly query: number; readonly type: QuestionType }
  /** `by`: who said so. `weight`: of an SRV record that the server heeds. */
  | { readonly kind: 'move'; readonly subject: Subject; readonly endpoint: Endpoint; readonly by: string }
  | { readonly kind: 'weigh'; readonly subject: Subject; readonly weight: number }
  /** It stands for another target now. */
  | { readonly kind: 'rename'; readonly subject: Subject; readonly from: string; readonly to: string }
  /** It has no address any more. */
  | { readonly kind: 'lose'; readonly subject: Subject; readonly why: string };

/** A name in a section; servers that prefer other families have names of their own. */
export type Name = {
  readonly section: Section;
  readonly settings: ResolutionSettings;
  readonly text: string;
  state: Resolution;
  readonly holders: Set<Holder>;
};

/** What is known of a subject. */
type Holder = {
  readonly subject: Subject;
  endpoint: Endpoint;
  service: Service | undefined;
  weight: number | undefined;
  /** Why it has no address; undefined: it has one, or nobody was asked yet. */
  lost: string | undefined;
  /** What is looked up for its address: its own name, or its service's target. */
  name: Name | undefined;
};

const WHY: Readonly<Record<Failure, string>> = {
  nx: 'DNS NX status',
  refused: 'DNS refused status',
  timeout: 'DNS timeout status',
  other: 'unspecified DNS error',
};
const NO_ADDRESS = '';

export class Directory {
  private readonly sections: ReadonlyMap<string, Section>;
  private readonly names = new Map<string, Name>();

  constructor(sections: readonly Section[], subjects: readonly Subject[], now_ms: number) {
    this.sections = new Map(sections.map((section) => [section.name, section]));
    for (const subject of subjects) this.add(subject, now_ms);
  }

  private add(subject: Subject, now_ms: number): void {
    const holder: Holder = {
      subject,
      endpoint: subject.endpoint,
      service: subject.service,
      weight: undefined,
      lost: undefined,
      name: undefined,
    };
    const type = subject.host.startsWith('_') ? 'SRV' : preferredType(subject.wishes);
    const name = this.find(subject.wishes.resolvers, subject.host, type, now_ms);
    if (name === undefined) return;
    if (subject.endpoint.address !== NO_ADDRESS) name.state = { ...name.state, valid_ms: now_ms };
    name.holders.add(holder);
    if (type !== 'SRV') holder.name = name;
  }

  /** By `backend/server`: what those stand for whose names are services'. */
  services(): Map<string, Service> {
    const services = new Map<string, Service>();
    for (const { holders } of this.names.values()) {
      for (const { subject, service } of holders) {
        if (service) services.set(`${subject.backend}/${subject.server}`, service);
      }
    }
    return services;
  }

  private find(resolvers: string, host: string, type: QuestionType, now_ms: number): Name | undefined {
    const section = this.sections.get(resolvers);
    if (section === undefined || section.nameservers.length === 0) return undefined;
    const text = canonicalName(host);
    const key = `${resolvers} ${type} ${text}`;
    const known = this.names.get(key);
    if (known) return known;
    const settings = { ...section, nameservers: section.nameservers.length };
    const state = newResolution(text, type, now_ms, Number.NEGATIVE_INFINITY);
    const name: Name = { section, settings, text, state, holders: new Set() };
    this.names.set(key, name);
    return name;
  }

  /** When `onTime` has something to do. Infinity: never. */
  get next_ms(): number {
    let next_ms = Number.POSITIVE_INFINITY;
    for (const { state } of this.names.values()) next_ms = Math.min(next_ms, state.due_ms);
    return next_ms;
  }

  onTime(now_ms: number): Order[] {
    const orders: Order[] = [];
    // names that are new because of these orders have their turn at the next call
    for (const name of [...this.names.values()]) {
      if (name.holders.size > 0) this.take(name, onTime(name.state, name.settings, now_ms), now_ms, orders);
    }
    return orders;
  }

  /** Else an answer comes too late. `nameserver` counts from 0 in the section. */
  awaits({ state }: Name, query: number, nameserver: number): boolean {
    return awaits(state, query, nameserver);
  }

  /** `nameserver` counts from 0 in the section. */
  onAnswer(name: Name, query: number, nameserver: number, answer: Answer, now_ms: number): Order[] {
    const orders: Order[] = [];
    this.take(name, onAnswer(name.state, name.settings, { query, nameserver, answer }, now_ms), now_ms, orders);
    return orders;
  }

  private take(
    name: Name,
    { resolution, effects }: { resolution: Resolution; effects: readonly Effect[] },
    now_ms: number,
    orders: Order[],
  ): void {
    name.state = resolution;
    for (const effect of effects) {
      if (effect.kind === 'ask') orders.push({ kind: 'ask', name, query: effect.query, type: effect.type });
      else if (effect.kind === 'failed') this.fail(name, effect.failure, orders);
      else if (resolution.preferred === 'SRV') this.placeAll(name, effect, now_ms, orders);
      else this.address(name, effect.records, byOf(name, effect.nameserver), orders);
    }
  }

  private fail(name: Name, failure: Failure, orders: Order[]): void {
    for (const holder of name.holders) {
      if (name.state.preferred === 'SRV') this.release(holder);
      lose(holder, WHY[failure], orders);
    }
  }

  // ── addresses ─────────────────────────────────────────────────────────────────────────────────

  private address(name: Name, records: readonly DnsRecord[], by: string, orders: Order[]): void {
    const addresses = records.flatMap((record) =>
      record.type === 'A' || record.type === 'AAAA' ? [record.address] : [],
    );
    for (const holders of byBackend(name)) {
      const seekers = holders.map(({ subject, endpoint, service }) => {
        // places of a service differ by their ports
        const wishes = service ? { ...subject.wishes, allows_duplicates: true } : subject.wishes;
        return { current: endpoint.address, wishes };
      });
      const chosen = chooseAddresses(seekers, addresses);
      holders.forEach((holder, index) => {
        if (chosen[index] === NO_ADDRESS) lose(holder, 'No IP for server', orders);
        else moveTo(holder, chosen[index], by, orders);
      });
    }
  }

  // ── services ──────────────────────────────────────────────────────────────────────────────────

  private placeAll(name: Name, effect: Effect & { kind: 'resolved' }, now_ms: number, orders: Order[]): void {
    const by = byOf(name, effect.nameserver);
    for (const holders of byBackend(name)) {
      const services = placeServices(
        holders.map(({ service }) => service),
        effect.records,
      );
      holders.forEach((holder, index) => {
        const service = services[index];
        if (service) this.place(holder, service, effect.answer, by, now_ms, orders);
        else {
          this.release(holder);
          lose(holder, 'no SRV record for server', orders);
        }
      });
    }
  }

  private place(holder: Holder, service: Service, answer: Answer, by: string, now_ms: number, orders: Order[]): void {
    const { subject } = holder;
    const before = holder.service;
    if (before?.target !== service.target) {
      this.release(holder);
      orders.push({ kind: 'rename', subject, from: before?.target ?? '', to: service.target });
      holder.endpoint = { address: NO_ADDRESS, port: service.port };
    }
    holder.service = service;
    const weight = serverWeight(service);
    if (!subject.wishes.ignores_weight && holder.weight !== weight) {
      holder.weight = weight;
      orders.push({ kind: 'weigh', subject, weight });
    }
    const given = addressesIn(answer, service.target);
    if (given.length > 0) {
      this.forget(holder);
      const seeker = { current: holder.endpoint.address, wishes: { ...subject.wishes, allows_duplicates: true } };
      moveTo(holder, chooseAddresses([seeker], given)[0], by, orders);
    } else this.lookUp(holder, service, now_ms, by, orders);
  }

  /** The target has a name of its own, which is resolved like any other. */
  private lookUp(holder: Holder, { target, port }: Service, now_ms: number, by: string, orders: Order[]): void {
    const { wishes } = holder.subject;
    const name = this.find(wishes.resolvers, target, preferredType(wishes), now_ms);
    if (holder.name !== name) this.forget(holder);
    holder.name = name;
    name?.holders.add(holder);
    const { address } = holder.endpoint;
    if (address !== NO_ADDRESS && port !== holder.endpoint.port) moveTo(holder, address, by, orders);
  }

  /** It stands for nothing. */
  private release(holder: Holder): void {
    this.forget(holder);
    holder.service = undefined;
  }

  private forget(holder: Holder): void {
    const { name } = holder;
    holder.name = undefined;
    name?.holders.delete(holder);
    if (name?.holders.size !== 0) return;
    this.names.delete(`${name.section.name} ${name.state.preferred} ${name.text}`);
  }
}

/** Only servers of one backend keep out of each other's way. */
function byBackend({ holders }: Name): Iterable<Holder[]> {
  const backends = new Map<string, Holder[]>();
  for (const holder of holders) {
    const { backend } = holder.subject;
    const others = backends.get(backend);
    if (others) others.push(holder);
    else backends.set(backend, [holder]);
  }
  return backends.values();
}

function preferredType({ prefer }: Wishes): QuestionType {
  return prefer === 'ipv4' ? 'A' : 'AAAA';
}

function byOf({ section }: Name, nameserver: number): string {
  return `${section.name}/${section.nameservers[nameserver]}`;
}

function addressesIn({ additional }: Answer, target: string): string[] {
  return additional.flatMap((record) =>
    (record.type === 'A' || record.type === 'AAAA') && record.name === target ? [record.address] : [],
  );
}

function moveTo(holder: Holder, address: string, by: string, orders: Order[]): void {
  const { endpoint, service, subject } = holder;
  const port = service?.port ?? subject.endpoint.port;
  if (endpoint.address === address && endpoint.port === port) return;
  holder.endpoint = { address, port };
  holder.lost = undefined;
  orders.push({ kind: 'move', subject, endpoint: holder.endpoint, by });
}

/** Once for each reason. */
function lose(holder: Holder, why: string, orders: Order[]): void {
  if (holder.endpoint.address === NO_ADDRESS && holder.lost === why) return;
  holder.endpoint = { ...holder.endpoint, address: NO_ADDRESS };
  holder.lost = why;
  orders.push({ kind: 'lose', subject: holder.subject, why });
}
