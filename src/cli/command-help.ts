/** `carpool COMMAND --help`. */
import { COMMANDS } from '../control/commands.ts';

/** What one command takes; undefined for those that the whole help describes. */
export function helpOf(name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  const own = OWN[name];
  if (own !== undefined) return own;
  const command = COMMANDS.find((one) => one.name === name);
  if (command === undefined || name === 'help') return undefined;
  return `carpool ${command.usage} [--socket PATH]\n\n  ${command.help}\n`;
}

const OWN: Readonly<Record<string, string>> = {
  debian: `carpool debian up|down IFACE

  What ifupdown's hooks call: "up" starts a daemon for the ucarp-* options below the stanza of IFACE in
  /etc/network/interfaces, in the background; "down" ends it. Without such options nothing happens.
`,
  lab: `carpool lab [SCENARIO | FILE] [--json]
carpool lab --list
carpool lab --seed N|FILE [--json]

  Plays a failover on this machine, in network namespaces of its own (as root, or as a user who may have
  user namespaces): nodes, a client, what happens when. SCENARIO is one of the list, FILE your own.
  --seed plays what the simulator printed. Exit status 0 when everything came as the scenario expects.
`,
  convert: `carpool convert [--to DIALECT] FILE …
carpool convert [--to DIALECT] ucarp OPTION …

  Prints the vhids of the files, or of ucarp's arguments, in another system's words, and says what those
  words cannot express. DIALECT is native (the carp sections of haproxy.cfg, and the default), freebsd9
  (carpN), freebsd10 (vhids on addresses), openbsd, ucarp or debian.
  Exit status 0 when everything was said, 2 when not, 1 when the files are wrong.
`,
  doctor: `carpool doctor [-f FILE] [--seconds N] [--json] [--socket PATH]

  Looks at the live segment, this host and the running daemon; says what is wrong and how to mend it.
  Works without a daemon too: name the files. It listens for N seconds (three adverts' time), and
  changes nothing. Exit status 0 when nothing is wrong, else 1.

  -f FILE        the files to look at instead of the daemon's own; may be repeated
  --seconds N    listen that long, 0 to 60
  --json         one JSON object
`,
  init: `carpool init [DESCRIPTION] [--out DIR] [--force]
carpool init --address ADDRESS/LENGTH --interface NAME [--vhid N] [--nodes A,B] [--preempt yes|no]

  Writes the files of both nodes: A.cfg and B.cfg, with one strong password and distinct advskews.
  Without arguments it asks five questions. DESCRIPTION is a file of lines such as "address 10.10.0.1/16".
  No file is ever overwritten without --force.
`,
  diff: `carpool diff A B [--json]

  Compares the files of two nodes, in any dialect that carpool reads: what must be equal and is not,
  what must differ and does not, and what is merely different. A and B are files, or several files
  joined by commas (rc.conf,sysctl.conf). Passwords are compared and never shown.
  Exit status 0 when the two fit, else 1.
`,
};
