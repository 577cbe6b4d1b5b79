/** Questions to a thread by message, each with a number that its answer repeats, and a bound on how long one waits for it. */

export class Answers {
  private readonly waiting = new Map<number, (answer: unknown) => void>();
  private readonly limit_ms: number;
  private last = 0;

  constructor(limit_ms: number) {
    this.limit_ms = limit_ms;
  }

  /** `send` posts the question. Undefined: no answer in time. */
  ask(send: (number: number) => void): Promise<unknown> {
    const number = ++this.last;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.give(number, undefined), this.limit_ms);
      this.waiting.set(number, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      send(number);
    });
  }

  /** Too late: nobody waits any more. */
  give(number: number, answer: unknown): void {
    const resolve = this.waiting.get(number);
    this.waiting.delete(number);
    resolve?.(answer);
  }
}
