import type { Stage } from './stage.js';

/** What Curator's discovery registers is found by name from Quorate, and the other way round; both follow the changes. */
export async function servicesByName(stage: Stage): Promise<void> {
  const { curator, quorate } = await stage.fleet();
  const both = [curator, quorate];
  for (const player of both) player.ask('follow', 'billing');
  for (const player of both) await player.says('follows');
  for (const [player, id, port] of [
    [curator, 'one', 8001],
    [quorate, 'two', 8002],
    [curator, 'three', 8003],
    [quorate, 'four', 8004],
  ] as const) {
    player.ask('register', 'billing', id, port);
    const said = [await player.next(), await player.next()].sort();
    stage.say(`${player.kind}: ${said.join(', ')}`);
    const other = player === curator ? quorate : curator;
    stage.say(`${other.kind} ${await other.next()}`);
  }
  for (const player of both) {
    player.ask('find', 'billing');
    stage.say(`${player.kind} ${await player.next()}`);
    player.ask('find', 'nothing');
    stage.say(`${player.kind} ${await player.next()}`);
  }
}

/** The instances of a process that was killed go with its session. */
export async function servicesOfTheDead(stage: Stage): Promise<void> {
  const { curator, quorate } = await stage.fleet();
  quorate.ask('follow', 'mortal');
  await quorate.says('follows');
  curator.ask('register', 'mortal', 'one', 8001);
  await curator.says('registered');
  await quorate.tells('sees mortal: one@curator.example:8001/curator');
  await stage.kill('curator');
  await quorate.tells('sees mortal: ');
  stage.say('gone with curator');

  const successor = await stage.player('curator');
  successor.ask('follow', 'mortal');
  await successor.says('follows');
  quorate.ask('register', 'mortal', 'two', 8002);
  await successor.tells('sees mortal: two@quorate.example:8002/quorate');
  await stage.kill('quorate');
  await successor.tells('sees mortal: ');
  stage.say('gone with quorate');
}
