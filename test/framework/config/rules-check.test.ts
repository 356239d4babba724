import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RulesCheck } from '../../../framework/config/rules-check.js';
import { isQuickCheck } from '../../../framework/config/schema-cost.js';

const EXPONENTIAL = { properties: { a: { type: 'string', pattern: '^(a+)+$' } } };

test('a plain schema of a small value is checked at once, what may take long is not', () => {
  const plain = {
    type: 'object',
    properties: { a: { type: 'string', secret: true } },
    additionalProperties: false,
  };
  assert.ok(isQuickCheck(plain, { a: 'b' }));
  assert.ok(
    isQuickCheck({ allOf: [plain, { not: { items: [{ const: 1 }] } }], definitions: { a: true } }, []),
  );
  for (const schema of [
    EXPONENTIAL,
    { patternProperties: { '^(a+)+$': true } },
    { $ref: '#' },
    { uniqueItems: true },
    { properties: { pattern: { type: 'string' }, a: { anyOf: [{ $ref: '#' }] } } },
    { items: [{ dependencies: {} }] },
    'text',
  ])
    assert.not(isQuickCheck(schema, {}), JSON.stringify(schema));
  assert.ok(isQuickCheck({ properties: { pattern: { type: 'string' } } }, {}));
  assert.not(isQuickCheck(plain, { a: 'x'.repeat(100_000) }));
});

test('a check reports violations, fills in no defaults, and names an unusable schema, in the thread as at once', async () => {
  await using check = new RulesCheck();
  for (const slow of [{}, { uniqueItems: true }]) {
    const value = { a: 5 };
    const schema = { properties: { a: { type: 'string' }, b: { default: 1 } }, ...slow };
    assert.equal(await check.run(schema, value), { violations: ['/a must be string'] });
    assert.equal(value, { a: 5 });
    assert.match(
      ((await check.run({ type: 'nonsense', ...slow }, {})) as { problem: string }).problem,
      /schema is invalid/,
    );
  }
});

test('a pattern of exponential time is given up at the deadline, and the thread with it', async () => {
  await using check = new RulesCheck();
  const outcome = await check.run(EXPONENTIAL, { a: `${'a'.repeat(40)}!` });
  assert.equal(outcome, { problem: 'to check a value by them takes longer than 4000 ms' });
  assert.equal(await check.run(EXPONENTIAL, { a: 'a' }), outcome, 'the time of one write is spent');
});

test('a schema that needs more memory than the thread has is refused, and harms nothing else', async () => {
  await using check = new RulesCheck();
  // Each level doubles what is compiled; none of it is large as text.
  const definitions: Record<string, unknown> = { d0: { type: 'string' } };
  for (let level = 1; level <= 40; level++) {
    const below = { $ref: `#/definitions/d${level - 1}` };
    definitions[`d${level}`] = { allOf: [below, below] };
  }
  const outcome = await check.run({ definitions, $ref: '#/definitions/d40' }, 5);
  assert.ok('problem' in outcome, JSON.stringify(outcome));
});

test.run();
