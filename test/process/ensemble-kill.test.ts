/** Members that are killed in the midst of their work, leader and followers in turn, under clients that write without pause. */
import { test } from 'uvu';
import { EnsembleProcess } from './ensemble-process.js';
import { WritingLoad } from './writing-load.js';

/** `QUORATE_KILLS=60 node dist/test/process/ensemble-kill.test.js` for a longer run. */
const KILLS = Number(process.env.QUORATE_KILLS ?? 12);
type Victim = 'leader' | 'follower' | 'two' | 'all';
const PLAN: readonly Victim[] = ['leader', 'follower', 'leader', 'two', 'leader', 'all'];

function victimsOf(kind: Victim, leader: number, ids: readonly number[]): readonly number[] {
  const followers = ids.filter((id) => id !== leader);
  if (kind === 'leader') return [leader];
  if (kind === 'follower') return [followers[0]!];
  return kind === 'two' ? [leader, followers[1]!] : ids;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

test(`kill -9 of leader and followers loses no acknowledged write and doubles none, ${KILLS} times under load`, async () => {
  await using ensemble = await EnsembleProcess.start({ flags: ['--snapshot-txns', '2000'] });
  await using load = await WritingLoad.start(ensemble.url());
  const outagesMs: number[] = [];

  for (let round = 0; round < KILLS; round++) {
    await load.goesOn(ensemble);
    const kind = PLAN[round % PLAN.length]!;
    const victims = victimsOf(kind, await ensemble.serving(), ensemble.ids);
    const killedAt = performance.now();
    await Promise.all(victims.map((id) => ensemble.kill(id)));
    if (victims.length === 1) {
      await ensemble.until(`a write after kill ${round}`, () => load.firstAfter(killedAt) !== undefined);
      if (kind === 'leader') outagesMs.push(load.firstAfter(killedAt)! - killedAt);
    }
    for (const id of victims) ensemble.launch(id);
  }
  await load.goesOn(ensemble);
  await ensemble.serving(...ensemble.ids);
  await load.stop();

  await ensemble.converged();
  await load.verify(ensemble.url());
  console.log(
    `# ${KILLS} kills, ${load.acknowledged} writes acknowledged, ${load.unknown} of unknown outcome; from the kill of ` +
      `the leader to the next write, ${outagesMs.length} times: median ${median(outagesMs).toFixed(0)} ms, ` +
      `longest ${Math.max(...outagesMs).toFixed(0)} ms`,
  );
});

test.run();
