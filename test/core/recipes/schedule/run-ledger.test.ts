import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FairLock, HoldLostError, RunLedger, type Due } from '../../../../core/recipes/index.js';
import { breakEverywhere, RecipeWorld } from '../recipe-world.js';

const at = (scheduledAt: number): Due => ({ kind: 'scheduled', scheduledAt });
const forEver = new AbortController().signal;

test('an occurrence is claimed once, by whoever leads first, and what is older never again', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    const ledgers = [one, other].map(({ client }) => new RunLedger(client, 'books'));
    const first = await new FairLock(one.client, 'books').acquire();
    assert.is(await ledgers[0]!.lastDue(), null);
    const run = await ledgers[0]!.claim(first, at(1000), 'one');
    assert.match(run!.path, /^\/schedules\/books\/runs\/run-[0-9a-f-]{36}-\d{10}$/);
    assert.is(await ledgers[0]!.claim(first, at(1000), 'one'), null);
    assert.is(await ledgers[0]!.claim(first, at(999), 'one'), null);
    await first.release();

    const second = await new FairLock(other.client, 'books').acquire();
    assert.is(await ledgers[1]!.lastDue(), 1000);
    assert.is(await ledgers[1]!.claim(second, at(1000), 'other'), null);
    assert.ok((await ledgers[1]!.claim(second, at(2000), 'other')) !== null);
    const late = await ledgers[0]!
      .claim(first, at(3000), 'one')
      .catch((error: { code: string }) => error.code);
    assert.is(late, 'HOLD_RELEASED');
  });
});

test('who leads no longer claims nothing, even if it has not heard of it', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    const hold = await new FairLock(one.client, 'books').acquire();
    const ledger = new RunLedger(one.client, 'books');
    await ledger.claim(hold, at(1000), 'one');
    one.line.pause();
    await other.client.delete(hold.path);
    const claiming = ledger.claim(hold, at(2000), 'one').catch((error: unknown) => error);
    one.line.rejoin();
    assert.instance(await claiming, HoldLostError);
    assert.is((await new RunLedger(other.client, 'books').history()).length, 1);
  });
});

test('the history says how the last runs went, newest first, and forgets the oldest', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const hold = await new FairLock(client, 'books').acquire();
    const ledger = new RunLedger(client, 'books', { keep: 3 });
    for (let due = 1; due <= 5; due++) {
      const run = await ledger.claim(hold, at(due), 'one');
      const outcome = due === 4 ? 'failed' : 'done';
      const error = due === 4 ? 'out of luck' : undefined;
      await ledger.finish(run!, { outcome, durationMs: due * 10, error }, forEver);
    }
    const history = await ledger.history();
    assert.equal(
      history.map(({ scheduledAt, outcome, durationMs, error, by }) => [
        scheduledAt,
        outcome,
        durationMs,
        error,
        by,
      ]),
      [
        [5, 'done', 50, undefined, 'one'],
        [4, 'failed', 40, 'out of luck', 'one'],
        [3, 'done', 30, undefined, 'one'],
      ],
    );
  });
});

test('a new leader marks as lost what its predecessor left running', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    const first = await new FairLock(one.client, 'books').acquire();
    await new RunLedger(one.client, 'books').claim(first, at(1000), 'one');
    one.line.cutOff();
    const second = await new FairLock(other.client, 'books').acquire();
    const ledger = new RunLedger(other.client, 'books');
    await ledger.claim(second, at(2000), 'other');
    await ledger.settle(second);
    assert.equal(
      (await ledger.history()).map(({ outcome, by }) => [outcome, by]),
      [
        ['running', 'other'],
        ['lost', 'one'],
      ],
    );
    one.line.rejoin();
  });
});

test('what somebody asked for is seen by who leads, and claimed once', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    const ledger = new RunLedger(one.client, 'books');
    await new RunLedger(other.client, 'books').trigger();
    const hold = await new FairLock(one.client, 'books').acquire();
    const stop = new AbortController();
    const claimed: string[] = [];
    const serving = (async () => {
      for await (const triggers of ledger.triggers(stop.signal)) {
        for (const trigger of triggers) {
          const due: Due = { kind: 'triggered', scheduledAt: 7, trigger };
          for (let attempt = 1; attempt <= 2; attempt++) {
            const run = await ledger.claim(hold, due, 'one');
            if (run !== null) claimed.push(run.path);
          }
        }
      }
    })();
    await world.until(() => claimed.length === 1);
    await new RunLedger(other.client, 'books').trigger();
    await world.until(() => claimed.length === 2);
    await world.sleep(1000);
    assert.is(claimed.length, 2);
    assert.equal((await other.client.getChildren('/schedules/books/triggers')).children, []);
    assert.is(await ledger.lastDue(), null, 'the schedule goes on as it was');
    stop.abort();
    await serving;
  });
});

test('the connection may break at each request: every occurrence is claimed exactly once', async () => {
  const breaks = await breakEverywhere(async (world, { client }, plan) => {
    const other = await world.join();
    const hold = await new FairLock(client, 'books').acquire();
    const ledger = new RunLedger(client, 'books');
    plan();
    for (const due of [1, 2]) {
      const run = await ledger.claim(hold, at(due), 'one');
      assert.ok(run !== null, 'what was claimed is found again');
      await ledger.finish(run, { outcome: 'done', durationMs: 1 }, forEver);
    }
    const history = await new RunLedger(other.client, 'books').history();
    assert.equal(
      history.map(({ scheduledAt, outcome }) => [scheduledAt, outcome]),
      [
        [2, 'done'],
        [1, 'done'],
      ],
    );
  });
  assert.ok(breaks >= 10, `only ${breaks} breaks`);
});

test('a run that a dead leader left is marked as lost although the connection breaks meanwhile', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    const first = await new FairLock(one.client, 'books').acquire();
    await new RunLedger(one.client, 'books').claim(first, at(1000), 'one');
    await first.release();
    const second = await new FairLock(other.client, 'books').acquire();
    const ledger = new RunLedger(other.client, 'books');

    const lost = other.line.loseNextReply({ op: 'multi' });
    await ledger.settle(second);
    await lost;

    assert.equal(
      (await ledger.history()).map(({ outcome }) => outcome),
      ['lost'],
    );
    const broken = other.line.loseNextRequest({ op: 'multi' });
    await ledger.claim(second, at(2000), 'other');
    await broken;
    await second.release();
    const third = await new FairLock(one.client, 'books').acquire();
    const again = one.line.loseNextRequest({ op: 'multi' });
    await new RunLedger(one.client, 'books').settle(third);
    await again;
    assert.equal(
      (await ledger.history()).map(({ outcome }) => outcome),
      ['lost', 'lost'],
    );
  });
});

/** Leads, and carries out what is asked for, until the end of the world. */
async function serveTriggers(world: RecipeWorld, runs: string[]): Promise<{ stop(): Promise<void> }> {
  const { client } = await world.join();
  const hold = await new FairLock(client, 'books').acquire();
  const ledger = new RunLedger(client, 'books', { keep: 1 });
  const stop = new AbortController();
  const serving = (async () => {
    for await (const triggers of ledger.triggers(stop.signal))
      for (const trigger of triggers) {
        const run = await ledger.claim(hold, { kind: 'triggered', scheduledAt: 7, trigger }, 'one');
        if (run === null) continue;
        runs.push(trigger);
        await ledger.finish(run, { outcome: 'done', durationMs: 1 }, forEver);
      }
  })();
  const end = async (): Promise<void> => {
    stop.abort();
    await serving;
  };
  return { stop: end };
}

test('a trigger whose reply was lost is not asked for again when its run has begun already', async () => {
  for (const isSessionLost of [false, true])
    await RecipeWorld.play(async (world) => {
      const runs: string[] = [];
      const leader = await serveTriggers(world, runs);
      const caller = await world.join();
      const ledger = new RunLedger(caller.client, 'books');
      await ledger.trigger();
      const lost = caller.line.loseNextReply({ op: 'create', path: /trigger-/ });
      const asking = ledger.trigger();
      await lost;
      if (isSessionLost) await world.expire(caller);
      const id = await asking;
      await world.until(() => runs.length >= 2);
      await world.sleep(1000);
      assert.is(runs.length, 2);
      const history = await ledger.history();
      assert.is(history[0]!.trigger, id, 'the run says which call asked for it');
      assert.is(history.length, 2, 'runs that were asked for are kept beyond the number that is kept');
      await leader.stop();
    });
});

test('a trigger whose request was lost is asked for again, and a request that arrives twice leads to one run', async () => {
  await RecipeWorld.play(async (world) => {
    const caller = await world.join();
    const ledger = new RunLedger(caller.client, 'books');
    await ledger.trigger();
    const lost = caller.line.loseNextRequest({ op: 'create', path: /trigger-/ });
    const asking = ledger.trigger();
    await lost;
    const id = await asking;
    const { children } = await caller.client.getChildren('/schedules/books/triggers');
    assert.is(children.length, 2);
    await caller.client.create(`/schedules/books/triggers/trigger-${id}-`, null, {
      mode: 'persistent-sequential',
    });
    const runs: string[] = [];
    const leader = await serveTriggers(world, runs);
    const isEmpty = async (): Promise<boolean> =>
      (await caller.client.getChildren('/schedules/books/triggers')).children.length === 0;
    await world.until(isEmpty);
    await world.sleep(1000);
    assert.is(runs.length, 2);
    await leader.stop();
  });
});

test('a trigger in doubt is not asked for again when a leader that notes no ids has begun a run', async () => {
  await RecipeWorld.play(async (world) => {
    const [caller, leader] = [await world.join(), await world.join()];
    const ledger = new RunLedger(caller.client, 'books');
    const triggers = '/schedules/books/triggers';
    await leader.client.create(triggers, null, { createParents: true });
    const lost = caller.line.loseNextReply({ op: 'create', path: /trigger-/ });
    const asking = ledger.trigger().catch((error: { code: string }) => error.code);
    await world.until(async () => (await leader.client.exists(triggers))?.numChildren === 1);
    // As version 0.1.0 takes it.
    const { children } = await leader.client.getChildren(triggers);
    const record = {
      kind: 'triggered',
      scheduledAt: 1,
      startedAt: 1,
      by: 'x',
      fence: '0x1',
      outcome: 'done',
    };
    const path = `/schedules/books/runs/run-${leader.client.random.uuid()}-`;
    await leader.client.multi([
      { type: 'delete', path: `${triggers}/${children[0]!}` },
      { type: 'create', path, data: JSON.stringify(record), mode: 'persistent-sequential' },
    ]);
    await lost;
    assert.is(await asking, 'OUTCOME_UNKNOWN');
    assert.is((await leader.client.exists(triggers))?.numChildren ?? 0, 0);
  });
});

test('runs that were asked for are forgotten after ten minutes', async () => {
  await RecipeWorld.play(async (world) => {
    const runs: string[] = [];
    const leader = await serveTriggers(world, runs);
    const { client } = await world.join();
    const ledger = new RunLedger(client, 'books');
    for (let count = 1; count <= 3; count++) await ledger.trigger();
    await world.until(() => runs.length === 3);
    assert.is((await ledger.history()).length, 3);
    await world.sleep(601_000);
    await ledger.trigger();
    const isForgotten = async (): Promise<boolean> => (await ledger.history()).length === 1;
    await world.until(isForgotten);
    await leader.stop();
  });
});

test('a trigger of which no server says for five minutes whether it is there has an unknown outcome', async () => {
  await RecipeWorld.play(async (world) => {
    const caller = await world.join();
    const ledger = new RunLedger(caller.client, 'books');
    await ledger.trigger();
    const lost = caller.line.loseNextRequest({ op: 'create', path: /trigger-/ });
    const asking = ledger.trigger().catch((error: { code: string }) => error.code);
    await lost;
    caller.line.cutOff();
    await world.sleep(301_000);
    caller.line.rejoin();
    assert.is(await asking, 'OUTCOME_UNKNOWN');
    const { children } = await caller.client.getChildren('/schedules/books/triggers');
    assert.is(children.length, 1);
  });
});

test.run();
