import type { FromCarp } from '../threads/carp-messages.ts';

/** What the carp thread tells of itself. */
export type CarpStatus = Extract<FromCarp, { kind: 'status' }>;
