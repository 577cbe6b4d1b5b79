/** What keeps a vhid in INIT, and how it gets there. */
import { sendBowOut } from './advert.ts';
import { linkOf } from './interfaces.ts';
import type { Engine, Vhid } from './state.ts';
import { changeState } from './vhid.ts';

export const NOT_READY = 'waiting for the listeners and the first checks';

/** Why a vhid must be in INIT; undefined when nothing holds it there. */
export function obstacle(engine: Engine, vhid: Vhid): string | undefined {
  if (!engine.started) return 'not started';
  if (engine.host.allow === false) return 'CARP is not allowed on this host (net.inet.carp.allow is 0)';
  if (vhid.settings.disabled) return 'administratively down';
  if (!engine.ready) return NOT_READY;
  if (!engine.healthy) return engine.ill_reason;
  if (vhid.maintenance !== undefined) return vhid.maintenance;
  const link = linkOf(engine, vhid);
  return link.up ? undefined : link.why;
}

/** Moves every vhid into INIT or out of it, as obstacles came or went. */
export function settleAll(engine: Engine, reason: string, now_ns: number): void {
  for (const vhid of engine.vhids) {
    const why = obstacle(engine, vhid);
    if (why === undefined && vhid.state === 'INIT') changeState(engine, vhid, 'BACKUP', reason, now_ns);
    if (why !== undefined && vhid.state === 'INIT') vhid.reason = why;
    if (why !== undefined && vhid.state !== 'INIT') giveUp(engine, vhid, why, now_ns);
  }
}

/** To INIT; a MASTER says so first, where anybody can hear it. */
export function giveUp(engine: Engine, vhid: Vhid, reason: string, now_ns: number): void {
  if (vhid.state === 'MASTER' && linkOf(engine, vhid).up) sendBowOut(engine, vhid, false);
  changeState(engine, vhid, 'INIT', reason, now_ns);
}
