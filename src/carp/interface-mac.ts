/** What carries an interface's own MAC, when the interface got another one: it was deleted and made again, or changed. */
import type { Engine, Vhid } from './state.ts';

const SOURCE_MAC = 6;
const ARP_SENDER_MAC = 22;
const ARP_TARGET_MAC = 32;
const ARP_OPERATION_LOW = 21;
const ARP_REPLY = 2;

/** Adverts and announcements of every vhid on the interface name `mac` (6 bytes) from now on. */
export function changeInterfaceMac(engine: Engine, interface_name: string, mac: Uint8Array): void {
  for (const vhid of engine.vhids) if (vhid.settings.interface === interface_name) changeMac(vhid, mac);
}

function changeMac(vhid: Vhid, mac: Uint8Array): void {
  if ((vhid.settings.advert_mac ?? 'interface') === 'interface') {
    vhid.advert.frame.set(mac, SOURCE_MAC);
    vhid.bow_out.frame.set(mac, SOURCE_MAC);
  }
  for (const frame of vhid.announce.frames) {
    frame.set(mac, SOURCE_MAC);
    frame.set(mac, ARP_SENDER_MAC);
    if (frame[ARP_OPERATION_LOW] === ARP_REPLY) frame.set(mac, ARP_TARGET_MAC);
  }
}
