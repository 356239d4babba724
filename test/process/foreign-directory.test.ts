/** A member as a process that was given the data directory of another ensemble. */
import { cp, rm } from 'node:fs/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { connect } from '../../core/client/index.js';
import { EnsembleProcess } from './ensemble-process.js';

test('a member with the directory of another ensemble is refused, says so in readyz, and joins once that is gone', async () => {
  await using ensemble = await EnsembleProcess.start();
  const stranger = ensemble.ids.find((id) => id !== 1)!;
  {
    await using client = await connect(ensemble.url());
    for (let n = 0; n < 3; n++) await client.create(`/ours${n}`, 'x');
  }
  await ensemble.converged();
  const { ensemble: id } = (await ensemble.health(1))!;
  await ensemble.stop(stranger);
  await rm(ensemble.dataOf(stranger), { recursive: true });
  const theirs = await directoryOfAnother(ensemble.dataOf(stranger), stranger);

  ensemble.launch(stranger);
  await ensemble.until('the member to be refused', async () => {
    const health = await ensemble.health(stranger);
    return (health?.foreign.length ?? 0) > 0;
  });
  const answer = await fetch(`http://127.0.0.1:${ensemble.portOf(stranger)}/readyz`);
  const { reason, ensemble: own } = (await answer.json()) as { reason: string; ensemble: string };
  assert.equal([answer.status, own], [503, theirs]);
  assert.match(reason, new RegExp(`data are of ensemble ${theirs}.*of ${id}.*start it with an empty one`));
  await ensemble.until('both sides to log it', async () =>
    [stranger, 1].every((member) => ensemble.logOf(member).includes('Peer link refused')),
  );
  const others = ensemble.ids.filter((other) => other !== stranger);
  await ensemble.serving(...others);

  await ensemble.stop(stranger);
  await rm(ensemble.dataOf(stranger), { recursive: true });
  ensemble.launch(stranger);
  await ensemble.serving(...ensemble.ids);
  await ensemble.converged();
  assert.is((await ensemble.health(stranger))!.ensemble, id);
});

/** Puts the directory of the member of that number of another ensemble there. Returns the id of the other ensemble. */
async function directoryOfAnother(place: string, number: number): Promise<string> {
  await using other = await EnsembleProcess.start();
  {
    await using client = await connect(other.url());
    for (let n = 0; n < 8; n++) await client.create(`/theirs${n}`, 'y');
  }
  await other.converged();
  const { ensemble } = (await other.health(number))!;
  await other.stop(number);
  await cp(other.dataOf(number), place, { recursive: true });
  return ensemble!;
}

test.run();
