/** `a=1&b=2`: the value of the first parameter with a name. */
export function parameterOf(query: string, name: string, delimiter: string): string | undefined {
  for (const pair of query.split(delimiter)) if (pair.startsWith(`${name}=`)) return pair.slice(name.length + 1);
  return undefined;
}
