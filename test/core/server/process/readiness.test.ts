import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startingHealth, type MemberHealth } from '../../../../core/server/member/member-health.js';
import { livez, readyz, stoppable } from '../../../../core/server/process/readiness.js';

function told(health: Partial<MemberHealth>): { status: number; ready: boolean; reason: string | null } {
  const { status, body } = readyz({ ...startingHealth(1), ...health });
  const { ready, reason } = JSON.parse(body) as { ready: boolean; reason: string | null };
  return { status, ready, reason };
}

test('a member that serves is ready', () => {
  assert.equal(told({ state: 'following', phase: 'broadcast', isServing: true, isConfirmed: true }), {
    status: 200,
    ready: true,
    reason: null,
  });
});

test('a member that is rejoining serves, but is not ready: stopping another one now could end the quorum', () => {
  const { status, reason } = told({
    state: 'following',
    phase: 'broadcast',
    isServing: true,
    isConfirmed: true,
    rejoining: true,
  });
  assert.is(status, 503);
  assert.match(reason!, /^rejoining/);
});

test('a member that was paused is not ready before its leader, or a quorum, was heard', () => {
  const paused = { phase: 'broadcast', isServing: true, isConfirmed: false } as const;
  assert.match(told({ ...paused, state: 'leading' }).reason!, /no quorum has answered it since/);
  assert.match(told({ ...paused, state: 'following' }).reason!, /no heartbeat of its leader has come since/);
});

test('whether a member may be stopped is another question than whether it is ready', () => {
  const serving = { ...startingHealth(2), isServing: true, isConfirmed: true };
  const needed = { ...serving, unstoppable: 'without it 1 of 3 voters would count' };
  assert.equal([readyz(needed).status, stoppable(needed).status], [200, 503]);
  assert.equal(JSON.parse(stoppable(needed).body), { stoppable: false, reason: needed.unstoppable, id: 2 });
  assert.is(stoppable({ ...serving, unstoppable: null }).status, 200);
  assert.equal(JSON.parse(stoppable(needed, false).body), { stoppable: false });
});

test('a member that is not ready says why', () => {
  assert.equal(told({}), { status: 503, ready: false, reason: 'starting' });
  assert.match(told({ state: 'looking' }).reason!, /^looking: /);
  assert.equal(
    told({ state: 'following', phase: 'synchronization' }).reason,
    'following, but in synchronization still',
  );
});

test('a member whose data are of another ensemble than those of the others says which, and what to do', () => {
  const [ensemble, other] = ['a'.repeat(32), 'b'.repeat(32)];
  const { reason } = told({ state: 'looking', ensemble, foreign: [{ member: 2, ensemble: other }] });
  assert.match(
    reason!,
    new RegExp(`^looking: its data are of ensemble ${ensemble}.*member 2 of ${other}.*empty one`),
  );
});

test('a member is alive in every state but failed', () => {
  assert.is(livez(startingHealth(1)).status, 200);
  assert.is(livez({ ...startingHealth(1), state: 'failed' }).status, 503);
});

test.run();
