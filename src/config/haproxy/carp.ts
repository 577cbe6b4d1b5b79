/**
 * carpool's own section of haproxy.cfg, one per vhid:
 *
 *     carp web
 *         interface eth0
 *         vhid 1
 *         pass "s3cret"
 *         address 10.10.0.1/16
 *         demote 240 unless { nbsrv(servers) ge 1 }
 */
import { type CarpDraft, closeCarp } from '../carp-draft.ts';
import type { Carp } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import {
  parseAddress,
  parseAlso,
  parseChoice,
  parseDemote,
  parseFlag,
  parseInterface,
  parseMulticast,
  parseNumber,
  parsePassword,
  parsePeer,
  parsePreempt,
  parseScript,
  parseScriptFlag,
  parseSource,
  parseTracked,
} from './carp-keywords.ts';
import type { Keyword } from './keyword.ts';

const CARP = ['carp'] as const;

export const CARP_KEYWORDS: readonly Keyword<CarpDraft>[] = [
  {
    name: 'interface',
    sections: CARP,
    help: 'The network interface that holds the addresses.',
    has_effect: true,
    parse: parseInterface,
  },
  {
    name: 'vhid',
    sections: CARP,
    help: 'The number, 1 to 255, that all nodes of one address share.',
    has_effect: true,
    parse: parseNumber('vhid'),
  },
  {
    name: 'pass',
    sections: CARP,
    help: 'The password that all nodes share, at most 19 bytes.',
    has_effect: true,
    parse: parsePassword,
  },
  {
    name: 'address',
    sections: CARP,
    help: 'A virtual address, IPv4 or IPv6, and its prefix length; may be repeated.',
    has_effect: true,
    parse: parseAddress,
  },
  {
    name: 'advbase',
    sections: CARP,
    help: 'Seconds from one advert to the next (1); 0 with advskew for less than a second.',
    has_effect: true,
    parse: parseNumber('advbase'),
  },
  {
    name: 'advskew',
    sections: CARP,
    help: 'Added to advbase in 1/256 s (0); the node with the lower value is preferred.',
    has_effect: true,
    parse: parseNumber('advskew'),
  },
  {
    name: 'preempt',
    sections: CARP,
    help: 'Take the address from a less preferred master; `preempt delay 30s`: after hearing only such masters for 30 s.',
    has_effect: true,
    negatable: true,
    parse: parsePreempt,
  },
  {
    name: 'demote',
    sections: CARP,
    help: '`demote N if|unless CONDITION`: be less preferred by N while the condition says so.',
    has_effect: true,
    parse: parseDemote,
  },
  {
    name: 'track',
    sections: CARP,
    help: '`track http://…|tcp ADDRESS:PORT [inter T] [rise N] [fall N] [demote N]`: be less preferred while that service fails.',
    has_effect: true,
    parse: parseTracked,
  },
  {
    name: 'ignore-link-state',
    sections: CARP,
    help: 'Take the link for up whatever the kernel says of its carrier.',
    has_effect: true,
    negatable: true,
    parse: parseFlag('ignore_link_state'),
  },
  {
    name: 'peer',
    sections: CARP,
    help: 'Send adverts to this node and not to the multicast group; may be repeated, all other nodes must be named.',
    has_effect: true,
    parse: parsePeer,
  },
  {
    name: 'also',
    sections: CARP,
    help: '`also accept [pass TEXT] [address A …]`: take adverts with another password or other addresses, while a change is under way.',
    has_effect: true,
    parse: parseAlso,
  },
  {
    name: 'mac',
    sections: CARP,
    help: '`real`: the addresses have the MAC of the interface; `virtual`: 00:00:5e:00:01:VHID, on a link of its own.',
    has_effect: true,
    parse: parseChoice('mac', ['real', 'virtual']),
  },
  {
    name: 'source-mac',
    sections: CARP,
    help: 'What adverts come from: the MAC of the `interface`, the virtual one of a `kernel`, or the one of `ucarp`.',
    has_effect: true,
    parse: parseChoice('advert_mac', ['interface', 'kernel', 'ucarp']),
  },
  {
    name: 'source',
    sections: CARP,
    help: 'The IPv4 address that adverts leave from; else the first of the interface.',
    has_effect: true,
    parse: parseSource,
  },
  {
    name: 'nodad',
    sections: CARP,
    help: 'Add IPv6 addresses without duplicate address detection (so by default).',
    has_effect: true,
    negatable: true,
    parse: parseFlag('nodad'),
  },
  {
    name: 'hash-link-locals',
    sections: CARP,
    help: 'Sign IPv6 link-local addresses too (so by default); OpenBSD does not.',
    has_effect: true,
    negatable: true,
    parse: parseFlag('hash_link_locals'),
  },
  {
    name: 'balancing',
    sections: CARP,
    help: '`arp`: the vhids that have these addresses share the clients; `none`.',
    has_effect: true,
    parse: parseChoice('balancing', ['none', 'arp']),
  },
  {
    name: 'openbsd-demote-byte',
    sections: CARP,
    help: 'Tell and heed demotions in byte 4 of the advert, as OpenBSD does.',
    has_effect: true,
    negatable: true,
    parse: parseFlag('openbsd_demote_byte'),
  },
  {
    name: 'multicast',
    sections: CARP,
    help: 'The IPv4 group for the adverts instead of 224.0.0.18, the same on all nodes.',
    has_effect: true,
    parse: parseMulticast,
  },
  {
    name: 'broadcast',
    sections: CARP,
    help: 'Send adverts to the Ethernet broadcast address, for switches that lose multicast.',
    has_effect: true,
    negatable: true,
    parse: parseFlag('broadcast'),
  },
  {
    name: 'deadratio',
    sections: CARP,
    help: 'How many intervals of silence make a master dead (3).',
    has_effect: true,
    parse: parseNumber('deadratio'),
  },
  {
    name: 'upscript',
    sections: CARP,
    help: 'Run `PROGRAM INTERFACE ADDRESS [XPARAM]` when this node becomes MASTER.',
    has_effect: true,
    parse: parseScript('up'),
  },
  {
    name: 'downscript',
    sections: CARP,
    help: 'Run `PROGRAM INTERFACE ADDRESS [XPARAM]` when this node stops being MASTER.',
    has_effect: true,
    parse: parseScript('down'),
  },
  {
    name: 'xparam',
    sections: CARP,
    help: 'The third argument of the scripts.',
    has_effect: true,
    parse: parseScript('xparam'),
  },
  {
    name: 'downscript-at-exit',
    sections: CARP,
    help: 'Run the downscript when carpool ends.',
    has_effect: true,
    parse: parseScriptFlag('down_at_exit'),
  },
  {
    name: 'neutral',
    sections: CARP,
    help: 'Do not run the downscript when carpool starts.',
    has_effect: true,
    parse: parseScriptFlag('neutral'),
  },
  {
    name: 'disabled',
    sections: CARP,
    help: 'Configured, but neither heard nor seen until `carpool ifconfig NAME up`.',
    has_effect: true,
    negatable: true,
    parse: parseFlag('disabled'),
  },
];

/** Undefined, and reported, when something is missing without which no advert can be sent. */
export function finishCarp(draft: CarpDraft, report: Reporter): Carp | undefined {
  reportMissing(draft, report);
  return closeCarp(draft);
}

/** What was written and is wrong has a span, and was reported already. */
function reportMissing({ name, span, spans }: CarpDraft, report: Reporter): void {
  const section = `The carp section \`${name}\``;
  if (spans['vhid'] === undefined) {
    const mend = 'Add a line such as `vhid 1`, with the same number on every node.';
    report.error(span, 'vhid-missing', `${section} has no vhid.`, mend);
  }
  if (spans['addresses'] === undefined) {
    const mend = 'Add a line such as `address 10.10.0.1/16`.';
    report.error(span, 'carp-without-address', `${section} has no address, so there is nothing to share.`, mend);
  }
  if (spans['pass'] === undefined) {
    const message = `${section} has no password, so any host of the segment can take its addresses.`;
    report.warning(span, 'pass-missing', message, 'Add a line such as `pass "s3cret"`, the same on every node.');
  }
}
