/**
 * `option smtpchk`: greeting, HELO, QUIT, and each reply must be 2xx (RFC 5321 4.2).
 *
 *   reply:   250-first line CRLF  250 last line CRLF
 */
import { bytesOfText } from './bytes.ts';
import { RawAnswer } from './raw.ts';
import { connectToServer, type Expectation, expectStep, type Program, sendBytes } from './steps.ts';
import { verdictOf } from './verdict.ts';

export function smtpProgram(hello: string, domain: string): Program<RawAnswer> {
  const steps = [
    connectToServer(true),
    expectStep(EXPECT_2XX, 1),
    sendBytes(bytesOfText(`${hello} ${domain}\r\n`)),
    expectStep(EXPECT_2XX, 3),
    sendBytes(bytesOfText('QUIT\r\n')),
    expectStep(EXPECT_2XX, 5),
  ];
  return { steps, createAnswer: () => new RawAnswer() };
}

/** The last line of a reply: its code is followed by a space, or by nothing. */
const LAST_LINE = /(?:^|\n)(\d{3})(?: ([^\r\n]*))?\r?\n/;
/** What a reply, as far as it is here, must look like. */
const BEGINNING = /^(?:\d{0,3}$|\d{3}[- \r\n])/;

const EXPECT_2XX: Expectation<RawAnswer> = {
  timeout: 'L7TOUT',
  judge(answer, ended) {
    const text = answer.text();
    if (!BEGINNING.test(text)) return verdictOf('L7RSP', `the answer is not SMTP: ${text}`, 0, text);
    const last = LAST_LINE.exec(text);
    if (last === null) return ended ? verdictOf('L7RSP', 'the server closed in the middle of its reply') : 'wait';
    const [, code, words = ''] = last;
    return code.startsWith('2') ? 'matched' : verdictOf('L7STS', `SMTP reply ${code} ${words}`, Number(code), words);
  },
  success(answer) {
    const [, code, words = ''] = LAST_LINE.exec(answer.text()) ?? [];
    return verdictOf('L7OK', `SMTP reply ${code} ${words}`, Number(code), words);
  },
};
