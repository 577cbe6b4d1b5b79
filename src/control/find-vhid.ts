/** Which vhid people mean: a section's name, a number, or a number and its interface (`1@eth0`, as FreeBSD writes it). */

type Known = { readonly index: number; readonly vhid: number; readonly interface: string };

export function findVhid(
  typed: string,
  names: readonly string[],
  vhids: readonly Known[],
): { readonly index: number } | { readonly mistake: string } {
  const by_name = vhids.find(({ index }) => names[index] === typed);
  if (by_name !== undefined) return { index: by_name.index };
  const [, number, link] = /^(\d{1,3})(?:@(.+))?$/.exec(typed) ?? [];
  const found = vhids.filter(
    (one) => one.vhid === Number(number) && (link === undefined || one.interface === link) && number !== undefined,
  );
  if (found.length === 1) return { index: found[0]!.index };
  const list = vhids.map((one) => `${names[one.index]} (${one.vhid}@${one.interface})`).join(', ') || 'none';
  if (found.length > 1) return { mistake: `There is a vhid ${typed} on several interfaces; this node has ${list}.` };
  return { mistake: `There is no vhid "${typed}"; this node has ${list}.` };
}
