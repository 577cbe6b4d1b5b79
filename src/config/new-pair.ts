/** The files of a new pair of nodes from a few facts. Pure: the password comes from outside. */

export type PairDescription = {
  /** `10.10.0.1/16`, at least one. */
  readonly addresses: readonly string[];
  readonly interface: string;
  readonly vhid: string;
  /** The preferred node first. */
  readonly nodes: readonly [string, string];
  readonly preempt: boolean;
};

/** What a person has not said yet is missing. */
export type PairDraft = { -readonly [K in keyof PairDescription]?: PairDescription[K] | undefined };

export const PAIR_DEFAULTS = { vhid: '1', nodes: ['node-a', 'node-b'], preempt: true } as const;

/** The lower advskew is preferred; 100 is far enough that no rounding or demotion of little makes the two equal. */
const ADVSKEWS = [0, 100] as const;

export function writePair(pair: PairDescription, password: string): readonly { file: string; text: string }[] {
  return pair.nodes.map((node, i) => ({ file: `${node}.cfg`, text: writeNode(pair, node, i, password) }));
}

function writeNode(pair: PairDescription, node: string, i: number, password: string): string {
  const other = pair.nodes[1 - i]!;
  const role = i === 0 ? `preferred to ${other}` : `takes over from ${other}`;
  return [
    `# ${node}, ${role}. The same on both nodes but for advskew: the lower one is preferred.`,
    'carp shared',
    `    interface ${pair.interface}`,
    `    vhid ${pair.vhid}`,
    `    pass "${password}"`,
    ...pair.addresses.map((address) => `    address ${address}`),
    `    advskew ${ADVSKEWS[i]}`,
    ...(pair.preempt ? ['    preempt'] : []),
    '',
  ].join('\n');
}

/** Takes one `key value` into the draft; a sentence when it is not understood. */
export function describePair(draft: PairDraft, key: string, value: string): string | undefined {
  const words = value.split(/[\s,]+/).filter((word) => word !== '');
  switch (key) {
    case 'address':
      if (!words.every((word) => word.includes('/')))
        return `An address is written with its prefix length, such as 10.10.0.1/16, and "${value}" is not.`;
      draft.addresses = [...(draft.addresses ?? []), ...words];
      return undefined;
    case 'interface':
    case 'vhid':
      if (words.length !== 1) return `"${key}" wants one word, not "${value}".`;
      draft[key] = words[0]!;
      return undefined;
    case 'nodes':
      return describeNodes(draft, words);
    case 'preempt':
      if (!/^(y|yes|n|no)$/i.test(value)) return `"preempt" is yes or no, not "${value}".`;
      draft.preempt = /^y/i.test(value);
      return undefined;
    default:
      return `A pair is described by address, interface, vhid, nodes and preempt, not by "${key}".`;
  }
}

function describeNodes(draft: PairDraft, [a, b, more]: readonly string[]): string | undefined {
  if (a === undefined || b === undefined || more !== undefined || a === b)
    return '"nodes" wants two different names, such as node-a,node-b; the preferred one first.';
  const wrong = [a, b].find((name) => !/^[A-Za-z0-9][\w.-]{0,62}$/.test(name));
  if (wrong !== undefined) return `"${wrong}" cannot be the name of a file: use letters, digits, - and _.`;
  draft.nodes = [a, b];
  return undefined;
}

/** Lines of `key value`; # begins a comment. */
export function readDescription(draft: PairDraft, text: string): string | undefined {
  for (const [i, line] of text.split('\n').entries()) {
    const [, key, value] = /^\s*(\S+)\s*(.*?)\s*$/.exec(line.replace(/(^|\s)#.*/, '')) ?? [];
    if (key === undefined) continue;
    const mistake = describePair(draft, key, value ?? '');
    if (mistake !== undefined) return `line ${i + 1}: ${mistake}`;
  }
  return undefined;
}
