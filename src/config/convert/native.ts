/** Vhids as carp sections of haproxy.cfg: every field of the model has its line here. */
import { SYSCTL_PREFIX } from '../freebsd/sysctl.ts';
import type { AlsoAccept, Carp, Config, Scripts, Track } from '../model.ts';
import { CARP_DEFAULTS } from '../model-defaults.ts';
import { type Conversion, hostSysctls } from './text.ts';

export type NativeLine = { readonly field: keyof Carp; readonly text: string };

export function toNative(config: Config): Conversion {
  const { carps, frontends, backends, carp_host, interface_names } = config;
  const sysctls = hostSysctls({ ...config, carps: [], carp_host });
  const host = [
    ...interface_names.map(({ name, link }) => `interface ${name} = ${link}`),
    ...sysctls.map(({ name, value }) => `sysctl ${SYSCTL_PREFIX}.${name}=${value}`),
  ];
  const sections = [
    ...(host.length === 0 ? [] : [`global\n${host.map((line) => `    ${line}\n`).join('')}`]),
    ...carps.map(
      (carp) =>
        `carp ${sectionName(carp)}\n${nativeLines(carp)
          .map(({ text }) => `    ${text}\n`)
          .join('')}`,
    ),
  ];
  const span = frontends[0]?.span ?? backends[0]?.span;
  const message = 'Frontends and backends are not converted; keep them in their haproxy.cfg.';
  return {
    files: [{ name: 'haproxy.cfg', text: sections.join('\n') }],
    losses: span === undefined ? [] : [{ severity: 'warning', code: 'not-converted', message, span }],
  };
}

/** A name of ours has no other characters than these. */
function sectionName({ name }: Carp): string {
  return name.replace(/[^\w.:-]/g, '-');
}

/** What differs from the defaults, and what every vhid needs. */
export function nativeLines(carp: Carp): NativeLine[] {
  const { scripts } = carp;
  const lines: (NativeLine | undefined)[] = [
    carp.interface === undefined ? undefined : { field: 'interface', text: `interface ${quote(carp.interface)}` },
    { field: 'vhid', text: `vhid ${carp.vhid}` },
    carp.pass === '' ? undefined : { field: 'pass', text: `pass ${quote(carp.pass)}` },
    ...carp.addresses.map(
      ({ address, prefix_length }): NativeLine => ({ field: 'addresses', text: `address ${address}/${prefix_length}` }),
    ),
    changed(carp, 'advbase', `advbase ${carp.advbase}`),
    changed(carp, 'advskew', `advskew ${carp.advskew}`),
    changed(carp, 'deadratio', `deadratio ${carp.deadratio}`),
    changed(carp, 'preempt', 'preempt'),
    changed(carp, 'preempt_delay_ms', `preempt delay ${carp.preempt_delay_ms}ms`),
    changed(carp, 'source_address', `source ${carp.source_address}`),
    ...carp.peers.map((peer): NativeLine => ({ field: 'peers', text: `peer ${peer}` })),
    ...carp.also_accept.map((also): NativeLine => ({ field: 'also_accept', text: alsoAccept(also) })),
    changed(carp, 'mac', `mac ${carp.mac}`),
    changed(carp, 'advert_mac', `source-mac ${carp.advert_mac}`),
    changed(carp, 'nodad', 'no nodad'),
    changed(carp, 'hash_link_locals', 'no hash-link-locals'),
    changed(carp, 'balancing', `balancing ${carp.balancing}`),
    changed(carp, 'openbsd_demote_byte', 'openbsd-demote-byte'),
    changed(carp, 'multicast_address', `multicast ${carp.multicast_address}`),
    changed(carp, 'broadcast', 'broadcast'),
    changed(carp, 'ignore_link_state', 'ignore-link-state'),
    ...carp.demotions.map(
      ({ amount, polarity, text }): NativeLine => ({
        field: 'demotions',
        text: `demote ${amount} ${polarity} ${text}`,
      }),
    ),
    ...carp.tracks.map((track): NativeLine => ({ field: 'tracks', text: trackLine(track) })),
    ...(scripts === undefined ? [] : scriptLines(scripts)),
    changed(carp, 'disabled', 'disabled'),
  ];
  return lines.filter((line) => line !== undefined);
}

function changed<Field extends keyof typeof CARP_DEFAULTS>(
  carp: Carp,
  field: Field,
  text: string,
): NativeLine | undefined {
  return carp[field] === CARP_DEFAULTS[field] ? undefined : { field, text };
}

function alsoAccept({ pass, addresses }: AlsoAccept): string {
  const password = pass === undefined ? '' : ` pass ${quote(pass)}`;
  return `also accept${password}${addresses === undefined ? '' : ` address ${addresses.join(' ')}`}`;
}

function trackLine({ text, check, amount }: Track): string {
  const { inter_ms, fastinter_ms, downinter_ms, rise, fall } = check;
  const faster = fastinter_ms === undefined ? '' : ` fastinter ${fastinter_ms}ms`;
  const slower = downinter_ms === undefined ? '' : ` downinter ${downinter_ms}ms`;
  return `track ${text} inter ${inter_ms}ms${faster}${slower} rise ${rise} fall ${fall} demote ${amount}`;
}

function scriptLines({ up, down, xparam, down_at_exit, neutral }: Scripts): NativeLine[] {
  const texts = [
    up === undefined ? [] : `upscript ${quote(up)}`,
    down === undefined ? [] : `downscript ${quote(down)}`,
    xparam === undefined ? [] : `xparam ${quote(xparam)}`,
    down_at_exit ? 'downscript-at-exit' : [],
    neutral ? 'neutral' : [],
  ].flat();
  return texts.map((text) => ({ field: 'scripts', text }));
}

/** HAProxy's quoting: nothing is special between single quotes. */
function quote(text: string): string {
  if (/^[\w.,:@%+=/-]+$/.test(text)) return text;
  return (
    text
      .split("'")
      .map((part) => (part === '' ? '' : `'${part}'`))
      .join(`"'"`) || "''"
  );
}
