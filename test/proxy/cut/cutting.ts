/**
 * Conversations through the proxy that break off after each of their bytes, on either side, by FIN or by RST.
 *
 *   client ── step ──▶ proxy ──▶ server         every step but the last is heard by the other side before the next is said;
 *   client ◀── step ── proxy ◀── server         the last one is cut, and who cut says no more
 *
 * What must hold after each cut, whatever it is: both sides hear of it or come to their end, one more line is logged, and buffers,
 * slices, places and counts are home before the next try begins, on the same proxy.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KINDS, type Kind, ProxyRig, type RigOptions } from '../harness.js';
import { ReadingSink } from '../log/reading-sink.js';
import { RawServer, type Wire } from '../wire.js';

const HOWS = ['end', 'reset'] as const;
export type How = (typeof HOWS)[number];
export type Who = 'client' | 'server';

export type Step = {
  readonly from: Who;
  readonly text: string;
  /** What the other side has of it last, when it has all, if that is not the text's end. */
  readonly heard?: string;
};

export type Cut = {
  readonly by: Who;
  readonly how: How;
  /** Which step, and how many of its bytes were said. */
  readonly step: number;
  readonly length: number;
};

export type Play = {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly options?: RigOptions;
  /** What another client does before: leaves a connection to the server behind, or stays in the way. */
  readonly before?: { readonly steps: readonly Step[]; readonly stays: boolean };
  /** The termination states that may follow; where there is none, the whole line. */
  readonly states: (cut: Cut) => RegExp;
  /** How the other side hears of it; awaited. `wires`: the connections to servers. */
  readonly hears?: ((cut: Cut, client: Wire, wires: readonly Wire[]) => boolean) | undefined;
  /** Who cuts; without it, either side. */
  readonly by?: Who;
  /** Where to cut, instead of after each byte. */
  readonly lengths?: readonly number[];
  /** The other side's steps are broken off, too: it says the rest after the cut. */
  readonly meanwhile?: boolean;
};

/** A test for each kind of reactor, side and way to cut. */
export function cutEverywhere(play: Play): void {
  for (const kind of KINDS)
    for (const by of play.by ? [play.by] : (['client', 'server'] as const))
      for (const how of HOWS)
        test(
          `${kind}: ${play.name}, cut by the ${by} with ${how === 'end' ? 'FIN' : 'RST'} after any byte`,
          {
            timeout: 120_000,
          },
          () => cutAfterEachByte(kind, play, by, how),
        );
}

async function cutAfterEachByte(kind: Kind, play: Play, by: Who, how: How): Promise<void> {
  const stage = await Stage.set(kind, play);
  for (const [step, { from, text }] of play.steps.entries()) {
    if (from !== by && !play.meanwhile) continue;
    if (play.lengths && text.length < play.lengths[0]!) continue; // too short to be the one that is meant
    for (const length of play.lengths ?? Array.from({ length: text.length + 1 }, (_, number) => number)) {
      const cut = { by, how, step, length };
      await stage.perform(cut).catch((error: Error) => {
        error.message = `${JSON.stringify(cut)}: ${error.message}`;
        throw error;
      });
    }
  }
  await stage.close();
}

class Stage {
  private readonly play: Play;
  private readonly rig: ProxyRig;
  private readonly server: RawServer;
  private readonly states: string[] = [];

  private constructor(play: Play, rig: ProxyRig, server: RawServer) {
    this.play = play;
    this.rig = rig;
    this.server = server;
    const sink = new ReadingSink(rig.reactor.buffers, (line) => {
      this.states.push(/state=(..)/.exec(line)?.[1] ?? line);
    });
    rig.proxy.log(() => sink);
  }

  static async set(kind: Kind, play: Play): Promise<Stage> {
    const server = await RawServer.start();
    const { options = {} } = play;
    const frontend = `${options.frontend ?? ''} log 127.0.0.1:1 local0\n log-format "state=%ts"\n`;
    return new Stage(play, new ProxyRig(kind, [server], { ...options, frontend }), server);
  }

  /** The whole play up to the cut, and what must be true afterwards. */
  async perform(cut: Cut): Promise<void> {
    const { rig, play, server, states } = this;
    const before = await this.playBefore();
    const client = await rig.client();
    const sides = new Sides(client, server.wires);
    for (const step of play.steps.slice(0, cut.step)) await sides.say(rig, step);
    const logged = states.length;
    const { text, from } = play.steps[cut.step]!;
    if (from === 'server') await rig.until('the server is there', () => server.wires.length > 0);
    sides.speaker(from)?.write(text.slice(0, cut.length));
    await rig.settle(); // a reset would take back what was not read
    sides.cut(cut);
    if (from !== cut.by) sides.speaker(from)?.write(text.slice(cut.length));
    await rig.until('the other side hears of it', () => play.hears?.(cut, client, server.wires) ?? true);
    before?.close();
    await this.endAll(client);
    const lines = states.slice(logged);
    assert.equal(lines.length, before ? 2 : 1, 'one line for one request');
    assert.ok(
      lines.some((line) => play.states(cut).test(line)),
      `${play.states(cut)} is not in ${lines}`,
    );
    rig.assertAtRest();
    for (const wire of [client, ...server.wires.splice(0)]) wire.close();
  }

  /** Another client's steps; it leaves before the play begins, or stays in its way. */
  private async playBefore(): Promise<Wire | undefined> {
    const { rig, play, server } = this;
    if (!play.before) return undefined;
    const client = await rig.client();
    const sides = new Sides(client, server.wires);
    for (const step of play.before.steps) await sides.say(rig, step);
    await rig.settle();
    if (play.before.stays) return client;
    client.close();
    await rig.until('the one before is gone', () => rig.client_count === 0);
    return undefined;
  }

  /** Who still listens says goodbye, too, as programs do when they hear of it. */
  private async endAll(client: Wire): Promise<void> {
    const { rig, server } = this;
    await rig.until('everybody is let go', () => {
      client.end();
      for (const wire of server.wires) wire.end();
      return rig.client_count === 0 && rig.reactor.socket_count === 0;
    });
  }

  close(): Promise<void> {
    return this.rig.everythingIsHome();
  }
}

/** Both ends, as they come about. */
class Sides {
  private readonly client: Wire;
  private readonly wires: readonly Wire[];

  constructor(client: Wire, wires: readonly Wire[]) {
    this.client = client;
    this.wires = wires;
  }

  speaker(who: Who): Wire | undefined {
    return who === 'client' ? this.client : this.wires.at(-1);
  }

  async say(rig: ProxyRig, { from, text, heard = text.slice(-12) }: Step): Promise<void> {
    const to = from === 'client' ? 'server' : 'client';
    this.speaker(from)!.write(text);
    await rig.until(`the ${to} hears ${JSON.stringify(heard)}`, () => this.hears(to, heard));
    this.speaker(to)!.received = Buffer.alloc(0);
  }

  private hears(who: Who, text: string): boolean {
    return this.speaker(who)?.text.endsWith(text) ?? false;
  }

  cut({ by, how }: Cut): void {
    const wire = this.speaker(by);
    if (how === 'end') wire?.end();
    else wire?.reset();
  }
}
