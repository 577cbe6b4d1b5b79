/** What carries an interface's own MAC, when the interface got another one: it was deleted and made again, or changed. */
import { sameBytes } from './address.ts';
import { prepare } from './prepared.ts';
import type { Engine, Vhid } from './state.ts';

/** Adverts and announcements of every vhid on the interface name `mac` (6 bytes) from now on. */
export function changeInterfaceMac(engine: Engine, interface_name: string, mac: Uint8Array): void {
  for (const vhid of engine.vhids) if (vhid.settings.interface === interface_name) changeMac(engine, vhid, mac);
}

function changeMac(engine: Engine, vhid: Vhid, mac: Uint8Array): void {
  if (sameBytes(vhid.settings.interface_mac, mac)) return;
  const settings = { ...vhid.settings, interface_mac: Uint8Array.from(mac) };
  Object.assign(vhid, prepare(settings, vhid.index, engine.lease_s, engine.host));
}
