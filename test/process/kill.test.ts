/** A member that is killed in the midst of its work, again and again, on one data directory. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OpCode } from '../../core/protocol/index.js';
import { SeededRandom } from '../../core/runtime/index.js';
import { WebSocketDialer } from '../../core/transport/index.js';
import { RawClient } from '../core/server/raw-client.js';
import { MemberProcess } from './member-process.js';

const KILLS = 100;
const IN_FLIGHT = 40;

let data = '';
test.before(async () => {
  data = await mkdtemp(join(tmpdir(), 'quorate-'));
});
test.after(() => rm(data, { recursive: true, force: true }));

/** Creates children of `parent` without pause until the connection breaks; returns the names that were acknowledged. */
async function writeUntilCut(client: RawClient, parent: string): Promise<readonly string[]> {
  const acknowledged: string[] = [];
  let next = 0;
  const writeOne = async (): Promise<void> => {
    while (client.end === null) {
      const name = String(next++);
      const { err } = await client.create(`${parent}/${name}`, name);
      if (err === 0) acknowledged.push(name);
    }
  };
  await Promise.allSettled(Array.from({ length: IN_FLIGHT }, writeOne));
  return acknowledged;
}

async function namesBelow(client: RawClient, path: string): Promise<ReadonlySet<string>> {
  const { body } = await client.send(OpCode.getChildren, { path, watch: false });
  return new Set(body?.children);
}

function missing(acknowledged: readonly string[], present: ReadonlySet<string>): readonly string[] {
  return acknowledged.filter((name) => !present.has(name));
}

test(`kill -9 loses no acknowledged write, ${KILLS} times under load`, async () => {
  const random = new SeededRandom(2);
  const acknowledged: (readonly string[])[] = [];
  for (let run = 0; run < KILLS; run++) {
    const member = await MemberProcess.start(['--data', data, '--snapshot-txns', '1500']);
    const client = await RawClient.open(new WebSocketDialer(), member.address);
    if (run > 0) {
      const last = acknowledged.at(-1)!;
      assert.equal(missing(last, await namesBelow(client, `/run-${run - 1}`)), [], `after kill ${run}`);
    }
    assert.is((await client.create(`/run-${run}`)).err, 0);
    const writing = writeUntilCut(client, `/run-${run}`);
    await new Promise((resolve) => setTimeout(resolve, 10 + random.next() * 120));
    await member.kill('SIGKILL');
    acknowledged.push(await writing);
    // Now and then also in the midst of starting.
    if (run % 10 === 9) {
      const starting = MemberProcess.spawn(['--data', data]);
      await new Promise((resolve) => setTimeout(resolve, 100 + random.next() * 200));
      await starting.kill('SIGKILL');
    }
  }

  const member = await MemberProcess.start(['--data', data]);
  const client = await RawClient.open(new WebSocketDialer(), member.address);
  for (const [run, names] of acknowledged.entries()) {
    assert.equal(missing(names, await namesBelow(client, `/run-${run}`)), [], `of run ${run}`);
  }
  const total = acknowledged.reduce((sum, names) => sum + names.length, 0);
  assert.ok(total > 20 * KILLS, `only ${total} writes were acknowledged`);
  assert.equal(await member.kill('SIGTERM'), { code: 0, signal: null });
});

test.run();
