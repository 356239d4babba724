import { KINDS, type Kind } from './fleet.js';
import type { Stage } from './stage.js';

/** Leaders resign one after the other; each that leads makes an ephemeral znode that nobody else can make. */
export async function election(stage: Stage): Promise<void> {
  const fleet = await stage.fleet();
  for (const [index, kind] of KINDS.entries()) await stand(stage, kind, index + 1);
  await sayParticipants(stage);
  for (const kind of [...KINDS, ...KINDS]) {
    await fleet[kind].says('leads');
    stage.say(`${kind} leads, and says the witness: ${await witness(stage)}`);
    fleet[kind].ask('end');
    await fleet[kind].says('ended');
    await stand(stage, kind, KINDS.length);
  }
  for (const kind of KINDS) {
    await fleet[kind].says('leads');
    fleet[kind].ask('end');
    await fleet[kind].says('ended');
  }
  stage.say(`left: ${(await stage.children(stage.root)).length}`);
}

/** Leaders are killed one after the other, and come back to the end of the line. */
export async function electionAfterKills(stage: Stage): Promise<void> {
  await stage.fleet();
  for (const [index, kind] of KINDS.entries()) await stand(stage, kind, index + 1);
  for (const kind of KINDS) {
    await (await stage.player(kind)).says('leads');
    stage.say(`${kind} leads, and says the witness: ${await witness(stage)}`);
    await stage.kill(kind);
    await stage.until(
      'the dead is gone',
      async () => (await stage.children(stage.root)).length < KINDS.length,
    );
    await stand(stage, kind, KINDS.length);
  }
  await (await stage.player('curator')).says('leads');
  await sayParticipants(stage);
  for (const kind of KINDS) {
    const player = await stage.player(kind);
    if (kind !== 'curator') await player.says('leads');
    player.ask('end');
    await player.says('ended');
  }
}

async function stand(stage: Stage, kind: Kind, expected: number): Promise<void> {
  (await stage.player(kind)).ask('lead', stage.root);
  await stage.until(`${kind} stands`, async () => (await stage.children(stage.root)).length === expected);
}

/** Who stands, as written in the znodes of all three. */
async function sayParticipants(stage: Stage): Promise<void> {
  const names = (await stage.children(stage.root)).sort((a, b) => (a.slice(-10) < b.slice(-10) ? -1 : 1));
  const who = await Promise.all(names.map((name) => text(stage, `${stage.root}/${name}`)));
  stage.say(`in the line: ${who.join(', ')}`);
}

function witness(stage: Stage): Promise<string> {
  return text(stage, `${stage.root}-witness/leader`);
}

async function text(stage: Stage, path: string): Promise<string> {
  await stage.client.sync('/');
  return new TextDecoder().decode((await stage.client.getData(path)).data ?? new Uint8Array());
}
