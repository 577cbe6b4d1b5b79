/** What was received, sent and dropped, and the names that the BSDs' netstat gives to it. */
import type { Counters } from './events.ts';

export function createCounters(): Counters {
  return {
    received: 0,
    received4: 0,
    received6: 0,
    sent: 0,
    sent4: 0,
    sent6: 0,
    send_errors: 0,
    transitions_to_master: 0,
    dropped_length: 0,
    dropped_not_carp: 0,
    dropped_vrrp: 0,
    dropped_ttl: 0,
    dropped_version: 0,
    dropped_vhid: 0,
    dropped_checksum: 0,
    dropped_digest: 0,
    dropped_group: 0,
    dropped_own: 0,
    dropped_replay: 0,
  };
}

/** `name` is that of FreeBSD's libxo output, `text` what `netstat -s -p carp` prints behind the number. */
export type NetstatLine = { readonly name: string; readonly text: string; readonly count: number };

/**
 * In netstat's order. What only carpool tells apart is with its nearest relative: adverts that came back are bad
 * authentication (as on OpenBSD), VRRP is a bad version, another group a bad interface's (which FreeBSD does not print).
 */
export function netstatLines(counters: Counters): readonly NetstatLine[] {
  const { dropped_digest, dropped_own, dropped_replay, dropped_version, dropped_vrrp } = counters;
  const lines: [name: string, text: string, count: number][] = [
    ['received-inet-packets', 'packets received (IPv4)', counters.received4],
    ['received-inet6-packets', 'packets received (IPv6)', counters.received6],
    ['dropped-wrong-ttl', 'packets discarded for wrong TTL', counters.dropped_ttl],
    ['dropped-short-header', 'packets shorter than header', counters.dropped_length],
    ['dropped-bad-checksum', 'discarded for bad checksums', counters.dropped_checksum],
    ['dropped-bad-version', 'discarded packets with a bad version', dropped_version + dropped_vrrp],
    ['dropped-short-packet', 'discarded because packet too short', 0],
    ['dropped-bad-authentication', 'discarded for bad authentication', dropped_digest + dropped_own + dropped_replay],
    ['dropped-bad-vhid', 'discarded for bad vhid', counters.dropped_vhid],
    ['dropped-bad-address-list', 'discarded because of a bad address list', 0],
    ['sent-inet-packets', 'packets sent (IPv4)', counters.sent4],
    ['sent-inet6-packets', 'packets sent (IPv6)', counters.sent6],
    ['send-failed-memory-error', 'send failed due to mbuf memory error', counters.send_errors],
  ];
  return lines.map(([name, text, count]) => ({ name, text, count }));
}
