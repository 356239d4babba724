/** A member whose heap is small: it refuses what would fill it, and goes on. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connect,
  type MultiError,
  QuotaExceededError,
  type Client,
  type Operation,
} from '../../core/client/index.js';
import { EnsembleProcess } from './ensemble-process.js';
import { MemberProcess } from './member-process.js';

const VALUE = 'x'.repeat(1_000);
const BATCH = 200;
/** More than the heap could hold. */
const MOST_BATCHES = 1_000;

const path = (batch: number, index: number): string => `/full/${batch}-${index}`;

function batchOf(batch: number, make: (path: string) => Operation): Operation[] {
  return Array.from({ length: BATCH }, (_, index) => make(path(batch, index)));
}

/** Writes until the member refuses; returns how many batches are there. `from`: those that are there already. */
async function fill(client: Client, from = 0): Promise<number> {
  if (from === 0) await client.create('/full');
  for (let batch = from; batch < MOST_BATCHES; batch++) {
    try {
      await client.multi(batchOf(batch, (at) => ({ type: 'create', path: at, data: VALUE })));
    } catch (error) {
      assert.instance((error as MultiError).cause, QuotaExceededError);
      assert.match((error as Error).message, /--max-data-bytes/);
      return batch;
    }
  }
  return assert.unreachable('the member took more than its heap can hold') as never;
}

test('a member with a small heap refuses writes before it is full, says so, and takes them again after deletes', async () => {
  const data = await mkdtemp(join(tmpdir(), 'quorate-'));
  const member = await MemberProcess.start(['--data', data], { NODE_OPTIONS: '--max-old-space-size=64' });
  const health = async (): Promise<Record<string, unknown>> =>
    (await (await fetch(`${member.http}/readyz`)).json()) as Record<string, unknown>;
  try {
    await using client = await connect(member.address, { sessionTimeoutMs: 30_000 });
    const batches = await fill(client);
    assert.ok(batches > 10, String(batches));
    // Smaller values and deletes go on.
    await client.setData(path(0, 0), 'small');
    while ((await health())['isRefusingGrowth'] !== true) await client.exists('/full');
    assert.match(member.log, /Writes that make the tree larger are refused/);
    for (let batch = 0; batch < 5; batch++)
      await client.multi(batchOf(batch, (at) => ({ type: 'delete', path: at })));
    await client.create('/full/again', VALUE);
    const { dataBytes, maxDataBytes } = await health();
    assert.ok((dataBytes as number) < (maxDataBytes as number));
  } finally {
    await member.kill('SIGKILL');
    await rm(data, { recursive: true, force: true });
  }
});

test('three members take no more than the smallest heap among them holds, whichever member leads', async () => {
  await using ensemble = await EnsembleProcess.prepare();
  const small = { NODE_OPTIONS: '--max-old-space-size=64' };
  for (const id of ensemble.ids) ensemble.launch(id, id === 2 ? { environment: small } : {});
  await ensemble.serving();
  await using client = await connect(ensemble.url(), { sessionTimeoutMs: 30_000 });
  const batches = await fill(client);
  const { dataBytes, maxDataBytes } = (await ensemble.health(2))!;
  assert.ok(dataBytes < 1.1 * maxDataBytes!, `${dataBytes} of ${maxDataBytes}`);

  // Another leader, or one with another follower, goes on to refuse: the small member reports its limit to each.
  const leader = await ensemble.serving();
  const victim = leader === 2 ? 1 : leader;
  await ensemble.kill(victim);
  await ensemble.serving();
  // A leader that has just begun takes what comes before the first report.
  const more = (await fill(client, batches)) - batches;
  assert.ok(more < 50, `${more} batches more`);
  await client.multi(batchOf(0, (at) => ({ type: 'delete', path: at })));
  assert.equal(
    ensemble.running,
    ensemble.ids.filter((id) => id !== victim),
  );
});

test.run();
