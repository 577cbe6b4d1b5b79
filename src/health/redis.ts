/** `option redis-check`: PING, and PONG comes back (Redis serialization protocol). */
import { bytesOfText } from './bytes.ts';
import { RawAnswer } from './raw.ts';
import { connectToServer, type Expectation, expectStep, type Program, sendBytes } from './steps.ts';
import { type Verdict, verdictOf } from './verdict.ts';

const PING = bytesOfText('*1\r\n$4\r\nPING\r\n');
const PONG = '+PONG\r\n';
const WELL: Verdict = verdictOf('L7OK', 'Redis answers PONG', 0, 'Redis server is ok');

export function redisProgram(): Program<RawAnswer> {
  const steps = [connectToServer(true), sendBytes(PING), expectStep(EXPECT_PONG, 2)];
  return { steps, createAnswer: () => new RawAnswer() };
}

const EXPECT_PONG: Expectation<RawAnswer> = {
  timeout: 'L7TOUT',
  judge(answer, ended) {
    const text = answer.text();
    const line = /^[^\r\n]*\r?\n/.exec(text)?.[0];
    if (line === undefined && !ended) return 'wait';
    if (line === PONG) return 'matched';
    if (text === '') return verdictOf('L7RSP', 'the server closed without an answer');
    // an error has a reason: -NOAUTH, -LOADING, -MASTERDOWN
    return verdictOf('L7STS', `Redis says ${line ?? text}`, 0, line ?? text);
  },
  success: () => WELL,
};
