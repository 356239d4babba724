import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { overlay } from '../../../framework/config/overlay.js';

test('objects are put over each other field by field, everything else as a whole', () => {
  const below = {
    smtp: { host: 'localhost', port: 25 },
    to: ['a', 'b'],
    since: new Date(0),
    only: { here: 1 },
  };
  const above = { smtp: { host: 'mail' }, to: ['c'], since: null };
  assert.equal(overlay(below, above), {
    smtp: { host: 'mail', port: 25 },
    to: ['c'],
    since: null,
    only: { here: 1 },
  });
  assert.equal(overlay({ a: 1 }, [1]), [1]);
  assert.equal(overlay([1], { a: 1 }), { a: 1 });
});

test('the result shares no list and no object with either side', () => {
  const below = { list: [{ a: 1 }], kept: { b: 2 } };
  const above = { list: [{ a: 3 }] };
  const result = overlay(below, above) as typeof below;
  result.list[0]!.a = 0;
  result.kept.b = 0;
  assert.equal([below, above], [{ list: [{ a: 1 }], kept: { b: 2 } }, { list: [{ a: 3 }] }]);
});

test.run();
