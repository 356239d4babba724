import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startingHealth, type MemberHealth } from '../../../../core/server/member/member-health.js';
import { readyz } from '../../../../core/server/process/readiness.js';
import { EnsembleWorld } from '../ensemble-world.js';

function reasonOf(health: MemberHealth): string {
  return (JSON.parse(readyz(health).body) as { reason: string }).reason;
}

test('a member that cannot found says who is missing, and who has a history', async () => {
  await using world = await EnsembleWorld.launched({ absent: [3], isFounded: false });
  await world.clock.advance(5_000);
  assert.match(
    reasonOf(world.member(1).health()),
    /^looking: a new ensemble needs 3 of 3 voters, and member 3 cannot be reached/,
  );
});

test('a member that misses others says why each cannot be reached, as far as it knows', () => {
  const linkProblems = [
    { member: 2, problem: 'connect ECONNREFUSED 10.0.0.2:7300' },
    { member: 3, problem: 'member 3 has another secret' },
  ];
  const health = { ...startingHealth(1), state: 'looking', voters: [1, 2, 3], linkProblems } as const;
  assert.match(
    reasonOf(health),
    /members 2, 3 cannot be reached \(member 2: connect ECONNREFUSED 10\.0\.0\.2:7300; member 3: member 3 has another secret\)$/,
  );
  assert.match(reasonOf({ ...health, peers: [2] }), /2 of 3 voters are there/);
});

test('a lone survivor and members with new disks say what each has, and what to do', async () => {
  await using world = await EnsembleWorld.start();
  const client = await world.open(world.leader!);
  assert.is((await world.wait(client.create('/a'))).err, 0);
  await world.converged();
  for (const id of [1, 2, 3]) world.kill(id);
  for (const id of [2, 3]) for (const name of world.disks.get(id)!.names()) world.disks.get(id)!.forget(name);
  await world.launch(1);
  await world.clock.advance(5_000);
  assert.match(
    reasonOf(world.member(1).health()),
    /^looking: 1 of 3 voters are there, a quorum is 2, and members 2, 3 cannot be reached/,
  );

  for (const id of [2, 3]) await world.launch(id);
  await world.clock.advance(10_000);
  assert.match(
    reasonOf(world.member(1).health()),
    /^looking: 3 of 3 voters.*see reason in \/readyz of members 2, 3/,
  );
  assert.match(
    reasonOf(world.member(2).health()),
    /this member has no history and no vote, member 1 has one.*--force-new-ensemble/,
  );
});

test('a member that waits for observers, or whose ensemble lost disks, says so', () => {
  const founding = {
    absentVoters: [],
    silentObservers: [4],
    membersWithHistory: [],
    isRefounding: false,
    lostVoters: [],
  };
  const health = { ...startingHealth(1), state: 'looking', voters: [1, 2, 3] } as const;
  assert.match(reasonOf({ ...health, founding }), /waits some time for member 4/);
  assert.match(
    reasonOf({ ...health, founding: { ...founding, silentObservers: [], lostVoters: [2, 3] } }),
    /members 2, 3 have lost a disk/,
  );
});

test.run();
