/**
 * The programs of all checks, each compiled once, and the bytes that they always send in one place: a backend has one
 * program, and many backends share one.
 */
import { agentProgram } from '../health/agent.ts';
import { compileCheck } from '../health/compile.ts';
import type { CheckPlan } from '../health/plan.ts';
import type { Program } from '../health/steps.ts';
import { NO_BUFFER, SMALL_BYTES } from '../reactor/buffers.ts';
import type { Reactor } from '../reactor/reactor.ts';

type Method = CheckPlan['method'];

export class Programs {
  private readonly by_method = new Map<string, Program>();
  /** Filled by `place`. */
  private readonly buffers = new Map<Uint8Array, number>();

  constructor(plans: readonly CheckPlan[]) {
    for (const { method } of plans) {
      if (method.kind === 'external') continue;
      const key = JSON.stringify(method);
      if (this.by_method.has(key)) continue;
      this.by_method.set(key, (method.kind === 'agent' ? agentProgram(method.send) : compileCheck(method)) as Program);
    }
  }

  /** Undefined for a check that is a program of the system. */
  find(method: Method): Program | undefined {
    return this.by_method.get(JSON.stringify(method));
  }

  /** How many buffers `place` takes. */
  get buffers_needed(): number {
    return this.constants().length;
  }

  /** Some of what is sent is made for each check anew, and may be in flight for all of them at once. */
  get make_bytes(): boolean {
    const steps = [...this.by_method.values()].flatMap((program) => program.steps);
    return steps.some((step) => step.kind === 'send' && step.bytes === undefined);
  }

  /** Puts what is always the same into the reactor's memory, from where it is sent again and again. */
  place({ buffers }: Reactor): void {
    for (const bytes of this.constants()) {
      const buffer = buffers.takeSmall();
      if (buffer === NO_BUFFER) throw new Error('no buffer left for the requests of checks');
      buffers.bytes.set(bytes, buffers.offsetOf(buffer));
      this.buffers.set(bytes, buffer);
    }
  }

  /** NO_BUFFER for bytes that were made for this one check. */
  bufferOf(bytes: Uint8Array): number {
    return this.buffers.get(bytes) ?? NO_BUFFER;
  }

  release({ buffers }: Reactor): void {
    for (const buffer of this.buffers.values()) buffers.release(buffer);
    this.buffers.clear();
  }

  private constants(): Uint8Array[] {
    const steps = [...this.by_method.values()].flatMap((program) => program.steps);
    return steps.flatMap((step) =>
      step.kind === 'send' && step.bytes && step.bytes.length > 0 && step.bytes.length <= SMALL_BYTES
        ? [step.bytes]
        : [],
    );
  }
}
