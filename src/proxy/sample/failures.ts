/** How a connection can fail before its first request: HAProxy's numbers and words (manual, `fc_err_str`), those that happen here. */

export const FAILURE_NONE = 0;
export const FAILURE_HEADER_EMPTY = 11;
export const FAILURE_HEADER_TIMEOUT = 13;
export const FAILURE_HEADER_TRUNCATED = 14;
export const FAILURE_NO_HEADER = 15;
export const FAILURE_BAD_HEADER = 16;

export const FAILURES: Readonly<Record<number, string>> = {
  [FAILURE_NONE]: 'Success',
  [FAILURE_HEADER_EMPTY]: 'Connection closed while waiting for PROXY protocol header',
  [FAILURE_HEADER_TIMEOUT]: 'Timeout while waiting for PROXY protocol header',
  [FAILURE_HEADER_TRUNCATED]: 'Truncated PROXY protocol header received',
  [FAILURE_NO_HEADER]: 'Received something which does not look like a PROXY protocol header',
  [FAILURE_BAD_HEADER]: 'Received an invalid PROXY protocol header',
};
