/**
 * The words of `drain`, `maint`, `demote`, `undemote` and `ready`. Pure: words in, a wish or one sentence out.
 *
 *   demote 100 web --for 10m --reason "moving the rack" --json
 */

export type OrderWords = {
  /** The vhid as it was typed: a section's name, `1`, or `1@eth0`; undefined is every vhid of the node. */
  readonly target: string | undefined;
  /** Only of `demote`; 0 elsewhere. */
  readonly amount: number;
  readonly for_ms: number | undefined;
  readonly reason: string;
  readonly json: boolean;
};

const HIGHEST_AMOUNT = 240;
const LONGEST_REASON = 200;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** What a timer of Node's can wait for is a little more. */
const LONGEST_MS = 24 * UNIT_MS['d']!;

type Draft = { -readonly [K in keyof OrderWords]: OrderWords[K] };

export function parseOrderWords(command: string, words: readonly string[]): OrderWords | { readonly mistake: string } {
  const draft: Draft = { target: undefined, amount: 0, for_ms: undefined, reason: '', json: false };
  const timed = command !== 'ready' && command !== 'undemote';
  let wants_amount = command === 'demote';
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const mistake = word.startsWith('-') ? takeOption(word, words[i + 1]) : takeWord(word);
    if (mistake !== undefined) return { mistake };
    if (word === '--for' || word === '--reason') i++;
  }
  if (wants_amount) return { mistake: '"demote" wants to know by how much: demote 100 [VHID] [--for 10m].' };
  return draft;

  function takeOption(word: string, value: string | undefined): string | undefined {
    if (word === '--json') draft.json = true;
    else if (word === '--for' && timed) return takeTime(value);
    else if (word === '--reason' && timed) return takeReason(value);
    else return `"${command}" takes ${timed ? '--for, --reason and --json' : '--json'}, not "${word}".`;
    return undefined;
  }

  function takeTime(value: string | undefined): string | undefined {
    draft.for_ms = parseTime_ms(value ?? '');
    if (draft.for_ms !== undefined) return undefined;
    return `--for wants a time of 1 s to 24 d such as 30s, 10m, 2h or 1d${value === undefined ? '' : `, not "${value}"`}.`;
  }

  function takeReason(value: string | undefined): string | undefined {
    draft.reason = value ?? '';
    if (draft.reason.trim() === '') return '--reason wants a text after it.';
    return draft.reason.length > LONGEST_REASON ? `A reason has at most ${LONGEST_REASON} characters.` : undefined;
  }

  function takeWord(word: string): string | undefined {
    if (wants_amount) {
      wants_amount = false;
      draft.amount = /^\d{1,3}$/.test(word) ? Number(word) : 0;
      if (draft.amount >= 1 && draft.amount <= HIGHEST_AMOUNT) return undefined;
      return `"demote" wants a number from 1 to ${HIGHEST_AMOUNT} first, and "${word}" is none.`;
    }
    if (draft.target !== undefined)
      return `"${command}" takes one vhid or none (then every one), not "${word}" as well.`;
    draft.target = word;
    return undefined;
  }
}

/** `10m` -> 600000; undefined when it is no time, too short or too long. */
export function parseTime_ms(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const time_ms = Number(digits) * (UNIT_MS[unit ?? ''] ?? Number.NaN);
  return time_ms >= 1000 && time_ms <= LONGEST_MS ? time_ms : undefined;
}
