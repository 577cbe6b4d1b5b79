/** HTTP's Basic scheme (RFC 7617): `Basic base64(user:password)`. */

const COLON = 58;

/** `user:password` as it was sent. Undefined: the field says something else. */
export function basicCredentials(field: string | undefined): Buffer | undefined {
  const [, encoded] = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(field ?? '') ?? [];
  const credentials = Buffer.from(encoded ?? '', 'base64');
  return credentials.includes(COLON) ? credentials : undefined;
}
