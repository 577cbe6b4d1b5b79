/** The soak itself, in namespaces of its own. Arguments: FOLDER and SoakOptions as JSON, a list; leaves FOLDER/soak.json. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Network } from '#src/lab/network.js';
import { type SoakOptions, type SoakResult, soak } from './soak.ts';

const [folder = '', options = '[]'] = process.argv.slice(2);
process.stdin.on('end', () => process.exit(1)).resume();
const network = new Network({ address: '10.96.0.0', prefix_length: 11 });
const results: SoakResult[] = [];
for (const one of JSON.parse(options) as SoakOptions[]) {
  process.stderr.write(`soak: advskew ${one.advskews.join('/')} for ${one.seconds} s …\n`);
  results.push(await soak(network, folder, one));
}
writeFileSync(join(folder, 'soak.json'), JSON.stringify(results));
process.exit(0);
