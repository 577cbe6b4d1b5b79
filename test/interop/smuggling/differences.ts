/** Where HAProxy 2.6 reads a request of the corpus in another way than we do: it passes on what we answer with 400. */
import type { Case } from './case.js';

type Difference = { readonly what: string; readonly cases: RegExp };

export const differences: readonly Difference[] = [
  { what: 'bare LF as the end of a line', cases: /\b(LFs?|only LF)\b|\\n(Z|Transfer|chunked)/ },
  {
    what: 'folded fields',
    cases: /fold|begins in the next line|not empty|a tab as the blank line|name "( |\\t)\w|\\r\\n( |\\t)/,
  },
  {
    what: 'control characters in values, extensions and trailers',
    cases: /^(a head with|chunks with) (NUL|DEL)|^the value "y|\\u0000|\\x7f/,
  },
  {
    what: 'empty elements of Transfer-Encoding',
    cases: /Transfer-Encoding of ("chunked,"|"", then of "chunked"|"chunked", then of "")/,
  },
  { what: 'Transfer-Encoding in HTTP/1.0', cases: /^chunked.* in HTTP\/1\.0/ },
  { what: 'blanks after the size of a chunk', cases: /chunk of size "5( |\\t)/ },
  { what: 'trailers that are no fields, or that frame or route', cases: /^the trailer/ },
  {
    what: 'several blanks or tabs between the words of a request line',
    cases: /request line with (two spaces|a tab) after/,
  },
  { what: 'versions that are not HTTP/1.x', cases: /^the version HTTP\/[0239]|preface of HTTP\/2/ },
  {
    what: 'targets that RFC 9112 section 3.2 does not allow',
    cases: /^the target|CONNECT to a URL|absolute target without Host/,
  },
  { what: 'CONNECT with a body, or followed by another request', cases: /^CONNECT( with a length)?$/ },
  {
    what: 'no Host, two equal ones, or no host in it',
    cases: /^(no Host|no fields at all|the same Host twice|the Host)/,
  },
  { what: 'lengths beyond 64 bits', cases: /Content-Length of "18446744073709551616"/ },
];

export function differenceOf({ name }: Case): Difference | undefined {
  return differences.find(({ cases }) => cases.test(name));
}
