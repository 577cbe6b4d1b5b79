/** `show schema json`: what the JSON of `show info` and `show stat` looks like, as a JSON schema (draft 4). */
import { KINDS } from '../stats/fields.ts';
import { NATURES, ORIGINS, SCOPES } from '../stats/formats.ts';

const reference = (name: string) => ({ $ref: `#/definitions/${name}` });
const whole = (minimum: number, maximum?: number) => ({
  type: 'integer',
  minimum,
  ...(maximum === undefined ? {} : { maximum }),
});
const object = (properties: Readonly<Record<string, object>>) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
});
const typed = (type: string, value: object) => object({ type: { type: 'string', enum: [type] }, value });
const oneOf = (names: Readonly<Record<string, string>>) => ({
  type: 'string',
  enum: [...Object.values(names), 'Unknown'],
});

const ITEM = {
  field: reference('field'),
  processNum: reference('processNum'),
  tags: reference('tags'),
  value: reference('typedValue'),
};

const PLACE = {
  objType: { type: 'string', enum: [...Object.values(KINDS).map(({ name }) => name), 'Unknown'] },
  proxyId: whole(0),
  id: whole(0),
};

const SCHEMA = {
  $schema: 'http://json-schema.org/draft-04/schema#',
  oneOf: [
    { title: 'Info', type: 'array', items: { title: 'InfoItem', ...object(ITEM) } },
    {
      title: 'Stat',
      type: 'array',
      items: { title: 'Row', type: 'array', items: { title: 'StatItem', ...object({ ...PLACE, ...ITEM }) } },
    },
  ],
  definitions: {
    field: object({ pos: whole(0), name: { type: 'string' } }),
    processNum: whole(1),
    tags: object({ origin: oneOf(ORIGINS), nature: oneOf(NATURES), scope: oneOf(SCOPES) }),
    typedValue: {
      oneOf: [
        typed('s32', whole(-(2 ** 31), 2 ** 31 - 1)),
        typed('u32', whole(0, 2 ** 32 - 1)),
        typed('u64', whole(0, Number.MAX_SAFE_INTEGER)),
        typed('flt', { type: 'number' }),
        typed('str', { type: 'string' }),
      ],
    },
  },
};

export function renderSchema(): string {
  return `${JSON.stringify(SCHEMA)}\n`;
}
