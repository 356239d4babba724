import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { redact } from '../../../framework/index.js';

const secret = { type: 'string', secret: true };

test('what the schema marks as secret is not shown, at any depth and in any branch', () => {
  const schema = {
    type: 'object',
    properties: {
      plain: { type: 'string' },
      password: secret,
      list: { type: 'array', items: { type: 'object', properties: { key: secret } } },
      whole: { type: 'object', secret: true },
    },
    additionalProperties: { type: 'object', properties: { token: secret } },
    anyOf: [{ properties: { pin: secret } }, {}],
  };
  const value = {
    plain: 'a',
    password: 'b',
    list: [{ key: 'c', name: 'd' }],
    whole: { e: 'f' },
    other: { token: 'g' },
    pin: 'h',
  };
  assert.equal(redact(value, schema), {
    plain: 'a',
    password: '[secret]',
    list: [{ key: '[secret]', name: 'd' }],
    whole: '[secret]',
    other: { token: '[secret]' },
    pin: '[secret]',
  });
  assert.equal(value.password, 'b');
});

test('without a schema, and of what is not there, nothing is hidden', () => {
  assert.equal(redact({ a: 1 }, null), { a: 1 });
  assert.is(redact(undefined, { secret: true }), undefined);
  assert.equal(redact({}, { properties: { a: secret } }), {});
});

test.run();
