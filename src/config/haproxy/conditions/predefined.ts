/** HAProxy's predefined ACLs (manual 7.4). */

import { NOWHERE } from '../../diagnostic.ts';
import type { AclTest } from '../../model.ts';
import type { Context } from '../keyword.ts';
import { parseTest } from './acl.ts';

const DEFINITIONS: ReadonlyMap<string, string> = new Map([
  ['FALSE', 'always_false'],
  ['TRUE', 'always_true'],
  ['HTTP', 'req.proto_http'],
  ['HTTP_1.0', 'req.ver 1.0'],
  ['HTTP_1.1', 'req.ver 1.1'],
  ['HTTP_2.0', 'req.ver 2.0'],
  ['HTTP_CONTENT', 'req.hdr_val(content-length) gt 0'],
  ['HTTP_URL_ABS', 'url_reg ^[^/:]*://'],
  ['HTTP_URL_SLASH', 'url_beg /'],
  ['HTTP_URL_STAR', 'url *'],
  ['LOCALHOST', 'src 127.0.0.0/8 ::1'],
  ['METH_CONNECT', 'method CONNECT'],
  ['METH_DELETE', 'method DELETE'],
  ['METH_GET', 'method GET HEAD'],
  ['METH_HEAD', 'method HEAD'],
  ['METH_OPTIONS', 'method OPTIONS'],
  ['METH_POST', 'method POST'],
  ['METH_PUT', 'method PUT'],
  ['METH_TRACE', 'method TRACE'],
]);

export function predefinedAcl(name: string, context: Context): AclTest | undefined {
  const [sample, ...pattern] = (DEFINITIONS.get(name) ?? '').split(' ').map((text) => ({ text, span: NOWHERE }));
  return DEFINITIONS.has(name) ? parseTest(sample, pattern, context) : undefined;
}
