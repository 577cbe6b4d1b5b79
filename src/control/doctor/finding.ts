/** What `carpool doctor` found: like a diagnostic, but of the live segment and host instead of a file. */

/** `hint`: nothing is wrong, but it is good to know. */
export type Severity = 'error' | 'warning' | 'hint';

export type Finding = {
  readonly severity: Severity;
  /** Stable, kebab-case: docs/guides/doctor.md lists them. */
  readonly code: string;
  /** The section's name of the vhid that it is about; undefined: the host. */
  readonly vhid: string | undefined;
  readonly message: string;
  readonly mend: string;
};

export function finding(
  severity: Severity,
  code: string,
  vhid: string | undefined,
  message: string,
  mend: string,
): Finding {
  return { severity, code, vhid, message, mend };
}

const ORDER: readonly Severity[] = ['error', 'warning', 'hint'];

export function worstFirst(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
}

export function renderFinding({ severity, code, vhid, message, mend }: Finding): string {
  return `${severity}: ${vhid === undefined ? '' : `${vhid}: `}${message} [${code}]\n    ${mend}\n`;
}
