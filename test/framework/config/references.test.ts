import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { resolveReferences, type Resolution } from '../../../framework/config/references.js';

type Values = Readonly<Record<string, unknown>>;

/** What the first of the configurations becomes, and how often each was looked up. */
function resolved(own: unknown, others: Values): Resolution & { readonly lookups: number } {
  let lookups = 0;
  const resolution = resolveReferences(own, (name) => {
    lookups++;
    return Object.hasOwn(others, name) ? { value: others[name] } : undefined;
  });
  return { ...resolution, lookups };
}

const many = (count: number, name: string): unknown => ({
  x: Array.from({ length: count }, () => ({ $config: name })),
});

test('a value within the bounds is put together, and its own part has no bound', () => {
  const own = { list: Array.from({ length: 60_000 }, (_, index) => index), smtp: { $config: 'smtp' } };
  const { value, violations } = resolved(own, { smtp: { host: 'mail' } });
  assert.equal(violations, []);
  assert.equal(value, { ...own, smtp: { host: 'mail' } });
});

test('configurations that refer to each other many times are refused after a bounded number of steps', () => {
  const levels = Object.fromEntries([1, 2, 3, 4].map((level) => [`l${level}`, many(40, `l${level + 1}`)]));
  const result = resolved(many(40, 'l1'), { ...levels, l5: { v: 'lol' } });
  assert.equal(result.violations, ['the value and its references put in more than 50000 values']);
  assert.is(result.value, null);
  assert.ok(result.lookups < 50_000);
});

test('references to one long text are refused by the characters that they put in', () => {
  const { violations } = resolved(many(50, 'text'), { text: 'x'.repeat(100_000) });
  assert.equal(violations, ['the value and its references put in more than 4194304 characters']);
});

test('references to empty parts, and through references, count too', () => {
  assert.match(resolved(many(50_001, 'none/a'), { none: {} }).violations[0]!, /more than 50000 values/);
  const through = { a: { $config: 'b' }, b: Array.from({ length: 30_000 }, () => 0) };
  assert.match(resolved(many(3, 'a/0'), through).violations[0]!, /more than 50000 values/);
});

test('a value that depends on too many configurations is refused, and none of them is asked for', () => {
  const own = Array.from({ length: 201 }, (_, index) => ({ $config: `c${index}` }));
  const { violations, missing } = resolved(own, {});
  assert.equal(violations, ['the value and its references lead to more than 200 configurations']);
  assert.is(missing.size, 0);
});

test('a value that references make deeper than 100 levels is refused', () => {
  const nest = (inner: unknown): unknown => Array.from({ length: 60 }).reduce((value) => ({ value }), inner);
  assert.equal(resolved(nest(1), {}).violations, []);
  const { violations } = resolved(nest({ $config: 'b' }), { b: nest(1) });
  assert.equal(violations, ['the value and its references are nested more than 100 levels deep']);
});

test.run();
