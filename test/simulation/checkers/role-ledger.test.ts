import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { PeerStatus } from '../../../core/zab/index.js';
import { RoleLedger } from './role-ledger.js';
import { SampleEnsemble } from './sample-ensemble.js';

const { status } = new SampleEnsemble().gauges();

function statusOf(changes: Partial<PeerStatus> = {}): PeerStatus {
  return { ...status, epoch: 3, ...changes };
}

test('a member that changes its role in a calm ensemble is found', () => {
  const roles = new RoleLedger(() => 0);
  roles.turned(2, 'm2', statusOf());
  roles.expectCalm('no fault has struck');
  roles.turned(2, 'm2', statusOf());
  assert.throws(
    () => roles.turned(2, 'm2', statusOf({ state: 'looking', isServing: false, lastChange: 'silence' })),
    /m2 changed from following in broadcast of member 1, epoch 3 to looking .*\(silence\), although no fault has struck/,
  );
});

test('a member that only gets further, or had a reason to change, is accepted', () => {
  const roles = new RoleLedger(() => 0);
  roles.turned(2, 'm2', statusOf());
  roles.turned(2, 'm2', statusOf({ epoch: 4 }));
  roles.expectCalm('no fault has struck');
  roles.turned(2, 'm2', statusOf({ epoch: 4, committed: 9n }));
  roles.expectCalm(null);
  roles.turned(2, 'm2', statusOf({ epoch: 5 }));
});

test('a member that had not got into its role yet may still change it', () => {
  const roles = new RoleLedger(() => 0);
  roles.expectCalm('no fault has struck');
  roles.turned(2, 'm2', statusOf({ phase: 'synchronization', isServing: false }));
  roles.turned(2, 'm2', statusOf());
});

test('the last change of any member is known, and a start is one', () => {
  let now = 5;
  const roles = new RoleLedger(() => now);
  roles.turned(2, 'm2', statusOf());
  now = 7;
  roles.turned(2, 'm2', statusOf());
  assert.is(roles.lastChangeAt, 5);
  roles.started(3);
  assert.is(roles.lastChangeAt, 7);
});

test.run();
