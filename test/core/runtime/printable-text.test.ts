import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { printableLine, printableText } from '../../../core/runtime/index.js';

const HOSTILE = '\u001b]0;owned\u0007\u001b[2J\u009b31m\u202egpj\r\u007f\u2028\u2066';

test('control, C1 and bidirectional characters become visible escapes', () => {
  assert.is(
    printableText(HOSTILE),
    '\\u001b]0;owned\\u0007\\u001b[2J\\u009b31m\\u202egpj\\u000d\\u007f\\u2028\\u2066',
  );
});

test('a printed text keeps its tabs and line feeds, and characters of all languages', () => {
  for (const text of ['a\tb\nc', 'Grüße', '日本', 'مرحبا', '👩‍💻', '"\\"'])
    assert.is(printableText(text), text);
});

test('text of others inside a line cannot begin a line of its own', () => {
  assert.is(printableLine('a\nok  job-7'), 'a\\nok  job-7');
});

test('JSON with escapes in place of what terminals obey has the same value', () => {
  const value = { [HOSTILE]: [HOSTILE, 'a\nb'] };
  assert.equal(JSON.parse(printableText(JSON.stringify(value))), value);
});

test.run();
