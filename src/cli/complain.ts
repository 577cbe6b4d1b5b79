/** Tells the person who typed the command what is wrong, in one sentence, and gives the exit status. */
export function complain(sentence: string, status = 1): number {
  process.stderr.write(`carpool: ${sentence}\n`);
  return status;
}
