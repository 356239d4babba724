import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { JsonTextError, parseJson, SeededRandom } from '../../../core/runtime/index.js';
import { jsonErrorOffset } from '../../../core/runtime/json-scanner.js';

function problemOf(text: string, maxDepth?: number): JsonTextError {
  try {
    parseJson(text, maxDepth === undefined ? {} : { maxDepth });
  } catch (error) {
    if (error instanceof JsonTextError) return error;
    throw error;
  }
  return assert.unreachable() as never;
}

test('the error of malformed JSON gives the position, and quotes nothing of the text', () => {
  const error = problemOf('{"host":"mail",\n "password":hunter2}');
  assert.is(error.code, 'INVALID_JSON');
  assert.is(error.message, 'unexpected character at line 2, column 13');
  assert.equal(error.fields, { offset: 28, line: 2, column: 13 });
  assert.is(error.cause, undefined);
  assert.not.match(`${error.stack}`, /hunter2/);
});

test('an incomplete text ends too early', () => {
  for (const text of ['', ' ', '{', '[1,', '{"a"', '{"a":', '"ab', '"a\\u00']) {
    const { message, offset } = problemOf(text);
    assert.match(message, text === '"a\\u00' ? /unexpected character/ : /ends too early/, text);
    assert.ok(offset <= text.length);
  }
});

test('the scanner finds an error exactly in what JSON.parse refuses', () => {
  const random = new SeededRandom(7);
  const pieces = [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"\\n"',
    '"\\x"',
    '"\u0001"',
    '0',
    '-1.5e+3',
    '01',
    '1.',
    'true',
    'nul',
    ' ',
    '\n',
  ];
  const valid = '{"a": [1, -2.5e3, "x\\u00e9", {"b": null, "c": [true, false, {}]}], "d": ""}';
  const pick = (count: number): number => Math.floor(random.next() * count);
  for (let round = 0; round < 20_000; round++) {
    const at = pick(valid.length);
    const text =
      round % 2 === 0
        ? Array.from({ length: 1 + pick(6) }, () => pieces[pick(pieces.length)]!).join('')
        : valid.slice(0, at) + pieces[pick(pieces.length)]! + valid.slice(at + pick(3));
    let isValid = true;
    try {
      JSON.parse(text);
    } catch {
      isValid = false;
    }
    assert.is(jsonErrorOffset(text) === null, isValid, text);
  }
});

test('the depth of nesting is bounded, and brackets in strings do not count', () => {
  assert.equal(parseJson('[[["[[[["]]]', { maxDepth: 3 }), [[['[[[[']]]);
  assert.equal(parseJson('["\\"[[[[", [1], [2], [3], [4]]', { maxDepth: 2 }), ['"[[[[', [1], [2], [3], [4]]);
  const error = problemOf('[[[1,2]],[[[3]]]]', 3);
  assert.is(error.message, 'nested more than 3 levels deep at line 1, column 12');
  assert.match(problemOf('['.repeat(200_000) + ']'.repeat(200_000), 100).message, /more than 100 levels/);
});

test.run();
