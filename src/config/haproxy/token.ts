/** What the names of headers and methods are made of (RFC 9110 5.6.2). */
export function isToken(text: string): boolean {
  return /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(text);
}
