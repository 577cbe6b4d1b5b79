/** A value of the configuration without where it was written: for comparing two. */
export function plain(value: unknown): string {
  return JSON.stringify(value, (key, field) => (key === 'span' || key === 'spans' ? undefined : field)) ?? '';
}
