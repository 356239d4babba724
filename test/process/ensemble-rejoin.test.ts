/** Members as processes that come with nothing, or without a vote, to an ensemble that works. */
import { rm } from 'node:fs/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { connect } from '../../core/client/index.js';
import { EnsembleProcess } from './ensemble-process.js';
import { WritingLoad } from './writing-load.js';

for (const role of ['leader', 'follower'] as const) {
  test(`a member that was ${role} and comes back with an empty data directory rejoins, and counts again`, async () => {
    await using ensemble = await EnsembleProcess.start();
    await using load = await WritingLoad.start(ensemble.url());
    await load.goesOn(ensemble);
    const leader = await ensemble.serving();
    const id = role === 'leader' ? leader : ensemble.ids.find((other) => other !== leader)!;

    await ensemble.kill(id);
    await rm(ensemble.dataOf(id), { recursive: true });
    await load.goesOn(ensemble);
    ensemble.launch(id);
    await ensemble.serving(...ensemble.ids);
    assert.is((await ensemble.health(id))!.rejoining, false, 'a member that is ready counts');
    await load.goesOn(ensemble);

    // What it holds is needed now: the others are not enough without it.
    const gone = ensemble.ids.find((other) => other !== id)!;
    await ensemble.kill(gone);
    await load.goesOn(ensemble);
    ensemble.launch(gone);
    await ensemble.serving(...ensemble.ids);
    await load.stop();
    await ensemble.converged();
    await load.verify(ensemble.url(id));
  });
}

test('an observer joins, answers reads, forwards writes, and comes back after kill -9', async () => {
  await using ensemble = await EnsembleProcess.start({ observers: 1 });
  const observer = ensemble.ids.at(-1)!;
  await using load = await WritingLoad.start(ensemble.url(observer));
  await load.goesOn(ensemble);
  assert.is((await ensemble.health(observer))!.state, 'observing');

  await ensemble.kill(observer);
  const voters = ensemble.ids.filter((id) => id !== observer);
  await using client = await connect(ensemble.url(...voters));
  await client.create('/meanwhile', 'x');
  ensemble.launch(observer);
  await ensemble.serving(...ensemble.ids);
  await load.goesOn(ensemble);
  await using reader = await connect(ensemble.url(observer));
  await reader.sync('/');
  assert.is(new TextDecoder().decode((await reader.getData('/meanwhile')).data), 'x');

  await ensemble.kill(await ensemble.serving());
  await load.goesOn(ensemble);
  await load.stop();
  await ensemble.converged();
  await load.verify(ensemble.url(observer));
});

test.run();
