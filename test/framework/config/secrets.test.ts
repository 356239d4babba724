import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withoutSecrets } from '../../../framework/config/secrets.js';
import { redact, redactDifference } from '../../../framework/index.js';
import { compileSchema } from '../../../framework/schema.js';

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

test('a secret behind a reference, a pattern, a place in a list or a dependency is not shown either', () => {
  const schema = {
    definitions: { login: { properties: { password: secret, next: { $ref: '#/definitions/login' } } } },
    properties: {
      login: { $ref: '#/definitions/login' },
      pair: { items: [{ type: 'string' }, secret], additionalItems: secret },
    },
    patternProperties: { '^key-': secret },
    dependencies: { pair: { properties: { pin: secret } } },
  };
  const value = {
    login: { user: 'a', password: 'b', next: { password: 'c' } },
    pair: ['d', 'e', 'f'],
    pin: 'g',
    'key-1': 'h',
  };
  assert.equal(redact(value, schema), {
    login: { user: 'a', password: '[secret]', next: { password: '[secret]' } },
    pair: ['d', '[secret]', '[secret]'],
    pin: '[secret]',
    'key-1': '[secret]',
  });
  assert.equal(withoutSecrets(value, schema), {
    value: { login: { user: 'a', next: {} }, pair: ['d', null, null] },
    withheld: ['login.password', 'login.next.password', 'pair.1', 'pair.2', 'pin', 'key-1'],
  });
});

test('of a schema that takes too long to follow, everything counts as secret', () => {
  const branches = { allOf: Array.from({ length: 2_000 }, () => ({ items: { type: 'string' } })) };
  const shown = redact(
    Array.from({ length: 5_000 }, () => 'a'),
    branches,
  ) as string[];
  assert.is(shown.at(0), 'a');
  assert.is(shown.at(-1), '[secret]');
});

test('what is wrong with a secret is said without what it may be, and without names within it', () => {
  const validate = compileSchema({
    properties: {
      pin: { enum: ['1234', '9999'], secret: true },
      tokens: { secret: true, type: 'object', additionalProperties: { type: 'number' } },
      plain: { enum: ['a', 'b'] },
    },
  });
  assert.equal(validate({ pin: '0000', tokens: { hunter2: 'x' }, plain: 'c' }), [
    '/pin is a secret that breaks the rule "enum"',
    '/tokens is a secret that breaks the rule "type"',
    '/plain must be equal to one of the allowed values: ["a","b"]',
  ]);
});

test('a difference shows no secret, on whichever side and however deep it is', () => {
  const schema = {
    properties: {
      password: secret,
      'a/b': { properties: { token: secret } },
      list: { items: { properties: { key: secret } } },
      whole: { type: 'object', secret: true },
    },
  };
  const cases: [path: string, before: unknown, after: unknown, shown: unknown][] = [
    ['/password', 'x', undefined, ['[secret]', undefined]],
    ['/password', undefined, 'x', [undefined, '[secret]']],
    ['/a~1b/token', 'x', 'y', ['[secret]', '[secret]']],
    ['/a~1b', undefined, { token: 'x', name: 'n' }, [undefined, { token: '[secret]', name: 'n' }]],
    ['/list', [{ key: 'x' }], 5, [[{ key: '[secret]' }], 5]],
    ['/list/0/key', 'x', 'y', ['[secret]', '[secret]']],
    ['/whole/inner', 'x', 'y', ['[secret]', '[secret]']],
    ['', null, { password: 'x' }, [null, { password: '[secret]' }]],
    ['/other', 'x', 'y', ['x', 'y']],
  ];
  for (const [path, before, after, shown] of cases) {
    const difference = redactDifference({ path, before, after }, schema);
    assert.equal([difference.before, difference.after], shown, path);
  }
});

test.run();
