import { readFileSync } from 'node:fs';
import { FEATURES, LANGUAGE_VERSION } from '../config/haproxy/build-facts.ts';

/** For `-v`, and with the features for `-vv`, in HAProxy's form: scripts look there for `+NAME`. */
export function describeVersion(with_features: boolean): string {
  const version = `carpool version ${readVersion()}\n`;
  if (!with_features) return version;
  const features = FEATURES.map((name) => `+${name}`).join(' ');
  return `${version}Configuration language: HAProxy ${LANGUAGE_VERSION}\nRunning on: Node ${process.versions.node}\n\nFeature list : ${features}\n`;
}

/** From package.json, two levels above dist/cli. */
export function readVersion(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
}
