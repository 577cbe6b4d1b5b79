/** Rules of the repository that no compiler checks. Each failure names the file and the rule. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const LONGEST_FILE = 500;
const LONGEST_ARCHITECTURE = 200;

/**
 * What the files below a folder may import; the longest matching folder counts. `outside` are Node's modules and packages,
 * `inside` are prefixes below src/ (the folder itself is always allowed). '*' is everything but what OS_ONLY_IN reserves.
 */
type ImportRule = { readonly outside: readonly string[]; readonly inside: readonly string[] };

/** Computes, but reads no file, socket, clock or process. */
const PURE = ['node:assert', 'node:buffer', 'node:crypto', 'node:util'];
/** A shell: any module of Node's, no foreign function. */
const NODE = [...PURE, 'node:*'];
/** Talks to the kernel through our own bindings only. */
const FOREIGN = [...PURE, 'koffi', 'node:module', 'node:os', 'node:perf_hooks', 'node:process', 'node:worker_threads'];
const THREAD = [
  ...PURE,
  'node:module',
  'node:os',
  'node:perf_hooks',
  'node:process',
  'node:url',
  'node:worker_threads',
];
/** Memory that threads share: offsets and rings, no system calls. */
const SHARED = ['threads/shared-memory', 'threads/line-ring', 'threads/live-errors', 'threads/counters'];
const MODEL = ['config/model', 'config/diagnostic'];

const IMPORT_RULES: Record<string, ImportRule> = {
  'carp/': { outside: PURE, inside: MODEL },
  'dns/': { outside: PURE, inside: [...MODEL, 'carp/address'] },
  'health/': { outside: PURE, inside: [...MODEL, 'config/regular-expression'] },
  'simulator/': { outside: PURE, inside: ['carp/', ...MODEL] },
  'config/': { outside: [...PURE, 're2js'], inside: [] },
  'config/files': { outside: [...PURE, 'node:fs', 'node:path', 'node:url'], inside: ['config/'] },
  'proxy/balance': { outside: PURE, inside: [...MODEL, ...SHARED] },
  'proxy/sample': {
    outside: [...PURE, 'node:os'],
    inside: [...MODEL, 'config/regular-expression', 'system/ip-address', 'proxy/balance/hash-functions', 'proxy/xxh'],
  },
  'proxy/': { outside: PURE, inside: [...MODEL, ...SHARED, 'config/log-format', 'reactor/', 'system/'] },
  'proxy/log': {
    outside: [...PURE, 'node:os'],
    inside: ['proxy/', ...MODEL, 'config/log-format', ...SHARED, 'reactor/', 'system/'],
  },
  'reactor/': { outside: FOREIGN, inside: ['system/'] },
  'system/': { outside: FOREIGN, inside: ['carp/', ...MODEL] },
  'threads/': { outside: THREAD, inside: ['*'] },
  'threads/garbage': { outside: ['node:v8', 'node:vm'], inside: [] },
  'control/': { outside: NODE, inside: ['*'] },
  'cli/': { outside: NODE, inside: ['*'] },
  'lab/': { outside: NODE, inside: ['*'] },
  daemon: { outside: NODE, inside: ['*'] },
  main: { outside: NODE, inside: ['*'] },
};

test('every source file imports only what its folder may', () => {
  const wrong = filesBelow('src').flatMap((path) => {
    const name = path.slice('src/'.length);
    const folder = Object.keys(IMPORT_RULES)
      .filter((prefix) => name.startsWith(prefix))
      .sort((a, b) => b.length - a.length)[0];
    if (folder === undefined) return [`${path}: no rule in IMPORT_RULES covers it`];
    return importsOf(path)
      .filter((imported) => !mayImport(IMPORT_RULES[folder]!, folder, imported))
      .map((imported) => `${path} imports ${imported}, which src/${folder} may not`);
  });
  assert.deepEqual(wrong, []);
});

function mayImport(rule: ImportRule, folder: string, imported: string): boolean {
  if (!imported.startsWith('src/')) {
    const base = imported.split('/')[0]!;
    return rule.outside.some((allowed) => allowed === base || (allowed === 'node:*' && base.startsWith('node:')));
  }
  const name = imported.slice('src/'.length);
  return [folder, ...rule.inside].some((prefix) => prefix === '*' || name.startsWith(prefix));
}

/** Packages by name, own files as paths from the root. */
function importsOf(path: string): string[] {
  const statement = /^(?:import|export)\s(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
  const call = /\bimport\(\s*'([^']+)'\s*\)/g;
  const text = read(path);
  return [...text.matchAll(statement), ...text.matchAll(call)].map(([, target]) =>
    target!.startsWith('.') ? normalize(join(dirname(path), target!)) : target!,
  );
}

test(`no file of code is longer than ${LONGEST_FILE} lines`, () => {
  const long = codeFiles()
    .map((path) => ({ path, lines: read(path).split('\n').length - 1 }))
    .filter(({ lines }) => lines > LONGEST_FILE);
  assert.deepEqual(long, [], 'each of them is perhaps two ideas');
});

test('Biome has nothing to say', () => {
  const result = spawnSync(join(root, 'node_modules/.bin/biome'), ['ci', '--colors=off', '.'], {
    cwd: root,
    encoding: 'utf8',
    timeout: 120_000,
  });
  assert.equal(result.status, 0, `npm run format mends most of it:\n${result.stdout}${result.stderr}`);
});

test('no file names a path of one machine or a package registry', () => {
  // Put together here, so that this file does not hold them.
  const paths = ['work', 'root', 'home/[a-z]+', 'tmp/wt'].map((folder) => `(?<![\\w.])/${folder}/`);
  const forbidden = new RegExp([...paths, 'https?://[^\\s"\']*regis' + 'try'].join('|'));
  const wrong = allFiles().flatMap((path) => {
    const match = forbidden.exec(read(path));
    return match ? [`${path}: ${match[0]}`] : [];
  });
  assert.deepEqual(wrong, []);
});

test('the lock file says what, not from where', () => {
  const { packages } = JSON.parse(read('package-lock.json'));
  const wrong = Object.entries<{ resolved?: string }>(packages).filter(([, entry]) => entry.resolved !== undefined);
  assert.deepEqual(wrong, [], 'npm config set omit-lockfile-registry-resolved true, then npm install');
});

test(`ARCHITECTURE.md has at most ${LONGEST_ARCHITECTURE} lines and gives the reason of every dependency`, () => {
  const text = read('ARCHITECTURE.md');
  assert.ok(text.split('\n').length - 1 <= LONGEST_ARCHITECTURE);
  const { dependencies, devDependencies } = JSON.parse(read('package.json'));
  const unnamed = Object.keys({ ...dependencies, ...devDependencies }).filter((name) => !text.includes(`\`${name}\``));
  assert.deepEqual(unnamed, []);
});

test('the reference says what the code says', () => {
  const args = [join(root, 'scripts/reference.mjs'), '--check'];
  const result = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 120_000 });
  assert.equal(result.status, 0, result.stderr);
});

test('every peer that npm test installs is needed by a test', () => {
  const tests = filesBelow('test').filter((path) => path.endsWith('.ts'));
  const needed = tests.flatMap((path) => [...read(path).matchAll(/\bneeds\(([^)]*)\)/g)].map(([, names]) => names));
  const peers = Object.keys(JSON.parse(read('test/peers.json')));
  assert.deepEqual(
    peers.filter((peer) => !needed.some((names) => names!.includes(`'${peer}'`))),
    [],
  );
});

test('every link between the documents leads to a file', () => {
  const broken = allFiles()
    .filter((path) => path.endsWith('.md'))
    .flatMap((path) =>
      [...read(path).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
        .map(([, target]) => target!)
        .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(root, dirname(path), target)))
        .map((target) => `${path} -> ${target}`),
    );
  assert.deepEqual(broken, []);
});

function codeFiles(): string[] {
  return ['src', 'test', 'bench', 'scripts'].flatMap(filesBelow).filter((path) => /\.(ts|mjs)$/.test(path));
}

/** Everything that belongs to the repository and is text. */
function allFiles(): string[] {
  const top = readdirSync(root, { withFileTypes: true }).filter(
    (entry) => entry.isFile() && !/\.log$/.test(entry.name),
  );
  const folders = ['.ci', 'src', 'test', 'bench', 'scripts', 'docs', 'scenarios', 'packaging'];
  return [...top.map((entry) => entry.name), ...folders.flatMap(filesBelow)].filter((path) => !/\.pcap$/.test(path));
}

/** Paths from the root of all files below a folder; none when there is no such folder. */
function filesBelow(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
