/** The report as a person reads it: `carpool status`. */
import { formatAge } from './format-age.ts';
import type { OrderReport } from './order.ts';
import type { BackendReport, FrontendReport, ServerReport, StatusReport, VhidReport } from './status-report.ts';

export function renderStatus(report: StatusReport): string {
  const sections = [renderHead(report)];
  if (report.vhids.length > 0) sections.push(renderVhids(report.vhids));
  if (report.orders.length > 0) sections.push(renderOrders(report.orders));
  if (report.frontends.length > 0) sections.push(renderFrontends(report.frontends));
  if (report.backends.length > 0) sections.push(renderServers(report.backends));
  if (sections.length === 1 && report.ready)
    sections.push('There are no vhids and no frontends; "carpool ifconfig" makes vhids.\n');
  return sections.join('\n');
}

function renderHead(report: StatusReport): string {
  const starting = report.ready ? '' : '; starting: waiting for the listeners and the first checks';
  const lost =
    report.lost_log_lines === 0 ? '' : `${report.lost_log_lines} log lines were lost: their reader is too slow\n`;
  const files = report.files.length === 0 ? 'from the command line' : report.files.join(', ');
  return `carpool ${report.version}, pid ${report.pid}, up ${formatAge(report.uptime_s)}, ${files}${starting}\n${lost}`;
}

export function renderVhids(vhids: readonly VhidReport[]): string {
  const head = ['VHID', 'NAME', 'INTERFACE', 'STATE', 'SINCE', 'MASTER', 'INTERVAL', 'ADVSKEW', 'ADDRESSES'];
  const rows = vhids.map((vhid) => [
    String(vhid.vhid),
    vhid.name,
    vhid.interface,
    vhid.state,
    formatAge(vhid.since_s),
    vhid.state === 'MASTER' ? 'this node' : (vhid.master ?? '-'),
    vhid.interval_ms < 100 ? `${vhid.interval_ms} ms` : `${(vhid.interval_ms / 1000).toFixed(2)} s`,
    String(vhid.advskew),
    vhid.addresses.join(' '),
  ]);
  const [top, ...lines] = table([head, ...rows]);
  return [top, ...lines.flatMap((line, i) => [line, ...notes(vhids[i]!)])].map((line) => `${line}\n`).join('');
}

/** Under a vhid's row: why, what demotes it, and what is wrong around it. */
function notes(vhid: VhidReport): string[] {
  const why = `      why: ${vhid.reason}`;
  const demotions = vhid.demotions.map(
    ({ owner, amount, reason }) => `      demoted by ${amount} (${owner}): ${reason}`,
  );
  const troubles = vhid.troubles.map((text) => `      trouble: ${text}`);
  return [why, ...demotions, ...troubles];
}

function renderOrders(orders: readonly OrderReport[]): string {
  const rows = orders.map(({ kind, vhid, amount, by, remaining_s, reason }) => [
    kind === 'demote' ? `demote ${amount}` : kind,
    vhid ?? 'all',
    by,
    remaining_s === null ? 'until taken back' : formatAge(remaining_s),
    reason || '-',
  ]);
  return lines([['ORDER', 'VHID', 'BY', 'TIME LEFT', 'REASON'], ...rows]);
}

function renderFrontends(frontends: readonly FrontendReport[]): string {
  const rows = frontends.map(({ name, mode, connections, full, binds }) => [
    name,
    mode,
    full.length === 0 ? String(connections) : `${connections}, more wait (maxconn of ${full.join(', ')})`,
    binds.join(' '),
  ]);
  return lines([['FRONTEND', 'MODE', 'CLIENTS', 'LISTENS ON'], ...rows]);
}

function renderServers(backends: readonly BackendReport[]): string {
  const rows = backends.flatMap((backend) =>
    backend.servers.map((server) => [
      `${backend.name}/${server.name}`,
      addressOf(server),
      server.up ? 'up' : 'DOWN',
      String(server.weight) + (server.backup ? ' (backup server)' : ''),
      String(server.current),
      String(server.total),
      server.reason,
    ]),
  );
  return lines([['SERVER', 'ADDRESS', 'STATE', 'WEIGHT', 'NOW', 'TOTAL', 'WHY'], ...rows]);
}

/** What is not in the configuration has its origin behind it. */
function addressOf({ address, address_from }: ServerReport): string {
  return address_from === 'configuration' || address_from === 'none' ? address : `${address} (${address_from})`;
}

function lines(rows: readonly (readonly string[])[]): string {
  return table(rows)
    .map((line) => `${line}\n`)
    .join('');
}

/** Columns two spaces apart, nothing after the last one. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}
