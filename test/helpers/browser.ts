/** Chromium without a screen, spoken to over its debugging pipe: JSON messages with a NUL behind each. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import { PATIENCE_MS } from './patience.js';
import { peerPath } from './peers.js';

const WORDS =
  '--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --remote-debugging-pipe';

/** How long it may take to end. */
const GOODBYE_MS = 10_000;

export type Tab = {
  /** Resolves when the page is loaded. */
  open(url: string): Promise<void>;
  /** The value of an expression in the page. */
  evaluate<T>(expression: string): Promise<T>;
  /** The same for one that leads to another page, which is loaded then. */
  follow(expression: string): Promise<void>;
  resize(width: number, height: number): Promise<void>;
  /** As PNG. */
  screenshot(): Promise<Buffer>;
};

type Message = { id?: number; method?: string; result?: Record<string, unknown>; error?: { message: string } };

/** `inside` calls a function where the browser is to run, such as a network namespace. */
export async function openBrowser(t: TestContext, inside: <T>(call: () => T) => T = (call) => call()): Promise<Tab> {
  const profile = mkdtempSync('/tmp/carpool-chromium-');
  const words = [...WORDS.split(' '), `--user-data-dir=${profile}`, 'about:blank'];
  const child = inside(() =>
    spawn(peerPath('chromium'), words, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] }),
  );
  const call = talkOver(child.stdio[3] as Writable, child.stdio[4] as Readable);
  t.after(async () => {
    const ended = new Promise((resolve) => child.once('close', resolve));
    const timer = setTimeout(() => child.kill('SIGKILL'), GOODBYE_MS);
    await call('Browser.close', {}).catch(() => child.kill('SIGKILL'));
    await ended;
    clearTimeout(timer);
    // its other processes may still be writing
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });
  const { targetId } = await call('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await call('Target.attachToTarget', { targetId, flatten: true });
  const say = (method: string, params: object = {}) => call(method, params, sessionId as string);
  await say('Page.enable');
  const loaded = () => call.event('Page.loadEventFired');
  return {
    async open(url) {
      const done = loaded();
      await say('Page.navigate', { url });
      await done;
    },
    async evaluate<T>(expression: string) {
      const { result, exceptionDetails } = await say('Runtime.evaluate', { expression, returnByValue: true });
      if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
      return (result as { value: T }).value;
    },
    async follow(expression) {
      const done = loaded();
      await say('Runtime.evaluate', { expression });
      await done;
    },
    async resize(width, height) {
      await say('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: true });
    },
    async screenshot() {
      const { data } = await say('Page.captureScreenshot', { captureBeyondViewport: true });
      return Buffer.from(data as string, 'base64');
    },
  };
}

function talkOver(to: Writable, from: Readable) {
  const answers = new Map<number, (message: Message) => void>();
  const events = new Map<string, () => void>();
  let received = '';
  let last = 0;
  to.on('error', () => {});
  from.setEncoding('utf8').on('data', (text: string) => {
    const messages = (received + text).split('\0');
    received = messages.pop()!;
    for (const each of messages) {
      const message = JSON.parse(each) as Message;
      if (message.id !== undefined) answers.get(message.id)?.(message);
      else events.get(message.method ?? '')?.();
    }
  });
  const call = (method: string, params: object, sessionId?: string) => {
    const id = ++last;
    const answer = within<Message>(method, (resolve) => answers.set(id, resolve));
    to.write(`${JSON.stringify({ id, method, params, ...(sessionId ? { sessionId } : {}) })}\0`);
    return answer.then(({ result, error }) => {
      if (error) throw new Error(`${method}: ${error.message}`);
      return result ?? {};
    });
  };
  return Object.assign(call, {
    event: (name: string) => within<void>(name, (resolve) => events.set(name, resolve)),
  });
}

function within<T>(what: string, begin: (resolve: (value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the browser did not answer ${what}`)), PATIENCE_MS);
    begin((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
