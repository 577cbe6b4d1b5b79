/** Which dialect a file is written in: by its name where the name is telling, else by its first meaningful line. */

export type Dialect = 'haproxy' | 'rc.conf' | 'sysctl.conf' | 'interfaces' | 'hostname';

export function detectDialect(file: string, text: string): Dialect {
  const name = file.replace(/^.*\//, '');
  if (/^rc\.conf(\.|$)/.test(name)) return 'rc.conf';
  if (/^sysctl\.conf(\.|$)/.test(name)) return 'sysctl.conf';
  if (/^interfaces$/.test(name)) return 'interfaces';
  if (/^(hostname|ifconfig)\.[a-z]+\d+$/.test(name)) return 'hostname';
  if (name.endsWith('.cfg')) return 'haproxy';
  for (const line of text.split('\n')) {
    const dialect = dialectOfLine(line.trim());
    if (dialect !== undefined) return dialect;
  }
  return 'haproxy';
}

function dialectOfLine(line: string): Dialect | undefined {
  if (line === '' || line.startsWith('#')) return undefined;
  if (/^(global|defaults|frontend|backend|listen|carp)\b(?!=)/.test(line)) return 'haproxy';
  if (/^(auto|allow-\S+|iface|mapping|source|source-directory|ucarp-\S+)\s/.test(line)) return 'interfaces';
  if (/^[a-z]\w*(\.\w+)+\s*[=:]/.test(line)) return 'sysctl.conf';
  if (/^([A-Za-z_]\w*=|ifconfig\s)/.test(line)) return 'rc.conf';
  return 'haproxy';
}
