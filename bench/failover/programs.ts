/** The daemons that are compared, as pairs, and how one member of a pair is started on its host. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from '#src/lab/child.js';
import { type HostLink, INTERFACE } from '#src/lab/network.js';
import { peerPath } from '../../test/helpers/peers.ts';

export type Software = 'carpool' | 'ucarp' | 'keepalived';

export type Program = {
  readonly name: string;
  readonly software: Software;
  /** Moves an address within tens of milliseconds: measured while nothing else runs. */
  readonly fast: boolean;
  start(host: HostLink, role: MemberRole, folder: string): Child;
};

export type MemberRole = {
  readonly vips: readonly string[];
  /** The vhid or virtual router id of the first of them; the others count from it. */
  readonly first_id: number;
  /** It holds the addresses as long as it can. */
  readonly preferred: boolean;
};

export const PROGRAMS: readonly Program[] = [
  { name: 'ucarp, base 1, skew 0/100', software: 'ucarp', fast: false, start: startUcarp },
  keepalived('1', false),
  carpool('advbase 1, advskew 0/100', 1, [0, 100], false),
  keepalived('0.01', true),
  carpool('advbase 0, advskew 1/2', 0, [1, 2], true),
];

/** One vhid for each VIP, advbase 1. */
export const MANY = { carpool: carpool('255 vhids', 1, [0, 100], false), keepalived: keepalived('1', false) } as const;

const MAIN = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));

function carpool(settings: string, advbase: number, advskews: readonly [number, number], fast: boolean): Program {
  const start: Program['start'] = (host, { vips, first_id, preferred }, folder) => {
    const directory = directoryOf(folder, host);
    const section = (vip: string, index: number) => `carp v${index + 1}
    interface ${INTERFACE}
    vhid ${first_id + index}
    pass "s3cret"
    address ${vip}/${vip.includes(':') ? 128 : 32}
    advbase ${advbase}
    advskew ${advskews[preferred ? 0 : 1]}
    preempt
`;
    writeFileSync(join(directory, 'carpool.cfg'), vips.map(section).join('\n'));
    const args = [MAIN, 'run', '-f', 'carpool.cfg', '-db', '--socket', join(directory, 'control.sock')];
    return new Child(host.namespace_fd, { command: process.execPath, args, directory });
  };
  return { name: `carpool, ${settings}`, software: 'carpool', fast, start };
}

function startUcarp(host: HostLink, { vips, first_id, preferred }: MemberRole, folder: string): Child {
  const directory = directoryOf(folder, host);
  const script = (name: string, what: string): string => {
    const file = join(directory, name);
    writeFileSync(file, `#!/bin/sh\nexec ip address ${what} "$2/32" dev "$1"\n`, { mode: 0o755 });
    return file;
  };
  const own = ['-i', INTERFACE, '-s', host.address, '-v', String(first_id), '-p', 's3cret', '-a', vips[0]!];
  const scripts = ['-u', script('up.sh', 'add'), '-d', script('down.sh', 'del'), '-z', '-n'];
  const args = [...own, ...scripts, '-b', '1', '-k', preferred ? '0' : '100', '-P'];
  return new Child(host.namespace_fd, { command: peerPath('ucarp'), args, directory });
}

/** With real-time scheduling, as carpool takes it where it may. */
function keepalived(interval_s: string, fast: boolean): Program {
  const start: Program['start'] = (host, { vips, first_id, preferred }, folder) => {
    const directory = directoryOf(folder, host);
    const instance = (vip: string, index: number) => `vrrp_instance v${index + 1} {
    state BACKUP
    interface ${INTERFACE}
    virtual_router_id ${first_id + index}
    priority ${preferred ? 200 : 100}
    advert_int ${interval_s}
    ${vip.includes(':') ? 'native_ipv6\n    ' : ''}virtual_ipaddress {
        ${vip}/${vip.includes(':') ? 128 : 32}
    }
}
`;
    const file = join(directory, 'keepalived.conf');
    const version = interval_s === '1' ? 2 : 3;
    // its own limit of real-time CPU at a stretch, 10 ms, kills it while it starts 255 instances
    const scheduling = '    vrrp_rt_priority 10\n    vrrp_rlimit_rttime 1000000\n';
    const global = `global_defs {\n    vrrp_version ${version}\n${scheduling}}\n`;
    writeFileSync(file, `${global}${vips.map(instance).join('')}`);
    const pid_files = [join(directory, 'keepalived.pid'), join(directory, 'vrrp.pid')] as const;
    // a killed one left them, and the numbers in them may be others' by now
    for (const pid_file of pid_files) rmSync(pid_file, { force: true });
    const args = ['-n', '-P', '-l', '-f', file, '-p', pid_files[0], '-r', pid_files[1]];
    return new Child(host.namespace_fd, { command: peerPath('keepalived'), args, directory });
  };
  return { name: `keepalived, advert_int ${interval_s}`, software: 'keepalived', fast, start };
}

function directoryOf(folder: string, host: HostLink): string {
  const directory = join(folder, host.name);
  mkdirSync(directory, { recursive: true });
  return directory;
}
