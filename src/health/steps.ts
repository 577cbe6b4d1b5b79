/**
 * A check as the steps that it goes through. `compile.ts` makes them from the configuration, `conversation.ts` takes them
 * one after the other; the checks of protocols (mysql.ts, redis.ts, …) are steps as well.
 */
import type { CheckExpression, CheckFormat } from '../config/model.ts';
import type { CheckFacts } from './facts.ts';
import type { Code, Verdict } from './verdict.ts';

/** What the server sent, in the form that the expectations look at it. */
export interface Answer {
  /** The server is asked anew: nothing of before counts. */
  clear(): void;
  add(bytes: Uint8Array, offset: number, length: number): void;
  /** Something came since `clear`. */
  readonly begun: boolean;
  /** More is not looked at. */
  readonly full: boolean;
  /** For expressions, one character a byte. */
  payload(): string;
  status(): number;
  header(name: string): string | undefined;
}

/** 'wait': what comes may still decide. Never said when the answer has ended. */
export type Outcome = 'wait' | 'matched' | Verdict;

export type Expectation<A extends Answer> = {
  /** `ended`: no more will come. */
  judge(answer: A, ended: boolean, facts: CheckFacts): Outcome;
  /** The check's verdict when this was its last step. */
  success(answer: A, facts: CheckFacts): Verdict;
  readonly timeout: Code;
};

export type Step<A extends Answer> =
  | ConnectStep
  | SendStep
  | {
      readonly kind: 'expect';
      readonly place: Place;
      /** The run of expectations begins anew at this step when more comes: the first negated one of it. */
      readonly again_from: number;
      readonly expectation: Expectation<A>;
    }
  | { readonly kind: 'set'; readonly act: (facts: CheckFacts) => void };

export type ConnectStep = {
  readonly kind: 'connect';
  readonly place: Place;
  readonly port: CheckExpression | undefined;
  readonly address: string | undefined;
  /** Do as the server line says of checks. */
  readonly as_server: boolean;
  readonly send_proxy: boolean;
  /** Close with FIN. */
  readonly linger: boolean;
};

export type SendStep = {
  readonly kind: 'send';
  readonly place: Place;
  /** The same every time, or made each time anew; undefined from `compose`: there is nothing right to send. */
  readonly bytes: Uint8Array | undefined;
  readonly compose: (facts: CheckFacts) => Uint8Array | undefined;
  /** Nothing is expected next, so that only what is sent tells when the step is done. */
  readonly flush: boolean;
};

/** Where in the configuration's rules a step stands, for reasons; undefined in checks that nobody wrote rules for. */
export type Place =
  | {
      readonly step: number;
      readonly what: string;
      readonly comment: string | undefined;
      /** The rule's own comment. */
      readonly own_comment: string | undefined;
      /** What it is in HAProxy's words, which logs have: `expect string '+OK'`; undefined: they do not tell of it (`http-check`). */
      readonly told: string | undefined;
    }
  | undefined;

export type Program<A extends Answer = Answer> = {
  readonly steps: readonly Step<A>[];
  createAnswer(): A;
};

/** ` at step 2 (connect), comment: 'the database'`, or nothing. */
export function describePlace(place: Place): string {
  if (place === undefined) return '';
  return ` at step ${place.step} (${place.what})${place.comment === undefined ? '' : `, comment: '${place.comment}'`}`;
}

/** The same in HAProxy's form, for logs: ` at step 2 of tcp-check (connect) comment: 'the database'`, or nothing. */
export function tellPlace(place: Place): string {
  if (place?.told === undefined) return '';
  const comment = place.comment === undefined ? '' : ` comment: '${place.comment}'`;
  return ` at step ${place.step} of tcp-check (${place.told})${comment}`;
}

/** Behind what an expectation says of an answer. */
export function tellComment(place: Place): string {
  return place?.own_comment === undefined ? '' : ` comment: ${place.own_comment}`;
}

/** A first connection with the server line's settings. */
export function connectToServer(linger: boolean): ConnectStep {
  return {
    kind: 'connect',
    place: undefined,
    port: undefined,
    address: undefined,
    as_server: true,
    send_proxy: false,
    linger,
  };
}

export function sendBytes(bytes: Uint8Array, flush = false): SendStep {
  return { kind: 'send', place: undefined, bytes, compose: () => bytes, flush };
}

/** An expectation that stands alone, of a protocol's own check. */
export function expectStep<A extends Answer>(expectation: Expectation<A>, at: number): Step<A> {
  return { kind: 'expect', place: undefined, again_from: at, expectation };
}

/** What a rule says of the verdict, whatever it looks for. */
export type Naming = {
  readonly on_success: CheckFormat | undefined;
  readonly on_error: CheckFormat | undefined;
  readonly status_code: CheckExpression | undefined;
};
