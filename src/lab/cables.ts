/** The lab's hold on the process that is its slow cables (cable.ts). */
import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { currentNetworkNamespace } from '../system/namespaces.ts';
import { Child } from './child.ts';
import type { SwitchChange } from './scenario.ts';

const READY_MS = 10_000;
const STEP_MS = 5;

export class Cables {
  readonly #child: Child;

  private constructor(child: Child) {
    this.#child = child;
  }

  /** In this process's network namespace. `onFull`: frames get lost, because too many are on their way. @throws Error */
  static async start(seed: number, directory: string, onFull: () => void): Promise<Cables> {
    const args = [fileURLToPath(new URL('cable.js', import.meta.url)), String(seed)];
    const onLine = (line: string) => {
      if (line === '"full"') onFull();
    };
    const here = currentNetworkNamespace();
    const child = new Child(here, { command: process.execPath, args, directory, onLine });
    closeSync(here);
    const cables = new Cables(child);
    for (let waited = 0; !child.output.includes('"ready"'); waited += STEP_MS) {
      cables.check();
      if (waited >= READY_MS) throw new Error(`the slow cables were not ready after ${READY_MS / 1000} s`);
      await sleep(STEP_MS);
    }
    return cables;
  }

  /** `outer`, `inner`: indexes of the interfaces between which the host's cable is. */
  connect(host: string, outer: number, inner: number): void {
    this.#child.write(`connect ${host} ${outer} ${inner}\n`);
  }

  remove(host: string): void {
    this.#child.write(`remove ${host}\n`);
  }

  change(change: SwitchChange & { kind: 'delay' | 'repeat' }): void {
    this.#child.write(change.kind === 'delay' ? `delay ${change.up_to_ms}\n` : `repeat ${change.percent}\n`);
  }

  /** @throws Error when the process has ended, for then nothing was heard since */
  check(): void {
    const { ended, output } = this.#child;
    if (ended !== undefined) throw new Error(`the slow cables ended (${ended}): ${output.slice(-5).join(' / ')}`);
  }

  kill(): void {
    this.#child.signal('SIGKILL');
  }
}
