/** The fields that a `log-format` string may name (manual 8.2.6), for the parser and for "did you mean". */

export type LogField = {
  readonly name: string;
  /** It makes sense in mode http only. */
  readonly http: boolean;
};

const ANY_MODE =
  'B H ID ST T Tc Td Tl Th Ts Tt Tu Tw U ac b bc bi bp bq ci cp f fc fi fp ft lc hr hrl hs hsl ms pid rc rt s sc si sp sq sslc sslv t ts';
const HTTP_ONLY = 'CC CS HM HP HPO HQ HU HV Ta Ti Tq TR Tr r tr trg trl tsc';

export const LOG_FIELDS: readonly LogField[] = [
  ...ANY_MODE.split(' ').map((name) => ({ name, http: false })),
  ...HTTP_ONLY.split(' ').map((name) => ({ name, http: true })),
];
