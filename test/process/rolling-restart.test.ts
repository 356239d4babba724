/** An upgrade: every member in turn is stopped in order and started again, under clients that write without pause. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { connect } from '../../core/client/index.js';
import { EnsembleProcess } from './ensemble-process.js';
import { WritingLoad } from './writing-load.js';

/** The second time, another member begins as leader. */
const ROUNDS = 2;

test('a rolling restart loses no acknowledged write, no session and no ephemeral, and leaves no write in doubt', async () => {
  await using ensemble = await EnsembleProcess.start();
  await using load = await WritingLoad.start(ensemble.url());
  await using holder = await connect(ensemble.url(), { sessionTimeoutMs: 10_000 });
  const { session } = holder;
  await holder.create('/held', null, { mode: 'ephemeral' });
  const begunAt = performance.now();
  const gapsMs: number[] = [];

  for (let round = 0; round < ROUNDS * ensemble.ids.length; round++) {
    await load.goesOn(ensemble);
    const leader = await ensemble.serving(...ensemble.ids);
    // The leader last, as an operator would; but in the second round it comes first.
    const followers = ensemble.ids.filter((id) => id !== leader);
    const id = round % 3 === (round < 3 ? 2 : 0) ? leader : followers[round % 2]!;
    const stoppedAt = performance.now();
    assert.equal(await ensemble.stop(id), { code: 0, signal: null }, `member ${id}`);
    ensemble.launch(id);
    await ensemble.serving(...ensemble.ids);
    await ensemble.until('a write after the restart', () => load.firstAfter(stoppedAt) !== undefined);
    if (id === leader) gapsMs.push(load.longestGapMs(stoppedAt, performance.now()));
  }
  const longestMs = load.longestGapMs(begunAt, performance.now());
  await load.stop();

  await ensemble.converged();
  await load.verify(ensemble.url());
  assert.is(load.sessionsLost, 0);
  assert.is(load.unknown, 0, 'whoever stops in order says what it has not taken');
  assert.is(holder.session, session);
  for (const id of ensemble.ids) {
    await using reader = await connect(ensemble.url(id));
    assert.is((await reader.exists('/held'))?.ephemeralOwner, session.id, `at member ${id}`);
  }
  console.log(
    `# ${ROUNDS * ensemble.ids.length} orderly restarts, ${load.acknowledged} writes acknowledged, ${load.unknown} of ` +
      `unknown outcome; longest time without a write ${longestMs.toFixed(0)} ms, around the leader's restarts ` +
      `${gapsMs.map((ms) => ms.toFixed(0)).join(' and ')} ms`,
  );
});

test.run();
