/**
 * OpenBSD's /etc/hostname.carpN (NetBSD's /etc/ifconfig.carpN): every line is what follows `ifconfig carpN`.
 *
 *     inet 10.10.0.1 255.255.0.0 10.10.255.255 vhid 1 carpdev em0 pass s3cret advskew 100
 *     inet alias 10.10.0.2 255.255.0.0
 *     inet6 2001:db8::10 64
 *     group web
 *     !route add default 10.10.0.254
 *
 * The name of the interface is in the name of the file.
 */
import { newCarp } from '../carp-draft.ts';
import type { Span } from '../diagnostic.ts';
import { readShell } from '../freebsd/shell.ts';
import { applyLine, useOpenbsdRules } from '../ifconfig/apply.ts';
import { type BsdInterface, finishInterface, reportState } from '../ifconfig/interface.ts';
import { readIfconfigLine } from '../ifconfig/line.ts';
import type { Carp } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import type { Word } from '../word.ts';
import { checkPlaces } from './places.ts';

const FILE_NAME = /(?:^|\/)(?:hostname|ifconfig)\.([a-z]+\d+)$/;
/** Lines that only other kinds of interface have, or that the system's own scripts read. */
const PASSED_OVER = ['dhcp', 'autoconf', 'rtsol', 'dest'];

/** The interface that the file is about; undefined when its name is none of these systems'. */
function interfaceOfFile(file: string): string | undefined {
  return FILE_NAME.exec(file)?.[1];
}

export function parseHostnameFiles(sources: readonly { file: string; text: string }[], report: Reporter): Carp[] {
  return sources.flatMap(({ file, text }) => {
    const name = interfaceOfFile(file);
    return name === undefined || !/^carp\d+$/.test(name) ? [] : parseFile(name, file, text, report);
  });
}

function parseFile(name: string, file: string, text: string, report: Reporter): Carp[] {
  const start: Span = { file, line: 1, column: 1, end_column: 2 };
  const carp: BsdInterface = { draft: newCarp(name, start), nodes: undefined };
  useOpenbsdRules(carp.draft);
  const isNetbsd = /(^|\/)ifconfig\./.test(file);
  for (const statement of readShell(file, text, report)) {
    if (statement.kind === 'command') {
      if (!isNetbsd) checkPlaces(statement.words, report);
      readLine(carp, statement.words, report);
    } else {
      const mend = 'Write `vhid 1 pass …`, with spaces; rc.conf is another file.';
      report.error(statement.name.span, 'unknown-keyword', 'A hostname file has no assignments.', mend);
    }
  }
  // NetBSD signs link-local addresses and leaves byte 4 alone, as all others do
  if (isNetbsd) Object.assign(carp.draft, { hash_link_locals: true, openbsd_demote_byte: false });
  return finishInterface(carp, (words) => `inet 10.10.0.1 255.255.0.0 NONE ${words} carpdev em0`, report);
}

function readLine(carp: BsdInterface, words: readonly Word[], report: Reporter): void {
  const [first] = words;
  if (first.text.startsWith('!') || PASSED_OVER.includes(first.text)) return;
  const line = readIfconfigLine(words, report);
  carp.nodes = line.nodes ?? carp.nodes;
  reportState(line, report);
  applyLine(carp.draft, line, { is_command: false, addresses: line.addresses });
}
