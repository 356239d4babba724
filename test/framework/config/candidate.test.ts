import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as fc from 'fast-check';
import { candidateOf, parseValue } from '../../../framework/config/candidate.js';
import { compileSchema } from '../../../framework/schema.js';

const acceptAll = (): readonly string[] => [];
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function valueOf(defaults: Record<string, unknown>, value: unknown, validate = acceptAll): unknown {
  const candidate = candidateOf(defaults, value, validate);
  return candidate.isValid ? candidate.value : candidate.violations;
}

test('a value is put over the defaults field by field, arrays as a whole', () => {
  const defaults = { currency: 'EUR', limits: { daily: 1000, monthly: 9000 }, tags: ['a', 'b'] };
  assert.equal(valueOf(defaults, { limits: { daily: 5 }, tags: ['c'], extra: true }), {
    currency: 'EUR',
    limits: { daily: 5, monthly: 9000 },
    tags: ['c'],
    extra: true,
  });
});

test('what comes out shares nothing with the defaults or the value, and is frozen to the ground', () => {
  const defaults = { limits: { daily: 1000 } };
  const value = { list: [{ a: 1 }] };
  const candidate = candidateOf(defaults, value, acceptAll);
  assert.ok(candidate.isValid);
  const out = candidate.value as unknown as { limits: { daily: number }; list: { a: number }[] };

  assert.throws(() => (out.limits.daily = 1), TypeError);
  assert.throws(() => (out.list[0]!.a = 2), TypeError);
  defaults.limits.daily = 7;
  value.list[0]!.a = 7;
  assert.equal(out, { limits: { daily: 1000 }, list: [{ a: 1 }] });
});

test('anything but an object is refused', () => {
  assert.equal(valueOf({}, [1]), ['the value must be an object, not an array']);
  assert.equal(valueOf({}, null), ['the value must be an object, not null']);
  assert.equal(valueOf({}, 5), ['the value must be an object, not a number']);
});

test('all violations are reported, with where they are', () => {
  const validate = compileSchema({
    type: 'object',
    properties: { port: { type: 'integer' }, host: { type: 'string', format: 'hostname' } },
    additionalProperties: false,
  });
  assert.equal(candidateOf({}, { port: '80', host: '-', extra: 1 }, validate), {
    isValid: false,
    violations: [
      'the value must NOT have additional properties: extra',
      '/port must be integer',
      '/host must match format "hostname"',
    ],
  });
});

test('defaults satisfy what the schema requires, and the defaults of the schema fill what is left', () => {
  const validate = compileSchema({
    type: 'object',
    required: ['currency', 'limit'],
    properties: { currency: { type: 'string' }, limit: { type: 'number', default: 7 } },
  });
  assert.equal(valueOf({ currency: 'EUR' }, {}, validate as never), { currency: 'EUR', limit: 7 });
});

test('a key named __proto__ is data like any other', () => {
  const candidate = candidateOf({}, JSON.parse('{"__proto__":{"isAdmin":true}}'), acceptAll);
  assert.ok(candidate.isValid);
  assert.is((candidate.value as { isAdmin?: boolean }).isAdmin, undefined);
  assert.is(({} as { isAdmin?: boolean }).isAdmin, undefined);
});

test('bytes that are no UTF-8 or no JSON are told apart from a value, and no bytes mean the defaults', () => {
  assert.is(parseValue(null), undefined);
  assert.is(parseValue(new Uint8Array()), undefined);
  assert.equal(parseValue(bytes('{"a":1}')), { value: { a: 1 } });
  for (const data of [bytes('{"a":'), Uint8Array.of(0xff, 0xfe)]) {
    const parsed = parseValue(data);
    assert.ok(parsed !== undefined && 'violations' in parsed);
    assert.match(parsed.violations[0]!, /^the value is not JSON: /);
  }
});

test('whatever the JSON, a value over its own result changes nothing', () => {
  const json = fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 5 });
  fc.assert(
    fc.property(json, json, (defaults, value) => {
      const once = candidateOf(defaults, value, acceptAll);
      assert.ok(once.isValid);
      const twice = candidateOf(defaults, once.value, acceptAll);
      assert.ok(twice.isValid);
      assert.is(JSON.stringify(twice.value), JSON.stringify(once.value));
    }),
    { numRuns: 300 },
  );
});

test.run();
