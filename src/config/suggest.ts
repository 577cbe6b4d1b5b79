/** "Did you mean …": the candidate nearest to a word that nobody knows. */

export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let best = allowedDistance(word) + 1;
  const wanted = word.toLowerCase();
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= best) continue;
    const distance = editDistance(wanted, candidate.toLowerCase(), best);
    if (distance < best) [nearest, best] = [candidate, distance];
  }
  return nearest;
}

/** The mend for an unknown word, or undefined when nothing is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const nearest = suggest(word, candidates);
  return nearest === undefined ? undefined : `Did you mean \`${nearest}\`?`;
}

/** One slip in three letters; no more than 64 letters are compared. */
function allowedDistance(word: string): number {
  return word.length > 64 ? -1 : Math.min(3, Math.max(1, Math.floor(word.length / 3)));
}

/** Letters to insert, delete, replace or swap with their neighbour; from `enough` on the exact number does not matter. */
export function editDistance(a: string, b: string, enough = Number.POSITIVE_INFINITY): number {
  let beforeLast = new Uint16Array(b.length + 1);
  let last = new Uint16Array(b.length + 1).map((_, column) => column);
  let current = new Uint16Array(b.length + 1);
  for (let row = 1; row <= a.length; row++) {
    let least = row;
    current[0] = row;
    for (let column = 1; column <= b.length; column++) {
      const replace = last[column - 1] + (a[row - 1] === b[column - 1] ? 0 : 1);
      let steps = Math.min(last[column] + 1, current[column - 1] + 1, replace);
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) steps = Math.min(steps, beforeLast[column - 2] + 1);
      current[column] = steps;
      least = Math.min(least, steps);
    }
    if (least >= enough) return least;
    [beforeLast, last, current] = [last, current, beforeLast];
  }
  return last[b.length];
}
