import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAge } from '#src/control/format-age.js';
import type { StatusReport, VhidReport } from '#src/control/status-report.js';
import { renderStatus } from '#src/control/status-text.js';

const VHID: VhidReport = {
  name: 'web',
  vhid: 1,
  interface: 'eth0',
  state: 'MASTER',
  since: '2026-01-02T03:04:05.000Z',
  since_s: 192.4,
  reason: 'no master: nothing heard for 3.00 s',
  master: '10.10.0.11',
  last_heard_s: null,
  addresses: ['10.10.0.1/16'],
  advbase: 1,
  advskew: 0,
  advertised_advskew: 0,
  interval_ms: 1000,
  preempt: true,
  demotion: 0,
  demotions: [],
  troubles: [],
  adverts_sent: 190,
  adverts_received: 0,
};

const DEMOTED: VhidReport = {
  ...VHID,
  name: 'mail',
  vhid: 20,
  state: 'BACKUP',
  since_s: 3.25,
  reason: 'a faster master adverts: 10.10.0.12',
  master: '10.10.0.12',
  addresses: ['10.10.0.2/16', '10.10.0.3/16'],
  advskew: 100,
  advertised_advskew: 240,
  interval_ms: 1938,
  demotion: 240,
  demotions: [
    { owner: 'config:unless { nbsrv(servers) ge 1 }', amount: 240, reason: 'nbsrv(servers) is 0, the rule wants ge 1' },
  ],
};

const REPORT: StatusReport = {
  version: '1.2.3',
  pid: 4711,
  started_at: '2026-01-02T03:04:05.000Z',
  uptime_s: 7505,
  ready: true,
  files: ['/etc/carpool.cfg'],
  vhids: [VHID, DEMOTED],
  orders: [],
  lost_log_lines: 0,
  last_lost_line_s: null,
  reactor: null,
  carp: { scheduling: 'SCHED_RR', guardian: true, stalls: 0, longest_stall_ms: 0, last_stall_s: null, taken: [] },
  frontends: [{ name: 'http-in', mode: 'http', binds: ['10.10.0.1:80', '[::1]:80'], connections: 12, full: [] }],
  backends: [
    {
      name: 'servers',
      mode: 'http',
      balance: 'roundrobin',
      servers: [
        {
          name: 'server1',
          address: '10.10.0.21:8080',
          address_from: 'configuration',
          up: true,
          checked: true,
          backup: false,
          weight: 1,
          current: 3,
          total: 1200,
          reason: 'check passed',
          last_check: null,
          last_agent: null,
        },
        {
          name: 'server2',
          address: 'server2.example.com:8080',
          address_from: 'none',
          up: false,
          checked: true,
          backup: true,
          weight: 1,
          current: 0,
          total: 0,
          reason: 'the name server2.example.com did not resolve',
          last_check: null,
          last_agent: null,
        },
      ],
    },
  ],
};

test('the table tells who holds which address, since when and why', () => {
  assert.equal(
    renderStatus(REPORT),
    `carpool 1.2.3, pid 4711, up 2 h 5 min, /etc/carpool.cfg

VHID  NAME  INTERFACE  STATE   SINCE       MASTER      INTERVAL  ADVSKEW  ADDRESSES
1     web   eth0       MASTER  3 min 12 s  this node   1.00 s    0        10.10.0.1/16
      why: no master: nothing heard for 3.00 s
20    mail  eth0       BACKUP  3.3 s       10.10.0.12  1.94 s    100      10.10.0.2/16 10.10.0.3/16
      why: a faster master adverts: 10.10.0.12
      demoted by 240 (config:unless { nbsrv(servers) ge 1 }): nbsrv(servers) is 0, the rule wants ge 1

FRONTEND  MODE  CLIENTS  LISTENS ON
http-in   http  12       10.10.0.1:80 [::1]:80

SERVER           ADDRESS                   STATE  WEIGHT             NOW  TOTAL  WHY
servers/server1  10.10.0.21:8080           up     1                  3    1200   check passed
servers/server2  server2.example.com:8080  DOWN   1 (backup server)  0    0      the name server2.example.com did not resolve
`,
  );
});

test('a daemon that is starting says what it waits for', () => {
  const text = renderStatus({ ...REPORT, ready: false, vhids: [], frontends: [], backends: [] });
  assert.equal(
    text,
    'carpool 1.2.3, pid 4711, up 2 h 5 min, /etc/carpool.cfg; starting: waiting for the listeners and the first checks\n',
  );
});

test('ages read as people say them', () => {
  assert.deepEqual([-0.001, 0.44, 9.9, 59.9, 60, 3599, 3600, 86_400 + 3600].map(formatAge), [
    '0.0 s',
    '0.4 s',
    '9.9 s',
    '59 s',
    '1 min 0 s',
    '59 min 59 s',
    '1 h 0 min',
    '1 d 1 h',
  ]);
});
