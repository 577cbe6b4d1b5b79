/** The words of `server` and `default-server` lines that are about checks (manual 5.2). */
import type { AgentCheck, ServerCheck, TrackedServer } from '../../model.ts';
import type { Word } from '../../word.ts';
import { isHostName, literalOrName } from '../address.ts';
import type { ServerSettings } from '../drafts.ts';
import type { Context } from '../keyword.ts';
import { flag, number, type ServerWord, time } from '../server-word.ts';

export const CHECK_WORDS: readonly ServerWord[] = [
  flag('check', 'Ask the server regularly whether it works.', 'check', (settings) => (settings.check = true)),
  flag('no-check', 'Undo a `check` of `default-server`.', 'check', (settings) => (settings.check = false)),
  time('inter', 'Time from one check to the next (2s).', 'inter_ms', (settings, value) => (settings.inter_ms = value)),
  time('fastinter', 'The same while the state is changing.', 'fastinter_ms', (settings, value) => {
    settings.fastinter_ms = value;
  }),
  time('downinter', 'The same while the server is down.', 'downinter_ms', (settings, value) => {
    settings.downinter_ms = value;
  }),
  number('rise', 'Good checks in a row until it is up again (2).', 'rise', [1, 2 ** 31 - 1], (settings, value) => {
    settings.rise = value;
  }),
  number('fall', 'Failed checks in a row until it is down (3).', 'fall', [1, 2 ** 31 - 1], (settings, value) => {
    settings.fall = value;
  }),
  number('port', "The port to check when it is not the server's own.", 'check_port', [1, 65535], (settings, value) => {
    settings.check_port = value;
  }),
  {
    name: 'addr',
    help: "The address to check, or its name, when it is not the server's own.",
    field: 'check_address',
    takes_value: true,
    parse: parseAddress('check_address', 'check'),
  },
  flag('check-send-proxy', 'Begin checks with a PROXY protocol line.', 'check_send_proxy', (settings) => {
    settings.check_send_proxy = true;
  }),
  flag('no-check-send-proxy', 'Undo a `check-send-proxy` of `default-server`.', 'check_send_proxy', (settings) => {
    settings.check_send_proxy = false;
  }),
  flag('agent-check', 'Ask an agent beside the server for its state and weight.', 'agent_check', (settings) => {
    settings.agent_check = true;
  }),
  flag('no-agent-check', 'Undo an `agent-check` of `default-server`.', 'agent_check', (settings) => {
    settings.agent_check = false;
  }),
  number('agent-port', 'The port of the agent.', 'agent_port', [1, 65535], (settings, value) => {
    settings.agent_port = value;
  }),
  time('agent-inter', 'Time from one question to the agent to the next (2s).', 'agent_inter_ms', (settings, value) => {
    settings.agent_inter_ms = value;
  }),
  {
    name: 'agent-addr',
    help: "The address of the agent, or its name, when it is not the server's.",
    field: 'agent_address',
    takes_value: true,
    parse: parseAddress('agent_address', 'agent'),
  },
  {
    name: 'agent-send',
    help: 'What the agent is sent when it is connected.',
    field: 'agent_send',
    takes_value: true,
    parse: (settings, value) => (settings.agent_send = value.text),
  },
  {
    name: 'track',
    help: '`[BACKEND/]SERVER`: take over the state of a server that is checked elsewhere.',
    field: 'track',
    takes_value: true,
    parse: (settings, value) => (settings.track = value.text),
  },
  needsTls('check-ssl', false),
  needsTls('check-sni', true),
  needsTls('check-alpn', true),
];

function parseAddress(field: 'check_address' | 'agent_address', what: string): ServerWord['parse'] {
  return (settings: ServerSettings, value: Word, { report }: Context) => {
    if (literalOrName(value.text) !== '' || isHostName(value.text)) {
      settings[field] = value.text;
      return;
    }
    const message = `The ${what} address \`${value.text}\` is neither an IP address nor a name.`;
    report.error(value.span, 'bad-address', message, 'Write an address without a port; that has a word of its own.');
  };
}

/** Known, and refused with the reason: a check without what was asked for would say something else. */
function needsTls(name: string, takes_value: boolean): ServerWord {
  return {
    name,
    help: 'Refused: checks do not speak TLS yet.',
    field: name,
    takes_value,
    parse: (_settings, word, { report }) => {
      const message = `\`${name}\` needs TLS, which checks do not speak yet.`;
      report.error(
        word.span,
        'unsupported-keyword',
        message,
        'Check a port without TLS, or use `option ssl-hello-chk`.',
      );
    },
  };
}

export function finishCheck(settings: ServerSettings): ServerCheck | undefined {
  if (!settings.check) return undefined;
  const { inter_ms, fastinter_ms, downinter_ms, rise, fall, check_port, check_address } = settings;
  const elsewhere = check_port !== undefined || check_address !== undefined;
  const endpoint = elsewhere ? { address: check_address ?? '', port: check_port ?? 0 } : undefined;
  const send_proxy = settings.check_send_proxy || (settings.send_proxy !== undefined && !elsewhere);
  return { inter_ms, fastinter_ms, downinter_ms, rise, fall, endpoint, send_proxy };
}

export function finishAgent(settings: ServerSettings): AgentCheck | undefined {
  const { agent_check, agent_address, agent_port, agent_inter_ms, agent_send, check_address } = settings;
  if (!agent_check) return undefined;
  const address = agent_address ?? check_address ?? '';
  return { address, port: agent_port ?? 0, inter_ms: agent_inter_ms, send: agent_send };
}

/** `SERVER` alone is one of the same section. */
export function finishTrack({ track }: ServerSettings, section: string): TrackedServer | undefined {
  if (track === undefined) return undefined;
  const slash = track.indexOf('/');
  return slash < 0
    ? { backend: section, server: track }
    : { backend: track.slice(0, slash), server: track.slice(slash + 1) };
}
