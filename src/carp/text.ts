/** The few pieces that reasons and log lines are made of. */
import { formatMapped } from './address.ts';
import type { Engine, Vhid } from './state.ts';

/** `3.39 s`; below a tenth of a second `7.8 ms`. */
export function seconds(time_ns: number): string {
  return time_ns < 1e8 ? `${(time_ns / 1e6).toFixed(1)} ms` : `${(time_ns / 1e9).toFixed(2)} s`;
}

/** `every 1.39 s` */
export function every(interval_us: number): string {
  return `every ${seconds(1000 * interval_us)}`;
}

/** `vhid 1 on eth0` */
export function nameOf(vhid: Vhid): string {
  return `vhid ${vhid.settings.vhid} on ${vhid.settings.interface}`;
}

/** The peer that was last heard. */
export function peerName(vhid: Vhid): string {
  return formatMapped(vhid.peer.name);
}

/** The owner of the demotion for adverts that cannot be sent. */
export function sendErrorOwner(vhid: Vhid): string {
  return `send errors of ${nameOf(vhid)}`;
}

export function log(engine: Engine, level: 'notice' | 'warning', text: string): void {
  engine.effects.push({ kind: 'log', level, text });
}
