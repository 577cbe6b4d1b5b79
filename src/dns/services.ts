/** The servers of one service name (SRV records): each stands for one target and port, as long as that is announced. */
import type { DnsRecord, Service } from './message.ts';

/** SRV weights have 16 bits, servers' 1 to 256. */
export function serverWeight({ weight }: Service): number {
  return Math.floor(weight / 256) + 1;
}

/** `places`: what each server stands for so far. Who is still announced stays; new ones take the free places, in order. */
export function placeServices(
  places: readonly (Service | undefined)[],
  records: readonly DnsRecord[],
): (Service | undefined)[] {
  const announced = new Map<string, Service>();
  for (const record of records) if (record.type === 'SRV' && record.port > 0) announced.set(keyOf(record), record);
  const next = places.map((service) => {
    const still = service && announced.get(keyOf(service));
    if (still) announced.delete(keyOf(still));
    return still;
  });
  const fresh = announced.values();
  return next.map((service) => service ?? (fresh.next().value as Service | undefined));
}

function keyOf({ target, port }: Service): string {
  return `${target} ${port}`;
}
