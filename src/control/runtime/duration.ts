const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `10` (seconds), `30s`, `2m`; undefined: it is none. */
export function parseDuration_ms(text: string): number | undefined {
  const [, digits, unit = 's'] = /^(\d{1,9})(ms|s|m|h|d)?$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits) * UNITS[unit];
}
