import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { resolveServerOptions } from '../../core/server/configuration/index.js';
import { SETTINGS } from '../../plugins/cli/serve-settings.js';
import { disagreement, documentedRows, membersOf, productSources } from './sources.js';

const LIMITS = 'core/server/LIMITS.md';

/** Options that bound nothing which a client or another connection can make a member spend. */
const NO_LIMITS = new Set([
  'id',
  'tickMs',
  'initLimit',
  'syncLimit',
  'minSessionMs',
  'maxSessionMs',
  'superDigest',
  'superUser',
  'containerCheckMs',
  'enforceQuota',
  'ttlNodes',
  'readOnly',
  'snapshotTxns',
  'snapshotBytes',
  'requireAuth',
  'saslUsers',
]);

test('every option that limits a resource is in the table of limits, and no row outlived its option', () => {
  const options = membersOf('core/server/configuration/server-options.ts', 'ServerOptions');
  const limits = options.filter((name) => !NO_LIMITS.has(name));
  const documented = documentedRows(LIMITS, 'Options').map(([name]) => name!);
  assert.equal(disagreement(limits, documented), { undocumented: [], outlived: [] });
});

test('the table of limits has the flag and the default of each option', () => {
  const defaults = resolveServerOptions() as unknown as Readonly<Record<string, number | null>>;
  const rows = documentedRows(LIMITS, 'Options');
  assert.ok(rows.length > 10);
  for (const [name, flag, value] of rows) {
    const setting = SETTINGS.find((one) => one.name === name);
    assert.is(flag, setting === undefined ? '' : `\`${setting.flag.split(' ')[0]}\``, name);
    assert.is(value, `${defaults[name!] ?? 'none'}`, name);
  }
});

test('the table of limits has the value of each fixed limit', () => {
  const sources = ['core/server', 'core/data'].flatMap((room) =>
    productSources(room).map(({ text }) => text),
  );
  const rows = documentedRows(LIMITS, 'Fixed');
  assert.ok(rows.length > 5);
  for (const [name, value] of rows) {
    const found = sources.flatMap(
      (text) => new RegExp(`^const ${name} = ([\\d_ *]+);`, 'm').exec(text)?.[1] ?? [],
    );
    assert.is(found.length, 1, `${name} is declared once`);
    const product = found[0]!.split('*').reduce((sum, factor) => sum * Number(factor.replaceAll('_', '')), 1);
    assert.is(String(product), value, name);
  }
});

test('every metric that the table of limits names is one of mntr', () => {
  const metrics = new Set(documentedRows('core/server/METRICS.md', 'mntr').map(([name]) => name));
  for (const row of documentedRows(LIMITS, 'Options')) {
    for (const [, name] of row[5]!.matchAll(/`(\w+)`/g)) assert.ok(metrics.has(name), name);
  }
});

test.run();
