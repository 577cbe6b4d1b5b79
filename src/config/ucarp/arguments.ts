/** A vhid as the options of ucarp that mean the same; what ucarp cannot do is left out. */
import type { Carp } from '../model.ts';

/** Without interface, source address and scripts, which are the host's own affair. */
export function ucarpArguments(carp: Carp): string[] {
  const [vip] = carp.addresses;
  const { vhid, pass, advbase, advskew, deadratio, multicast_address } = carp;
  return [
    ...['-v', String(vhid), '-p', pass, '-a', vip.address],
    ...['-b', String(advbase), '-k', String(advskew), '-r', String(deadratio)],
    ...(carp.preempt ? ['-P'] : []),
    ...(carp.broadcast ? ['-M'] : []),
    ...(carp.ignore_link_state ? ['-S'] : []),
    ...(multicast_address === undefined ? [] : [`--mcast=${multicast_address}`]),
  ];
}
