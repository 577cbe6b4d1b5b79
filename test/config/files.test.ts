import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatDiagnostic } from '#src/config/diagnostic.js';
import { loadFiles, readSources } from '#src/config/files.js';

function inFolder(files: Record<string, string>, run: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'carpool-config-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a directory stands for its .cfg files in the order of their names', () => {
  inFolder({ '20-b.cfg': 'b', '10-a.cfg': 'a', 'notes.txt': 'n', '.hidden.cfg': 'h', '100.cfg': 'c' }, (folder) => {
    const { sources, diagnostics } = readSources([folder]);
    assert.deepEqual(sources.map(({ text }) => text).join(' '), 'a c b');
    assert.deepEqual(diagnostics, []);
  });
});

test('files are read in the order in which they are named', () => {
  inFolder({ 'a.cfg': 'a', 'b.cfg': 'b' }, (folder) => {
    const { sources } = readSources([join(folder, 'b.cfg'), join(folder, 'a.cfg')]);
    assert.deepEqual(
      sources.map(({ text }) => text),
      ['b', 'a'],
    );
  });
});

test('a file that is not there and a directory without files are diagnostics', () => {
  inFolder({}, (folder) => {
    const missing = join(folder, 'missing.cfg');
    const { config, diagnostics } = loadFiles([missing, folder]);
    assert.equal(config, undefined);
    assert.deepEqual(diagnostics.map(formatDiagnostic), [
      `${missing}: error: There is no such file. [file-not-found]`,
      `${folder}: error: The directory holds no *.cfg file. [file-not-found]\n    Name the file itself after -f.`,
    ]);
  });
});

test('a directory named like a file, and a file without end, are diagnostics too', () => {
  inFolder({}, (folder) => {
    mkdirSync(join(folder, 'x.cfg'));
    assert.deepEqual(
      readSources([folder]).diagnostics.map(({ code }) => code),
      ['file-unreadable'],
    );
    assert.deepEqual(
      readSources(['/dev/zero']).diagnostics.map(({ code }) => code),
      ['file-too-large'],
    );
  });
});

test('a byte order mark is passed over, and control characters do not reach the terminal', () => {
  inFolder({ 'a.cfg': '\ufeffglobal\n  maxconn 1\x1b[2J\n' }, (folder) => {
    const file = join(folder, 'a.cfg');
    const [first] = loadFiles([file]).diagnostics.map(formatDiagnostic);
    assert.match(first!, /a\.cfg:2:11: error: maxconn `1\?\[2J` is not a whole number\. /);
  });
});

test('rc.conf, sysctl.conf and haproxy.conf together are one node', () => {
  const files = {
    'rc.conf': 'cloned_interfaces="carp0"\nifconfig_carp0="vhid 1 pass x 10.10.0.1/16"\n',
    'sysctl.conf': 'net.inet.carp.preempt=1\n',
    'haproxy.conf': 'defaults\n timeout client 1s\nfrontend www\n bind :80\n default_backend b\nbackend b\n',
  };
  inFolder(files, (folder) => {
    const { config } = loadFiles(Object.keys(files).map((name) => join(folder, name)));
    assert.deepEqual(
      { names: config?.carps.map(({ name }) => name), preempt: config?.carp_host.preempt },
      { names: ['carp0'], preempt: true },
    );
    assert.deepEqual(
      config?.frontends.map(({ name }) => name),
      ['www'],
    );
  });
});

test("Debian's interfaces takes in what it names: patterns, directories, files that take in others", () => {
  inFolder(
    {
      interfaces: 'source b?.cfg d*/[!x]*\nsource-directory dir\nsource nowhere/*\niface lo inet loopback\n',
      'b1.cfg': 'b1',
      'b22.cfg': 'no: two characters',
    },
    (folder) => {
      mkdirSync(join(folder, 'dir'));
      for (const [name, text] of Object.entries({
        plain: 'source ../interfaces-loop',
        'no.dots': 'only by its pattern',
        xyz: 'only by source-directory',
        '.hidden': 'no',
      }))
        writeFileSync(join(folder, 'dir', name), text);
      writeFileSync(join(folder, 'interfaces-loop'), 'source interfaces-loop');
      const { sources, diagnostics } = readSources([join(folder, 'interfaces')]);
      assert.deepEqual(diagnostics, []);
      const names = sources.map(({ file }) => file.slice(folder.length + 1));
      const loop = Array<string>(7).fill('interfaces-loop');
      assert.deepEqual(
        names.map((name) => name.replace('dir/../', '')),
        ['interfaces', 'b1.cfg', 'dir/no.dots', 'dir/plain', ...loop, 'dir/plain', ...loop, 'dir/xyz'],
      );
      assert.ok(sources.slice(1).every(({ dialect }) => dialect === 'interfaces'));
    },
  );
});

test('of a last line without a line feed is told: the file may have been cut off', () => {
  const text = 'global\n maxconn 10\ncarp a\n interface eth0\n vhid 1\n pass x\n address 10.0.0.1/24';
  inFolder({ 'a.cfg': text, 'b.cfg': `${text}\n` }, (folder) => {
    const told = (name: string) =>
      loadFiles([join(folder, name)]).diagnostics.map(({ code, span }) => [code, span.line]);
    assert.deepEqual(told('a.cfg'), [['no-line-end', 7]]);
    assert.deepEqual(told('b.cfg'), []);
  });
});

test('zero-warning makes an error of warnings, but not of what only carpool has no effect for', () => {
  const file = (lines: string) =>
    `global\n zero-warning\n${lines}carp a\n interface eth0\n vhid 1\n address 10.0.0.1/24\n`;
  const files = {
    'a.cfg': file(' maxpipes 5\n').replace(' vhid', ' pass x\n vhid'),
    'b.cfg': `${file('')}frontend f\n`,
  };
  inFolder(files, (folder) => {
    const codes = (name: string) => loadFiles([join(folder, name)]).diagnostics.map(({ code }) => code);
    assert.deepEqual(codes('a.cfg'), ['no-effect']);
    assert.ok(codes('b.cfg').includes('zero-warning'), codes('b.cfg').join());
  });
});
