import type { Drop } from './events.ts';

/** Why an advert was dropped, in words. */
export const DROP_REASONS: Readonly<Record<Drop, string>> = {
  dropped_length: 'too short or too long',
  dropped_not_carp: 'not CARP',
  dropped_vrrp: 'VRRP, not CARP',
  dropped_ttl: 'TTL or hop limit is not 255: it came through a router, or was made up',
  dropped_version: 'a version or type that is not CARP',
  dropped_vhid: 'a vhid that this node does not have there',
  dropped_checksum: 'the checksum is wrong',
  dropped_digest: 'another password or other addresses',
  dropped_group: 'to another multicast group',
  dropped_own: 'an advert of this node that came back',
  dropped_replay: 'an advert of this node that somebody sent again',
};
