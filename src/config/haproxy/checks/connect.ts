/** `tcp-check connect` and `http-check connect`. */
import type { ConnectRule } from '../../model.ts';
import { literalOrName } from '../address.ts';
import { parseExpression } from './format.ts';
import type { Words } from './words.ts';

type Draft = { -readonly [K in keyof ConnectRule]: ConnectRule[K] };

const KNOWN = ['default', 'port', 'addr', 'send-proxy', 'linger', 'comment'];
const NEEDS_TLS = ['ssl', 'sni', 'alpn'];

export function parseConnect(words: Words): ConnectRule | undefined {
  const rule: Draft = {
    kind: 'connect',
    default: false,
    port: undefined,
    address: undefined,
    send_proxy: false,
    linger: false,
    comment: undefined,
  };
  for (let word = words.next(); word !== undefined; word = words.next()) {
    switch (word.text) {
      case 'default':
        rule.default = true;
        break;
      case 'send-proxy':
        rule.send_proxy = true;
        break;
      case 'linger':
        rule.linger = true;
        break;
      case 'comment':
        rule.comment = words.value(word)?.text;
        break;
      case 'port': {
        const value = words.value(word);
        rule.port = value && parsePort(value, words);
        if (rule.port === undefined) return undefined;
        break;
      }
      case 'addr': {
        const value = words.value(word);
        if (value === undefined) return undefined;
        if (literalOrName(value.text) === '') {
          const message = `The check address \`${value.text}\` is not an IP address.`;
          return words.fail(value, 'bad-address', message, 'Write an IP address; the port goes after `port`.');
        }
        rule.address = value.text;
        break;
      }
      default:
        if (NEEDS_TLS.includes(word.text)) {
          const message = `\`${word.text}\` needs TLS, which checks do not speak yet.`;
          return words.fail(word, 'unsupported-keyword', message, 'Check a port without TLS, or use `ssl-hello-chk`.');
        }
        if (word.text === 'via-socks4' || word.text === 'proto') {
          return words.fail(word, 'unsupported-keyword', `\`${word.text}\` is not supported in checks.`, 'Remove it.');
        }
        return words.unexpected(word, KNOWN);
    }
  }
  return rule;
}

/** A number, or an expression that gives one. */
function parsePort(value: Parameters<typeof parseExpression>[0], words: Words): ConnectRule['port'] {
  if (!/^\d+$/.test(value.text)) return parseExpression(value, words.context);
  const port = Number(value.text);
  if (port >= 1 && port <= 65535) return { fetch: 'int', args: [value.text], converters: [] };
  return words.fail(value, 'bad-port', `\`${value.text}\` is not a port.`, 'Write a number from 1 to 65535.');
}
