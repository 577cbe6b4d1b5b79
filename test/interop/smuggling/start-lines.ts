/** Methods, targets, versions and Host (RFC 9112 sections 3 and 2.3): what routes a request must be said once. */
import { answered, type Case, CHUNKED_TAIL, one, PATH, post, refused, request, show, TAIL } from './case.js';

const length = `Content-Length: ${TAIL.length}`;

const NOT_A_VERSION = [
  '',
  ' ',
  'HTTP',
  'HTTP/',
  'HTTP/1',
  'HTTP/1.',
  'HTTP/.1',
  'HTTP/11',
  'HTTP/1.10',
  'HTTP/1.01',
  'HTTP/01.1',
  'HTTP/1,1',
  'HTTP/+1.1',
  'HTTP/1.1 ',
  'HTTP/1.1\t',
  'HTTP/1.1x',
  'HTTP/1.1 x',
  'HTTP/1.1;',
  'HTTP /1.1',
  'HTTP/ 1.1',
  'HTTP/1 .1',
  'http/1.1',
  'Http/1.1',
  'HTPP/1.1',
  'XHTTP/1.1',
  'ICY/1.1',
  'RTSP/1.0',
  'HTTP/1.\xb9',
  'HTTP/0x1.1',
  'HTTP/1.1 HTTP/1.1',
];

/** They are versions, but none that we speak. */
const OTHER_VERSIONS = ['HTTP/0.9', 'HTTP/0.1', 'HTTP/2.0', 'HTTP/2.1', 'HTTP/3.0', 'HTTP/9.9'];

const BROKEN_LINES = {
  'no method': ` ${PATH} HTTP/1.1`,
  'no target': 'GET HTTP/1.1',
  'an empty target': 'GET  HTTP/1.1',
  'nothing but a method': 'GET',
  'two spaces after the method': `GET  ${PATH} HTTP/1.1`,
  'two spaces after the target': `GET ${PATH}  HTTP/1.1`,
  'a tab after the method': `GET\t${PATH} HTTP/1.1`,
  'a tab after the target': `GET ${PATH}\tHTTP/1.1`,
  'a vertical tab after the target': `GET ${PATH}\vHTTP/1.1`,
  'a form feed after the method': `GET\x0c${PATH} HTTP/1.1`,
  'a no-break space after the method': `GET\xa0${PATH} HTTP/1.1`,
  'a space in the target': `GET ${PATH}?a b HTTP/1.1`,
  'a tab in the target': `GET ${PATH}?a\tb HTTP/1.1`,
  'a request of HTTP/0.9': `GET ${PATH}`,
  'two request lines in one': `GET ${PATH} HTTP/1.1 GET /smuggled/#### HTTP/1.1`,
  'a method with a tab': `GE\tT ${PATH} HTTP/1.1`,
  'a method with a colon': `GET: ${PATH} HTTP/1.1`,
  'a method with a comma': `GET, ${PATH} HTTP/1.1`,
  'a method in quotes': `"GET" ${PATH} HTTP/1.1`,
  'a method in parentheses': `(GET) ${PATH} HTTP/1.1`,
  'a method beyond ASCII': `G\xc9T ${PATH} HTTP/1.1`,
};

const BROKEN_TARGETS = [
  'case/####',
  'case',
  '?case',
  '\\case\\####',
  '#case',
  `${PATH}#fragment`,
  `${PATH}?query#fragment`,
  `${PATH}\xe9`,
  `${PATH}\x7f`,
  `${PATH}\x01`,
  '*',
  'a:80',
  'a',
  '@b/',
  'b@a',
  '//',
  'http:',
  'http:/',
  'http://',
  `http:${PATH}`,
  `http:/${PATH}`,
  `http:///${PATH}`,
  `http://b${PATH}`,
  `http://a.b${PATH}`,
  `http://a:81${PATH}`,
  `http://b@a${PATH}`,
  `http://a@b${PATH}`,
  `http://a\\b${PATH}`,
  'http://b?a/',
  `://a${PATH}`,
  `1http://a${PATH}`,
  `ht tp://a${PATH}`,
].filter((target) => target !== '//');

const NOT_A_HOST = [
  'a b',
  'a\tb',
  'a/b',
  'a,b',
  'a, b',
  'b@a',
  'a#b',
  'a?b',
  'a\\b',
  '"a"',
  '<a>',
  'http://a',
  'a\xe9',
  'a{b}',
  'a|b',
  'a^b',
  'a`b',
];
const HOSTS = ['A', 'a:80', 'a.b-c', '127.0.0.1', '[::1]', '[::1]:80'];

const METHODS_WITH_BODY = ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'PUT', 'PATCH', 'PROPFIND', 'TRACE'];

export const startLines: readonly Case[] = [
  ...NOT_A_VERSION.map((version) =>
    refused(`the version ${show(version)}`, request(`GET ${PATH} ${version}`, ['Host: a'], TAIL)),
  ),
  ...OTHER_VERSIONS.map((version) =>
    refused(`the version ${version}`, request(`GET ${PATH} ${version}`, ['Host: a'], TAIL), 505),
  ),
  refused('the preface of HTTP/2', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${TAIL}`, 505),
  ...Object.entries(BROKEN_LINES).map(([name, line]) =>
    refused(`a request line with ${name}`, request(line, ['Host: a'], TAIL)),
  ),
  ...BROKEN_TARGETS.map((target) =>
    refused(`the target ${show(target)}`, request(`GET ${target} HTTP/1.1`, ['Host: a'], TAIL)),
  ),
  refused('an absolute target without Host', request(`GET http://a${PATH} HTTP/1.1`, [], TAIL)),
  refused('CONNECT to a path', request(`CONNECT ${PATH} HTTP/1.1`, ['Host: a'], TAIL)),
  refused('CONNECT to another host', request('CONNECT b:80 HTTP/1.1', ['Host: a:80'], TAIL)),
  refused('CONNECT to no port', request('CONNECT a HTTP/1.1', ['Host: a'], TAIL)),
  refused('CONNECT to a URL', request('CONNECT http://a:80/ HTTP/1.1', ['Host: a:80'], TAIL)),
  refused('CONNECT with a length', request('CONNECT a:80 HTTP/1.1', ['Host: a:80', length], TAIL)),
  refused(
    'CONNECT with chunks',
    request('CONNECT a:80 HTTP/1.1', ['Host: a:80', 'Transfer-Encoding: chunked'], CHUNKED_TAIL),
  ),
  ...NOT_A_HOST.map((host) =>
    refused(`the Host ${show(host)}`, request(`GET ${PATH} HTTP/1.1`, [`Host: ${host}`], TAIL)),
  ),
  refused('no Host', request(`GET ${PATH} HTTP/1.1`, ['X: y'], TAIL)),
  refused('no fields at all', request(`GET ${PATH} HTTP/1.1`, [], TAIL)),
  refused('no Host, with a body', request(`POST ${PATH} HTTP/1.1`, [length], TAIL)),
  refused('two Hosts', post(['Host: b', length], TAIL)),
  refused('the same Host twice', post(['Host: a', length], TAIL)),
  refused('a second Host without a value', post(['host:', length], TAIL)),
  ...HOSTS.map((host) =>
    one(`the Host ${show(host)}`, request(`POST ${PATH} HTTP/1.1`, [`Host: ${host}`, length], TAIL), TAIL),
  ),
  one('an absolute target of the same host', request(`POST http://a${PATH} HTTP/1.1`, ['Host: a', length], TAIL), TAIL),
  one(
    'an absolute target of the same host in capitals',
    request(`POST HTTP://A${PATH} HTTP/1.1`, ['Host: a', length], TAIL),
    TAIL,
  ),
  one(
    'an absolute target with the same port',
    request(`POST http://a:80${PATH} HTTP/1.1`, ['Host: a:80', length], TAIL),
    TAIL,
  ),
  ...['HTTP/1.2', 'HTTP/1.9'].map((version) =>
    one(`the version ${version} is our 1.1`, request(`POST ${PATH} ${version}`, ['Host: a', length], TAIL), TAIL),
  ),
  one('HTTP/1.0 without Host', request(`POST ${PATH} HTTP/1.0`, [length], TAIL + TAIL), TAIL),
  one('HTTP/1.0 without a length', request(`POST ${PATH} HTTP/1.0`, ['Host: a'], TAIL), ''),
  ...METHODS_WITH_BODY.flatMap((method) => [
    one(`${method} with a body`, request(`${method} ${PATH} HTTP/1.1`, ['Host: a', length], TAIL), TAIL),
    one(
      `${method} with chunks`,
      request(`${method} ${PATH} HTTP/1.1`, ['Host: a', 'Transfer-Encoding: chunked'], CHUNKED_TAIL),
      TAIL,
    ),
  ]),
  ...['get', 'GETGET', 'X', 'post', '!#$%&'].map((method) =>
    answered(`the method ${method}`, request(`${method} ${PATH} HTTP/1.1`, ['Host: a', length], TAIL)),
  ),
  answered('OPTIONS *', request('OPTIONS * HTTP/1.1', ['Host: a', length], TAIL)),
  answered('CONNECT', request('CONNECT a:80 HTTP/1.1', ['Host: a:80'], TAIL)),
  answered('a Host without a value', request(`POST ${PATH} HTTP/1.1`, ['Host:', length], TAIL)),
];
