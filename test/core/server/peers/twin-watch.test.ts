import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TwinWatch } from '../../../../core/server/peers/twin-watch.js';

const TICK = 100;
const of = (directoryId: string, heardAt = 0): { directoryId: string; address: string; heardAt: number } => ({
  directoryId,
  address: `address of ${directoryId}`,
  heardAt,
});

test('the newest link of one directory wins, and so does one of a directory that is not known', () => {
  const twins = new TwinWatch(TICK);
  assert.is(twins.objection(1, of('a'), of('a'), 50), null);
  assert.is(twins.objection(2, of(''), of('a'), 50), null);
  assert.is(twins.objection(3, of('a'), of(''), 50), null);
});

test('a newcomer with another directory is refused while the established link is heard from, naming both addresses', () => {
  const twins = new TwinWatch(TICK);
  const objection = twins.objection(1, of('a', 1_000), of('b'), 1_000 + TICK);
  assert.match(objection!, /member 1.*address of a stays.*address of b is refused/);
  assert.is(twins.objection(1, of('a', 1_000), of('b'), 1_001 + TICK), null);
});

test('a newcomer that tries again from another port is refused in the same words', () => {
  const twins = new TwinWatch(TICK);
  const [one, other] = [1_001, 1_002].map((port) =>
    twins.objection(1, of('a'), { directoryId: 'b', address: `10.0.0.9:${port}` }, 0),
  );
  assert.match(one!, /the one at 10\.0\.0\.9 is refused/);
  assert.is(one, other);
});

test('two processes with copies of one directory stop replacing each other, and a lone restart is let in again', () => {
  const twins = new TwinWatch(TICK);
  let replaced = 0;
  for (let now = 0; now < 10_000; now += 20) {
    if (twins.objection(1, of('a', now), of('a'), now) === null) replaced += 1;
  }
  assert.ok(replaced >= 3 && replaced < 20, `${replaced} times in ten seconds`);
  assert.is(twins.objection(1, of('a', 60_000), of('a'), 60_000), null);
});

test.run();
