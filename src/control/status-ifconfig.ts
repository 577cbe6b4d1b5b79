/**
 * The vhids as ifconfig prints them, each in the form of the system whose words it was written in, for scripts and eyes
 * that know that form:
 *
 *   freebsd9    carp0: flags=49<UP,LOOPBACK,RUNNING> metric 0 mtu 1500
 *                       inet 10.10.0.1 netmask 0xffff0000
 *                       carp: MASTER vhid 1 advbase 1 advskew 0
 *   freebsd10   em0: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> metric 0 mtu 1500
 *                       inet 10.10.0.1 netmask 0xffffffff broadcast 10.10.0.1 vhid 1
 *                       carp: MASTER vhid 1 advbase 1 advskew 0
 *   openbsd     carp0: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500
 *                       carp: MASTER carpdev em0 vhid 1 advbase 1 advskew 0
 *                       groups: carp
 *                       status: master
 *                       inet 10.10.0.1 netmask 0xffff0000 broadcast 10.10.255.255
 */
import { broadcastOf, hexadecimalMask } from '../config/ifconfig/netmask.ts';
import { interfaceOf } from '../config/ifconfig/shown-names.ts';
import type { Carp } from '../config/model.ts';

export const IFCONFIG_FORMS = ['freebsd9', 'freebsd10', 'openbsd'] as const;
export type IfconfigForm = (typeof IFCONFIG_FORMS)[number];

/** A vhid as it is configured, perhaps not wholly yet, and what it is just now. */
export type IfconfigVhid = Pick<
  Carp,
  'name' | 'dialect' | 'disabled' | 'advbase' | 'advskew' | 'peers' | 'balancing'
> & {
  readonly addresses: readonly { readonly address: string; readonly prefix_length: number }[];
  readonly vhid: number | undefined;
  readonly state: 'INIT' | 'BACKUP' | 'MASTER';
  /** As an interface: `carp0`. */
  readonly shown: string;
  /** The link, under the name that the vhid's files have for it; undefined while it is unknown. */
  readonly interface: string | undefined;
};

/** `form` undefined: each in its own. */
export function renderIfconfig(vhids: readonly IfconfigVhid[], form?: IfconfigForm): string {
  const blocks = new Map<string, Block>();
  for (const vhid of vhids) {
    const own = form ?? formOf(vhid);
    const name = own === 'freebsd10' ? (vhid.interface ?? interfaceOf(vhid)) : vhid.shown;
    const key = `${own} ${name}`;
    const block = blocks.get(key) ?? { form: own, name, vhids: [] };
    block.vhids.push(vhid);
    blocks.set(key, block);
  }
  return [...blocks.values()].map(renderBlock).join('');
}

type Block = { readonly form: IfconfigForm; readonly name: string; readonly vhids: IfconfigVhid[] };

/** What was written in nobody's ifconfig has the plainest form. */
function formOf({ dialect }: IfconfigVhid): IfconfigForm {
  return dialect === 'freebsd10' || dialect === 'openbsd' ? dialect : 'freebsd9';
}

function renderBlock({ form, name, vhids }: Block): string {
  if (form === 'freebsd10') return renderFreebsd10(name, vhids);
  return form === 'openbsd' ? renderOpenbsd(name, vhids) : renderFreebsd9(name, vhids);
}

function renderFreebsd9(name: string, vhids: readonly IfconfigVhid[]): string {
  // ifconfig shows a carp interface as RUNNING from the moment its vhid has left INIT
  const isUp = vhids.some(({ disabled, vhid }) => !disabled && vhid !== undefined);
  const isRunning = vhids.some(({ state }) => state !== 'INIT');
  const flags = isRunning ? '49<UP,LOOPBACK,RUNNING>' : isUp ? '9<UP,LOOPBACK>' : '8<LOOPBACK>';
  const addresses = vhids[0].addresses.map(({ address, prefix_length }) =>
    address.includes(':')
      ? `\tinet6 ${address} prefixlen ${prefix_length}\n`
      : `\tinet ${address} netmask ${hexadecimalMask(prefix_length)}\n`,
  );
  const carps = vhids.map(carpLine).join('');
  return `${name}: flags=${flags} metric 0 mtu 1500\n${addresses.join('')}${carps}`;
}

function carpLine({ state, vhid, advbase, advskew }: IfconfigVhid): string {
  return vhid === undefined ? '' : `\tcarp: ${state} vhid ${vhid} advbase ${advbase} advskew ${advskew}\n`;
}

const LINK_FLAGS = '8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST>';

function renderFreebsd10(name: string, vhids: readonly IfconfigVhid[]): string {
  const addresses = vhids.flatMap((vhid) =>
    vhid.addresses.map(({ address, prefix_length }) =>
      address.includes(':')
        ? `\tinet6 ${address} prefixlen ${prefix_length} vhid ${vhid.vhid}\n`
        : `\tinet ${address} netmask ${hexadecimalMask(prefix_length)} broadcast ${broadcastOf(address, prefix_length)} vhid ${vhid.vhid}\n`,
    ),
  );
  const carps = vhids.map((vhid) => `${carpLine(vhid)}${peerLine(vhid)}`);
  return `${name}: flags=${LINK_FLAGS} metric 0 mtu 1500\n${addresses.join('')}${carps.join('')}`;
}

/** Since FreeBSD 14 where adverts go is told; here only when it is not the usual. */
function peerLine({ peers }: IfconfigVhid): string {
  if (peers.length === 0) return '';
  const v4 = peers.find((peer) => !peer.includes(':')) ?? '224.0.0.18';
  const v6 = peers.find((peer) => peer.includes(':')) ?? 'ff02::12';
  return `\t      peer ${v4} peer6 ${v6}\n`;
}

function renderOpenbsd(name: string, vhids: readonly IfconfigVhid[]): string {
  const [first] = vhids;
  const flags = first.disabled || first.vhid === undefined ? '8802<BROADCAST,SIMPLEX,MULTICAST>' : LINK_FLAGS;
  const isMaster = vhids.some(({ state }) => state === 'MASTER');
  const status = isMaster ? 'master' : vhids.some(({ state }) => state === 'BACKUP') ? 'backup' : 'invalid';
  const addresses = first.addresses.map(({ address, prefix_length }) =>
    address.includes(':')
      ? `\tinet6 ${address} prefixlen ${prefix_length}\n`
      : `\tinet ${address} netmask ${hexadecimalMask(prefix_length)} broadcast ${broadcastOf(address, prefix_length)}\n`,
  );
  const carp = first.vhid === undefined ? '' : openbsdLines(vhids);
  return `${name}: flags=${flags} mtu 1500\n${carp}\tgroups: carp\n\tstatus: ${status}\n${addresses.join('')}`;
}

function openbsdLines(vhids: readonly IfconfigVhid[]): string {
  const [{ interface: carpdev = 'none', advbase, advskew, state, vhid, balancing, peers }] = vhids;
  const peer = peers.length === 0 ? '' : ` carppeer ${peers[0]}`;
  if (vhids.length === 1)
    return `\tcarp: ${state} carpdev ${carpdev} vhid ${vhid} advbase ${advbase} advskew ${advskew}${peer}\n`;
  const nodes = vhids.map((node) => `\t\tstate ${node.state} vhid ${node.vhid} advskew ${node.advskew}\n`).join('');
  return `\tcarp: carpdev ${carpdev} advbase ${advbase} balancing ${balancing}${peer}\n${nodes}`;
}
