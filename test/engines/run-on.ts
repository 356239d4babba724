import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Behaviour } from './behaviour.js';
import { BEHAVIOURS } from './behaviours/index.js';
import type { Engine } from './engine.js';
import { Place } from './place.js';

/**
 * Makes every behaviour a test on this engine, each in a tree of its own. With `missing`, which says what this machine
 * lacks, all of them are skipped, or fail where nothing may be skipped.
 */
export function runOn(name: string, start: () => Promise<Engine>, missing?: string): void {
  const test = suite(name);
  if (missing !== undefined) {
    if (process.env['CI'] === 'true') test('can be run', () => assert.unreachable(missing));
    else console.log(`# skipped on ${name}: ${missing}`);
    for (const [title] of eachBehaviour()) test.skip(title);
    test.run();
    return;
  }
  let engine: Engine | undefined;
  test.before(async () => {
    engine = await start();
  });
  test.after(async () => engine?.[Symbol.asyncDispose]());
  let places = 0;
  for (const [title, behaviour] of eachBehaviour()) {
    test(title, async () => {
      const place = await Place.open(engine!, `place-${++places}`);
      try {
        await behaviour(place);
      } finally {
        await place.end();
      }
    });
  }
  test.run();
}

function eachBehaviour(): [title: string, behaviour: Behaviour][] {
  return Object.entries(BEHAVIOURS).flatMap(([subject, behaviours]) =>
    Object.entries(behaviours).map(([title, behaviour]): [string, Behaviour] => [
      `${subject}: ${title}`,
      behaviour,
    ]),
  );
}
