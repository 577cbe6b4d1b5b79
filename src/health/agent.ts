/**
 * `agent-check`: a program at the server's side says in one line how the server is (manual 5.2 "agent-check").
 *
 *   up 50% maxconn:30\n      words in any order, between spaces, tabs or commas; after `#` follows a description
 */
import { bytesOfText } from './bytes.ts';
import { RawAnswer } from './raw.ts';
import { connectToServer, type Expectation, expectStep, type Program, sendBytes } from './steps.ts';
import { type Verdict, verdictOf } from './verdict.ts';

/** What one line asks for; what it does not name stays as it is. */
export type AgentReport = {
  readonly state: 'up' | 'down' | undefined;
  readonly administrative: 'ready' | 'drain' | 'maint' | undefined;
  /** Percent of the configured weight. */
  readonly weight_percent: number | undefined;
  readonly maxconn: number | undefined;
  /** What is logged: the word with its description. */
  readonly text: string;
  readonly unknown: string | undefined;
};

const DOWN_WORDS = ['down', 'fail', 'stopped'];
const ADMINISTRATIVE = ['ready', 'drain', 'maint'] as const;

export function agentProgram(send: string): Program<RawAnswer> {
  const question = send === '' ? [] : [sendBytes(bytesOfText(send))];
  const steps = [connectToServer(false), ...question, expectStep(EXPECT_LINE, 1 + question.length)];
  return { steps, createAnswer: () => new RawAnswer() };
}

export function parseAgentLine(line: string): AgentReport {
  const sharp = line.indexOf('#');
  const description = sharp < 0 ? '' : line.slice(sharp + 1).trim();
  const words = (sharp < 0 ? line : line.slice(0, sharp)).split(/[\s,]+/).filter((word) => word !== '');
  let report: AgentReport = {
    state: undefined,
    administrative: undefined,
    weight_percent: undefined,
    maxconn: undefined,
    text: '',
    unknown: undefined,
  };
  for (const word of words) report = { ...report, ...readWord(word) };
  return description === '' ? report : { ...report, text: `${report.text} (${description})`.trim() };
}

function readWord(written: string): Partial<AgentReport> {
  const word = written.toLowerCase();
  const administrative = ADMINISTRATIVE.find((each) => each === word);
  if (administrative !== undefined) return { administrative };
  if (word === 'up') return { state: 'up', text: written };
  if (DOWN_WORDS.includes(word)) return { state: 'down', text: written };
  const percent = /^(\d{1,6})%$/.exec(word)?.[1];
  if (percent !== undefined) return { weight_percent: Number(percent) };
  const maxconn = /^maxconn:(\d{1,9})$/.exec(word)?.[1];
  return maxconn === undefined ? { unknown: written } : { maxconn: Number(maxconn) };
}

const LINE = /^([^\r\n]*)[\r\n]/;

const EXPECT_LINE: Expectation<RawAnswer> = {
  timeout: 'L7TOUT',
  judge(answer, ended) {
    if (LINE.test(answer.text())) return 'matched';
    if (!ended) return 'wait';
    return verdictOf('L7RSP', 'the agent closed without a line');
  },
  success: (answer) => judgeLine(lineOf(answer)),
};

/** The verdict carries the report, without which an agent changes nothing. */
function judgeLine(line: string): Verdict {
  const agent = parseAgentLine(line);
  const { state, text, unknown } = agent;
  if (state !== undefined) {
    const code = state === 'up' ? 'L7OK' : 'L7STS';
    return { ...verdictOf(code, `the agent says ${text}`, 0, `via agent : ${text}`), agent };
  }
  if (unknown !== undefined) {
    const info = `agent reports an error : ${unknown}`;
    return { ...verdictOf('L7RSP', `the agent says "${unknown}", which means nothing`, 0, info), agent };
  }
  return { ...verdictOf('L7OK', `the agent says ${line}`, 0, ''), agent };
}

/** The line as it came, without what ends it. */
export function lineOf(answer: RawAnswer): string {
  return LINE.exec(answer.text())?.[1] ?? '';
}
