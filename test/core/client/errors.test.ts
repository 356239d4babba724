import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ClientError,
  ErrorCode,
  LOCAL_ERRORS,
  MultiError,
  NoNodeError,
  SERVER_ERRORS,
  SessionExpiredError,
  SystemError,
  errorOfCode,
} from '../../../core/client/index.js';
import { QuorateError } from '../../../core/runtime/index.js';

const failureCodes = Object.values(ErrorCode).filter((code) => code !== ErrorCode.ok);

test('every result code but ok has exactly one class, and every class one result code', () => {
  const covered = SERVER_ERRORS.map(({ facts }) => facts.zkCode);
  assert.equal(
    [...covered].sort((a, b) => a! - b!),
    [...failureCodes].sort((a, b) => a - b),
  );
});

test('no two classes share a code word, and each is named after its word', () => {
  const classes = [...SERVER_ERRORS, ...LOCAL_ERRORS];
  const words = classes.map(({ facts }) => facts.code);
  assert.is(new Set(words).size, words.length);
  for (const errorClass of SERVER_ERRORS) {
    const error = new errorClass();
    const word = error.name
      .replace(/Error$/, '')
      .replace(/(?<=[a-z])(?=[A-Z])/g, '_')
      .toUpperCase();
    assert.is(word, error.code.replace(/_ERROR$/, ''), error.name);
  }
});

test('every result code becomes an error of its class that says what was done to what, and what to do', () => {
  for (const code of failureCodes) {
    const error = errorOfCode(code, { operation: 'getData', path: '/a' });
    assert.instance(error, ClientError);
    assert.instance(error, QuorateError);
    assert.is(error.zkCode, code);
    assert.is(error.path, '/a');
    assert.is(error.fields['path'], '/a');
    assert.match(error.message, /^getData \/a failed, .+: .+/);
  }
});

test('a code that nobody assigned becomes a system error that names it', () => {
  const error = errorOfCode(-999, {});
  assert.instance(error, SystemError);
  assert.match(error.message, '-999');
});

test('an error of one case may differ from its class in whether it can be retried', () => {
  assert.is(new SessionExpiredError().retryable, true);
  assert.is(new SessionExpiredError({ retryable: false }).retryable, false);
});

test('the error of a multi names the operation that failed, with its own error as the cause', () => {
  const cause = new NoNodeError({ operation: 'delete', path: '/b' });
  const error = new MultiError({ index: 1, cause });
  assert.is(error.code, 'MULTI_FAILED');
  assert.is(error.index, 1);
  assert.is(error.cause, cause);
  assert.is(error.path, '/b');
  assert.match(error.message, /operation 1 .*delete \/b/);
});

test.run();
