/** What the two ends of a hand-over say to each other (hand-over.ts). */

/** Asks for the listening sockets. */
export const HAND_OVER = 'hand-over';
/** Asks for the vhids. */
export const HAND_OVER_VHIDS = `${HAND_OVER} vhids`;
/** These were all. */
export const HAND_OVER_END = 'end\n';
