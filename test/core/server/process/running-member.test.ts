import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLogger } from '../../../../core/runtime/index.js';
import { StateDamagedError } from '../../../../core/server/state/digests/state-damaged-error.js';
import type { Member } from '../../../../core/server/member/member.js';
import { RunningMember } from '../../../../core/server/process/running-member.js';

const damaged = (): Error =>
  new StateDamagedError(1, { zxid: 5n, kept: 1n, counted: 2n, path: '/a', isSound: false });

class StartedMember {
  fail: (error: Error) => void = () => undefined;
  isClosed = false;
  onFailure(listener: (error: Error) => void): void {
    this.fail = listener;
  }
  async close(): Promise<void> {
    this.isClosed = true;
  }
}

async function running(): Promise<{ member: RunningMember; started: StartedMember[]; failures: Error[] }> {
  const started: StartedMember[] = [];
  const start = async (): Promise<Member> => {
    started.push(new StartedMember());
    return started.at(-1) as unknown as Member;
  };
  const member = new RunningMember(start, silentLogger);
  await member.started();
  const failures: Error[] = [];
  member.onFailure((error) => failures.push(error));
  return { member, started, failures };
}

test('a member whose state in memory was damaged is started again once, and fails the second time', async () => {
  const { member, started, failures } = await running();

  started[0]!.fail(damaged());
  assert.is(member.current, null, 'nobody is served meanwhile');
  await member.started();
  assert.equal([started.length, failures.length], [2, 0]);
  assert.is(member.current, started[1]);

  started[1]!.fail(damaged());
  assert.equal([started.length, failures.length], [2, 1]);
});

test('any other failure is final', async () => {
  const { started, failures } = await running();
  const error = new Error('the disk failed');

  started[0]!.fail(error);

  assert.equal([started.length, failures], [1, [error]]);
});

test('a member that is started again while the process closes is closed too', async () => {
  const { member, started } = await running();
  started[0]!.fail(damaged());

  await member.close();

  assert.equal(
    started.map(({ isClosed }) => isClosed),
    [false, true],
  );
});

test('a start that fails after the state was damaged is the failure of the member', async () => {
  let starts = 0;
  const first = new StartedMember();
  const start = async (): Promise<Member> => {
    starts += 1;
    if (starts > 1) throw new Error('the disk is damaged as well');
    return first as unknown as Member;
  };
  const member = new RunningMember(start, silentLogger);
  await member.started();
  const failed = new Promise<Error>((resolve) => member.onFailure(resolve));

  first.fail(damaged());

  assert.is((await failed).message, 'the disk is damaged as well');
  await member.close();
});

test.run();
