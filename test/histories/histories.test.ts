/** Members as processes under faults of every kind: nothing that clients see contradicts anything. `npm run histories` is the long form. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { describeContradiction } from './describe.js';
import { FAULTS } from './faults.js';
import { figuresOf } from './figures.js';
import { judge } from './judge.js';
import { setUp } from './places.js';
import { record } from './run.js';

const SECONDS = 10;

test(`bursts on members that are killed, paused, cut off and restarted for ${SECONDS} s are answered without a contradiction`, async () => {
  const { history, faults } = await record({ seed: 1, seconds: SECONDS, members: 3, faults: FAULTS });

  const contradictions = judge(history).map((each) => describeContradiction(history, each));
  assert.equal(contradictions, []);
  const { operations, transactions, sessions, unknown } = figuresOf(history);
  const struck = [...faults.values()].reduce((sum, count) => sum + count, 0);
  assert.ok(struck > 0, 'no fault has struck');
  assert.ok(transactions > setUp().length, `there are only ${transactions} transactions`);
  console.log(
    `# ${operations} operations of ${sessions} sessions, ${transactions} transactions, ${struck} faults, ` +
      `${unknown} writes of unknown outcome, 0 contradictions`,
  );
});

test.run();
