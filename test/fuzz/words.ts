/** The words of every dialect, from the parsers' own tables. */
import { readdirSync, readFileSync } from 'node:fs';
import { UCARP_KEYWORDS } from '#src/config/debian/interfaces.js';
import { SYSCTLS } from '#src/config/freebsd/sysctl.js';
import { BIND_WORDS } from '#src/config/haproxy/bind-words.js';
import { CARP_KEYWORDS } from '#src/config/haproxy/carp.js';
import { GLOBAL_KEYWORDS } from '#src/config/haproxy/global.js';
import { OPTIONS } from '#src/config/haproxy/options.js';
import { PROXY_KEYWORDS } from '#src/config/haproxy/proxy.js';
import { SERVER_WORDS } from '#src/config/haproxy/server.js';
import { TIMEOUTS } from '#src/config/haproxy/timeouts.js';
import { UCARP_OPTIONS } from '#src/config/ucarp/options.js';
import { STATES, VERBS } from '#src/lab/scenario.js';

const VALUES = [
  ...[
    '10.0.0.1',
    '10.0.0.1/16',
    '10.10.0.5-9',
    'n.n.n.1',
    '2001:db8::1',
    '2001:db8::1-f',
    'fe80::1%eth0',
    '::',
    '[::]:80',
  ],
  ...[
    ':80',
    '*:1-65535',
    '127.0.0.1:0',
    'localhost:http',
    '/run/x.sock',
    'fd@3',
    'ipv4@10.0.0.1:80',
    'unix@/x',
    'abns@x',
  ],
  ...[
    '5s',
    '500ms',
    '1d',
    '0',
    '1',
    '255',
    'x',
    's3cret',
    'TRUE',
    'ge',
    'eth0',
    'em0',
    'carp0',
    'carp1',
    'web',
    'yes',
    'no',
  ],
];

export const HAPROXY_WORDS = [
  ...[GLOBAL_KEYWORDS, PROXY_KEYWORDS, CARP_KEYWORDS, OPTIONS, TIMEOUTS, BIND_WORDS, SERVER_WORDS].flatMap((table) =>
    table.map(({ name }) => name),
  ),
  ...['global', 'defaults', 'frontend', 'backend', 'listen', 'carp', 'peers', 'from', 'no', 'default'],
  ...[
    '.if',
    '.elif',
    '.else',
    '.endif',
    '.alert',
    '!',
    '&&',
    '||',
    '(',
    ')',
    'defined(A)',
    'streq(a,',
    'version_atleast(2.4)',
  ],
  ...['if', 'unless', 'or', 'and', 'nbsrv(b)', 'nbsrv', 'ge', 'lt', 'TRUE', 'FALSE', '%ci', '%{+Q}r', '%[src]', '%%'],
  ...[
    'rstring',
    'binary',
    'status',
    '200-399',
    '!',
    'string',
    'send',
    'expect',
    'connect',
    'set-var(check.x)',
    'str(a)',
  ],
  ...VALUES,
];

const IFCONFIG_WORDS = [
  ...['inet', 'inet6', 'vhid', 'advskew', 'advbase', 'pass', 'state', 'backup', 'master', 'alias', '-alias', 'netmask'],
  ...[
    '0xffff0000',
    '255.255.0.0',
    'prefixlen',
    'broadcast',
    'up',
    'down',
    'create',
    'destroy',
    'name',
    'peer',
    'mcast',
  ],
  ...[
    'carpdev',
    'carppeer',
    'carpnodes',
    '1:0,2:100',
    'balancing',
    'arp',
    'ip',
    'ip-stealth',
    'carpdemote',
    'delete',
    '-g',
  ],
  ...['-a', 'carp', 'mtu', 'media', 'description', 'group', 'link0', 'ether', ...VALUES],
];

export const RC_WORDS = [
  ...['cloned_interfaces="carp0 carp1"', 'ifconfig_carp0="vhid', 'ifconfig_em0_alias0="inet vhid', 'ifconfig_em0="'],
  ...['ifconfig_em0_aliases="inet vhid', 'ifconfig_carp0_name=', 'create_args_carp0=', 'ifconfig', '"', 'hostname='],
  ...IFCONFIG_WORDS,
];

export const SYSCTL_WORDS = [
  ...Object.keys(SYSCTLS).flatMap((name) => [`net.inet.carp.${name}`, `net.inet.carp.${name}=1`]),
  ...['=', ':', '-n', '-w', 'net.inet.carp', 'net.inet.carp.', 'net.inet6.carp.preempt=1', 'kern.x=1', ...VALUES],
];

export const HOSTNAME_WORDS = ['!route', 'dhcp', 'rtsol', 'inet', 'alias', ...IFCONFIG_WORDS];

export const INTERFACES_WORDS = [
  ...UCARP_KEYWORDS,
  ...['auto', 'allow-hotplug', 'iface', 'eth0', 'eth0:ucarp', 'inet', 'inet6', 'static', 'dhcp', 'manual', 'loopback'],
  ...['address', 'netmask', 'gateway', 'up', 'down', 'pre-up', 'source', 'source-directory', 'mapping', 'inherits'],
  ...['http://127.0.0.1/', 'tcp:127.0.0.1:80', ...VALUES],
];

export const UCARP_WORDS = [
  ...UCARP_OPTIONS.flatMap(({ short, long }) => (short ? [`-${short}`, `--${long}`] : [`--${long}`])),
  ...['-zPn', '-v1', '-b0', '--vh=1', '--=', '--', '-', '-i', '-v', '-p', '-a', '-s', ...VALUES],
];

export const COMMAND_WORDS = [...IFCONFIG_WORDS, ...SYSCTL_WORDS];

export const SCENARIO_WORDS = [
  ...['title', 'network', 'node', 'web', 'client', 'steps', 'file', 'arguments', 'probe', 'request'],
  ...VERBS,
  ...STATES,
  ...['wait', 'until', 'expect'],
  ...['at', 'is', 'of', 'on', 'gone', 'from', 'within', 'for', 'at most', 'outage', 'no'],
  ...[
    '10 ms',
    '1 s',
    '500',
    'every',
    'timeout',
    'port',
    'ucarp',
    'or',
    'carpool',
    'http://10.10.0.1/',
    'a',
    'b,',
    ...VALUES,
  ],
];

/** The shipped scenarios, by lines. */
export function scenarioTexts(): string[][] {
  const folder = new URL('../../../scenarios/', import.meta.url);
  return readdirSync(folder).map((file) => readFileSync(new URL(file, folder), 'utf8').split('\n'));
}
