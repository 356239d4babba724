import { KINDS, type Player } from './fleet.js';
import type { Stage } from './stage.js';

const TURNS = 25;
const PERMITS = 2;

/** Everybody uses Curator's names. */
export function lock(stage: Stage): Promise<void> {
  return contend(stage, 'names-of-curator');
}

/** Each uses its own, and knows those of the others. */
export function lockUnderOwnNames(stage: Stage): Promise<void> {
  return contend(stage, 'own-names');
}

/** While one holds, it makes an ephemeral znode that nobody else can make, and notes whose turn it is. */
async function contend(stage: Stage, names: string): Promise<void> {
  const fleet = Object.values(await stage.fleet());
  for (const player of fleet) player.ask('contend', names, stage.root, TURNS);
  await Promise.all(fleet.map((player) => player.says('done')));
  const turns = await readTurns(stage);
  for (const kind of KINDS) stage.say(`${kind}: ${turns.filter(({ who }) => who === kind).length} turns`);
  const isFair = turns.every(({ place }, index) => index === 0 || place > turns[index - 1]!.place);
  stage.say(`in the order of asking: ${isFair}`);
  stage.say(`left: ${(await stage.children(stage.root)).length}`);
}

async function readTurns(stage: Stage): Promise<{ readonly who: string; readonly place: number }[]> {
  const names = (await stage.children(`${stage.root}-witness`)).sort();
  return await Promise.all(
    names.map(async (name) => {
      const { data } = await stage.client.getData(`${stage.root}-witness/${name}`);
      const [who, place] = new TextDecoder().decode(data ?? new Uint8Array()).split(' ');
      return { who: who!, place: Number(place) };
    }),
  );
}

/** Each waits for the one before it, whoever that is. */
export async function heldLock(stage: Stage): Promise<void> {
  const fleet = await stage.fleet();
  for (const names of ['names-of-curator', 'own-names']) {
    let waiting = 0;
    const order: Player[] = [];
    // One process stands in the line once at a time, and its end is what the next one waits for.
    for (const player of KINDS.map((kind) => fleet[kind])) {
      player.ask('hold', names, stage.root);
      order.push(player);
      waiting++;
      await stage.until(
        'it stands in the line',
        async () => (await stage.children(stage.root)).length === waiting,
      );
    }
    for (const player of order) {
      await player.says('holds');
      const others = order.filter((other) => other !== player && other.unheard.length > 0);
      stage.say(`${player.kind} holds, with ${others.length} others`);
      player.ask('end');
      await player.says('ended');
    }
  }
}

/** A holder is killed: the next one gets it when the session of the dead is over, and not before. */
export async function killedHolders(stage: Stage): Promise<void> {
  const fleet = await stage.fleet();
  let standing = 0;
  for (const kind of KINDS) {
    fleet[kind].ask('hold', 'own-names', stage.root);
    const expected = ++standing;
    await stage.until(
      'it stands in the line',
      async () => (await stage.children(stage.root)).length === expected,
    );
  }
  for (const [index, kind] of KINDS.entries()) {
    await fleet[kind].says('holds');
    stage.say(`${kind} holds; in the line: ${(await stage.children(stage.root)).length}`);
    if (index < KINDS.length - 1) await stage.kill(kind);
  }
  fleet.quorate.ask('end');
  await fleet.quorate.says('ended');
  stage.say(`left: ${(await stage.children(stage.root)).length}`);
}

/** Readers share, writers exclude; each says so if it sees something else. */
export async function readWriteLock(stage: Stage): Promise<void> {
  const fleet = Object.values(await stage.fleet());
  for (const player of fleet) player.ask('read-and-write', stage.root, TURNS);
  await Promise.all(fleet.map((player) => player.says('done')));
  stage.say(`left: ${(await stage.children(stage.root)).length}`);
}

/** kazoo has a layout of its own: Curator and Quorate share the leases. */
export async function semaphore(stage: Stage): Promise<void> {
  const fleet = [await stage.player('curator'), await stage.player('quorate')];
  for (const player of fleet) player.ask('share', stage.root, PERMITS, TURNS);
  await Promise.all(fleet.map((player) => player.says('done')));
  stage.say(`left: ${(await stage.children(`${stage.root}/leases`)).length}`);
}
