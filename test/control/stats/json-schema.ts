/** Values against a JSON schema. */

export type Schema = { readonly [key: string]: never } & Record<string, unknown>;

/** Where the value is not what the schema says; as much of JSON schemas as ours uses. */
export function offences(value: unknown, schema: Schema, root = schema, at = ''): string[] {
  const { $ref, type, properties, required, items, minimum, maximum } = schema;
  if ($ref !== undefined) return offences(value, definition(root, $ref), root, at);
  const wrong: string[] = [];
  const kind = Array.isArray(value) ? 'array' : Number.isInteger(value) && type !== 'number' ? 'integer' : typeof value;
  if (type !== undefined && kind !== type) wrong.push(`${at}: ${kind}, not ${type}`);
  if (schema['enum'] !== undefined && !(schema['enum'] as unknown[]).includes(value)) wrong.push(`${at}: ${value}`);
  if (typeof value === 'number' && ((minimum ?? value) > value || (maximum ?? value) < value))
    wrong.push(`${at}: ${value}`);
  if (kind === 'object') {
    const fields = value as Record<string, unknown>;
    for (const name of (required ?? []) as string[]) if (!(name in fields)) wrong.push(`${at}: no ${name}`);
    for (const [name, of] of Object.entries((properties ?? {}) as Record<string, Schema>))
      if (name in fields) wrong.push(...offences(fields[name], of, root, `${at}.${name}`));
  }
  if (kind === 'array' && items !== undefined)
    for (const [index, each] of (value as unknown[]).entries())
      wrong.push(...offences(each, items, root, `${at}[${index}]`));
  const branches = schema['oneOf'] as Schema[] | undefined;
  if (branches && branches.filter((branch) => offences(value, branch, root, at).length === 0).length !== 1)
    wrong.push(`${at}: not exactly one of ${branches.length}`);
  return wrong;
}

function definition(root: Schema, reference: string): Schema {
  return reference
    .slice(2)
    .split('/')
    .reduce<Schema>((within, name) => within[name] as Schema, root);
}
