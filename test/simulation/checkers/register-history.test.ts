import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RegisterHistory } from './register-history.js';

test('a write, a compare-and-set on it and a read of that are as of one register', () => {
  const history = new RegisterHistory();
  history.begin('/r', { type: 'write', value: 'a' }).returned({ type: 'written', version: 1 });
  history.begin('/r', { type: 'cas', version: 1, value: 'b' }).returned({ type: 'written', version: 2 });
  history.begin('/r', { type: 'cas', version: 1, value: 'c' }).returned({ type: 'refused' });
  history.begin('/r', { type: 'read' }).returned({ type: 'is', value: 'b', version: 2 });
  history.conclude();
  assert.is(history.length, 4);
  assert.is(history.unsure, 0);
});

test('a write of unknown outcome may be read, and one that never happened may not', () => {
  const unknown = new RegisterHistory();
  unknown.begin('/r', { type: 'write', value: 'a' });
  unknown.begin('/r', { type: 'read' }).returned({ type: 'is', value: 'a', version: 1 });
  unknown.conclude();

  const never = new RegisterHistory();
  never.begin('/r', { type: 'write', value: 'a' }).neverHappened();
  never.begin('/r', { type: 'read' }).returned({ type: 'is', value: 'a', version: 1 });
  assert.throws(() => never.conclude(), /has no order/);
});

test('an acknowledged write that is lost is found', () => {
  const history = new RegisterHistory();
  history.begin('/r', { type: 'write', value: 'a' }).returned({ type: 'written', version: 1 });
  history.begin('/r', { type: 'read' }).returned({ type: 'is', value: '', version: 0 });
  assert.throws(() => history.conclude(), /has no order/);
});

test('two compare-and-sets that both win on one version are found', () => {
  const history = new RegisterHistory();
  const first = history.begin('/r', { type: 'cas', version: 0, value: 'a' });
  const second = history.begin('/r', { type: 'cas', version: 0, value: 'b' });
  first.returned({ type: 'written', version: 1 });
  second.returned({ type: 'written', version: 1 });
  assert.throws(() => history.conclude(), /has no order/);
});

test('a compare-and-set that is refused although nobody wrote is found', () => {
  const history = new RegisterHistory();
  history.begin('/r', { type: 'cas', version: 0, value: 'a' }).returned({ type: 'refused' });
  assert.throws(() => history.conclude(), /has no order/);
});

test('registers do not depend on each other', () => {
  const history = new RegisterHistory();
  history.begin('/q', { type: 'write', value: 'a' }).returned({ type: 'written', version: 1 });
  history.begin('/r', { type: 'read' }).returned({ type: 'is', value: '', version: 0 });
  history.conclude();
});

test.run();
