/** Puts what a line of ifconfig says into a vhid. */
import type { CarpDraft } from '../carp-draft.ts';
import type { VirtualAddress } from '../model.ts';
import type { IfconfigLine } from './line.ts';

export type ApplyOptions = {
  /** On a command line an address without `alias` replaces the first one of its family; in files all are kept. */
  readonly is_command: boolean;
  readonly addresses: readonly VirtualAddress[];
};

export function applyLine(draft: CarpDraft, line: IfconfigLine, { is_command, addresses }: ApplyOptions): void {
  Object.assign(draft.spans, line.spans);
  if (line.vhid !== undefined) draft.vhid = line.vhid;
  if (line.pass !== undefined) draft.pass = line.pass;
  if (line.advbase !== undefined) draft.advbase = line.advbase;
  if (line.advskew !== undefined) draft.advskew = line.advskew;
  if (line.carpdev !== undefined) draft.interface = line.carpdev ?? undefined;
  if (line.up !== undefined) draft.disabled = !line.up;
  if (line.balancing === 'arp' || line.balancing === 'none') draft.balancing = line.balancing;
  if (line.is_openbsd) useOpenbsdRules(draft);
  applyPeers(draft, line);
  for (const address of addresses) {
    if (line.removes) removeAddress(draft, address);
    else addAddress(draft, address, is_command && !line.adds);
  }
}

/** OpenBSD leaves link-local addresses out of the digest, and tells demotions in byte 4. */
export function useOpenbsdRules(draft: CarpDraft): void {
  draft.dialect = 'openbsd';
  draft.hash_link_locals = false;
  draft.openbsd_demote_byte = true;
}

function applyPeers(draft: CarpDraft, { peer, peer6 }: IfconfigLine): void {
  const keep = (isIPv6: boolean, given: string | null | undefined): string[] =>
    given === undefined ? draft.peers.filter((one) => one.includes(':') === isIPv6) : given === null ? [] : [given];
  draft.peers = [...keep(false, peer), ...keep(true, peer6)];
}

function addAddress(draft: CarpDraft, address: VirtualAddress, replaces: boolean): void {
  const same = draft.addresses.findIndex((one) => one.address === address.address);
  const first = draft.addresses.findIndex((one) => one.address.includes(':') === address.address.includes(':'));
  if (same >= 0) draft.addresses[same] = address;
  else if (replaces && first >= 0) draft.addresses[first] = address;
  else draft.addresses.push(address);
}

function removeAddress(draft: CarpDraft, { address }: VirtualAddress): void {
  draft.addresses = draft.addresses.filter((one) => one.address !== address);
}
