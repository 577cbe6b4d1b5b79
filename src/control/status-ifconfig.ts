/**
 * The report as ifconfig of FreeBSD up to 9 prints its carp interfaces, for scripts and eyes that know that form:
 *
 *   carp0: flags=49<UP,LOOPBACK,RUNNING> metric 0 mtu 1500
 *           inet 10.10.0.1 netmask 0xffff0000
 *           carp: MASTER vhid 1 advbase 1 advskew 0
 */
import type { StatusReport, VhidReport } from './status-report.ts';

export function renderIfconfig(report: StatusReport): string {
  return report.vhids.map((vhid, i) => renderInterface(vhid, interfaceName(vhid, i))).join('');
}

/** A section that is named as on BSD keeps its name; others are counted. */
function interfaceName(vhid: VhidReport, index: number): string {
  return /^carp\d+$/.test(vhid.name) ? vhid.name : `carp${index}`;
}

function renderInterface(vhid: VhidReport, name: string): string {
  // ifconfig shows a carp interface as RUNNING from the moment its vhid has left INIT
  const flags = vhid.state === 'INIT' ? 'flags=9<UP,LOOPBACK>' : 'flags=49<UP,LOOPBACK,RUNNING>';
  const addresses = vhid.addresses.map((address) => `\tinet ${withNetmask(address)}\n`).join('');
  const { state, vhid: id, advbase, advskew } = vhid;
  return `${name}: ${flags} metric 0 mtu 1500\n${addresses}\tcarp: ${state} vhid ${id} advbase ${advbase} advskew ${advskew}\n`;
}

/** `10.10.0.1/16` -> `10.10.0.1 netmask 0xffff0000` */
function withNetmask(written: string): string {
  const [address, length = '32'] = written.split('/');
  const mask = (0xffff_ffff_0000_0000n >> BigInt(length)) & 0xffff_ffffn;
  return `${address} netmask 0x${mask.toString(16).padStart(8, '0')}`;
}
