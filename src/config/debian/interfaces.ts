/**
 * The `ucarp-*` options of Debian's /etc/network/interfaces, one vhid for each stanza that has them. They mean what the
 * hook of Debian's package ucarp makes of them:
 *
 *     iface eth0 inet static
 *         address 10.10.0.11/16            the source of the adverts
 *         ucarp-vid 1                      these three must be there
 *         ucarp-vip 10.10.0.10
 *         ucarp-password some_password
 *         ucarp-master no                  `yes` is preempt
 *
 *     iface eth0:ucarp inet static         what the scripts vip-up and vip-down bring up and down
 *         address 10.10.0.10/24
 */
import { type CarpDraft, closeCarp, newCarp } from '../carp-draft.ts';
import { parsePass } from '../carp-values.ts';
import type { Source } from '../load.ts';
import type { Carp } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import { readAsStrtoul } from '../strtoul.ts';
import { didYouMean } from '../suggest.ts';
import { parseTrackWord } from '../track.ts';
import { isIPv4, isPlaceholder, parseInteger, reportPlaceholder } from '../values.ts';
import type { Word } from '../word.ts';
import { type Interfaces, type Option, readStanzas, type Stanza } from './stanzas.ts';

/** Where Debian's package has the scripts that it runs when the stanza names none. */
const DEFAULT_SCRIPTS = { up: '/usr/share/ucarp/vip-up', down: '/usr/share/ucarp/vip-down' } as const;

/**
 * `hasScript`: whether a default script is on this host and may be run for a stanza of that file. They ask ifup for what
 * stands in /etc/network/interfaces, so stanzas of other files have none. The address is held without them.
 */
export type InterfacesOptions = { readonly hasScript: (path: string, file: string) => boolean };

export function parseInterfaces(sources: readonly Source[], options: InterfacesOptions, report: Reporter): Carp[] {
  const interfaces = readStanzas(sources);
  reportHomeless(interfaces.homeless, report);
  for (const option of [...interfaces.homeless, ...interfaces.stanzas.flatMap((stanza) => stanza.options)]) {
    const { name, value } = option;
    // of the password its own reader says so
    if (name.text !== 'ucarp-password' && isPlaceholder(value.text))
      reportPlaceholder(value, `value of ${name.text}`, report);
  }
  const carps = interfaces.stanzas.flatMap((stanza) => {
    if (!stanza.options.some(isUcarp)) return [];
    return parseStanza(stanza, interfaces, options, report) ?? [];
  });
  for (const stanza of interfaces.stanzas) checkLabel(stanza, carps, interfaces, report);
  if (carps.length === 0 && !report.hasErrors) reportNothing(sources, interfaces, report);
  return carps;
}

function isUcarp({ name }: Option): boolean {
  return name.text.startsWith('ucarp-');
}

/** ifupdown takes options only below the `iface` line that they belong to. */
function reportHomeless(homeless: readonly Option[], report: Reporter): void {
  const [first] = homeless.filter(isUcarp);
  if (first === undefined) return;
  const message = `\`${first.name.text}\` stands before any \`iface\` line, so ifupdown cannot tell whose it is.`;
  const mend = 'Put `iface eth0 inet static` and the own address above it.';
  report.error(first.name.span, 'outside-section', message, mend);
}

/** A file of ifupdown that was named on purpose and has nothing for us. */
function reportNothing(sources: readonly Source[], { stanzas }: Interfaces, report: Reporter): void {
  const [source] = sources;
  if (source === undefined) return;
  const span = stanzas[0]?.name.span ?? { file: source.file, line: 1, column: 1, end_column: 2 };
  const mend = 'Add `ucarp-vid`, `ucarp-vip` and `ucarp-password` below an `iface` line.';
  report.warning(span, 'nothing-to-do', 'No stanza of this file has an option of ucarp.', mend);
}

type Setter = (draft: StanzaDraft, value: Word, report: Reporter) => void;

type StanzaDraft = { readonly carp: CarpDraft; up: string | undefined; down: string | undefined; xparam?: string };

const number =
  (field: 'vhid' | 'advskew' | 'advbase' | 'deadratio', min: number): Setter =>
  ({ carp }, value, report) => {
    carp.spans[field] = value.span;
    const what = `ucarp-${field === 'vhid' ? 'vid' : field}`;
    const parsed = isPlaceholder(value.text)
      ? undefined
      : parseInteger(readAsStrtoul(value), { what, min, max: 255 }, report);
    if (parsed !== undefined) carp[field] = parsed;
  };

/** Debian's hook looks at how the value begins, and takes everything else for yes. */
const isYes = (value: Word): boolean => !/^(no|off|false|0)/.test(value.text);

const SETTERS: Readonly<Record<string, Setter>> = {
  'ucarp-vid': number('vhid', 1),
  'ucarp-vip': setVip,
  'ucarp-password': setPassword,
  'ucarp-advskew': number('advskew', 0),
  'ucarp-advbase': number('advbase', 0),
  'ucarp-deadratio': number('deadratio', 1),
  'ucarp-master': ({ carp }, value) => {
    carp.preempt = isYes(value);
  },
  'ucarp-nomcast': ({ carp }, value) => {
    carp.broadcast = isYes(value);
  },
  'ucarp-upscript': (draft, value) => {
    draft.carp.spans['upscript'] = value.span;
    draft.up = value.text;
  },
  'ucarp-downscript': (draft, value) => {
    draft.carp.spans['downscript'] = value.span;
    draft.down = value.text;
  },
  'ucarp-xparam': (draft, value) => {
    draft.xparam = value.text;
  },
  // carpool's own, which Debian's hook passes over
  'ucarp-track': ({ carp }, value, report) => {
    const track = parseTrackWord(value, report);
    if (track !== undefined) carp.tracks.push(track);
  },
  // of the process and not of the vhid: `carpool debian up` reads it
  'ucarp-facility': () => undefined,
};

export const UCARP_KEYWORDS: readonly string[] = Object.keys(SETTERS);

/** The vhid that a stanza asks for; undefined after a report. */
export function parseStanza(
  stanza: Stanza,
  interfaces: Interfaces,
  { hasScript }: InterfacesOptions,
  report: Reporter,
): Carp | undefined {
  const link = stanza.name.text.replace(/:.*$/, '');
  if (link !== stanza.name.text) return reportLabel(stanza, link, report);
  const carp = newCarp('', stanza.name.span, 'debian');
  const draft: StanzaDraft = { carp, up: undefined, down: undefined };
  carp.interface = link;
  carp.spans['interface'] = stanza.name.span;
  setSource(carp, stanza);
  setOptions(draft, stanza, report);
  reportMissing(draft, stanza, report);
  const vip = carp.addresses[0];
  if (vip === undefined) return undefined;
  carp.name = vip.address;
  carp.addresses = [{ ...vip, prefix_length: prefixOf(vip.address, link, interfaces) }];
  const otherwise = (path: string) => (hasScript(path, stanza.name.span.file) ? path : undefined);
  const up = draft.up ?? otherwise(DEFAULT_SCRIPTS.up);
  const down = draft.down ?? otherwise(DEFAULT_SCRIPTS.down);
  if (up !== undefined || down !== undefined)
    carp.scripts = { up, down, xparam: draft.xparam, down_at_exit: true, neutral: false };
  return closeCarp(carp);
}

function setOptions(draft: StanzaDraft, stanza: Stanza, report: Reporter): void {
  const seen = new Map<string, Word>();
  for (const { name, value } of stanza.options.filter(isUcarp)) {
    const earlier = seen.get(name.text);
    const setter = Object.hasOwn(SETTERS, name.text) ? SETTERS[name.text] : undefined;
    if (earlier !== undefined) {
      const message = `\`${name.text}\` stands in line ${earlier.span.line} already; ifupdown refuses the whole file.`;
      report.error(name.span, 'duplicate-option', message, 'Remove one of them.');
    } else if (setter === undefined) {
      const message = `\`${name.text}\` is not an option that anybody reads.`;
      report.warning(name.span, 'unknown-keyword', message, didYouMean(name.text, UCARP_KEYWORDS));
    } else if (value.text === '') report.error(name.span, 'missing-value', `\`${name.text}\` needs a value.`);
    else setter(draft, value, report);
    seen.set(name.text, name);
  }
}

/** What ifupdown hands to the hook: the stanza's address without its length. */
function setSource(carp: CarpDraft, { options }: Stanza): void {
  const own = options.find(({ name }) => name.text === 'address')?.value;
  const address = own?.text.replace(/\/.*$/, '') ?? '';
  if (own === undefined || !isIPv4(address)) return;
  carp.source_address = address;
  carp.spans['source_address'] = own.span;
}

function setVip({ carp }: StanzaDraft, value: Word, report: Reporter): void {
  carp.spans['addresses'] = value.span;
  if (isPlaceholder(value.text)) return;
  if (isIPv4(value.text)) carp.addresses = [{ address: value.text, prefix_length: 32, span: value.span }];
  else {
    const mend = 'Write four numbers, such as `10.10.0.10`, without a prefix length.';
    report.error(value.span, 'bad-address', `ucarp-vip \`${value.text}\` is not an IPv4 address.`, mend);
  }
}

function setPassword({ carp }: StanzaDraft, value: Word, report: Reporter): void {
  carp.spans['pass'] = value.span;
  carp.pass = parsePass(value, report);
  if (!/\s/.test(value.text)) return;
  const message = 'The password has a space, at which the hook of the package ucarp would cut it in two.';
  report.warning(value.span, 'pass-with-space', message, 'Choose one without, if the other node runs ucarp.');
}

/** Without one of the three Debian's hook starts nothing, in silence. */
function reportMissing({ carp }: StanzaDraft, { name }: Stanza, report: Reporter): void {
  const needed = [
    ['ucarp-vid', 'vhid', '`ucarp-vid 1`, with the same number on every node'],
    ['ucarp-vip', 'addresses', '`ucarp-vip 10.10.0.10`'],
    ['ucarp-password', 'pass', '`ucarp-password s3cret`, the same on every node'],
  ] as const;
  for (const [keyword, field, example] of needed) {
    if (carp.spans[field] !== undefined) continue;
    const message = `The stanza of ${name.text} has no \`${keyword}\`, so nothing is started.`;
    report.error(name.span, `${keyword}-missing`, message, `Add a line such as ${example}.`);
  }
}

function reportLabel({ name }: Stanza, link: string, report: Reporter): undefined {
  const message = `The options of ucarp stand in the stanza of ${name.text}, which is only a label for an address.`;
  return report.error(name.span, 'misplaced-options', message, `Move them below \`iface ${link} inet …\`.`);
}

/** `iface eth0:ucarp`, whose address the scripts bring up. */
function isLabelOf(stanza: Stanza, link: string): boolean {
  return stanza.name.text === `${link}:ucarp`;
}

function prefixOf(vip: string, link: string, { stanzas }: Interfaces): number {
  for (const stanza of stanzas.filter((each) => isLabelOf(each, link))) {
    const [address, length] = optionOf(stanza, 'address')?.text.split('/') ?? [];
    const mask = length ?? optionOf(stanza, 'netmask')?.text ?? '32';
    const prefix_length = mask.includes('.') ? maskLength(mask) : Number(mask);
    if (address === vip && prefix_length >= 1 && prefix_length <= 32) return prefix_length;
  }
  return 32;
}

function optionOf({ options }: Stanza, keyword: string): Word | undefined {
  return options.find(({ name }) => name.text === keyword)?.value;
}

/** `255.255.255.0` is 24. */
function maskLength(mask: string): number {
  const bits = mask.split('.').map((part) => Number(part).toString(2).padStart(8, '0'));
  return bits.join('').indexOf('0') < 0 ? 32 : bits.join('').indexOf('0');
}

/** The stanza that vip-up and vip-down bring up and down: what in it would hurt. */
function checkLabel(stanza: Stanza, carps: readonly Carp[], { started }: Interfaces, report: Reporter): void {
  const carp = carps.find(({ interface: link }) => isLabelOf(stanza, link ?? ''));
  const isLabel = stanza.name.text.endsWith(':ucarp');
  const auto = started.find(({ text }) => text === stanza.name.text);
  if (isLabel && auto !== undefined) {
    const message = `${stanza.name.text} comes up at boot on every node, so that all of them have the shared address.`;
    report.error(auto.span, 'vip-at-boot', message, 'Remove it here: its turn comes when this node is MASTER.');
  }
  const gateway = optionOf(stanza, 'gateway');
  if (isLabel && gateway !== undefined && !isPlaceholder(gateway.text)) {
    const message =
      'The default route would come and go with the shared address; where there is one already, bringing it up fails.';
    report.warning(gateway.span, 'gateway-of-vip', message, 'Put `gateway` into the stanza of the own address.');
  }
  const address = optionOf(stanza, 'address');
  if (carp === undefined || address === undefined || stanza.family !== 'inet' || isPlaceholder(address.text)) return;
  if (carp.addresses.some((vip) => vip.address === address.text.replace(/\/.*$/, ''))) return;
  const message = `${stanza.name.text} has the address ${address.text}, and ucarp-vip is ${carp.name}.`;
  report.warning(address.span, 'vip-differs', message, 'Give both the same address, or take this stanza as an extra.');
}
