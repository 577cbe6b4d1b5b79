/**
 * `track`: a vhid that is less preferred while a service fails that carpool does not balance itself (an Apache that
 * listens on the virtual address).
 *
 *     track http://127.0.0.1/health inter 1s fall 2        in a carp section
 *     track tcp 127.0.0.1:3306 demote 100
 *     --track tcp:127.0.0.1:3306                           on the command line of `carpool ucarp`
 *
 * For the checks and the control thread each tracked service is a backend of its own (`tracked-backends.ts`).
 */
import { isHostName, literalOrName } from './haproxy/address.ts';
import type { CheckMethod, Endpoint, Track, TrackCheck } from './model.ts';
import { httpCheck, PLAIN_CHECK } from './model-defaults.ts';
import type { Reporter } from './reporter.ts';
import { didYouMean } from './suggest.ts';
import { parseDuration, parseInteger, reportPlaceholder } from './values.ts';
import { spanOf, type Word } from './word.ts';

export const TRACK_LIMIT = 16;
const EXAMPLE = 'Write for example `track http://127.0.0.1/` or `track tcp 127.0.0.1:80`.';
/** As a server with `check`, but half as long between two checks: an address waits for it. */
const DEFAULT_CHECK: TrackCheck = {
  inter_ms: 1000,
  fastinter_ms: undefined,
  downinter_ms: undefined,
  rise: 2,
  fall: 3,
};
const FULL_DEMOTION = 240;

/** The words after `track`; `at` is where a mistake of none of them is told. */
export function parseTrack(words: readonly Word[], at: Word, report: Reporter): Track | undefined {
  const [first, ...others] = words;
  if (first === undefined) return report.error(at.span, 'missing-value', '`track` needs a service.', EXAMPLE);
  const isTcp = first.text === 'tcp';
  const [written, rest] = isTcp ? [others[0], others.slice(1)] : [first, others];
  if (written === undefined)
    return report.error(first.span, 'missing-value', '`track tcp` needs an address and a port.', EXAMPLE);
  const service = isTcp ? parseTcp(written, report) : parseUrl(written, report);
  const settings = parseSettings(rest, report);
  if (service === undefined || settings === undefined) return undefined;
  const text = isTcp ? `tcp ${written.text}` : written.text;
  return { text, ...service, ...settings, span: spanOf([at, ...words]) };
}

/** One word: `http://…`, or `tcp:ADDRESS:PORT`. */
export function parseTrackWord(word: Word, report: Reporter): Track | undefined {
  const tcp = /^tcp:(?:\/\/)?(.*)$/.exec(word.text);
  if (tcp === null) return parseTrack([word], word, report);
  return parseTrack(
    [
      { text: 'tcp', span: word.span },
      { text: tcp[1], span: word.span },
    ],
    word,
    report,
  );
}

type Service = { readonly host: string; readonly endpoint: Endpoint; readonly method: CheckMethod };

function parseTcp(word: Word, report: Reporter): Service | undefined {
  const place = parsePlace(word.text, undefined, word, report);
  return place && { ...place, method: PLAIN_CHECK };
}

function parseUrl(word: Word, report: Reporter): Service | undefined {
  const [, scheme, place_text, path] = /^([a-z]+):\/\/([^/?#]*)([^#]*)$/i.exec(word.text) ?? [];
  if (scheme === undefined)
    return report.error(word.span, 'bad-address', `\`${word.text}\` is neither a URL nor \`tcp\`.`, EXAMPLE);
  if (scheme.toLowerCase() !== 'http')
    return report.error(
      word.span,
      'unsupported-value',
      `A service cannot be tracked over ${scheme}.`,
      'Track it over `http`, or that it accepts connections: `track tcp ADDRESS:PORT`.',
    );
  if (!/^[\x21-\x7e]*$/.test(path))
    return report.error(word.span, 'bad-address', 'A URL is made of printable characters without spaces.', EXAMPLE);
  const place = parsePlace(place_text, 80, word, report);
  const uri = path.startsWith('/') ? path : `/${path}`;
  return place && { ...place, method: httpMethod(uri, place_text) };
}

/** With the host of the URL, as a server with several names wants it. */
function httpMethod(uri: string, host: string): CheckMethod {
  const check = httpCheck('GET', uri, 'HTTP/1.1');
  const headers = [{ name: 'host', value: [host] }];
  const send = { kind: 'http-send', method: undefined, uri: undefined, version: undefined, headers } as const;
  return { ...check, rules: [{ ...send, body: undefined, comment: undefined }] };
}

/** `host:port`; IPv6 in brackets. */
function parsePlace(text: string, default_port: number | undefined, word: Word, report: Reporter) {
  const [, bracketed, plain, port_text] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? '';
  const port = port_text === undefined ? default_port : Number(port_text);
  if (reportPlaceholder({ text: host, span: word.span }, 'address', report)) return undefined;
  const address = literalOrName(host);
  if ((address === '' && (bracketed !== undefined || !isHostName(host))) || port === 0 || (port ?? 0) > 65535)
    return report.error(word.span, 'bad-address', `\`${text}\` is not the address of a service.`, EXAMPLE);
  if (port === undefined)
    return report.error(word.span, 'port-missing', `\`${text}\` has no port.`, 'Add one, such as `127.0.0.1:80`.');
  return { host, endpoint: { address, port } };
}

type Settings = { check: TrackCheck; amount: number };
type SettingName = 'inter' | 'fastinter' | 'downinter' | 'rise' | 'fall' | 'demote';
const SETTINGS: readonly SettingName[] = ['inter', 'fastinter', 'downinter', 'rise', 'fall', 'demote'];

/** A server's words for its check, and by how much to demote. */
function parseSettings(words: readonly Word[], report: Reporter): Settings | undefined {
  let settings: Settings | undefined = { check: DEFAULT_CHECK, amount: FULL_DEMOTION };
  for (let at = 0; at < words.length; at += 2) {
    const [name, value] = [words[at], words[at + 1]];
    const known = SETTINGS.find((candidate) => candidate === name.text);
    if (known === undefined) {
      const mend = didYouMean(name.text, SETTINGS) ?? `Known here: ${SETTINGS.join(', ')}.`;
      return report.error(name.span, 'unknown-keyword', `\`${name.text}\` is not a word that \`track\` knows.`, mend);
    }
    if (value === undefined) return report.error(name.span, 'missing-value', `\`${known}\` needs a value.`);
    const change: Settings | undefined = parseSetting(known, value, settings, report);
    settings = change && settings && { ...settings, ...change };
  }
  return settings;
}

function parseSetting(
  name: SettingName,
  value: Word,
  settings: Settings | undefined,
  report: Reporter,
): Settings | undefined {
  const { check, amount } = settings ?? { check: DEFAULT_CHECK, amount: FULL_DEMOTION };
  if (name === 'demote') {
    const parsed = parseInteger(value, { what: name, min: 1, max: 255 }, report);
    return parsed === undefined ? undefined : { check, amount: parsed };
  }
  if (name === 'rise' || name === 'fall') {
    const parsed = parseInteger(value, { what: name, min: 1, max: 1000 }, report);
    return parsed === undefined ? undefined : { check: { ...check, [name]: parsed }, amount };
  }
  const time_ms = parseDuration(value, name, report);
  if (time_ms === 0) return report.error(value.span, 'out-of-range', `${name} must be longer than 0.`);
  return time_ms === undefined ? undefined : { check: { ...check, [`${name}_ms`]: time_ms }, amount };
}
